"""What became of the creations that were cut short: AWS, the stores and the journal compared.

A reply that was lost, a ``kill -9`` and a power cut leave the same thing behind: an open
attempt in the journal. Each is held against AWS's listing and the stores, and closed where
that tells the end of it; what remains is a key that nobody can use, offered to be deleted.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from keytui.core.errors import (
    AwsError,
    KeytuiError,
    NotFoundError,
    NotStoredError,
    StateError,
    StoreError,
    StoreLockedError,
    StoreTimeoutError,
)
from keytui.core.iam import Iam
from keytui.core.model import AccessKey
from keytui.core.waiting import POLL_SECONDS, Keys, Wait
from keytui.journal.creations import Attempt, attempts
from keytui.journal.history import place
from keytui.journal.log import Event, Journal
from keytui.journal.recorder import Record
from keytui.keys.local_use import Place
from keytui.keys.operations import Lifecycle
from keytui.stores.base import SecretStore


class Why(Enum):
    """Why a key that looks like nobody's may be somebody's."""

    OWN_KEY = "it signs keytui's own calls"
    USED_HERE = "this machine names it"
    USED = "it was used"
    LAST_USE_UNKNOWN = "when it was last used is unknown"
    FILE_UNREADABLE = "a file that may name it can't be read"
    SHOWN = "its secret was on a screen"
    MAYBE_STORED = "its secret may be in a store"
    MAYBE_OTHERS = "somebody else may have made it"


IN_USE = frozenset({Why.OWN_KEY, Why.USED_HERE, Why.USED})
"""Who has the secret of such a key is known or can be found out: it is no orphan."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason not to delete a key without a person's word.

    Attributes:
        why: The reason.
        text: The same as a sentence about the key.
    """

    why: Why
    text: str


class Verdict(Enum):
    """What became of a creation."""

    NOTHING = "no key was made"
    GONE = "its key is deleted"
    STORED = "its secret is kept"
    ORPHAN = "its key exists and its secret is in no store"
    AMBIGUOUS = "several keys may be its own"
    UNSURE = "it could not be found out"


ENDED = {
    Verdict.NOTHING: Event.NOT_CREATED,
    Verdict.GONE: Event.GONE,
    Verdict.STORED: Event.STORED,
}
"""The verdicts after which nothing is open, with what the journal says of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about a creation.

    Attributes:
        attempt: The creation.
        verdict: What became of it.
        keys: The keys that are, or may be, its own.
        locator: The store that has the secret; empty where none has.
        reason: Why it could not be found out; None where it was.
        doubts: Why an orphan may be somebody's key all the same.
    """

    attempt: Attempt
    verdict: Verdict
    keys: tuple[AccessKey, ...] = ()
    locator: str = ""
    reason: KeytuiError | None = None
    doubts: tuple[Doubt, ...] = ()

    @property
    def open(self) -> bool:
        """Whether something is left to be done."""
        return self.verdict not in ENDED

    @property
    def useless(self) -> bool:
        """Whether it is an orphan whose secret certainly nobody has."""
        return self.verdict is Verdict.ORPHAN and not self.doubts

    @property
    def deletable(self) -> bool:
        """Whether it is an orphan that a person may have deleted here."""
        return self.verdict is Verdict.ORPHAN and not any(d.why in IN_USE for d in self.doubts)

    @property
    def times(self) -> str:
        """When keytui asked for a key and when AWS made the one found, a sentence."""
        asked = self.attempt.asked or self.attempt.at
        made = " and ".join(f"{key.id} at {second(key.created)}" for key in self.keys)
        return f"keytui asked for a key at {second(asked)}; AWS created {made}."

    @property
    def title(self) -> str:
        """What was found, one sentence."""
        user, began = self.attempt.user, f"{self.attempt.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        ids = " and ".join(key.id for key in self.keys) or self.attempt.key_id
        match self.verdict:
            case Verdict.NOTHING if self.attempt.lost:
                return f"No key was made for {user}: AWS's reply was lost, and none is listed."
            case Verdict.NOTHING:
                return f"AWS made no key for {user} when keytui was cut short on {began}."
            case Verdict.GONE:
                return f"{ids} of {user}, made on {began}, is deleted."
            case Verdict.STORED:
                return (
                    f"The secret of {ids} of {user}, made on {began}, is in {place(self.locator)}."
                )
            case Verdict.ORPHAN if self.attempt.lost:
                return f"AWS made {ids} for {user}, but its secret did not arrive."
            case Verdict.ORPHAN:
                return f"AWS made {ids} for {user} on {began}, and its secret is in no store."
            case Verdict.AMBIGUOUS:
                return f"{ids} are new for {user}: keytui can't tell which is its own."
            case Verdict.UNSURE if self.keys:
                return f"{ids} of {user} exists; whether its secret is kept can't be seen now."
            case Verdict.UNSURE if ids:
                return f"What became of {ids} of {user}, made on {began}, can't be seen now."
            case Verdict.UNSURE:
                return f"Whether AWS made a key for {user} on {began} can't be seen now."

    @property
    def advice(self) -> str:
        """What that means, a sentence or two; empty where nothing is left to be done."""
        match self.verdict:
            case Verdict.ORPHAN:
                return " ".join(doubt.text for doubt in self.doubts) or "Nobody can use it."
            case Verdict.AMBIGUOUS:
                return (
                    f"{self.times} Ask who else created one; the secret of the other is lost. "
                    "keytui deletes neither by itself."
                )
            case Verdict.UNSURE if self.reason:
                why = f"{self.reason.title} {self.reason.next_step}".strip()
                return f"{why} If it stays so, delete the key." if self.keys else why
        return ""


def second(time: datetime | None) -> str:
    """Return a time to the second, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if time else "an unknown time"


LOOK_SECONDS = 15.0
"""How long after a creation began AWS may take to list its key."""
CLOCK_GRAIN = timedelta(seconds=3)
"""How exact AWS's clock is known here, with the time that a request is on its way."""
REQUEST_TIME = timedelta(seconds=30)
"""How long keytui waits for a reply; a creation's key is made no later."""
KEYRING = "keyring"
"""The OS keyring's locator, and how those of the others begin."""
StoreAnswers = dict[str, StoreError | None]
ANY_CLOCK = timedelta(minutes=5)
"""How far this machine's clock may be off: AWS refuses signatures that are further off."""
_NOT_WAITED = KeytuiError("AWS lists no new key yet, and was not waited for any longer.")
_SIGNS = Doubt(Why.OWN_KEY, "It signs keytui's own calls.")
_SHOWN = Doubt(
    Why.SHOWN,
    "The secret was shown or sent to the clipboard: unless somebody saved it, nobody can use "
    "the key.",
)
_MAYBE_OTHERS = Doubt(
    Why.MAYBE_OTHERS, "Unless somebody else created it at that moment, nobody can use it."
)


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

    def delete(self, finding: Finding, *, agreed: bool = False) -> None:
        """Delete an orphan: inactive first, then gone.

        AWS, the stores and this machine are asked once more; only then is anything changed.

        Args:
            finding: What was found.
            agreed: Whether a person was shown the finding's doubts and said yes.

        Raises:
            KeytuiError: The key was not deleted: somebody may have its secret, in a way that
                nobody agreed to or can agree to.
        """
        self._lifecycle.require_writable()
        if finding.verdict is not Verdict.ORPHAN:
            return
        attempt = finding.attempt
        if not self._journal.claim(attempt.id):
            raise _no_longer_so(finding)
        try:
            self._require_lost(finding, agreed=agreed)
            self._lifecycle.discard_key(finding.keys[0], attempt.id)
        finally:
            self._journal.release(attempt.id)

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

    def _require_lost(self, finding: Finding, *, agreed: bool) -> None:
        """Raise unless a key is an orphan still, in no way but those agreed to."""
        (key,) = finding.keys
        known = next((a for a in self._attempts() if a.id == finding.attempt.id and a.open), None)
        if known is None:
            raise _no_longer_so(finding)
        answers = self._ask_stores(key, known)
        if _holder(answers) or _unread(answers, known):
            raise _no_longer_so(finding)
        shown = {doubt.why for doubt in finding.doubts} if agreed else set[Why]()
        doubts = self._doubts(key, known, answers)
        if new := [doubt for doubt in doubts if doubt.why in IN_USE or doubt.why not in shown]:
            raise KeytuiError(
                f"{key.id} was not deleted: {' '.join(doubt.text for doubt in new)}",
                finding.times,
                f"If it is of no use, delete it as any other key: keytui delete {key.id}.",
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
                return Finding(attempt, Verdict.UNSURE, reason=_NOT_WAITED)
            return Finding(attempt, Verdict.GONE if attempt.key_id else Verdict.NOTHING)
        progress("Looking for its secret")
        for key in listed:
            answers = self._ask_stores(key, attempt)
            if locator := _holder(answers):
                return Finding(attempt, Verdict.STORED, (key,), locator)
            if unread := _unread(answers, attempt):
                return Finding(attempt, Verdict.UNSURE, listed, reason=unread)
        if len(listed) > 1:
            return Finding(attempt, Verdict.AMBIGUOUS, listed)
        progress("Checking whether anybody uses the key")
        doubts = tuple(self._doubts(listed[0], attempt, answers))
        return Finding(attempt, Verdict.ORPHAN, listed, doubts=doubts)

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

    def _ask_stores(self, key: AccessKey, attempt: Attempt) -> StoreAnswers:
        """Return, by locator, why a store that may have a key's secret has not; None where it has.

        The keyring is always among them: a rescue may have put the secret there.
        """
        answers: StoreAnswers = {}
        for locator in dict.fromkeys((*attempt.stores, KEYRING)):
            if store := self._store_at(locator):
                answers[locator] = None
                try:
                    store.get(key.id)
                except StoreError as error:
                    answers[locator] = error
        return answers

    def _doubts(self, key: AccessKey, attempt: Attempt, answers: StoreAnswers) -> list[Doubt]:
        """Return why a key that is in no store may be somebody's all the same."""
        doubts = [_SIGNS] if key.id == self._iam.signing_key_id() else []
        here = self._lifecycle.uses_here(key.id)
        if named := [use.text for use in here if use.place is not Place.UNREADABLE]:
            doubts.append(Doubt(Why.USED_HERE, f"This machine uses it: {'; '.join(named)}."))
        if unread := [use.where for use in here if use.place is Place.UNREADABLE]:
            text = f"{' and '.join(unread)} can't be read and may use it."
            doubts.append(Doubt(Why.FILE_UNREADABLE, text))
        doubts += self._doubts_of_use(key)
        if attempt.shown:
            doubts.append(_SHOWN)
        if attempt.lost is None and (stores := self._maybe_in(attempt, answers)):
            text = f"Its secret may be in {' or '.join(stores)}."
            doubts.append(Doubt(Why.MAYBE_STORED, text))
        if not _certainly_of(key, attempt) or self._other_may_have(key, attempt):
            doubts.append(_MAYBE_OTHERS)
        return doubts

    def _other_may_have(self, key: AccessKey, attempt: Attempt) -> bool:
        """Return whether the reply to another open creation may have brought the key."""
        whose = attempt.account, attempt.owner
        others = (a for a in self._attempts() if a.id != attempt.id and a.open and not a.lost)
        return any((a.account, a.owner) == whose and _may_be_of(key, a, set()) for a in others)

    def _doubts_of_use(self, key: AccessKey) -> list[Doubt]:
        try:
            used = self._iam.last_used(key.id)
        except AwsError as error:
            return [Doubt(Why.LAST_USE_UNKNOWN, f"When it was last used is unknown: {error.title}")]
        if used.when is None:
            return []
        text = f"It was used at {second(used.when)}: somebody has its secret."
        return [Doubt(Why.USED, text)]

    def _maybe_in(self, attempt: Attempt, answers: StoreAnswers) -> list[str]:
        """Return the places, in words, that may have a secret which arrived, though none shows it.

        A file can have been moved. A keyring may be another one than then: its word that it has
        it not counts only where keytui was not about to put it there.
        """
        shut = (StoreLockedError, StoreTimeoutError)
        doubtful = [
            one for one in attempt.stores if one in attempt.tried or not one.startswith(KEYRING)
        ]
        doubtful += [one for one, why in answers.items() if isinstance(why, shut)]
        places = [place(locator) for locator in dict.fromkeys(doubtful)]
        if self._journal.is_marked(attempt.id):
            places.append("a store that keytui could not write down")
        return places


def _holder(answers: StoreAnswers) -> str:
    """Return the locator of the store that has the secret; empty where none has."""
    return next((locator for locator, why in answers.items() if why is None), "")


def _unread(answers: StoreAnswers, attempt: Attempt) -> StoreError | None:
    """Return why a store that the secret was meant for can't say whether it has it."""
    told = (answers[locator] for locator in attempt.stores if locator in answers)
    return next((why for why in told if why and not isinstance(why, NotStoredError)), None)


def _may_be_of(key: AccessKey, attempt: Attempt, others: set[str]) -> bool:
    """Return whether a key that AWS lists may be a creation's."""
    if attempt.key_id:
        return key.id == attempt.key_id
    if key.id in attempt.before or key.id in others:
        return False
    return key.created is None or _made_in_time(key.created, attempt)


def _made_in_time(created: datetime, attempt: Attempt) -> bool:
    """Return whether AWS made a key while a creation's request may have been under way."""
    if attempt.asked is None:
        return abs(created - attempt.at) <= ANY_CLOCK
    latest = attempt.lost or attempt.asked + REQUEST_TIME
    return attempt.asked - CLOCK_GRAIN <= created <= latest + CLOCK_GRAIN


def _certainly_of(key: AccessKey, attempt: Attempt) -> bool:
    """Return whether nobody else can have made a key.

    AWS's reply named it; or the reply was lost while keytui waited for it, and the key was made
    in the very moment of the request. After a kill somebody else may have made the one there is.
    """
    if key.created is None or key.id in attempt.before:
        return False
    if attempt.made:
        return _made_in_time(key.created, attempt)
    if attempt.lost is None or attempt.asked is None:
        return False
    return abs(key.created - attempt.asked) <= CLOCK_GRAIN


def _no_longer_so(finding: Finding) -> KeytuiError:
    ids = " and ".join(key.id for key in finding.keys)
    return KeytuiError(
        f"{ids} was not deleted: another keytui works on it, or what is known of it has changed.",
        next_step="H looks again; without a screen: keytui recover.",
    )
