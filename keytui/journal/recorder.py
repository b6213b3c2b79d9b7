"""What the verbs write into the journal, with who did it and when."""

from collections.abc import Callable
from datetime import datetime

from keytui.core.errors import StateError
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, User
from keytui.journal.log import Entry, Event, Journal


class Record:
    """Writes journal lines for one account's caller."""

    def __init__(self, iam: Iam, journal: Journal, now: Callable[[], datetime]) -> None:
        self._iam = iam
        self._journal = journal
        self._now = now

    def write(self, event: Event, user: User, **more: str) -> None:
        """Write a line. Raises ``StateError``."""
        caller = self._iam.identity()
        at = self._now().isoformat(timespec="seconds")
        self._journal.append(Entry(at, event, caller.account, user.name, caller.arn, **more))

    def note(self, event: Event, user: User, **more: str) -> StateError | None:
        """Write a line about what has been done already; a failure is returned, not raised."""
        try:
            self.write(event, user, **more)
        except StateError as error:
            return error
        return None

    def write_key(self, event: Event, key: AccessKey, rotation: str, **more: str) -> None:
        """Write a line about a key of a rotation. Raises ``StateError``."""
        self.write(event, key.user, **_named(key), rotation=rotation, **more)

    def note_key(self, event: Event, key: AccessKey, **more: str) -> StateError | None:
        """Note what was done to a key."""
        return self.note(event, key.user, **_named(key), **more)


def _named(key: AccessKey) -> dict[str, str]:
    created = key.created.isoformat(timespec="seconds") if key.created else ""
    return {"key_id": key.id, "created": created}
