"""A rotation's lines in the journal."""

from collections.abc import Callable
from datetime import datetime

from keytui.journal import Event, Journal
from keytui.model import AccessKey
from keytui.ports import Iam
from keytui.record import Record


class Log:
    """Writes them."""

    def __init__(self, iam: Iam, journal: Journal, now: Callable[[], datetime]) -> None:
        self._record = Record(iam, journal, now)

    def write(self, event: Event, key: AccessKey, rotation: str, **more: str) -> None:
        """Write a line about one of the keys. Raises ``StateError``."""
        created = key.created.isoformat(timespec="seconds") if key.created else ""
        ids = {"key_id": key.id, "created": created, "rotation": rotation}
        self._record.write(event, key.user, **ids, **more)
