"""What the doctor finds, as plain values. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

Value = str | int | bool | None


class Status(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"
    """Worth knowing; nothing fails for it."""
    FAIL = "fail"
    """keytui can't do its work like this."""
    UNKNOWN = "unknown"
    """Not known, or there is no such thing here."""


class Group(StrEnum):
    """What the page is divided into."""

    AWS = "aws"
    KEYRING = "keyring"
    TERMINAL = "terminal"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was looked at.

    Attributes:
        group: Where it belongs.
        key: Its name for programs, the same for ever.
        name: Its name on the page; rows of one name that say the same share a line.
        status: How it is.
        text: That in words.
        value: The same for programs: a name, a number or a truth; None where not known.
        advice: What can be done, a sentence; may be empty.
        command: The command that mends it here; may be empty.
        item: What the line is about where several rows share one.
    """

    group: Group
    key: str
    name: str
    status: Status
    text: str
    value: Value = None
    advice: str = ""
    command: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One look at something that may hang.

    Attributes:
        what: What is looked at, as it stands at the start of a sentence.
        blank: The rows as they are where the look comes to nothing; the first one is told
            why. ``look`` returns rows with the same keys.
        seconds: How long it may take.
        look: Looks. Blocks, in a thread of its own; raises KeytuiError or OSError.
    """

    what: str
    blank: tuple[Row, ...]
    seconds: float
    look: Callable[[], Iterable[Row]]


def blank(group: Group, key: str, name: str, item: str = "") -> Row:
    """Return a row of something that was not looked at."""
    return Row(group, key, name, Status.UNKNOWN, "Not known" if item else "Not known.", item=item)
