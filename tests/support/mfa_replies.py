"""An account whose policy demands MFA: it knows sessions, devices, codes and a role."""

from collections import deque
from datetime import UTC, datetime, timedelta

from tests.support.iam_replies import Account, Parameters, Replies, _reply, failure

SERIAL = "arn:aws:iam::123456789012:mfa/admin"
CODE = "123456"
"""The one code that is right."""


class MfaReplies(Replies):
    """Answers as ``Replies`` does, but refuses what no session signs.

    Attributes:
        guarded: The actions that take MFA; all of IAM's where empty.
        words: What is said beside a refusal.
        devices: The caller's devices; None where listing them is denied.
        expired: The sessions that have expired.
        signed: Each action with the key that signed it, in order.
        codes: Each serial number and code that was tried.
        lifetime: How long an assumed role lasts.
        names: Each of IAM's actions with the UserName it had.
    """

    def __init__(self, account: Account, *, guarded: tuple[str, ...] = ()) -> None:
        super().__init__(account)
        self.guarded = guarded
        self.words = " with an explicit deny in an identity-based policy"
        self.devices: list[str] | None = [SERIAL]
        self.expired: set[str] = set()
        self.signed: list[tuple[str, str]] = []
        self.names: list[tuple[str, str | None]] = []
        self.codes: deque[tuple[str, str]] = deque()
        self.lifetime = timedelta(hours=1)

    def answer(self, parameters: Parameters) -> tuple[int, bytes]:
        """Return the HTTP status and the document that AWS would send."""
        action, signer = parameters["Action"], parameters["Signer"]
        self.signed.append((action, signer))
        self.names.append((action, parameters.get("UserName")))
        if signer in self.expired:
            return 403, failure("ExpiredToken", "The security token has expired", 403)
        if action in {"GetSessionToken", "AssumeRole"}:
            return self._sign_in(action, parameters)
        if action == "ListMFADevices" and self.devices is not None:
            return 200, _devices(self.devices)
        if not signer.startswith("ASIA") and self._is_guarded(action):
            message = f"User: X is not authorized to perform: iam:{action} on resource: Y"
            return 403, failure("AccessDenied", message + self.words, 403)
        return super().answer(parameters)

    def signers(self, action: str) -> list[str]:
        """Return what signed an action's calls, in order."""
        return [signer for name, signer in self.signed if name == action]

    def _is_guarded(self, action: str) -> bool:
        return action in self.guarded if self.guarded else action != "GetCallerIdentity"

    def _sign_in(self, action: str, parameters: Parameters) -> tuple[int, bytes]:
        if "SerialNumber" in parameters:
            self.codes.append((parameters["SerialNumber"], parameters["TokenCode"]))
            if parameters["TokenCode"] != CODE:
                message = "MultiFactorAuthentication failed with invalid MFA one time pass code."
                return 403, failure("AccessDenied", message, 403)
        number = len(self.signers(action))
        until = datetime.now(UTC) + self.lifetime
        return 200, _reply(
            action,
            f"<Credentials><AccessKeyId>ASIAFAKE{number:012d}</AccessKeyId>"
            f"<SecretAccessKey>session+secret</SecretAccessKey>"
            f"<SessionToken>session+token</SessionToken>"
            f"<Expiration>{until:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>",
        )


def _devices(serials: list[str]) -> bytes:
    members = "".join(
        f"<member><UserName>admin</UserName><SerialNumber>{serial}</SerialNumber>"
        "<EnableDate>2025-01-01T00:00:00Z</EnableDate></member>"
        for serial in serials
    )
    more = "<IsTruncated>false</IsTruncated>"
    return _reply("ListMFADevices", f"<MFADevices>{members}</MFADevices>{more}")
