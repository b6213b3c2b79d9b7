"""How often AWS asks for fewer calls, also where the SDK makes the call again by itself."""

import threading
from collections.abc import Mapping
from typing import Any

from keytui.aws.refusals import is_throttle_reply


class Throttles:
    """Counts them.

    Attributes:
        count: How many there were so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._counting = threading.Lock()

    def heard(self, parsed_response: Mapping[str, Any] | None, **_: Any) -> None:
        """Take note of a reply; the SDK's handler for the event ``response-received``."""
        if parsed_response and is_throttle_reply(parsed_response):
            with self._counting:
                self.count += 1
