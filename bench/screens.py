"""What a measurement waits for on keytui's screen."""

from collections.abc import Callable

from bench.terminal import Lines
from keytui.aws.demo.people import people

Shown = Callable[[Lines], bool]

_READING = ("reading…", "connecting…", "looking…", "asking AWS…", "  …")
"""What stands on the screen while something is still to come."""
_NOT_CONFIRMED = ("reading…", "as of", "connecting…")


def shows(*texts: str) -> Shown:
    """Return whether each of the texts stands somewhere."""
    return lambda lines: all(any(text in line for line in lines) for text in texts)


def is_first_frame(lines: Lines) -> bool:
    """Whether the first whole frame stands."""
    return "Quit" in lines[-1] and lines[0].strip().startswith("keytui")


def has_users(count: int) -> Shown:
    """Return whether the users are counted and the first ones stand, be it as last seen."""
    first = people(count)[0].name
    return lambda lines: f" {count:,} users" in lines[-2] and shows(first)(lines[:-2])


def confirmed(count: int) -> Shown:
    """Return whether the users stand, and AWS has listed them all."""
    shown = has_users(count)
    return lambda lines: shown(lines) and not any(word in lines[-2] for word in _NOT_CONFIRMED)


def has_keys(lines: Lines) -> bool:
    """Whether the first user's keys stand."""
    return shows("AKIA")(lines)


def is_complete(lines: Lines) -> bool:
    """Whether nothing is still to come."""
    return not any(word in line for line in lines for word in _READING)


def left_of(left: int, users: int) -> Shown:
    """Return whether the filter has so many of the users left."""
    return lambda lines: f" {left:,} of {users:,} users" in lines[-2]


def has_no_filter(users: int) -> Shown:
    """Return whether all users stand."""
    return lambda lines: f" {users:,} users" in lines[-2] and " of " not in lines[-2]
