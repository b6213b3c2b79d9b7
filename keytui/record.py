"""What the verbs write into the journal, with who did it and when."""

from collections.abc import Callable
from datetime import datetime

from keytui.errors import StateError
from keytui.journal import Entry, Event, Journal
from keytui.model import AccessKey, User
from keytui.ports import Iam


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

    def note_key(self, event: Event, key: AccessKey, **more: str) -> StateError | None:
        """Note what was done to a key."""
        created = key.created.isoformat(timespec="seconds") if key.created else ""
        return self.note(event, key.user, key_id=key.id, created=created, **more)
