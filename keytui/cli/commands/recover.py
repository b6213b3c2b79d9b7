"""``keytui recover``: look into the creations that were cut short, without a screen."""

from argparse import ArgumentParser

from keytui.cli.console import (
    ConsolePort,
    agreed,
    complain,
    on_terminal,
    progress,
    say,
    typed_last_four,
)
from keytui.cli.parser import EXIT_DONE, EXIT_OPEN, EXIT_USAGE, Command, add_account_flags
from keytui.core.errors import KeytuiError, ReadOnlyError
from keytui.core.model import AccessKey
from keytui.core.port import run_now
from keytui.keys.recovery import Finding, Verdict
from keytui.keys.settle import Answer, settle
from keytui.session.account import open_account
from keytui.session.context import Context


def recover(ctx: Context, *, yes: bool) -> int:
    """Say what became of each open creation, and delete the keys that nobody can use.

    Args:
        ctx: The parts of this run.
        yes: Delete without asking, but only keys whose secret certainly nobody has. Otherwise
            each is asked about on a terminal, and elsewhere only told.

    Returns:
        0 where nothing is open (any more), else 3.

    Raises:
        KeytuiError: AWS or keytui's record can't be read.
    """
    account = open_account(ctx, ctx.settings.profile)
    recovery, port = account.recovery, ConsoleRecovery(yes=yes)
    unfinished = recovery.open_attempts()
    still_open = 0
    for attempt in unfinished:
        finding = recovery.examine(attempt, progress)
        if finding is None:
            say(f"A creation for {attempt.user} is in the hands of another keytui.")
            still_open += 1
            continue
        try:
            closed = run_now(settle(recovery, account.lifecycle, finding, port))
        except KeytuiError as error:
            complain(f"{finding.keys[0].id} could not be deleted. {error}")
            closed = False
        still_open += not closed
    for other in sorted(recovery.other_accounts()):
        say(f"A creation in the account {other} is unfinished: use a profile of that account.")
        still_open += 1
    if not unfinished and not still_open:
        say("Nothing is unfinished.")
    return EXIT_OPEN if still_open else EXIT_DONE


class ConsoleRecovery(ConsolePort):
    """Asks on a terminal or goes by ``--yes``, and prints what became of each key."""

    def __init__(self, *, yes: bool) -> None:
        super().__init__()
        self._asks, self._yes = on_terminal() and not yes, yes

    def show(self, finding: Finding, *, offered: bool) -> None:
        self.tell(f"{finding.title} {finding.advice}".strip())
        if offered and finding.verdict is Verdict.ORPHAN and not finding.useless:
            self.tell(finding.times)

    async def decide(self, finding: Finding) -> Answer:
        if not self._asks:
            sure = self._yes and finding.useless
        elif finding.useless:
            sure = agreed(f"Delete {finding.keys[0].id}?", default=True)
        else:
            sure = finding.deletable  # The question is the one for the last four characters.
        return Answer.DELETE if sure else Answer.LATER

    async def confirm_last_four(self, key: AccessKey) -> bool:
        return self._asks and typed_last_four(f"Delete {key.id}?", key.id)

    def stays(self, finding: Finding, refusal: ReadOnlyError | None) -> None:
        if finding.verdict is not Verdict.ORPHAN:
            return  # The advice says all.
        key_id = finding.keys[0].id
        self.tell(
            f"{key_id} stays. {refusal}" if refusal else f"{key_id} stays{self._way(finding)}."
        )

    def _way(self, finding: Finding) -> str:
        """Return what would delete a key that stays, as the rest of a sentence."""
        key_id = finding.keys[0].id
        if not finding.deletable:
            return f": if it is of no use, keytui delete {key_id} deletes it as any other key"
        if self._asks:
            return ""
        if finding.useless:
            return ": keytui recover --yes deletes it"
        return ": H in keytui offers to delete it"


def _arguments(reader: ArgumentParser) -> None:
    add_account_flags(reader)
    reader.add_argument("--yes", action="store_true", help="accept what is offered")


COMMANDS = {
    "recover": Command(
        "say what became of creations that were cut short",
        "Compare keytui's record of creations that were cut short with AWS and the stores, and "
        "offer to delete the keys that nobody can use. The exit status is 3 while something is "
        "open.",
        _arguments,
        lambda ctx, request: recover(ctx, yes=bool(request.options["yes"])),
        failed=EXIT_USAGE,
    )
}
