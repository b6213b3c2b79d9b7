"""MFA codes: where they are asked for, and the sign-ins that they gave in this process."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from keytui.core.errors import MfaDeclinedError
from keytui.core.model import Secret


@dataclass(frozen=True, slots=True)
class MfaRequest:
    """A question for a code.

    Attributes:
        who: Who signs in, such as ``alice in the account 123456789012``.
        serial: The MFA device: its ARN, or a hardware token's serial number.
        problem: Why the code before was of no use, a sentence; empty at first.
    """

    who: str
    serial: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MfaSession:
    """Session credentials that stand in for a long-lived key after a sign-in with MFA.

    Attributes:
        key_id: The temporary access key ID.
        secret: Its secret.
        token: Its session token.
    """

    key_id: str
    secret: Secret
    token: Secret


Ask = Callable[[MfaRequest], Secret | None]
"""Asks the user for a code; blocks. None where there is none to be had."""


@dataclass(slots=True)
class SignIn:
    """The signing in of one long-lived key, whatever connection it is for.

    Attributes:
        turn: Held by the thread that signs in; the others wait for what comes of it.
        declines: How often no code was given.
    """

    turn: threading.Lock = field(default_factory=threading.Lock)
    declines: int = 0


class MfaDesk:
    """Asks for one code at a time, and remembers sign-ins, in memory only. Any thread may ask.

    Attributes:
        sessions: Long-lived access key ID → the session that stands in for it.
        roles: Profile → the SDK's own cache of the roles it assumed with a code.
        asking: Whether a question is open now.
        answered: How many questions were answered or declined.
    """

    def __init__(self, ask: Ask | None = None) -> None:
        """Take who asks; None where nobody can."""
        self.sessions: dict[str, MfaSession] = {}
        self.roles: dict[str, dict[str, Any]] = {}
        self.asking = False
        self.answered = 0
        self._ask = ask
        self._signed_in: Callable[[], None] = lambda: None
        self._turn = threading.Lock()
        self._sign_ins: dict[str, SignIn] = {}

    @property
    def can_ask(self) -> bool:
        """Whether there is anybody to ask."""
        return self._ask is not None

    def silent(self) -> "MfaDesk":
        """Return a desk with the sign-ins of this one that declines and asks nobody.

        What takes a code raises ``MfaDeclinedError``.
        """

        def decline(_: MfaRequest) -> Secret | None:
            raise MfaDeclinedError

        other = MfaDesk(decline)
        other.sessions, other.roles = self.sessions, self.roles
        return other

    def ask_by(self, ask: Ask | None, signed_in: Callable[[], None] = lambda: None) -> None:
        """From now on ask in this way.

        Args:
            ask: Asks for a code; None where nobody can be asked any more.
            signed_in: Told, in whatever thread, when a code has given a session.
        """
        self._ask, self._signed_in = ask, signed_in

    def code(self, request: MfaRequest) -> Secret | None:
        """Ask for a code; None where it is declined or nobody can be asked."""
        with self._turn:
            if self._ask is None:
                return None
            self.asking = True
            try:
                return self._ask(request)
            finally:
                self.answered += 1
                self.asking = False

    def sign_in_of(self, key_id: str) -> SignIn:
        """Return the signing in of a long-lived key."""
        return self._sign_ins.setdefault(key_id, SignIn())

    def keep(self, key_id: str, session: MfaSession) -> None:
        """Let a session stand in for a long-lived key from now on."""
        self.sessions[key_id] = session
        self._signed_in()
