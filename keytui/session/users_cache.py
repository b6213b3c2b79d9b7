"""The users that were last seen: painted at the start, before AWS has answered.

Names and key IDs only, readable by their owner alone. What can't be read or written is no
matter: AWS is asked in any case.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from keytui.core.private_files import read_private, replace_whole

_MOST_BYTES = 16_000_000
"""An account of 50,000 users takes a third of it."""
MOST_FILES = 100
"""So many are kept: those of keys in the environment that live for an hour never come again."""
_FORMAT = 1
_NAMES = "users-*.json"
_HALF_WRITTEN = f".{_NAMES}.*"
_ACCOUNT = re.compile(r"[0-9]{12}")
_LINE = r"[\w+=,.@-]{1,128}(?: \w{16,128})*\n"
_USER, _USERS = re.compile(_LINE, re.ASCII), re.compile(f"(?:{_LINE})*", re.ASCII)
"""A line for each user, with their key IDs: quicker to check and take apart than JSON."""


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
    """A file for each profile in keytui's cache folder."""

    def __init__(self, folder: Path | None, place: Sequence[str] = ()) -> None:
        """Keep the files in a folder; None keeps nothing and finds nothing.

        Args:
            folder: The folder, made where it is missing.
            place: What else than the profile says where AWS is asked and by whom: the
                endpoint, the region, the key ID in the environment.
        """
        self._folder, self._place = folder, tuple(place)

    def load(self, profile: str | None) -> KnownUsers | None:
        """Return what is known; None for nothing, or for a file that can't be used."""
        if self._folder is None:
            return None
        import json

        odd = (ValueError, TypeError, KeyError, RecursionError)
        with suppress(OSError, *odd):
            return _known(json.loads(read_private(self._folder / self._name(profile), _MOST_BYTES)))
        return None

    def save(self, profile: str | None, known: KnownUsers) -> None:
        """Keep what is known; what can't be kept is no matter."""
        if self._folder is None:
            return
        import json

        lines = (" ".join((name, *known.key_ids.get(name, ()))) + "\n" for name in known.names)
        users = "".join(filter(_USER.fullmatch, lines))  # An odd name is let go, not all others.
        value = {"format": _FORMAT, "account": known.account, "users": users}
        text = json.dumps(value | {"read_at": known.read_at.isoformat()})
        with suppress(OSError, ValueError):
            replace_whole(self._folder / self._name(profile), text.encode())
            self._remove(MOST_FILES)

    def forget(self) -> None:
        """Remove all that is known, whatever the profile."""
        self._remove(0)

    def _remove(self, kept: int) -> None:
        """Remove the files but for the latest."""
        if self._folder is None:
            return
        with suppress(OSError):
            files = [*self._folder.glob(_NAMES), *self._folder.glob(_HALF_WRITTEN)]
            for file in sorted(files, key=_written_at, reverse=True)[kept:]:
                with suppress(OSError):
                    file.unlink()

    def _name(self, profile: str | None) -> str:
        from hashlib import sha256

        place = "\0".join((profile or "", *self._place))
        return _NAMES.replace("*", sha256(place.encode("utf-8", "replace")).hexdigest()[:24])


def _known(value: Any) -> KnownUsers:
    """Check what a file says. Raises one of the errors that ``load`` passes over."""
    account, read_at = value["account"], datetime.fromisoformat(value["read_at"])
    as_written = value["format"] == _FORMAT and _ACCOUNT.fullmatch(account)
    if not as_written or not _USERS.fullmatch(value["users"]) or read_at.tzinfo is None:
        raise ValueError("Not as keytui writes it")
    names, key_ids = [], {}
    for line in value["users"].splitlines():
        name, *ids = line.split(" ")
        names.append(name)
        if ids:
            key_ids[name] = tuple(ids)
    return KnownUsers(account, read_at, names, key_ids)


def _written_at(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:  # Another keytui was quicker.
        return 0
