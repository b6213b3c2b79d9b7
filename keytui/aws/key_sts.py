"""What a long-lived key asks of AWS to sign in with MFA."""

from collections.abc import Callable
from typing import Any

from keytui.aws.translate import Call, ask
from keytui.mfa import MfaSession
from keytui.model import Identity, Secret


class KeySts:
    """Asks in the name of the long-lived key itself, whatever stands in for it."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        """Take what makes a client, by the service's name, whose calls the key signs."""
        self._client = client

    def who(self) -> Identity:
        """Return whose key it is. Raises ``AwsError``."""
        reply = ask(
            Call("sts:GetCallerIdentity"), lambda: self._client("sts").get_caller_identity()
        )
        return Identity(reply["Account"], reply["Arn"])

    def devices(self, user: str | None) -> list[str]:
        """Return the serial numbers of a user's MFA devices, root's for None.

        Raises:
            AwsError: They can't be listed.
        """
        owner = {"UserName": user} if user else {}

        def work() -> list[str]:
            listed = self._client("iam").list_mfa_devices(**owner)["MFADevices"]
            return [str(device["SerialNumber"]) for device in listed]

        return ask(Call("iam:ListMFADevices"), work)

    def session(self, serial: str, code: Secret) -> MfaSession:
        """Return a session for a code; it lasts for AWS's 12 hours (an hour for root).

        Raises:
            WrongCodeError: AWS did not take the code.
            AwsError: There is no session.
        """

        def work() -> MfaSession:
            reply = self._client("sts").get_session_token(
                SerialNumber=serial, TokenCode=code.reveal()
            )
            fields = reply["Credentials"]
            return MfaSession(
                fields["AccessKeyId"],
                Secret(fields["SecretAccessKey"]),
                Secret(fields["SessionToken"]),
            )

        return ask(Call("sts:GetSessionToken"), work)
