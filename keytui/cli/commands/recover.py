"""``keytui recover``: look into the creations that were cut short, without a screen."""

from argparse import ArgumentParser

from keytui.cli.console import agreed, answer, complain, on_terminal, progress, say
from keytui.cli.parser import EXIT_DONE, EXIT_OPEN, EXIT_USAGE, Command, add_account_flags
from keytui.core.errors import KeytuiError, ReadOnlyError
from keytui.core.gate import Gate
from keytui.keys.recovery import Finding, Recovery, Verdict
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
    recovery = open_account(ctx, ctx.settings.profile).recovery
    unfinished = recovery.open_attempts()
    still_open = 0
    for attempt in unfinished:
        finding = recovery.examine(attempt, progress)
        if finding is None:
            say(f"A creation for {attempt.user} is in the hands of another keytui.")
            still_open += 1
            continue
        say(f"{finding.title} {finding.advice}".strip())
        if finding.open and not _settled(recovery, finding, ctx.settings.gate, yes):
            still_open += 1
    for account in sorted(recovery.other_accounts()):
        say(f"A creation in the account {account} is unfinished: use a profile of that account.")
        still_open += 1
    if not unfinished and not still_open:
        say("Nothing is unfinished.")
    return EXIT_OPEN if still_open else EXIT_DONE


def _settled(recovery: Recovery, finding: Finding, gate: Gate, yes: bool) -> bool:
    """Delete an orphan where that is wanted; return whether it is gone."""
    if finding.verdict is not Verdict.ORPHAN:
        return False
    key_id = finding.keys[0].id
    if not finding.useless:
        say(finding.times)
    try:
        gate.require_writable()
    except ReadOnlyError as error:
        say(f"{key_id} stays. {error}")
        return False
    asks = on_terminal() and not yes
    if not (_wanted(finding) if asks and finding.deletable else yes and finding.useless):
        say(f"{key_id} stays{_way(finding, asks=asks)}.")
        return False
    try:
        recovery.delete(finding, agreed=asks)
    except KeytuiError as error:
        complain(f"{key_id} could not be deleted. {error}")
        return False
    say(f"{key_id} is deleted.")
    return True


def _wanted(finding: Finding) -> bool:
    """Ask whether a key is to be deleted; harder unless its secret certainly nobody has."""
    key_id = finding.keys[0].id
    if finding.useless:
        return agreed(f"Delete {key_id}?", default=True)
    question = f"Delete {key_id}? Type the last four characters of its ID:"
    return answer(question).upper() == key_id[-4:]


def _way(finding: Finding, *, asks: bool) -> str:
    """Return what would delete a key that stays, as the rest of a sentence."""
    key_id = finding.keys[0].id
    if not finding.deletable:
        return f": if it is of no use, keytui delete {key_id} deletes it as any other key"
    if asks:
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
