"""``keytui recover``: look into the creations that were cut short, without a screen."""

import sys

from keytui.errors import KeytuiError, ReadOnlyError
from keytui.gate import Gate
from keytui.parts import Parts
from keytui.plain import plain
from keytui.recovery import Recovery
from keytui.ui.account import open_account
from keytui.verdicts import Finding, Verdict

EXIT_OPEN = 3
"""The exit status while something is open."""


def recover(parts: Parts, *, yes: bool) -> int:
    """Say what became of each open creation, and delete the keys that nobody can use.

    Args:
        parts: The parts of this run.
        yes: Delete without asking, but no key whose secret was shown. Otherwise each is
            asked about on a terminal, and elsewhere only told.

    Returns:
        0 where nothing is open (any more), else 3.

    Raises:
        KeytuiError: AWS or keytui's record can't be read.
    """
    recovery = open_account(parts, parts.settings.profile).recovery
    unfinished = recovery.open_attempts()
    still_open = 0
    for attempt in unfinished:
        finding = recovery.examine(attempt, _progress)
        if finding is None:
            _say(f"A creation for {attempt.user} is in the hands of another keytui.")
            still_open += 1
            continue
        _say(f"{finding.title} {finding.advice}".strip())
        if finding.open and not _settled(recovery, finding, parts.settings.gate, yes):
            still_open += 1
    for account in sorted(recovery.other_accounts()):
        _say(f"A creation in the account {account} is unfinished: use a profile of that account.")
        still_open += 1
    if not unfinished and not still_open:
        _say("Nothing is unfinished.")
    return EXIT_OPEN if still_open else 0


def _settled(recovery: Recovery, finding: Finding, gate: Gate, yes: bool) -> bool:
    """Delete an orphan where that is wanted; return whether it is gone."""
    if finding.verdict is not Verdict.ORPHAN:
        return False
    key_id = finding.keys[0].id
    try:
        gate.require_writable()
    except ReadOnlyError as error:
        _say(f"{key_id} stays. {error}")
        return False
    shown = finding.attempt.shown
    wanted = not shown if yes else _asked(f"Delete {key_id}?", default=finding.useless)
    if not wanted:
        way = "H in keytui offers to delete it" if shown else "keytui recover --yes deletes it"
        _say(f"{key_id} stays: {way}.")
        return False
    try:
        recovery.delete(finding)
    except KeytuiError as error:
        _say(f"{key_id} could not be deleted. {error}")
        return False
    _say(f"{key_id} is deleted.")
    return True


def _asked(question: str, *, default: bool) -> bool:
    """Ask on a terminal; elsewhere the answer is no."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        answer = input(f"{plain(question)} [{'Y/n' if default else 'y/N'}] ").strip().lower()
    except EOFError:
        return False
    return default if not answer else answer in {"y", "yes"}


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        print(f"{step}…", file=sys.stderr, flush=True)


def _say(sentence: str) -> None:
    print(plain(sentence), flush=True)
