"""Which listed key is which of the report's, that names no IDs. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from keytui.core.model import AccessKey


def joined(listed: Sequence[AccessKey], reported: Sequence[AccessKey]) -> tuple[AccessKey, ...]:
    """Return the listed keys with the report's last use where it is certain which is which.

    The report tells when a key was made *or last changed*: a time that only one listed and one
    reported key has is certain, and so are the last two that are left over, where the listed
    one is not the younger. The others' ``last_used`` stays None.
    """
    pairs = matched(listed, reported)
    return tuple(
        replace(key, last_used=pairs[key.id].last_used) if key.id in pairs else key
        for key in listed
    )


def in_report_order(
    listed: Sequence[AccessKey], reported: Sequence[AccessKey]
) -> tuple[AccessKey, ...]:
    """Return the listed keys as the report has them one after the other, what it lacks last."""
    pairs = matched(listed, reported)
    places = {id(one): place for place, one in enumerate(reported)}

    def place(key: AccessKey) -> int:
        return places[id(pairs[key.id])] if key.id in pairs else len(reported)

    return tuple(sorted(listed, key=place))


def matched(listed: Sequence[AccessKey], reported: Sequence[AccessKey]) -> dict[str, AccessKey]:
    """Return access key ID → the reported key that it certainly is."""
    pairs: dict[str, AccessKey] = {}
    left = list(reported)
    for key in listed:
        same = [one for one in reported if _seconds(one.created) == _seconds(key.created)]
        alike = [one for one in listed if _seconds(one.created) == _seconds(key.created)]
        if key.created and len(same) == len(alike) == 1:
            pairs[key.id] = same[0]
            left.remove(same[0])
    rest = [key for key in listed if key.id not in pairs]
    if len(rest) == len(left) == len(reported) - len(pairs) == 1 and _may_be(rest[0], left[0]):
        pairs[rest[0].id] = left[0]
    return pairs


def _may_be(key: AccessKey, reported: AccessKey) -> bool:
    """Whether a listed key, made at its time, may be one that was last changed at another."""
    return bool(key.created and reported.created and key.created <= reported.created)


def _seconds(when: datetime | None) -> datetime | None:
    return when and when.replace(microsecond=0)
