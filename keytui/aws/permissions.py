"""Which of the IAM actions that keytui uses the caller is allowed, found without any change.

A read is made and its answer thrown away. A change is simulated by IAM itself where that is
allowed, else tried on what does not exist: IAM decides on the permission before it looks for
the user or the key, so NoSuchEntity means allowed and AccessDenied means denied.

None of the tries can change anything. The user they name, and the key and the tag, are drawn
from 128 random bits for one run and used nowhere else: no user can have that name, and IAM
makes keys and tags only for a user that exists. A key ID with small letters in it is none that
AWS gives out. On a user that does exist, the caller itself, only what takes away is tried, and
only with that key ID and that tag. Each is sent once.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore import xform_name

from keytui.aws.clients import READING
from keytui.aws.gateway import IamGateway, credential_report
from keytui.aws.translate import Call, ask
from keytui.core.errors import AccessDeniedError, AwsError, NotFoundError
from keytui.core.iam import Iam
from keytui.core.model import Identity

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient


class Scope(StrEnum):
    """For whom an action is allowed."""

    EVERYONE = "every user"
    OWN = "own user"
    DENIED = "denied"
    OTHERS_DENIED = "denied for others"
    """Whether for the caller's own user can't be told without doing it."""
    NOT_TRIED = "not tried"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Permission:
    """What was found of one action.

    Attributes:
        action: The action, such as ``iam:UpdateAccessKey``.
        scope: For whom it is allowed.
        reason: Why that is not known; empty where it is.
    """

    action: str
    scope: Scope
    reason: str = ""


_OF_NO_USER = {
    *("iam:ListUsers", "iam:GetAccessKeyLastUsed"),
    *("iam:GenerateCredentialReport", "iam:GetCredentialReport"),
}
_MAKING = {"iam:CreateAccessKey", "iam:TagUser"}
"""What makes something is tried only for a user who does not exist."""


def _parameters(user: str, nothing: str, key_id: str) -> dict[str, dict[str, Any]]:
    """Return action → the parameters that it is tried with.

    Args:
        user: The user; one who exists only for what reads or takes away.
        nothing: The name of a key and a tag that nobody has.
        key_id: A key.
    """
    return {
        "iam:ListUsers": {"MaxItems": 1},
        "iam:GetUser": {"UserName": user},
        "iam:ListAccessKeys": {"UserName": user, "MaxItems": 1},
        "iam:GetAccessKeyLastUsed": {"AccessKeyId": key_id},
        "iam:ListUserTags": {"UserName": user, "MaxItems": 1},
        "iam:ListMFADevices": {"UserName": user, "MaxItems": 1},
        "iam:GenerateCredentialReport": {},
        "iam:GetCredentialReport": {},
        "iam:CreateAccessKey": {"UserName": user},
        "iam:UpdateAccessKey": {"UserName": user, "AccessKeyId": nothing, "Status": "Active"},
        "iam:DeleteAccessKey": {"UserName": user, "AccessKeyId": nothing},
        "iam:TagUser": {"UserName": user, "Tags": [{"Key": nothing, "Value": ""}]},
        "iam:UntagUser": {"UserName": user, "TagKeys": [nothing]},
    }


ACTIONS = tuple(_parameters("", "", ""))
"""The actions of the README's policy."""
READS = tuple(name for name in ACTIONS if name.removeprefix("iam:").startswith(READING))
CHANGES = tuple(name for name in ACTIONS if name not in READS)

_SIMULATE = "iam:SimulatePrincipalPolicy"
_LOOKED_AT = 10
"""How many users are looked at to find one with a key."""


class Permissions:
    """Asks for one caller. Methods block; any thread may call them."""

    def __init__(
        self,
        identity: Identity,
        signing_key_id: str,
        client: "IAMClient",
        once: "IAMClient",
        *,
        changes: bool = True,
    ) -> None:
        """Take the clients.

        Args:
            identity: Who is asking.
            signing_key_id: What signs the calls.
            client: For reads.
            once: For tries of changes; sends each request once.
            changes: Whether changes may be tried.
        """
        self._own = identity.user_name
        self._identity = identity
        self._signing_key_id = signing_key_id
        self._client = client
        self._once = once
        self._changes = changes
        self._nobody = f"keytui-doctor-{secrets.token_hex(16)}"
        self._nothing = f"keytui_doctor_{secrets.token_hex(16)}"
        self._simulations: dict[str, dict[str, bool]] = {}
        self._simulating = threading.Lock()

    def find(self, action: str) -> Permission:
        """Return what is known of one of ``ACTIONS``; raises nothing of AWS's."""
        try:
            return Permission(action, self._scope(action))
        except AwsError as error:
            return Permission(action, Scope.UNKNOWN, error.title)

    def _scope(self, action: str) -> Scope:
        if action in _OF_NO_USER:
            return Scope.EVERYONE if self._try(action, self._nobody) else Scope.DENIED
        if action in CHANGES:
            if (simulated := self._simulated_scope(action)) is not None:
                return simulated
            if not self._changes:
                return Scope.NOT_TRIED
        if self._try(action, self._nobody):
            return Scope.EVERYONE
        if self._own is None:
            return Scope.DENIED
        if action in _MAKING:
            return Scope.OTHERS_DENIED
        return Scope.OWN if self._try(action, self._own) else Scope.DENIED

    def _try(self, action: str, user: str) -> bool:
        """Return whether an action is allowed on a user, by a call that changes nothing."""
        if action == "iam:GetCredentialReport":
            return _allowed(action, lambda: credential_report(self._client))
        key_id = self._some_key_id() if action == "iam:GetAccessKeyLastUsed" else ""
        whom = self._nobody if action in _MAKING else user
        parameters = _parameters(whom, self._nothing, key_id)[action]
        client = self._once if action in CHANGES else self._client
        send = getattr(client, xform_name(action.removeprefix("iam:")))
        return _allowed(action, lambda: send(**parameters))

    def _some_key_id(self) -> str:
        """Return a long-lived key: the signing one, else the first that can be listed."""
        if not self._signing_key_id.startswith("ASIA"):
            return self._signing_key_id
        call = Call("iam:ListUsers")
        users = ask(call, lambda: self._client.list_users(MaxItems=_LOOKED_AT)["Users"])
        for user in users:
            if key_id := self._key_of(user["UserName"]):
                return key_id
        raise AwsError("There is no access key to ask about.")

    def _key_of(self, user: str) -> str | None:
        call = Call("iam:ListAccessKeys")
        listed = ask(call, lambda: self._client.list_access_keys(UserName=user, MaxItems=1))
        return next((key["AccessKeyId"] for key in listed["AccessKeyMetadata"]), None)

    def _simulated_scope(self, action: str) -> Scope | None:
        """Return what IAM's simulation says; None where it can't tell.

        It is asked about users only: a role's path, and the policy of its session, are not
        known here.
        """
        if self._own is None:
            return None
        prefix = f"arn:{self._identity.partition}:iam::{self._identity.account}:user/"
        anybody = self._simulated(prefix + self._nobody).get(action)
        if anybody is not False:
            return None if anybody is None else Scope.EVERYONE
        own = self._simulated(self._identity.arn).get(action)
        if own is None:
            return Scope.OTHERS_DENIED
        return Scope.OWN if own else Scope.DENIED

    def _simulated(self, resource: str) -> dict[str, bool]:
        """Return action → whether it is allowed on a resource, of those that can be told."""
        with self._simulating:
            if resource not in self._simulations:
                try:
                    self._simulations[resource] = ask(
                        Call(_SIMULATE), lambda: self._simulate(resource)
                    )
                except AwsError:
                    self._simulations[resource] = {}
            return self._simulations[resource]

    def _simulate(self, resource: str) -> dict[str, bool]:
        reply = self._client.simulate_principal_policy(
            PolicySourceArn=self._identity.arn,
            ActionNames=list(CHANGES),
            ResourceArns=[resource],
        )
        # A condition on what only a real call has (its MFA, its address) can't be told.
        return {
            result["EvalActionName"]: result["EvalDecision"] == "allowed"
            for result in reply["EvaluationResults"]
            if not result.get("MissingContextValues")
        }


def permissions(iam: Iam, *, changes: bool) -> Permissions | None:
    """Return what asks on this connection; None where that is no gateway to AWS.

    Args:
        iam: The connection.
        changes: Whether changes may be tried.

    Raises:
        AwsError: The caller is not known.
    """
    if not isinstance(iam, IamGateway):
        return None
    identity, clients = iam.identity(), iam.clients
    once = ask(Call(""), clients.one_attempt_iam)
    return Permissions(identity, iam.signing_key_id(), clients.iam, once, changes=changes)


def mfa_devices(iam: Iam) -> int | None:
    """Return how many MFA devices the caller has; None for a caller that can have none.

    Raises:
        AwsError: They can't be listed.
    """
    if not isinstance(iam, IamGateway):
        return None
    identity, client = iam.identity(), iam.clients.iam
    if identity.user_name is None and not identity.is_root:
        return None
    owner: dict[str, Any] = {"UserName": identity.user_name} if identity.user_name else {}
    call = Call("iam:ListMFADevices")
    return ask(call, lambda: len(client.list_mfa_devices(**owner)["MFADevices"]))


def _allowed(action: str, work: Callable[[], object]) -> bool:
    """Return whether IAM lets the caller do this; that it finds nothing comes after that.

    Raises:
        AwsError: It can't be told.
    """
    try:
        ask(Call(action), work)
    except AccessDeniedError:
        return False
    except NotFoundError:
        return True
    return True
