"""What may have become of a creation that was cut short, and how that is told."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from keytui.attempts import Attempt
from keytui.errors import KeytuiError
from keytui.history import place
from keytui.journal import Event
from keytui.model import AccessKey


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
    """

    attempt: Attempt
    verdict: Verdict
    keys: tuple[AccessKey, ...] = ()
    locator: str = ""
    reason: KeytuiError | None = None

    @property
    def open(self) -> bool:
        """Whether something is left to be done."""
        return self.verdict not in ENDED

    @property
    def useless(self) -> bool:
        """Whether it is an orphan whose secret nobody can have.

        It was never shown; and it is the creation's own key, or one that appeared while
        keytui waited for it. One found only after a kill may be somebody else's.
        """
        attempt = self.attempt
        own = attempt.made or attempt.lost is not None
        return self.verdict is Verdict.ORPHAN and own and not attempt.shown

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
            case Verdict.ORPHAN if self.attempt.shown:
                return (
                    "The secret was shown or sent to the clipboard: unless somebody kept it, "
                    "nobody can use the key."
                )
            case Verdict.ORPHAN if not self.useless:
                return "Unless somebody else made it at that moment, nobody can use it."
            case Verdict.ORPHAN:
                return "Nobody can use it."
            case Verdict.AMBIGUOUS:
                times = ", ".join(f"{key.id} at {second(key.created)}" for key in self.keys)
                return (
                    f"They were made: {times}. Ask who else made one; the secret of the other "
                    "is lost. keytui deletes neither by itself."
                )
            case Verdict.UNSURE if self.reason:
                why = f"{self.reason.title} {self.reason.next_step}".strip()
                return f"{why} If it stays so, delete the key." if self.keys else why
        return ""


def second(time: datetime | None) -> str:
    """Return a time to the second, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if time else "an unknown time"
