"""The doctor's tries against a server that enforces policies, and what they leave there."""

import json
from typing import TYPE_CHECKING

from keytui.aws.permissions import ACTIONS, Permission, Scope, mfa_devices, permissions
from keytui.aws.session import connect
from tests.contract.test_readme_policy import enforcing_server, operator, policy
from tests.support.gates import WRITABLE
from tests.support.moto_server import moto_account

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient


def with_actions(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def found(url: str, document: str) -> dict[str, Permission]:
    iam = connect(operator(url, document), WRITABLE)
    asked = permissions(iam, changes=True)
    assert asked
    return {action: asked.find(action) for action in ACTIONS}


def everything_in(iam: "IAMClient") -> str:
    details = iam.get_account_authorization_details()
    users = [user["UserName"] for user in iam.list_users()["Users"]]
    keys = [iam.list_access_keys(UserName=user)["AccessKeyMetadata"] for user in users]
    tags = [iam.list_user_tags(UserName=user)["Tags"] for user in users]
    return repr((details["UserDetailList"], keys, tags))


def test_readmes_policy_allows_everything(aws_env: object) -> None:
    with enforcing_server() as url:
        scopes = {permission.scope for permission in found(url, policy()).values()}

    assert scopes == {Scope.EVERYONE}


def test_what_a_policy_lacks_is_found_to_be_denied(aws_env: object) -> None:
    allowed = ("iam:ListUsers", "iam:GetUser", "iam:UpdateAccessKey", "iam:CreateAccessKey")
    with enforcing_server() as url:
        scopes = {action: told.scope for action, told in found(url, with_actions(*allowed)).items()}

    assert {action for action, scope in scopes.items() if scope is Scope.EVERYONE} == set(allowed)
    assert scopes["iam:TagUser"] is Scope.OTHERS_DENIED
    assert scopes["iam:DeleteAccessKey"] is Scope.DENIED


def test_nothing_is_left_of_the_tries(aws_env: object) -> None:
    with moto_account() as account:
        before = everything_in(account.iam)
        asked = permissions(connect(account.options, WRITABLE), changes=True)
        assert asked
        assert {asked.find(action).scope for action in ACTIONS} == {Scope.EVERYONE}
        assert everything_in(account.iam) == before


def test_mfa_devices_are_counted(aws_env: object) -> None:
    with moto_account() as account:
        iam = connect(account.options, WRITABLE)
        assert mfa_devices(iam) == 0
        device = account.iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")
        account.iam.enable_mfa_device(
            UserName="admin",
            SerialNumber=device["VirtualMFADevice"]["SerialNumber"],
            AuthenticationCode1="123456",
            AuthenticationCode2="654321",
        )
        assert mfa_devices(iam) == 1
