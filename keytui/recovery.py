"""What became of the creations that were cut short: AWS, the stores and the journal compared.

A reply that was lost, a ``kill -9`` and a power cut leave the same thing behind: an open
attempt in the journal. Each is held against AWS's listing and the stores, and closed where
that tells the end of it; what remains is a key that nobody can use, offered to be deleted.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from keytui.attempts import Attempt, attempts
from keytui.errors import (
    AccessDeniedError,
    AwsError,
    KeytuiError,
    NotFoundError,
    NotStoredError,
    StateError,
    StoreError,
)
from keytui.journal import Event, Journal
from keytui.lifecycle import Lifecycle
from keytui.model import AccessKey
from keytui.ports import Iam
from keytui.record import Record
from keytui.settle import POLL_SECONDS, Keys, Wait
from keytui.stores.base import SecretStore
from keytui.verdicts import ENDED, Finding, Verdict

LOOK_SECONDS = 15.0
"""How long after a creation began AWS may take to list its key."""
CLOCK_GRAIN = timedelta(seconds=3)
"""How exact AWS's clock is known here, with the time that a request is on its way."""
REQUEST_TIME = timedelta(seconds=30)
"""How long keytui waits for a reply; a creation's key is made no later."""
ANY_CLOCK = timedelta(minutes=5)
"""How far this machine's clock may be off: AWS refuses signatures that are further off."""


class Recovery:
    """Looks into the creations that the journal has as open."""

    def __init__(
        self,
        iam: Iam,
        journal: Journal,
        lifecycle: Lifecycle,
        store_at: Callable[[str], SecretStore | None],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Wait | None = None,
    ) -> None:
        """Take the parts; ``store_at`` opens the store of a locator, None for an unknown one."""
        self._iam = iam
        self._journal = journal
        self._lifecycle = lifecycle
        self._store_at = store_at
        self._record = Record(iam, journal, now)
        self._now = now
        self._wait = wait or Wait()

    def open_attempts(self) -> list[Attempt]:
        """Return the open creations of this account, latest first.

        Each key that is found is out of question for those before it.

        Raises:
            StateError: The journal can't be read.
        """
        account, found = self._iam.identity().account, reversed(self._attempts())
        return [attempt for attempt in found if attempt.open and attempt.account == account]

    def other_accounts(self) -> set[str]:
        """Return the IDs of other accounts with open creations. Raises ``StateError``."""
        account = self._iam.identity().account
        return {found.account for found in self._attempts() if found.open} - {account}

    def examine(
        self,
        attempt: Attempt | str,
        progress: Callable[[str], None] = lambda _: None,
        left: Callable[[], bool] = lambda: False,
    ) -> Finding | None:
        """Find out what became of a creation, and close it where nothing is left to be done.

        Args:
            attempt: The creation, or its ID.
            progress: Called with a word on what is being done.
            left: Says that nobody waits any more.

        Returns:
            The finding; None where another keytui is at work on it, or has ended it.

        Raises:
            StateError: The journal can't be read or written.
        """
        attempt_id = attempt if isinstance(attempt, str) else attempt.id
        if not self._journal.claim(attempt_id):
            return None
        try:
            # Read after the claim: whoever had it before may have ended the matter.
            now = {found.id: found for found in self._attempts() if found.open}
            if attempt_id not in now:
                return None
            finding = self._look(now[attempt_id], progress, left)
            if self._lifecycle.read_only:
                return finding  # Looked at, and left open in the record.
            if event := ENDED.get(finding.verdict):
                self._note(finding, event)
            elif finding.verdict is Verdict.ORPHAN and not finding.attempt.key_id:
                # From now on it is this key, whatever else is made for the user later.
                with suppress(StateError):  # A key to be told of matters more than its record.
                    self._note(finding, Event.ORPHAN)
            return finding
        finally:
            self._journal.release(attempt_id)

    def delete(self, finding: Finding) -> None:
        """Delete an orphan: inactive first, then gone.

        Raises:
            KeytuiError: It is still there; also where it has been used, so that somebody
                must have its secret.
        """
        self._lifecycle.require_writable()
        for key in finding.keys if finding.verdict is Verdict.ORPHAN else ():
            self._require_unused(key)
            self._lifecycle.discard_key(key, finding.attempt.id)

    def leave(self, finding: Finding) -> None:
        """Leave the keys as they are, on the user's word. Raises ``StateError``."""
        self._lifecycle.require_writable()
        self._note(finding, Event.UNKEPT)

    def _attempts(self) -> list[Attempt]:
        return attempts(self._journal.entries())

    def _note(self, finding: Finding, event: Event) -> None:
        key_id = finding.keys[0].id if len(finding.keys) == 1 else finding.attempt.key_id
        attempt = finding.attempt
        more = {"attempt": attempt.id, "store": finding.locator, "detail": "recovered"}
        self._record.write(event, attempt.owner, key_id=key_id, **more)

    def _require_unused(self, key: AccessKey) -> None:
        try:
            used = self._iam.last_used(key.id)
        except AccessDeniedError:
            return
        if used.when:
            raise KeytuiError(
                f"{key.id} has been used: somebody has its secret.",
                "It was not deleted.",
                "Find out who made it before you make it inactive.",
            )

    def _look(
        self, attempt: Attempt, progress: Callable[[str], None], left: Callable[[], bool]
    ) -> Finding:
        progress("Looking for the key at AWS")
        listed, unread = self._candidates(attempt, left)
        if unread:
            return Finding(attempt, Verdict.UNSURE, reason=unread)
        if not listed:
            if left():
                return Finding(attempt, Verdict.UNSURE, reason=_not_waited())
            return Finding(attempt, Verdict.GONE if attempt.key_id else Verdict.NOTHING)
        progress("Looking for its secret")
        for key in listed:
            locator, doubt = self._where(key, attempt)
            if locator:
                return Finding(attempt, Verdict.STORED, (key,), locator)
            if doubt:
                return Finding(attempt, Verdict.UNSURE, listed, reason=doubt)
        verdict = Verdict.ORPHAN if len(listed) == 1 else Verdict.AMBIGUOUS
        return Finding(attempt, verdict, listed)

    def _candidates(
        self, attempt: Attempt, left: Callable[[], bool]
    ) -> tuple[Keys, KeytuiError | None]:
        """Return the keys that may be this creation's, or why they can't be told."""
        others = {a.key_id for a in self._attempts() if a.id != attempt.id}
        seen: list[Keys] = []

        def settled(keys: Keys) -> bool:
            new = tuple(key for key in keys if _may_be_of(key, attempt, others))
            seen.append(new)
            return bool(new) and (bool(attempt.key_id) or seen[-2:] == [new, new])

        age = (self._now() - attempt.at).total_seconds()
        seconds = LOOK_SECONDS - min(max(age, 0), LOOK_SECONDS) + POLL_SECONDS
        try:
            self._wait.until(self._iam, attempt.owner, settled, seconds, left)
            if not (seen and seen[-1]) and not left():
                # Only a listing that AWS gives at the end tells that there is none.
                settled(self._iam.keys(attempt.owner))
            return (seen[-1] if seen else ()), None
        except NotFoundError:
            return (), None  # The user is gone, and with them their keys.
        except AwsError as error:
            return (), error

    def _where(self, key: AccessKey, attempt: Attempt) -> tuple[str, StoreError | None]:
        """Return the store that has a key's secret, and why it may be in one that can't say."""
        doubt: StoreError | None = None
        for locator in dict.fromkeys((*attempt.stores, "keyring")):
            store = self._store_at(locator)
            if store is None:
                continue
            try:
                store.get(key.id)
            except NotStoredError:
                continue
            except StoreError as error:
                if locator in attempt.stores:
                    doubt = doubt or error
            else:
                return locator, None
        return "", doubt


def _may_be_of(key: AccessKey, attempt: Attempt, others: set[str]) -> bool:
    """Return whether a key that AWS lists may be a creation's."""
    if attempt.key_id:
        return key.id == attempt.key_id
    if key.id in attempt.before or key.id in others:
        return False
    if key.created is None:
        return True
    if attempt.asked is None:
        return abs(key.created - attempt.at) <= ANY_CLOCK
    latest = attempt.lost or attempt.asked + REQUEST_TIME
    return attempt.asked - CLOCK_GRAIN <= key.created <= latest + CLOCK_GRAIN


def _not_waited() -> KeytuiError:
    return KeytuiError("AWS lists no new key yet, and was not waited for any longer.")
