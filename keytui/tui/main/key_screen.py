"""The dialog that tells all that is known of one access key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from keytui.core.errors import KeytuiError, StateError
from keytui.core.model import AccessKey, KeyStatus, Secret
from keytui.core.rules import Thresholds, findings
from keytui.core.text import plain
from keytui.journal.history import Dossier, Matter, dossier
from keytui.keys.local_use import LocalUse, Place
from keytui.session.context import Context
from keytui.session.inventory import KeyList
from keytui.tui.dialogs.dialogs import LongDialog, Note
from keytui.tui.keys.change import activate, deactivate, delete
from keytui.tui.rotation.flow import rotate
from keytui.tui.services.copier import copier
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.text import DIM, FAILS, GLYPHS, STATUS_STYLES, WARNS, ago, moment


class Answer(Enum):
    """What to do with the key."""

    DEACTIVATE = "deactivate"
    ACTIVATE = "activate"
    DELETE = "delete"
    ROTATE = "rotate"


@dataclass(frozen=True, slots=True)
class Here:
    """What this machine knows of a key.

    Attributes:
        uses: Where it names the key.
        record: What keytui's record says.
        problem: Why the record can't be read; None where it was.
    """

    uses: tuple[LocalUse, ...]
    record: Dossier
    problem: KeytuiError | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a key at once.

    Attributes:
        key: The key.
        siblings: All keys of its owner, and when they were read.
        own: Whether it signs keytui's own calls.
        now: The time that ages are counted from.
        limits: After how many days a key counts as old or unused.
    """

    key: AccessKey
    siblings: KeyList
    own: bool
    now: datetime
    limits: Thresholds


_OFFERS = {
    "answer('DEACTIVATE')": {KeyStatus.ACTIVE},
    "answer('ACTIVATE')": {KeyStatus.INACTIVE},
    "answer('ROTATE')": {KeyStatus.ACTIVE},
    "answer('DELETE')": {KeyStatus.INACTIVE, KeyStatus.EXPIRED},
}


class KeyScreen(LongDialog[Answer | None]):
    """Tells what is known of a key, and what this machine knows of it once that is read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "answer('DEACTIVATE')", "Make inactive"),
        Binding("a", "answer('ACTIVATE')", "Make active"),
        Binding("x", "answer('DELETE')", "Delete"),
        Binding("R", "answer('ROTATE')", "Rotate"),
        Binding("y", "copy", "Copy ID"),
        Binding("escape,enter,q", "dismiss(None)", "Close", key_display="esc"),
    ]

    def __init__(self, known: Known, look_here: Callable[[], Here]) -> None:
        """Take what is known.

        Args:
            known: What is known at once.
            look_here: Finds out what this machine knows; blocks, raises nothing.
        """
        super().__init__(known.key.id)
        self._known, self._look_here = known, look_here

    def below(self) -> ComposeResult:
        """Yield the line that tells of the clipboard."""
        yield Note(classes="quiet")

    def on_mount(self) -> None:
        super().on_mount()
        self.show_text(_table(self._known, None))
        self.look()

    @work(description="look for a key on this machine")
    async def look(self) -> None:
        """Show the rest when it is here."""
        self.show_text(_table(self._known, await in_thread(self._look_here)))

    def show_hints(self) -> None:
        """Show the keys that this key's status allows."""
        status = self._known.key.status
        shown = [b for b in self.BINDINGS if isinstance(b, Binding)]
        self.hint([b for b in shown if status in _OFFERS.get(b.action, {status})])

    def action_answer(self, answer: str) -> None:
        """Return what to do with the key, where its status allows that."""
        if self._known.key.status in _OFFERS[f"answer('{answer}')"]:
            self.dismiss(Answer[answer])

    @work(description="send an access key ID to the clipboard")
    async def action_copy(self) -> None:
        key_id = self._known.key.id
        sent = await copier(self.app).send(Secret(key_id), secret=False)
        note = f" {sent.note}" if sent.note else ""
        self.query_one(Note).say(Text(plain(f"{key_id} was {sent.done}.{note}")))


def _table(known: Known, here: Here | None) -> Table:
    """Return all that is known, a line or some for each thing."""
    key, now = known.key, known.now
    table = Table.grid(padding=(0, 2))
    table.add_column(style=DIM, no_wrap=True)
    table.add_column(overflow="fold")

    def row(name: str, *texts: Text | str) -> None:
        whole = Text("\n").join(t if isinstance(t, Text) else Text(plain(t)) for t in texts)
        table.add_row(name, whole)

    row("Status", Text(f"{GLYPHS[key.status]} {key.status.value}", STATUS_STYLES[key.status]))
    row("Owner", key.user.name)
    if key.description:
        row("Description", f"“{key.description}”")
    creator = f"by {here.record.creator}, with keytui" if here and here.record.creator else ""
    row("Created", f"{moment(key.created)} · {ago(key.created, now)}", *filter(None, [creator]))
    row("Last used", *_last_used(known))
    if found := _findings(known):
        row("Findings", *found)
    if known.own:
        row("Signs", Text("keytui's own calls", WARNS))
    row("Used here", *_uses(here))
    row("Secret", *_stores(here))
    row("History", *_history(here))
    return table


def _last_used(known: Known) -> list[Text | str]:
    used = known.key.last_used
    if known.key.status is KeyStatus.DELETED:
        return ["–"]
    if used is None:
        return ["not read"]
    asked = moment(known.siblings.read_at)
    grain = Text(f"Known to 15 minutes; asked {asked}.", DIM)
    if used.when is None:
        return ["never", grain]
    where = f"{used.service} {used.region}".strip()
    return [f"{moment(used.when)} · {ago(used.when, known.now)} · {where}", grain]


def _findings(known: Known) -> list[Text]:
    lines = []
    for finding in findings(known.key, known.siblings.keys, known.now, known.limits):
        rule = finding.rule.text(known.limits)
        word = (finding.rule.word, FAILS if finding.fails else "bold")
        lines.append(Text.assemble(word, f": {rule} ", (f"CIS {finding.rule.cis}", DIM)))
    return lines


def _uses(here: Here | None) -> list[str]:
    if here is None:
        return ["…"]
    found = [use.text for use in here.uses if use.place is not Place.KEYRING]
    return found or ["by nothing that keytui can see"]


def _stores(here: Here | None) -> list[str]:
    if here is None:
        return ["…"]
    keyrings = [use.where for use in here.uses if use.place is Place.KEYRING]
    stores = dict.fromkeys((*here.record.kept_in, *keyrings))
    return [f"in {store}" for store in stores] or ["not kept by keytui"]


def _history(here: Here | None) -> list[Text | str]:
    if here is None:
        return ["…"]
    if here.problem:
        return [Text(plain(f"{here.problem.title} {here.problem.next_step}"), WARNS)]
    return [_line(matter) for matter in here.record.matters] or ["nothing by keytui"]


def _line(matter: Matter) -> str:
    caller = matter.caller.rpartition("/")[2] or matter.caller
    return f"{moment(matter.at)} · {matter.what}" + (f", by {caller}" if caller else "")


async def show_key(stage: Stage, key: AccessKey) -> None:
    """Show all that is known of a key until it is left."""
    account = stage.account
    siblings = account.inventory.keys_of(key.user)
    if siblings is None:
        return
    own = await in_thread(account.iam.signing_key_id)
    ctx = stage.ctx
    known = Known(key, siblings, own == key.id, ctx.now(), ctx.settings.limits)
    match await stage.ask(KeyScreen(known, lambda: _look_here(ctx, key.id))):
        case Answer.DEACTIVATE:
            await deactivate(stage, key)
        case Answer.ACTIVATE:
            await activate(stage, key)
        case Answer.DELETE:
            await delete(stage, key)
        case Answer.ROTATE:
            await rotate(stage, key)
        case None:
            return


def _look_here(ctx: Context, key_id: str) -> Here:
    record, problem = Dossier(), None
    try:
        record = dossier(ctx.journal.entries(), key_id)
    except StateError as error:
        problem = error
    return Here(ctx.uses_here(key_id), record, problem)
