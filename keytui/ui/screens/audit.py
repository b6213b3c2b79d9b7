"""The audit: every key of the account in one table, worst first, and what is done there."""

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.worker import Worker

from keytui.audit.view import Column, Order
from keytui.errors import KeytuiError
from keytui.parts import Parts
from keytui.ui.account import Account
from keytui.ui.screens.audited import AuditedScreen
from keytui.ui.typeahead import TypeAhead
from keytui.ui.widgets.audit_totals import RULES, AuditTotals
from keytui.ui.widgets.bars import KeyHints, MessageBar
from keytui.ui.widgets.line_input import LineInput
from keytui.ui.widgets.rows import Rows

if TYPE_CHECKING:
    from keytui.ui.app import KeytuiApp

ON_KEYS = ("deactivate", "activate", "delete")
CHANGES = (*ON_KEYS, "undo")

Verbs = Mapping[str, Callable[["AuditScreen"], Coroutine[Any, Any, None]]]


class AuditScreen(AuditedScreen):
    """Shows the audit; returns the row whose key is to be opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "do('deactivate')", "Make inactive", tooltip="Make the keys inactive"),
        Binding("space", "mark", "Mark", tooltip="Mark the key; d, a and x act on all marked"),
        Binding(
            "asterisk", "mark_all", "Mark all", key_display="*", tooltip="Mark all that is shown"
        ),
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("enter", "open", "Open", tooltip="Go to the key on the main screen"),
        Binding("e", "do('export')", "Export", tooltip="Save what is shown as CSV or JSON"),
        Binding("u", "do('undo')", "Undo", tooltip="Undo the last change of status"),
        Binding("a", "do('activate')", "Make active", tooltip="Make the keys active"),
        Binding("x", "do('delete')", "Delete", tooltip="Delete the keys, inactive ones"),
        Binding("r", "refresh", "Refresh", tooltip="Read the report and these rows again"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="List the keys"),
        Binding("escape", "back", "Back", key_display="esc"),
        Binding("q", "dismiss(None)", show=False),
        *(Binding(one.letter, f"sort('{one.name}')", show=False) for one in Column),
        *(Binding(f"{n}", f"rule({n})", show=False) for n in range(1, len(RULES) + 1)),
    ]

    def __init__(self, account: Account, parts: Parts, verbs: Verbs) -> None:
        """Take the account, the parts of this run, and what the keys do, as flows."""
        super().__init__(account, parts)
        self._verbs = verbs
        self._at_work: Worker[None] | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Let the keys work that do something now; in read-only mode changes are refused aloud."""
        read_only = self.parts.settings.read_only
        match action, parameters:
            case "do", ("undo",):
                return read_only or bool(self.account.changes)
            case "do", (str(verb),) if verb in CHANGES:
                return read_only or bool(self.marks or self.table.row)
            case ("do", ("export",)) | (("mark" | "mark_all" | "open"), _):
                return self.table.row is not None
        return True

    def action_do(self, verb: str) -> None:
        """Set going what a key is for."""
        if not self.check_action("do", (verb,)) or self._typed.held:
            return
        refused = verb in CHANGES and self.parts.settings.read_only
        if not refused and verb in ON_KEYS and not self.marks and not self.is_meant():
            return
        self.say("")
        self._typed.hold()
        self._at_work = self.run_worker(
            self._guarded(verb), group="verb", description="work on audited keys"
        )

    def give_up(self) -> bool:
        """Leave what a key has set going, before it has changed anything."""
        if self._at_work is None or self._at_work.is_finished:
            return False
        self._at_work.cancel()
        self.say("Left; nothing was changed.", good=False)
        return True

    async def _guarded(self, verb: str) -> None:
        try:
            await self._verbs[verb](self)
        except KeytuiError as error:
            self.query_one(MessageBar).problem(error)
        finally:
            self._typed.release()
        self.draw()
        self.strayed = False  # Whoever comes back from a dialog looks anew.

    def action_mark(self) -> None:
        """Mark the key under the cursor, or take its mark away, and go on to the next."""
        if self.is_meant() and (row := self.table.row):
            self.marks.set([row], on=not self.marks.holds(row))
            self.table.action_move(1)
            self.draw()

    def action_mark_all(self) -> None:
        """Mark all that is shown; where all is, take the marks away."""
        rows = self.table.rows
        self.marks.set(rows, on=not all(map(self.marks.holds, rows)))
        self.draw()

    @on(Rows.Chosen)
    def action_open(self) -> None:
        """Return the row under the cursor."""
        if self.is_meant():
            self.dismiss(self.table.row)

    def action_sort(self, column: str) -> None:
        """Sort by a column; by the same one again, the other way round."""
        chosen = Column[column]
        reverse = chosen is self.order.column and not self.order.reverse
        self.order = Order(chosen, reverse)
        self.draw_others()

    @on(AuditTotals.Chosen)
    def _rule_chosen(self, event: AuditTotals.Chosen) -> None:
        self.action_rule(RULES.index(event.rule) + 1)

    def action_rule(self, number: int) -> None:
        """Filter by a rule, or no longer."""
        line, word = self.query_one(LineInput), RULES[number - 1].option
        words = line.value.split()
        kept = [one for one in words if one.casefold() != word]
        line.value = " ".join(kept if len(kept) < len(words) else [*words, word])

    def action_help(self) -> None:
        """List the keys that work here."""
        from keytui.ui.screens.help import HelpScreen

        shown_keys = [one for one in self.BINDINGS if isinstance(one, Binding) and one.show]
        sorts = "".join(column.letter for column in Column)
        more = [
            Binding("sort", "", key_display=sorts, description="Sort by a column; again: back"),
            Binding("rule", "", key_display="1-5", description="Filter by a rule, or no longer"),
        ]
        self.app.push_screen(HelpScreen([*shown_keys, *more]))

    def show_hints(self) -> None:
        """Show the keys that work now."""
        hints, read_only = [], self.parts.settings.read_only
        for one in self.BINDINGS:
            if isinstance(one, Binding) and one.show:
                action, _, rest = one.action.partition("('")
                given = (rest.removesuffix("')"),) if rest else ()
                refused = read_only and action == "do" and rest.removesuffix("')") in CHANGES
                if not refused and self.check_action(action, given):
                    hints.append(one)
        self.query_one(KeyHints).show(hints)

    @property
    def _typed(self) -> TypeAhead:
        return cast("KeytuiApp", self.app).typed
