"""The dialogs of a rotation: begin it, choose a key that may go, change profiles, go back."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from typing_extensions import override

from keytui.aws.files.repoint import RepointChange
from keytui.core.model import AccessKey
from keytui.core.rules import Thresholds, could_go, findings
from keytui.core.text import plain
from keytui.keys.local_use import LocalUse, own_shell
from keytui.rotation.driver import Rollback, TestedStore
from keytui.rotation.profiles import Plans
from keytui.session.context import Context
from keytui.stores.base import Probe
from keytui.tui.dialogs.dialogs import Dialog, Note, PathScreen, sentences
from keytui.tui.dialogs.unlock import UnlockScreen
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import DIM, FAILS, GLYPHS, GOOD, WARNS, ago, backend


class RotateScreen(Dialog[TestedStore | None]):
    """Says what a rotation does, and asks where to store the new secret."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "begin", "Begin"),
        Binding("f", "csv", "CSV file instead"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, key: AccessKey, here: tuple[LocalUse, ...], own: bool, ctx: Context) -> None:
        super().__init__(f"Rotate {key.id}")
        self._key, self._here, self._own, self._ctx = key, here, own, ctx
        self._keyring: Probe | None = None

    @override
    def content(self) -> ComposeResult:
        uses = [use.text for use in self._here if use.depends]
        yield Static(Text.assemble(("For ", DIM), (plain(self._key.user.name), "bold")))
        yield Static(
            sentences(
                "A new key is created. Its secret is kept, read back, and tried until AWS "
                "accepts it.",
                "This key keeps working until you make it inactive, and is deleted last. Each "
                "step waits for you, can be left and taken up again, and rolled back.",
                f"Used here: {'; '.join(uses)}. What changes there is shown first." if uses else "",
                "It signs keytui's own calls: the new key takes over once it is tried."
                if self._own
                else "",
                *own_shell(self._key.id, self._here),
            ),
            classes="label",
        )
        yield Static(Text("Its secret goes to  …", style=DIM), id="store")
        yield Note(classes="wrong")

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.look()

    @work(group="look", exclusive=True, description="look at the keyring")
    async def look(self) -> None:
        """Probe the keyring by writing to it, and show what it says."""
        probe = await self._test()
        if self.app.screen is not self:
            return
        where = backend(probe.label) or plain(probe.label)
        line = Text.assemble(("Its secret goes to  ", DIM), where, "  ")
        line.append(*(("✓ can be written", GOOD) if probe.writable else ("✗ can't be used", FAILS)))
        self.query_one("#store", Static).update(line)
        self.query_one(Note).say(Text(plain(_why(probe))))

    async def _test(self) -> Probe:
        probe = self._keyring = await in_thread(self._ctx.keyring.probe)
        return probe

    @work(group="choose", exclusive=True, description="look at the keyring chosen")
    async def action_begin(self) -> None:
        """Begin, if the keyring can be written; a locked one is offered to be unlocked."""
        probe = self._keyring or await self._test()
        if probe.can_be_unlocked and await self._unlocked(probe):
            await self.look().wait()
            probe = self._keyring or probe
        if self.app.screen is not self:
            return
        if probe.writable:
            self.dismiss((self._ctx.keyring, probe if probe.is_fresh else None))
        else:
            self.app.bell()

    async def _unlocked(self, probe: Probe) -> bool:
        screen = UnlockScreen(self._ctx.keyring, probe, self._ctx.settings.gate)
        return await self.app.push_screen_wait(screen)

    @work(group="choose", exclusive=True, description="ask for a path")
    async def action_csv(self) -> None:
        path = str(self._ctx.csv_path(self._key.user))
        chosen = await self.app.push_screen_wait(PathScreen("Save a CSV file", path))
        if not chosen:
            return
        store = self._ctx.csv_file(chosen)
        probe = await in_thread(store.probe)
        if probe.writable:
            self.dismiss((store, probe))
        else:
            self.query_one(Note).say(Text(plain(f"{probe.reason} {probe.next_step}")))


class TwoKeys(Rows):
    """The keys, a line each."""

    def __init__(self, keys: Sequence[AccessKey], now: datetime, limits: Thresholds) -> None:
        super().__init__()
        self._keys, self._now, self._limits = keys, now, limits

    @property
    @override
    def row_count(self) -> int:
        return len(self._keys)

    @override
    def draw_row(self, index: int, width: int) -> Text:
        key, here = self._keys[index], index == self.cursor
        used = key.last_used
        last = ago(used.when, self._now) if used and used.when else "never" if used else "unknown"
        words = [f"{GLYPHS[key.status]} {key.status.value}", f"used {last}"]
        judged = findings(key, self._keys, self._now, self._limits)
        words += [finding.rule.word for finding in judged if finding.fails]
        line = Text.assemble("▸ " if here else "  ", (plain(key.id), "bold"), "  ", words[0])
        line.append(" · " + " · ".join(words[1:]), style=DIM)
        line.truncate(width, overflow="ellipsis")
        return line


class TwoKeysScreen(Dialog[AccessKey | None]):
    """Shows the keys of a user who has all that AWS allows; keytui never chooses."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,down", "none", "Which", key_display="↑↓"),
        Binding("enter", "choose", "This one may go"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, keys: tuple[AccessKey, ...], now: datetime, limits: Thresholds) -> None:
        super().__init__("One key has to go first")
        self._keys, self._now, self._limits = keys, now, limits

    @override
    def content(self) -> ComposeResult:
        name = self._keys[0].user.name
        yield Static(
            sentences(
                f"{name} has {len(self._keys)} keys, all that AWS allows: there is no room for "
                "a new one.",
                could_go(self._keys),
            )
        )
        yield TwoKeys(self._keys, self._now, self._limits)
        yield Static(
            sentences("An active key is made inactive first, with its own questions."),
            classes="quiet",
        )

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(TwoKeys).focus()

    @on(Rows.Chosen)
    def action_choose(self) -> None:
        self.dismiss(self._keys[self.query_one(TwoKeys).cursor])

    def action_none(self) -> None:
        """The list itself moves; the binding is here to be shown."""


class RepointScreen(Dialog[tuple[RepointChange, ...] | None]):
    """Shows how the AWS profiles here would be changed, as a diff; returns the changes wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "change", "Change them"),
        Binding("w", "other", "Keep static"),
        Binding("n", "dismiss(())", "By hand"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, plans: Plans[RepointChange]) -> None:
        super().__init__("Let the AWS profiles here use the new key")
        self._plans, self._process = plans, bool(plans.by_process)

    @override
    def content(self) -> ComposeResult:
        yield Static(id="intro")
        yield Static(id="diff", classes="label")
        yield Static(
            sentences("A backup is put beside each file until the old key is deleted."),
            classes="quiet",
        )

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self._draw()

    @property
    def _changes(self) -> tuple[RepointChange, ...]:
        return self._plans.by_process if self._process else self._plans.rewritten

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        del parameters
        plans = self._plans
        kinds = {change.diff for change in (*plans.by_process, *plans.rewritten)}
        return action != "other" or len(kinds) > len(plans.by_process)

    def action_other(self) -> None:
        self._process = not self._process
        self._draw()

    def action_change(self) -> None:
        self.dismiss(self._changes)

    def _draw(self) -> None:
        how = (
            "They take the key from the keyring, through keytui; no secret stays in the file."
            if self._process
            else "They keep a key and its secret in plain text, as before."
        )
        limits = self._plans.limits if self._plans.limited(self._changes) else ()
        self.query_one("#intro", Static).update(sentences(how, *limits))
        shown: list[Text | Table] = []
        for change in self._changes:
            shown.append(Text(plain(change.use.text), style="bold"))
            shown.append(_diff(change.diff))
            if change.note:
                shown.append(Text(f"  {plain(change.note)}", style=WARNS))
        self.query_one("#diff", Static).update(Group(*shown))


def _diff(lines: Sequence[str]) -> Table:
    """Return the lines of a diff; a long one goes on below itself, beside its mark."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    for line in lines:
        style = {"+": GOOD, "-": FAILS}.get(line[:1], DIM)
        grid.add_row(Text(f" {line[:1]}", style), Text(plain(line[2:]), style))
    return grid


def back_lines(question: Rollback, now: datetime) -> list[str]:
    """Return what rolling back will do, a sentence a line."""
    rotation, used = question.rotation, question.new
    new_id = rotation.new_id
    lines = [f"{rotation.old_id} is made active again, if it is not."]
    if rotation.repointed:
        lines.append("The AWS profiles that keytui changed here use it again.")
    if new_id:
        lines.append(f"{new_id} is deleted, and its secret forgotten by the keyring.")
    if new_id and used and used.when:
        where = f"{used.service} {used.region}".strip()
        lines.append(
            f"{new_id} was last used {ago(used.when, now)} by {where} (keytui's own trials "
            "are sts): whatever else has it stops working."
        )
    elif question.warning:
        lines.append(question.warning)
    return lines


def _why(probe: Probe) -> str:
    if probe.writable:
        return ""
    mend = "Enter asks for its password." if probe.can_be_unlocked else probe.next_step
    return f"{probe.reason} {mend}"
