"""Signing in with MFA where AWS asks for it: a code, and session credentials for it.

A long-lived key signs until AWS refuses a call that a code may help with. Then the user is
asked, STS gives a session for the code, and the refused call is sent once more, signed by the
session. That happens where the SDK itself decides on sending again, so it holds for every
call and page. A refusal is certain: also CreateAccessKey may be sent again after it.
"""

import re
import threading
from collections.abc import Callable
from typing import Any

from botocore import exceptions as sdk
from botocore.credentials import Credentials, ReadOnlyCredentials

from keytui.aws.failures import Refusal
from keytui.aws.translate import Call, ask
from keytui.core.errors import AccessDeniedError, AwsError, MfaDeclinedError, WrongCodeError
from keytui.core.mfa import MfaDesk, MfaRequest, MfaSession
from keytui.core.model import Identity, Secret

_READS = ("Get", "List", "Simulate")
_SIGNED_BY = "keytui-session"
_SENT_AGAIN = "keytui-sent-again"
_PROMPT = re.compile(r"Enter MFA code for (.*): ")
_WRONG = "AWS did not take this code. Each works once: wait for the next one."


class KeyCredentials(Credentials):
    """A long-lived key, and the session that stands in for it once there is one."""

    def __init__(self, key: ReadOnlyCredentials, method: str | None, desk: MfaDesk) -> None:
        super().__init__(str(key.access_key), str(key.secret_key), method=method)
        self._key, self._desk = key, desk

    @property
    def session(self) -> MfaSession | None:
        """The session that signs now; None for the key itself."""
        return self._desk.sessions.get(self.access_key)

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return what signs the next call."""
        if (session := self.session) is None:
            return self._key
        return ReadOnlyCredentials(session.key_id, session.secret.reveal(), session.token.reveal())


class MfaGate:
    """Watches what AWS refuses to one long-lived key, and signs in where a code may help."""

    def __init__(
        self,
        credentials: KeyCredentials,
        serial: str,
        desk: MfaDesk,
        client: Callable[[str], Any],
    ) -> None:
        """Take the parts.

        Args:
            credentials: What signs the calls.
            serial: The profile's ``mfa_serial``; empty where it has none.
            desk: Where codes are asked for.
            client: Makes a client, by the service's name, whose calls the long-lived key itself
                signs.
        """
        self._credentials, self._desk, self._client = credentials, desk, client
        self._named = serial
        self._serial: str | None = serial or None
        self._owner: Identity | None = None
        self._declined = False
        self._signing_in = desk.sign_in_of(credentials.access_key)

    def watch(self, client: Any) -> None:
        """Watch a client's calls."""
        service = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register_first(f"before-sign.{service}", self._note_signer)
        client.meta.events.register_first(f"needs-retry.{service}", self._send_again)

    def _note_signer(self, request: Any, **_: Any) -> None:
        request.context[_SIGNED_BY] = self._credentials.session

    def _send_again(
        self, response: Any, operation: Any, request_dict: Any, endpoint: Any, **_: Any
    ) -> int | None:
        """Answer the SDK's question whether to send again: 0 for at once, None for its choice."""
        context = request_dict["context"]
        if response is None:
            return None
        if context.get(_SENT_AGAIN):
            response[1]["ResponseMetadata"]["RefusedBefore"] = 1
            return None
        refused = Refusal.of(sdk.ClientError(response[1], operation.name))
        if not (refused.certain and self._may_pass_now(refused, context[_SIGNED_BY])):
            return None
        context[_SENT_AGAIN] = True
        # Idle for as long as the user typed: a connection may have died without a word.
        endpoint.http_session.close()
        return 0

    def _may_pass_now(self, refused: Refusal, signed_by: MfaSession | None) -> bool:
        """Return whether another signer than the refused one signs from now on."""
        wanted = refused.expired if signed_by else refused.denied
        if not wanted:
            return False
        declines = self._signing_in.declines
        with self._signing_in.turn:
            if self._credentials.session is not signed_by:
                return True
            if signed_by:
                self._desk.sessions.pop(self._credentials.access_key, None)
            # Who waited here while a code was declined has been answered with that.
            answered = self._signing_in.declines != declines
            self._declined = self._declined or answered
            open_to = not answered and not (refused.operation.startswith(_READS) and self._declined)
            signed_in = open_to and self._sign_in(explicit=refused.explicit or bool(signed_by))
            return signed_in or bool(signed_by)

    def _sign_in(self, *, explicit: bool) -> bool:
        """Ask for codes until one is good or declined."""
        if not (self._desk.can_ask and (explicit or self._named)):
            return False
        try:
            owner, serial = self._caller(), self._device()
        except AwsError:
            return False
        if not serial:
            return False
        who, problem = f"{owner.label} in the account {owner.account}", ""
        while code := self._desk.code(MfaRequest(who, serial, problem)):
            try:
                self._desk.keep(self._credentials.access_key, self._session(serial, code))
            except AwsError as error:
                problem = _WRONG if isinstance(error, WrongCodeError) else error.title
            else:
                self._declined = False
                return True
        self._signing_in.declines += 1
        self._declined = True
        return False

    def _session(self, serial: str, code: Secret) -> MfaSession:
        """Return a session for a code; it lasts for AWS's 12 hours (an hour for root)."""

        def work() -> MfaSession:
            get = self._client("sts").get_session_token
            fields = get(SerialNumber=serial, TokenCode=code.reveal())["Credentials"]
            secret, token = Secret(fields["SecretAccessKey"]), Secret(fields["SessionToken"])
            return MfaSession(fields["AccessKeyId"], secret, token)

        return ask(Call("sts:GetSessionToken"), work)

    def _caller(self) -> Identity:
        """Return whose key it is; asked once."""

        def work() -> Identity:
            reply = self._client("sts").get_caller_identity()
            return Identity(reply["Account"], reply["Arn"])

        if self._owner is None:
            self._owner = ask(Call("sts:GetCallerIdentity"), work)
        return self._owner

    def _device(self) -> str:
        """Return the device whose code is asked for; empty where there is none. Asked once."""
        if self._serial is None:
            user = self._caller().user_name
            owner = {"UserName": user} if user else {}

            def work() -> list[str]:
                listed = self._client("iam").list_mfa_devices(**owner)["MFADevices"]
                return [str(device["SerialNumber"]) for device in listed]

            try:
                devices = ask(Call("iam:ListMFADevices"), work)
            except AccessDeniedError:
                devices = []
            # Security keys and passkeys give no codes.
            self._serial = next((one for one in devices if ":u2f/" not in one), "")
        return self._serial


class RolePrompt:
    """Asks for the code that a role is assumed with, in place of the SDK's own prompt.

    The SDK would ask on the terminal, which a screen may be using.

    Attributes:
        problem: What to say of the code before; empty for nothing.
        declines: How often no code was given.
    """

    def __init__(self, desk: MfaDesk, who: str) -> None:
        self._desk, self._who = desk, who
        self.problem = ""
        self.declines = 0

    def __call__(self, text: str) -> str:
        """Return a code for the SDK, which gives its own prompt. Raises ``MfaDeclinedError``."""
        named = _PROMPT.fullmatch(text)
        request = MfaRequest(self._who, named[1] if named else "", self.problem)
        self.problem = ""
        if (code := self._desk.code(request)) is None:
            self.declines += 1
            raise MfaDeclinedError
        return code.reveal()


class RoleCredentials(Credentials):
    """An assumed role's credentials; a code that was wrong, or has expired, is asked for again.

    The SDK by itself asks once.
    """

    def __init__(
        self, first: Credentials, load: Callable[[], Credentials], prompt: RolePrompt
    ) -> None:
        """Take the parts.

        Args:
            first: The role's credentials as the SDK has them.
            load: Returns new ones that have not asked yet.
            prompt: What they ask by.
        """
        super().__init__("", "", method=first.method)
        self._inner, self._load, self._prompt = first, load, prompt
        self._lock = threading.Lock()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return what signs the next call. Raises ``MfaDeclinedError``, and as the SDK does."""
        declines, inner = self._prompt.declines, self._inner
        while True:
            problem = ""
            try:
                return inner.get_frozen_credentials()
            except sdk.RefreshWithMFAUnsupportedError:
                pass  # Expired; or a code was wrong, or declined, while this thread waited.
            except sdk.ClientError as error:
                refused = Refusal.of(error)
                if not (refused.certain and refused.wrong_code):
                    raise
                problem = _WRONG
            if self._prompt.declines != declines:
                raise MfaDeclinedError
            inner = self._anew(inner, problem)

    def _anew(self, spent: Credentials, problem: str) -> Credentials:
        """Return credentials that may ask for a code again."""
        with self._lock:
            if self._inner is spent:
                self._prompt.problem, self._inner = problem, self._load()
            return self._inner
