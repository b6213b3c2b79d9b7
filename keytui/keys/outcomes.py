"""What the verbs give back."""

from dataclasses import dataclass, field
from datetime import UTC
from enum import Enum

from keytui.core.errors import KeytuiError, LostReplyError, StateError
from keytui.core.model import AccessKey, KeyStatus, LastUsed, NewAccessKey
from keytui.core.waiting import Keys
from keytui.keys.local_use import LocalUse
from keytui.stores.base import Receipt


class Verb(Enum):
    """What is done to the keys, and the status they have then."""

    DEACTIVATE = KeyStatus.INACTIVE
    ACTIVATE = KeyStatus.ACTIVE
    DELETE = KeyStatus.DELETED

    @property
    def word(self) -> str:
        """The status in a sentence."""
        return self.value.value.lower()

    def does(self, what: str) -> str:
        """Return what is done to a key, or to some, as a title or the start of a question."""
        return f"Delete {what}" if self is Verb.DELETE else f"Make {what} {self.word}"


class Concern(Enum):
    """Why making a key inactive should be asked about first."""

    OWN_KEY = "It signs keytui's own calls: they stop working, and keytui can't undo it."
    USED_RECENTLY = "It was used in the last 24 hours: something still depends on it."
    USED_HERE = "Something on this machine is set up to use it."
    LAST_USE_UNKNOWN = "keytui could not read when it was last used."


@dataclass(frozen=True, slots=True)
class Dependence:
    """What depends on a key, as far as it can be seen.

    Attributes:
        concern: Why making it inactive should be asked about first, the gravest reason; None
            where there is none.
        last_used: Its last use, asked of AWS just now; None where that may not be read.
        here: Where this machine names it.
    """

    concern: Concern | None = None
    last_used: LastUsed | None = None
    here: tuple[LocalUse, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it should be asked about first, a sentence each."""
        if self.concern is None:
            return ()
        uses = "; ".join(use.text for use in self.here if use.depends)
        if self.concern is Concern.USED_HERE:
            return (f"It is used here: {uses}.",)
        why = self.concern.value
        if self.concern is Concern.USED_RECENTLY and self.last_used and self.last_used.when:
            where = f"{self.last_used.service} {self.last_used.region}".strip()
            why += f" Last at {self.last_used.when.astimezone(UTC):%Y-%m-%d %H:%M} UTC by {where}."
        return (why, f"Used here: {uses}.") if uses else (why,)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A change of status that AWS has made.

    Attributes:
        key: The key as it was before.
        status: The status asked for.
        keys: All keys of its user in the listing that showed the change; None where AWS does
            not list it yet.
        problem: What went wrong beside the change itself; None where nothing did.
        before: The status that AWS listed right before; None where that is unknown.
    """

    key: AccessKey
    status: KeyStatus
    keys: Keys | None
    problem: KeytuiError | None = None
    before: KeyStatus | None = None

    @property
    def listed(self) -> bool:
        """Whether AWS lists the new status already."""
        return self.keys is not None

    @property
    def made(self) -> bool:
        """Whether it changed anything: False where the key had that status already."""
        return self.before is not self.status

    @property
    def warning(self) -> KeytuiError | None:
        """What went wrong beside the change, and that the change was made all the same."""
        if self.problem is None:
            return None
        title, next_step = self.problem.title, self.problem.next_step
        return KeytuiError(title, "The change itself was made.", next_step)

    @property
    def undoable(self) -> bool:
        """Whether undoing it restores what AWS had before."""
        return self.made and {self.before, self.status} == {KeyStatus.ACTIVE, KeyStatus.INACTIVE}


class ChangedSinceError(KeytuiError):
    """A change can't be undone: the key has not had the status that it made since then."""


@dataclass(slots=True)
class Custody:
    """A new key's secret, from AWS's reply until it is kept or discarded.

    Attributes:
        new: The key with its secret.
        attempt: Joins this creation's journal lines.
        receipts: Where the secret has been kept, each read back.
        problem: Why the chosen store does not have it; None while all is well.
        warnings: What else went wrong, such as a description that may not be set.
        shown: Whether the secret was shown or sent to the clipboard.
        discarded: Whether the key was deleted again.
        unrecorded: Whether it is kept in a store and the journal could not be told so.
    """

    new: NewAccessKey
    attempt: str
    receipts: list[Receipt] = field(default_factory=list)
    problem: KeytuiError | None = None
    warnings: list[KeytuiError] = field(default_factory=list)
    shown: bool = False
    discarded: bool = False
    unrecorded: bool = False

    @property
    def kept(self) -> bool:
        """Whether the secret is anywhere but here."""
        return bool(self.receipts)


class UnansweredError(LostReplyError):
    """AWS was asked for a key, and its reply is lost. ``recovery`` finds out what it made.

    Attributes:
        attempt: The creation, as the journal names it.
    """

    def __init__(self, lost: LostReplyError, attempt: str) -> None:
        super().__init__(lost.title, lost.safe, lost.next_step)
        self.attempt = attempt


def unrecorded(custody: Custody, problem: StateError) -> StateError:
    """Return what to say of a stored secret whose line could not be written."""
    key_id = custody.new.key.id
    return StateError(
        f"keytui could not write down that the secret of {key_id} is saved. {problem.title}",
        "It is saved and verified.",
        f"keytui will report {key_id} as an interrupted key creation: don't delete it then.",
    )


def not_undone(change: StatusChange, seen: list[KeyStatus | None]) -> KeytuiError:
    """Return why a change is not undone, by what AWS listed last; empty where it listed nothing."""
    key_id, made = change.key.id, change.status.value.lower()
    if not seen:
        return KeytuiError(f"The status of {key_id} can't be read now.", "Nothing was changed.")
    (now,) = seen
    if now is change.key.status and not change.listed:
        return KeytuiError(
            f"AWS does not show {key_id} as {made} yet.",
            "Nothing was changed.",
            "Undo again in some seconds.",
        )
    if now is None:
        return ChangedSinceError(f"{key_id} is deleted.", "There is nothing to undo.")
    return ChangedSinceError(
        f"Not undone: {key_id} is {now.value.lower()} now, changed since by somebody else.",
        "Nothing was changed.",
    )
