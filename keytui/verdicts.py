"""What may have become of a creation that was cut short, and how that is told."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from keytui.attempts import Attempt
from keytui.errors import KeytuiError
from keytui.history import place
from keytui.journal import Event
from keytui.model import AccessKey


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
