"""The audit: every key of the account, worst first; from there to one key, or many at once."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event

from keytui.audit.export import as_csv, as_json
from keytui.audit.rows import AuditRow
from keytui.core.credential_report import in_report_order
from keytui.core.errors import KeytuiError
from keytui.core.gate import EXPORTING
from keytui.core.model import AccessKey, Secret, User
from keytui.core.new_files import create
from keytui.keys.outcomes import Verb
from keytui.session.account import read_keys
from keytui.stores.csv_file import expand
from keytui.tui.audit.reader import read_report
from keytui.tui.audit.screen import AuditScreen
from keytui.tui.dialogs.dialogs import PathScreen, WorkingScreen
from keytui.tui.keys import bulk
from keytui.tui.services.reading import look_at_rotations
from keytui.tui.services.stage import Stage
from keytui.tui.services.state import AccountState
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.text import count

EXPORT = "~/keytui-audit.csv"
PROGRESS_SECONDS = 0.5
"""How often it is told how many users have been read."""
NOT_CERTAIN = KeytuiError(
    "It isn't certain which listed keys the marked ones are: the report names no IDs.",
    "Nothing was changed.",
    "Mark them again, now that their IDs are shown.",
)

ROOT_ALONE = KeytuiError(
    "Only the root user can change its own access keys.",
    "Nothing was changed.",
    "Sign in as root to the AWS console and delete them there; space takes the mark away.",
)


async def show_audit(stage: Stage) -> None:
    """Show the audit until it is left; before AWS has answered, that is waited for."""
    account = await stage.connection.opened()
    if account is None:
        return
    _take_over(account)
    verbs = {
        "deactivate": partial(_change, stage, Verb.DEACTIVATE),
        "activate": partial(_change, stage, Verb.ACTIVATE),
        "delete": partial(_change, stage, Verb.DELETE),
        "undo": partial(_undo, stage),
        "export": partial(_export, stage),
    }
    chosen = await stage.ask(AuditScreen(account, stage.ctx, verbs))
    stage.no_more_questions()
    if chosen is not None:
        await _open(stage, account, chosen)
    stage.view.draw_marks()


async def look_at_report(stage: Stage) -> None:
    """Read the credential report in the background, where that is allowed."""
    account = stage.account
    await read_report(account, stage.ctx)
    if stage.account is account:
        stage.view.draw_users()


def _take_over(account: AccountState) -> None:
    """Let the audit know what was read on the main screen since."""
    for name, known in account.inventory.keys.items():
        read_at = account.audit.read_at(name)
        if known.complete and (read_at is None or read_at < known.read_at):
            owner = known.keys[0].user if known.keys else User(name)
            account.audit.take_keys(owner, known.keys, known.read_at)


async def _open(stage: Stage, account: AccountState, row: AuditRow) -> None:
    """Go to a key on the main screen; to its user where only the report tells of it."""
    user = row.key.user
    known = await in_thread(lambda: read_keys(account, stage.ctx, user))
    account.inventory.add([user])
    account.inventory.set_keys(user, known)
    if not known.keys:
        raise KeytuiError(f"{user.name} has no access keys any more.", "Nothing was changed.")
    found = [key for key in known.keys if key.id == row.key.id]
    if row.key.id and not found:
        raise KeytuiError(f"{row.key.id} is gone: AWS lists it no more.", "Nothing was changed.")
    keys = in_report_order(known.keys, account.audit.reported(user.name))
    stage.view.go_to(found[0] if found else keys[min(row.slot, len(keys) - 1)])


async def _change(stage: Stage, verb: Verb, screen: AuditScreen) -> None:
    """Do one thing to the marked keys, or to the one under the cursor, after a summary."""
    stage.account.lifecycle.require_writable()
    alone = not screen.marks
    if alone and (row := screen.table.row):
        screen.marks.set([row], on=True)
    try:
        await _change_marked(stage, verb, screen)
    finally:
        if alone:  # Else the next key meant would be this one again.
            screen.marks.clear()
    await look_at_rotations(stage)


async def _change_marked(stage: Stage, verb: Verb, screen: AuditScreen) -> None:
    if screen.marks.hold_root and not stage.account.identity.is_root:
        raise ROOT_ALONE
    await _read_marked(stage, screen)
    keys = screen.marks.keys(stage.account.audit)
    if not keys:
        raise NOT_CERTAIN
    with stage.account.pace.held():
        done = await bulk.work_on(stage, verb, keys)
    screen.marks.set(_rows(screen, done), on=False)


async def _undo(stage: Stage, screen: AuditScreen) -> None:
    del screen
    with stage.account.pace.held():
        await bulk.undo(stage)


async def _read_marked(stage: Stage, screen: AuditScreen) -> None:
    """Read the marked keys whose IDs are not known yet. Raises ``KeytuiError`` where it is left."""
    marks, audit = screen.marks, screen.account.audit
    users = marks.unread(audit)
    if not users:
        return
    marks.lost = 0
    left, done = Event(), Event()
    reading = asyncio.ensure_future(screen.reader.read_some(users, left.is_set))
    reading.add_done_callback(lambda _: done.set())

    def wait(progress: Callable[[str], None]) -> None:
        while not done.wait(PROGRESS_SECONDS) and not left.is_set():
            waiting = sum(map(bool, list(marks.slots.values())))
            progress(f"Read {len(users) - waiting} of {count(len(users), 'user')}")

    title = f"Looking for the IDs of {count(len(marks), 'key')}"
    sentence = "Nothing is changed before you have seen what will happen."
    await stage.ask(WorkingScreen(title, wait, sentence, leave=left.set))
    if left.is_set():
        raise KeytuiError("Left.", "Nothing was changed.")
    await reading
    if screen.reader.problem and marks.unread(audit):
        raise screen.reader.problem


def _rows(screen: AuditScreen, keys: Sequence[AccessKey]) -> list[AuditRow]:
    ids = {key.id for key in keys}
    return [row for row in screen.account.audit.rows if row.key.id in ids]


async def _export(stage: Stage, screen: AuditScreen) -> None:
    """Save the rows shown, as the name's ending says."""
    rows = list(screen.table.rows)
    title = f"Export {count(len(rows), 'key')} as CSV, or as JSON (.json)"
    path = await stage.ask(PathScreen(title, EXPORT))
    if not path:
        return
    file, name = expand(path), stage.account.identity.account
    write = as_json if file.suffix.casefold() == ".json" else as_csv
    text = Secret(write(rows, name))
    await in_thread(lambda: create(file, text, EXPORTING, "Nothing was written."))
    screen.say(f"{count(len(rows), 'key')} {'is' if len(rows) == 1 else 'are'} in {file}.")
