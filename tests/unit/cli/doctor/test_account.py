"""Which IAM actions are allowed, against an IAM that decides by user; and that nothing changes."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from keytui.aws.permissions import ACTIONS, CHANGES, READS, Permissions, Scope
from keytui.core.model import Identity

OWN = "operator"
ROOT = "root"
ACCOUNT = "123456789012"
OPERATIONS = {
    "list_users": "ListUsers",
    "get_user": "GetUser",
    "list_access_keys": "ListAccessKeys",
    "list_user_tags": "ListUserTags",
    "get_access_key_last_used": "GetAccessKeyLastUsed",
    "list_mfa_devices": "ListMFADevices",
    "generate_credential_report": "GenerateCredentialReport",
    "get_credential_report": "GetCredentialReport",
    "create_access_key": "CreateAccessKey",
    "update_access_key": "UpdateAccessKey",
    "delete_access_key": "DeleteAccessKey",
    "tag_user": "TagUser",
    "untag_user": "UntagUser",
    "simulate_principal_policy": "SimulatePrincipalPolicy",
}
Allows = Callable[[str, str], bool]
"""Whether an action is allowed on a user (empty for none)."""


class Decider:
    """Stands for the SDK's client of an account with the user ``operator`` and ``alice``.

    Attributes:
        calls: Operation and parameters, in order.
    """

    def __init__(self, allows: Allows, simulates: Allows | None = None) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.missing: list[str] = []
        self._allows, self._simulates = allows, simulates

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = OPERATIONS[method]

        def call(**parameters: Any) -> Any:
            self.calls.append((operation, parameters))
            return self._answer(operation, parameters)

        return call

    def asked(self, *operations: str) -> list[dict[str, Any]]:
        return [parameters for operation, parameters in self.calls if operation in operations]

    def _answer(self, operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "SimulatePrincipalPolicy":
            return self._simulated(parameters)
        user = parameters.get("UserName", "")
        if not self._allows(operation, user):
            raise refused("AccessDenied", 403, operation)
        if operation == "ListUsers":
            return {"Users": [{"UserName": "nokeys"}, {"UserName": "alice"}]}
        if user not in {"", OWN, "alice", "nokeys"}:
            raise refused("NoSuchEntity", 404, operation)
        if operation in {"UpdateAccessKey", "DeleteAccessKey"}:
            raise refused("NoSuchEntity", 404, operation)
        if operation == "GetCredentialReport":
            raise refused("ReportNotPresent", 410, operation)
        if operation == "ListAccessKeys":
            keys = [] if user == "nokeys" else [{"AccessKeyId": "AKIAALICE00000000001"}]
            return {"AccessKeyMetadata": keys}
        return {}

    def _simulated(self, parameters: dict[str, Any]) -> Any:
        if self._simulates is None:
            raise refused("AccessDenied", 403, "SimulatePrincipalPolicy")
        user = parameters["ResourceArns"][0].rpartition("/")[2]
        results = [
            {
                "EvalActionName": action,
                "EvalDecision": "allowed"
                if self._simulates(action.removeprefix("iam:"), user)
                else "implicitDeny",
                "MissingContextValues": self.missing,
            }
            for action in parameters["ActionNames"]
        ]
        return {"EvaluationResults": results}


def refused(code: str, status: int, operation: str) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status, "RequestId": "1"}
    reply: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": metadata}
    return ClientError(reply, operation)


def asker(client: Decider, resource: str = f"user/{OWN}", **more: Any) -> Permissions:
    service = "sts" if resource.startswith("assumed-role") else "iam"
    identity = Identity(ACCOUNT, f"arn:aws:{service}::{ACCOUNT}:{resource}")
    key = more.pop("key", "AKIAOPERATOR00000001")
    sdk = cast("Any", client)
    return Permissions(identity, key, sdk, sdk, **more)


def scopes(client: Decider, **more: Any) -> dict[str, Scope]:
    asked = asker(client, **more)
    return {action: asked.find(action).scope for action in ACTIONS}


def everything(_: str, __: str) -> bool:
    return True


def nothing(_: str, __: str) -> bool:
    return False


def own_only(operation: str, user: str) -> bool:
    """The README's policy for somebody's own keys."""
    return user == OWN or operation == "GetAccessKeyLastUsed"


def test_everything_is_allowed() -> None:
    assert set(scopes(Decider(everything)).values()) == {Scope.EVERYONE}
    assert set(scopes(Decider(everything, everything)).values()) == {Scope.EVERYONE}


def test_nothing_is_allowed() -> None:
    found = scopes(Decider(nothing, nothing))

    assert set(found.values()) == {Scope.DENIED}


def test_nothing_is_allowed_the_simulation_neither() -> None:
    found = scopes(Decider(nothing))

    # What makes something is not tried on a user that exists.
    for action in ("iam:CreateAccessKey", "iam:TagUser"):
        assert found.pop(action) is Scope.OTHERS_DENIED
    assert set(found.values()) == {Scope.DENIED}


def test_own_keys_only_by_simulation() -> None:
    found = scopes(Decider(own_only, own_only))

    for action in ("ListUsers", "GenerateCredentialReport", "GetCredentialReport"):
        assert found.pop(f"iam:{action}") is Scope.DENIED
    assert found.pop("iam:GetAccessKeyLastUsed") is Scope.EVERYONE
    assert set(found.values()) == {Scope.OWN}


def test_own_keys_only_by_trying() -> None:
    found = scopes(Decider(own_only))

    for action in ("iam:CreateAccessKey", "iam:TagUser"):
        assert found[action] is Scope.OTHERS_DENIED
    for action in ("iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:UntagUser", "iam:GetUser"):
        assert found[action] is Scope.OWN


@pytest.mark.parametrize("action", ACTIONS)
def test_each_single_action_that_is_missing_is_found(action: str) -> None:
    lacking = action.removeprefix("iam:")

    found = scopes(Decider(lambda operation, _: operation != lacking))

    assert found.pop(action) in {Scope.DENIED, Scope.OTHERS_DENIED}
    assert set(found.values()) == {Scope.EVERYONE}


def test_simulation_that_lacks_the_calls_context_is_not_believed() -> None:
    client = Decider(everything, nothing)
    client.missing = ["aws:MultiFactorAuthPresent"]

    assert set(scopes(client).values()) == {Scope.EVERYONE}


def test_all_is_simulated_in_one_call() -> None:
    client = Decider(everything, everything)
    scopes(client)

    (asked,) = client.asked("SimulatePrincipalPolicy")
    assert asked["ActionNames"] == list(CHANGES)
    assert asked["PolicySourceArn"] == f"arn:aws:iam::{ACCOUNT}:user/{OWN}"
    assert not client.asked(*(action.removeprefix("iam:") for action in CHANGES))


def test_read_only_tries_no_change() -> None:
    client = Decider(everything)

    found = scopes(client, changes=False)

    assert {found[action] for action in CHANGES} == {Scope.NOT_TRIED}
    assert {found[action] for action in READS} == {Scope.EVERYONE}
    assert not client.asked(*(action.removeprefix("iam:") for action in CHANGES))


def test_read_only_still_simulates() -> None:
    found = scopes(Decider(everything, everything), changes=False)

    assert {found[action] for action in CHANGES} == {Scope.EVERYONE}


@pytest.mark.parametrize("allows", [everything, nothing, own_only])
def test_no_try_names_anything_that_exists(allows: Allows) -> None:
    client, again = Decider(allows), Decider(allows)
    scopes(client)
    scopes(again)

    made = client.asked("CreateAccessKey", "TagUser")
    assert made
    for parameters in made:
        assert parameters["UserName"].startswith("keytui-doctor-")
        assert len(parameters["UserName"]) == len("keytui-doctor-") + 32
    for parameters in client.asked("UpdateAccessKey", "DeleteAccessKey"):
        assert parameters["AccessKeyId"] != parameters["AccessKeyId"].upper()
    for parameters in client.asked("UntagUser"):
        assert parameters["TagKeys"][0].startswith("keytui_doctor_")
    names = {parameters["UserName"] for parameters in made}
    assert not names & {call["UserName"] for call in again.asked("CreateAccessKey", "TagUser")}
    assert "Inactive" not in str(client.calls)


def test_role_has_no_own_user_and_is_not_simulated() -> None:
    client = Decider(everything, everything)

    found = scopes(client, resource="assumed-role/ops/session", key="ASIAROLE000000000001")

    assert set(found.values()) == {Scope.EVERYONE}
    assert not client.asked("SimulatePrincipalPolicy")
    # A temporary key has no last use: that of some listed user's key is asked for.
    assert client.asked("GetAccessKeyLastUsed") == [{"AccessKeyId": "AKIAALICE00000000001"}]


def test_role_without_anything() -> None:
    found = scopes(
        Decider(nothing), resource="assumed-role/ops/session", key="ASIAROLE000000000001"
    )

    assert found.pop("iam:GetAccessKeyLastUsed") is Scope.UNKNOWN
    assert set(found.values()) == {Scope.DENIED}


def test_root_user() -> None:
    assert set(scopes(Decider(everything), resource=ROOT).values()) == {Scope.EVERYONE}


def test_no_try_is_made_on_its_way_by_a_failure() -> None:
    class Broken(Decider):
        def _answer(self, operation: str, parameters: dict[str, Any]) -> Any:
            raise refused("ServiceFailure", 500, operation)

    found = asker(Broken(everything)).find("iam:UpdateAccessKey")

    assert found.scope is Scope.UNKNOWN
    assert "500" in found.reason


def test_lists_are_the_readmes() -> None:
    assert len(set(ACTIONS)) == len(ACTIONS) == 13
