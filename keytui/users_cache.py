"""The users that were last seen: painted at the start, before AWS has answered.

Names and key IDs only, readable by their owner alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KnownUsers:
    """What was last seen of an account with a profile.

    Attributes:
        account: The account ID.
        read_at: When AWS was asked.
        names: The user names.
        key_ids: User name → the access key IDs seen.
    """

    account: str
    read_at: datetime
    names: Sequence[str]
    key_ids: Mapping[str, tuple[str, ...]]


class UsersCache:
    """A file for each profile and place in keytui's cache folder."""

    def __init__(self, folder: Path | None) -> None:
        """Keep the files in a folder; None keeps nothing and finds nothing."""
        self._folder = folder

    def load(self, place: str) -> KnownUsers | None:
        """Return what is known; None for nothing, or for a file that can't be used."""
        raise NotImplementedError

    def save(self, place: str, known: KnownUsers) -> None:
        """Keep what is known; what can't be kept is no matter."""
        raise NotImplementedError

    def forget(self, place: str) -> None:
        """Remove what is known."""
        raise NotImplementedError
