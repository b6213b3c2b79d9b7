"""keytui's own record of what it did and what is under way. Key IDs only, never a secret.

One JSON object a line, appended with a single write and fsynced. The file is for its owner
alone (0600 in a 0700 folder). A line that can't be read, such as one torn by a power cut,
is passed over.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from keytui.errors import StateError
from keytui.model import AccessKey, KeyStatus, User


class Event(StrEnum):
    """What a line tells."""

    CREATING = "creating"
    NOT_CREATED = "not created"
    CREATED = "created"
    REPLY_LOST = "reply lost"
    STORED = "stored"
    DISCARDED = "discarded"
    STATUS = "status"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal.

    Attributes:
        at: When, ISO 8601 with offset.
        event: What happened.
        account: The account ID.
        user: The user name, or ``<root account>``.
        caller: The ARN that did it.
        key_id: The access key ID; empty before it is known.
        attempt: Joins the lines of one creation.
        created: When the key was made, ISO 8601; empty where it does not matter.
        detail: The store, the new status, or the key IDs there were before.
    """

    at: str
    event: Event
    account: str
    user: str
    caller: str
    key_id: str = ""
    attempt: str = ""
    created: str = ""
    detail: str = ""


class Journal:
    """The journal in one folder. Methods block; any thread may call them."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.jsonl"
        self._entries: list[Entry] = []
        self._size = -1

    def append(self, entry: Entry) -> None:
        """Add a line and wait until it is on the disk.

        Raises:
            StateError: It could not be written.
        """
        line = json.dumps(asdict(entry), separators=(",", ":")).encode() + b"\n"
        try:
            self._write(line)
        except OSError as error:
            reason = error.strerror or "unknown reason"
            raise StateError(
                f"keytui can't write its record {self._path}: {reason}.",
                next_step="Make that folder writable, or set XDG_STATE_HOME to another.",
            ) from None

    def entries(self) -> list[Entry]:
        """Return all lines, oldest first; none where there is no journal yet.

        Raises:
            StateError: There is one and it can't be read.
        """
        try:
            size = self._path.stat().st_size
            if size != self._size:
                self._entries = list(_parse(self._path.read_bytes().splitlines()))
                self._size = size
        except FileNotFoundError:
            return []
        except OSError as error:
            reason = error.strerror or "unknown reason"
            raise StateError(
                f"keytui can't read its record {self._path}: {reason}.",
                "Keys deleted earlier are not shown.",
                "Make that file readable, or set XDG_STATE_HOME to another folder.",
            ) from None
        return list(self._entries)

    def deleted_keys(self, account: str, user: User) -> list[AccessKey]:
        """Return the keys of a user that keytui has deleted, oldest first."""
        keys = {
            entry.key_id: AccessKey(entry.key_id, user, KeyStatus.DELETED, _time(entry.created))
            for entry in self.entries()
            if entry.event is Event.DELETED and (entry.account, entry.user) == (account, user.name)
        }
        return list(keys.values())

    def _write(self, line: bytes) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(self._path, flags, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                line = b"\n" + line
            if os.write(handle, line) != len(line):
                raise OSError(28, "the disk is full")
            os.fsync(handle)
        finally:
            os.close(handle)


_FIELDS = {field.name for field in fields(Entry)}


def _parse(lines: Iterable[bytes]) -> Iterable[Entry]:
    for line in lines:
        try:
            raw: Any = json.loads(line)
            known = {name: str(raw[name]) for name in _FIELDS if name in raw}
            yield Entry(**{**known, "event": Event(known["event"])})  # type: ignore[arg-type]
        except (ValueError, TypeError, KeyError, RecursionError):
            continue


def _time(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
