"""The credential report at AWS: asked for, and fetched."""

from datetime import UTC
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from keytui.aws.translate import Call, ask
from keytui.credential_report import CredentialReport, parse

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_NONE_YET = {"ReportNotPresent", "ReportExpired", "ReportInProgress"}
"""What GetCredentialReport answers where there is none, it is too old, or is being made."""


def make_report(client: "IAMClient") -> bool:
    """Ask AWS for a new report; return whether one is ready to be read."""
    call = Call("iam:GenerateCredentialReport")
    return ask(call, lambda: client.generate_credential_report()["State"]) == "COMPLETE"


def credential_report(client: "IAMClient") -> CredentialReport | None:
    """Return the report that AWS has; None where it has none, or makes one now."""
    return ask(Call("iam:GetCredentialReport"), lambda: _report(client))


def _report(client: "IAMClient") -> CredentialReport | None:
    try:
        reply: Any = client.get_credential_report()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _NONE_YET:
            return None
        raise
    return parse(reply["Content"], reply["GeneratedTime"].astimezone(UTC))
