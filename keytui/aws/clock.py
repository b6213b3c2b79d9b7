"""AWS's own time, as its replies tell it in their Date header (RFC 9110, 6.6.1)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any


class ServerClock:
    """Remembers how far AWS's clock is from this machine's."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def heard(self, http_response: Any, **_: Any) -> None:
        """Take note of a reply; the SDK's handler for the event ``after-call``."""
        try:
            told = parsedate_to_datetime(http_response.headers["Date"])
        except (LookupError, ValueError, TypeError):
            return
        if told.tzinfo:
            self._ahead = told - datetime.now(UTC)

    def now(self) -> datetime:
        """Return AWS's time, to about a second."""
        return datetime.now(UTC) + self._ahead
