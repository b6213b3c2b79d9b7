"""Settle an interrupted key creation: the order of steps and the rules, for every face.

A key that somebody may use is deleted only after a person has seen the doubts and typed the
last four characters of its ID. A key that is in use is never deleted here.
"""

from enum import Enum
from typing import Protocol

from keytui.core.errors import ReadOnlyError
from keytui.core.model import AccessKey
from keytui.core.port import Port
from keytui.keys.operations import Lifecycle
from keytui.keys.recovery import Finding, Recovery, Verdict

OFFERED = frozenset({Verdict.ORPHAN, Verdict.AMBIGUOUS})
"""The verdicts that a person can decide about."""


class Answer(Enum):
    """What the user wants done with the key."""

    DELETE = "delete"
    LEAVE = "leave"
    """Keep the key and do not ask again."""
    LATER = "later"


class SettlePort(Port, Protocol):
    """What settling a key creation needs of the face that started it."""

    def show(self, finding: Finding, *, offered: bool) -> None:
        """Show what was found. If it is ``offered``, ``decide`` follows and may show it instead."""

    async def decide(self, finding: Finding) -> Answer:
        """Return what to do. Only a ``deletable`` finding can be deleted."""

    async def confirm_last_four(self, key: AccessKey) -> bool:
        """Return whether a person typed the last four characters of the key's ID."""

    def stays(self, finding: Finding, refusal: ReadOnlyError | None) -> None:
        """Show that the key stays and how it can be deleted otherwise.

        ``refusal`` is the reason if nobody was asked.
        """


async def settle(
    recovery: Recovery, lifecycle: Lifecycle, finding: Finding, port: SettlePort
) -> bool:
    """Show a finding, ask what to do if it is an orphan or ambiguous, and do it.

    Returns:
        Whether the key creation is closed.

    Raises:
        KeytuiError: The key was not deleted, or the answer could not be saved.
    """
    offered = finding.verdict in OFFERED
    port.show(finding, offered=offered)
    if not offered:
        return not finding.open
    try:
        lifecycle.require_writable()
    except ReadOnlyError as refusal:
        port.stays(finding, refusal)
        return False
    ids = " and ".join(key.id for key in finding.keys)
    match await _decided(finding, port):
        case Answer.DELETE:
            port.committed()
            # Only the last four characters count as agreement to doubts.
            agreed = not finding.useless
            await port.work(lambda: recovery.delete(finding, agreed=agreed))
            port.tell(f"{ids} is deleted.")
        case Answer.LEAVE:
            port.committed()
            await port.work(lambda: recovery.leave(finding))
            port.tell(f"{ids} stays as it is. keytui does not ask again.")
        case Answer.LATER:
            port.stays(finding, None)
            return False
    return True


async def _decided(finding: Finding, port: SettlePort) -> Answer:
    """Return the answer; a deletion that is not allowed or not confirmed is put off."""
    answer = await port.decide(finding)
    if answer is not Answer.DELETE or finding.useless:
        return answer
    if finding.deletable and await port.confirm_last_four(finding.keys[0]):
        return answer
    return Answer.LATER
