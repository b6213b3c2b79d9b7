"""A proxy before an IAM server that looks at who signs: what moto does not do.

Calls that an inactive or deleted key signs are answered with InvalidClientTokenId, and so are
the trials of a new key where a test says so.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Container
from typing import NamedTuple
from urllib.parse import parse_qs

from tests.faults.proxy import FaultProxy, _answer, _error, _Handler, _Reply

Trial = bool | Callable[[], None]
"""How a call goes: accepted or not; or something is run at that moment, and it is accepted."""


class Call(NamedTuple):
    """One call: what was asked, signed by which key, and whether that was accepted."""

    action: str
    key_id: str
    accepted: bool


class Gate(FaultProxy):
    """A fault proxy that knows one key from another.

    Attributes:
        calls: All calls, in the order they came.
        made: The keys that were made through here, each with its user.
        trials: How the next GetCallerIdentity calls go that such a key of a user signs; all are
            accepted once there are none left.
    """

    def __init__(self, upstream_url: str) -> None:
        super().__init__(upstream_url)
        self.calls: list[Call] = []
        self.made: dict[str, str] = {}
        self.trials: defaultdict[str, deque[Trial]] = defaultdict(deque)
        self._dead: set[str] = set()

    @property
    def refused(self) -> list[Call]:
        """The calls that were not accepted."""
        return [call for call in self.calls if not call.accepted]

    def signer(self, among: Container[str]) -> str:
        """Return which of some keys signed a GetCallerIdentity last."""
        asked = (call for call in reversed(self.calls) if call.action == "GetCallerIdentity")
        return next(call.key_id for call in asked if call.key_id in among)

    def signer_of(self, action: str) -> str:
        """Return which key signed the latest call of an action."""
        return next(call.key_id for call in reversed(self.calls) if call.action == action)

    def _handle(self, handler: _Handler, body: bytes) -> _Reply:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        action = form.get("Action", "")
        key_id = handler.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        accepted = key_id not in self._dead and self._tried(action, key_id)
        self.calls.append(Call(action, key_id, accepted))
        if not accepted:
            why = "The security token included in the request is invalid."
            return _answer(*_error(403, "InvalidClientTokenId", why))
        reply = super()._handle(handler, body)
        if reply.status == 200:
            self._note(action, form, reply.body.decode())
        return reply

    def _tried(self, action: str, key_id: str) -> bool:
        trials = self.trials[self.made.get(key_id, "")]
        if action != "GetCallerIdentity" or not trials:
            return True
        trial = trials.popleft()
        if isinstance(trial, bool):
            return trial
        trial()
        return True

    def _note(self, action: str, form: dict[str, str], reply: str) -> None:
        if action == "CreateAccessKey":
            (key_id,) = re.findall("<AccessKeyId>(.*)</AccessKeyId>", reply)
            self.made[key_id] = form["UserName"]
        elif action == "UpdateAccessKey" and form["Status"] == "Active":
            self._dead.discard(form["AccessKeyId"])
        elif action in {"UpdateAccessKey", "DeleteAccessKey"}:
            self._dead.add(form["AccessKeyId"])
