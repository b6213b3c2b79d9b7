"""History: what this keytui did, open creations first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from typing_extensions import override

from keytui.core.errors import KeytuiError
from keytui.core.gate import EXPORTING
from keytui.core.model import Secret
from keytui.core.new_files import create
from keytui.core.text import plain
from keytui.journal.history import Matter, history, json_lines
from keytui.stores.csv_file import expand
from keytui.tui.dialogs.dialogs import FilteredScreen, PathScreen, sentences
from keytui.tui.keys import recover
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.bars import KeyHints, TooSmall
from keytui.tui.widgets.lines import LineInput
from keytui.tui.widgets.rows import Column, Columns, Rows
from keytui.tui.widgets.text import WARNS, count

WHEN = 16
"""Cells of a time to the minute; below that it stands without its year."""
COLUMNS = Columns(
    Column("When (UTC)", (WHEN, 11)),
    Column("Access key ID", (20,)),
    Column("User", (18, 14, 10, 6)),
    Column("By", (18, 12), rank=2, least=90),
    Column("What", (24, 16), fills=True),
)


class HistoryList(Rows):
    """The matters that pass the filter."""

    HEADER_LINES = 1

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.matters: Sequence[Matter] = ()
        """The matters shown."""

    @property
    def row_count(self) -> int:
        """How many matters are shown."""
        return len(self.matters)

    @property
    def matter(self) -> Matter | None:
        """The matter under the cursor."""
        return self.matters[self.cursor] if self.cursor < len(self.matters) else None

    def show(self, matters: Sequence[Matter]) -> None:
        """Show these matters, the cursor on the first."""
        self.matters = matters
        self.rows_changed()

    def draw_header(self, width: int) -> Text:
        """Return the names of the columns."""
        return COLUMNS.header(width)

    def draw_row(self, index: int, width: int) -> Text:
        """Return a matter's line."""
        matter = self.matters[index]
        form = "%Y-%m-%d %H:%M" if COLUMNS.widths(width)[0] >= WHEN else "%m-%d %H:%M"
        when = matter.at.astimezone(UTC).strftime(form) if matter.at else "–"
        what = f"! {matter.what}" if matter.open else matter.what
        caller = matter.caller.rpartition("/")[2] or matter.caller
        cells = (when, matter.key_id or "–", matter.user, caller, what)
        line = COLUMNS.line(Text(), [Text(plain(cell)) for cell in cells], width)
        line.stylize(f"bold {WARNS}" if matter.open else "")
        return line


@dataclass(frozen=True, slots=True)
class Export:
    """The user wants these matters in a file."""

    matters: Sequence[Matter]


class HistoryScreen(FilteredScreen[Matter | Export | None]):
    """Lists the matters; returns an open one to look into, or those to export."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "Look into it"),
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("e", "export", "Export"),
        Binding("escape", "back", "Back", key_display="esc"),
        Binding("q", "dismiss(None)", show=False),
    ]

    def __init__(self, matters: Sequence[Matter]) -> None:
        super().__init__()
        self._matters = matters

    @override
    def compose(self) -> ComposeResult:
        yield Static("History", classes="heading")
        yield LineInput(placeholder="/ filter", id="filter")
        yield HistoryList(id="history")
        yield Static(id="told")
        yield KeyHints()
        yield TooSmall()

    def on_mount(self) -> None:
        self.list.focus()
        self._show()

    @property
    def list(self) -> HistoryList:
        """The list itself."""
        return self.query_one(HistoryList)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        del parameters
        if action == "look":
            matter = self.list.matter
            return matter is not None and matter.open
        return True

    @on(Rows.Chosen)
    def action_look(self) -> None:
        if (matter := self.list.matter) and matter.open:
            self.dismiss(matter)

    def action_export(self) -> None:
        if self.list.matters:
            self.dismiss(Export(self.list.matters))

    @on(LineInput.Changed)
    def _show(self) -> None:
        text = self.query_one(LineInput).value
        shown = [matter for matter in self._matters if matter.matches(text)]
        self.list.show(shown)
        self._draw()

    @on(Rows.Highlighted)
    def _draw(self) -> None:
        shown = [b for b in self.BINDINGS if isinstance(b, Binding) and b.show]
        self.query_one(KeyHints).show([b for b in shown if self.check_action(b.action, ())])
        unfinished = sum(matter.open for matter in self._matters)
        words = [count(len(self.list.matters), "line")]
        if unfinished:
            words.append(f"{count(unfinished, 'creation')} unfinished, at the top")
        if not self._matters:
            words = ["keytui has done nothing yet."]
        here = self.list.matter
        detail = f"{here.user}: {here.what}, by {here.caller}" if here else ""
        self.query_one("#told", Static).update(sentences(detail, " · ".join(words)))


EXPORT = "~/keytui-history.jsonl"


async def show_history(stage: Stage) -> None:
    """Show the history until it is left."""
    matters = history(await in_thread(stage.ctx.journal.entries))
    match await stage.ask(HistoryScreen(matters)):
        case Export(matters=shown):
            await _export(stage, list(shown))
        case Matter() as matter:
            await _look_into(stage, matter)
        case None:
            return


async def _look_into(stage: Stage, matter: Matter) -> None:
    own = stage.account.identity.account
    if matter.account != own:
        raise KeytuiError(
            f"That key was asked for in the account {matter.account}; this is {own}.",
            "Nothing was changed.",
            "P switches to a profile of that account.",
        )
    await recover.look_into(stage, matter.attempt)


async def _export(stage: Stage, matters: list[Matter]) -> None:
    path = await stage.ask(PathScreen("Export the history as JSON lines", EXPORT))
    if not path:
        return
    stage.no_more_questions()
    file, text = expand(path), json_lines(matters)
    await in_thread(lambda: create(file, Secret(text), EXPORTING, "Nothing was written."))
    stage.say(f"The history is in {file}: {count(len(text.splitlines()), 'line')}.")
