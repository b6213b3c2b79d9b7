"""The journal: what keytui did and what is unfinished. Key IDs only, never a secret.

One JSON object a line, appended with a single write and fsynced. The file is for its owner
alone (0600 in a 0700 folder). A line that can't be read, such as one torn by a power cut,
is skipped.
"""

import errno
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from keytui.core.errors import StateError
from keytui.core.gate import Gate
from keytui.core.model import AccessKey, KeyStatus, User
from keytui.core.private_files import append_line, open_own, read_bounded
from keytui.journal.locks import Claims

_MOST_BYTES = 64_000_000
"""About 200,000 lines."""


class Event(StrEnum):
    """What happened."""

    CREATING = "creating"
    """AWS is about to be asked for a key. What follows has the same ``attempt``."""
    NOT_CREATED = "not created"
    """No key was made."""
    CREATED = "created"
    """The key and its secret have arrived."""
    REPLY_LOST = "reply lost"
    """AWS may have made a key whose secret nobody has."""
    ORPHAN = "orphan"
    """The key was found afterwards; its secret is in no store."""
    STORING = "storing"
    """The secret is about to be put into a store."""
    NOT_STORED = "not stored"
    """It is certainly not there."""
    STORED = "stored"
    """The store was read again and has it: verified."""
    SHOWN = "shown"
    """It was shown on the screen or sent to the clipboard: somebody may have it."""
    DISCARDED = "discarded"
    """The key was deleted, since its secret is in no store."""
    UNKEPT = "left unkept"
    """The user keeps the key, with its secret in no store."""
    GONE = "gone"
    """The key was deleted by somebody else."""
    STATUS = "status"
    """A key was activated or deactivated."""
    UNDONE = "undone"
    """The same, to undo an earlier change."""
    DELETED = "deleted"
    """A key was deleted."""
    FORGOTTEN = "forgotten"
    """A secret was deleted from the store it was kept in."""
    ROTATING = "rotating"
    """A key is to be replaced by a new one. What follows has the same ``rotation``."""
    VERIFIED = "verified"
    """AWS accepts the new key, with its secret as the store has it."""
    REPOINTED = "repointed"
    """A local profile names the new key; or, with no detail, all that should."""
    WATCHING = "watching"
    """From now on nothing should use the old key."""
    RETIRING = "retiring"
    """AWS is about to be asked to deactivate the old key, which was active just before."""
    FOUND_INACTIVE = "found inactive"
    """Somebody else had deactivated the old key already."""
    ROTATED = "rotated"
    """The old key is deleted: the rotation has ended."""
    ROLLING_BACK = "rolling back"
    """A roll back has begun: the old key is to replace the new one."""
    PUT_BACK = "put back"
    """A local profile names the old key again."""
    ROLLED_BACK = "rolled back"
    """The new key is deleted: the rotation has ended."""
    ABANDONED = "rotation left"
    """The user ended the rotation and keeps both keys."""


CLOSING = frozenset({Event.NOT_CREATED, Event.STORED, Event.DISCARDED, Event.UNKEPT, Event.GONE})
"""The events that end a key creation."""


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
        attempt: Joins the lines of one key creation.
        created: When the key was made, ISO 8601; empty where it does not matter.
        store: The store chosen or used, as ``SecretStore.locator`` has it.
        asked: AWS's own time when it was about to be asked for a key, or when its reply was
            seen to be lost; ISO 8601.
        detail: The new status, the key IDs there were before, or a profile repointed.
        rotation: Joins the lines of one rotation.
    """

    at: str
    event: Event
    account: str
    user: str
    caller: str
    key_id: str = ""
    attempt: str = ""
    created: str = ""
    store: str = ""
    asked: str = ""
    detail: str = ""
    rotation: str = ""


class Journal:
    """The journal in one folder. Methods block; any thread may call them.

    Attributes:
        path: The file.
    """

    def __init__(self, folder: Path, gate: Gate) -> None:
        self.path = folder / "journal.jsonl"
        self._gate = gate
        self._claims = Claims(folder, gate)
        # Set as one: several threads may read.
        self._read: tuple[tuple[int, int, int] | None, list[Entry]] = (None, [])

    def append(self, entry: Entry) -> None:
        """Add a line and wait until it is on the disk; a closing event ends the claim.

        Raises:
            StateError: It could not be written.
            ReadOnlyError: In read-only mode.
        """
        self._gate.require_writable()
        line = json.dumps(asdict(entry), separators=(",", ":")).encode() + b"\n"
        try:
            append_line(self.path, line, _MOST_BYTES)
        except OSError as error:
            raise self._problem("write", error) from None
        if entry.event in CLOSING:
            self._claims.unmark(entry.attempt)
            self._claims.drop(entry.attempt)

    def claim(self, attempt: str) -> bool:
        """Claim a key creation for this process; False if another process has claimed it.

        The claim ends with ``release``, with a closing event, or with the process. In read-only
        mode nothing is claimed: this only looks whether another process works on it.

        Raises:
            StateError: It could not be written.
        """
        try:
            return self._claims.take(attempt)
        except OSError as error:
            raise self._problem("write", error) from None

    def release(self, attempt: str) -> None:
        """Give up the claim on a key creation that is still open."""
        self._claims.drop(attempt)

    def mark(self, attempt: str) -> None:
        """Remember without the journal, which could not be written, that a secret is stored."""
        self._claims.mark(attempt)

    def is_marked(self, attempt: str) -> bool:
        """Return whether ``mark`` remembers that."""
        return self._claims.is_marked(attempt)

    def entries(self) -> list[Entry]:
        """Return all lines, oldest first; none where there is no journal yet.

        Raises:
            StateError: There is one and it can't be read.
        """
        try:
            # What is written in it decides which keys may be deleted.
            closing = not self._gate.read_only
            with open_own(self.path, _MOST_BYTES, close_to_others=closing) as fd:
                status = os.fstat(fd)
                known, entries = self._read
                if (version := (status.st_ino, status.st_mtime_ns, status.st_size)) != known:
                    entries = list(_parse(read_bounded(fd, _MOST_BYTES).splitlines()))
                    self._read = version, entries
        except FileNotFoundError:
            return []
        except OSError as error:
            unseen = "Keys deleted earlier are not shown."
            raise self._problem("read", error, unseen) from None
        return list(entries)

    def deleted_keys(self, account: str, user: User) -> list[AccessKey]:
        """Return the keys of a user that keytui has deleted, oldest first."""
        keys = {
            entry.key_id: AccessKey(entry.key_id, user, KeyStatus.DELETED, time_of(entry.created))
            for entry in self.entries()
            if entry.event is Event.DELETED and (entry.account, entry.user) == (account, user.name)
        }
        return list(keys.values())

    def _problem(self, verb: str, error: OSError, safe: str = "") -> StateError:
        path, elsewhere = self.path, "or set XDG_STATE_HOME to another folder"
        next_step = f"Make that file and its folder readable and writable, {elsewhere}."
        if error.errno == errno.EPERM:
            modes = f"chmod 700 {path.parent}; chmod 600 {path}"
            next_step = f"Look at what it says, then: {modes}; {elsewhere}."
        elif error.errno == errno.EFBIG:
            next_step = f"Look at what it holds, then move it away; {elsewhere}."
        reason = error.strerror or "unknown reason"
        return StateError(f"keytui can't {verb} its record {path}: {reason}.", safe, next_step)


_FIELDS = {field.name for field in fields(Entry)}


def _parse(lines: Iterable[bytes]) -> Iterable[Entry]:
    for line in lines:
        try:
            raw: Any = json.loads(line)
            known = {name: str(raw[name]) for name in _FIELDS if name in raw}
            yield Entry(**{**known, "event": Event(known["event"])})  # type: ignore[arg-type]
        except (ValueError, TypeError, KeyError, RecursionError):
            continue


def time_of(text: str) -> datetime | None:
    """Return an ISO 8601 time, aware (UTC where it has no offset); None where it is none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not MINYEAR < when.year < MAXYEAR:
        return None  # At the ends of the calendar neither offsets nor seconds can be added.
    return when if when.tzinfo else when.replace(tzinfo=UTC)
