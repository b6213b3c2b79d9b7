"""AWS: who signs the calls, where they go, and what the caller may do."""

import os
import shlex
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

from keytui.cli.doctor.checks import Group, Probe, Row, Status, blank, finish, start
from keytui.core.errors import AccessDeniedError, AwsError, CredentialsError, KeytuiError
from keytui.core.iam import Iam
from keytui.core.model import Identity
from keytui.session.context import Context

if TYPE_CHECKING:
    from keytui.aws.permissions import Permission, Permissions

SECONDS = 10.0
_ACTION_SECONDS = 9.0

_WITHOUT = {
    "iam:ListUsers": "no list of users",
    "iam:GetUser": "--user NAME finds nobody",
    "iam:ListAccessKeys": "no keys are shown",
    "iam:GetAccessKeyLastUsed": "no last use is shown",
    "iam:ListUserTags": "no descriptions are shown",
    "iam:ListMFADevices": "the live audit shows no MFA",
    "iam:GenerateCredentialReport": "the audit's report may be old, or missing",
    "iam:GetCredentialReport": "the audit reads user by user",
    "iam:CreateAccessKey": "no key can be created",
    "iam:UpdateAccessKey": "no key can be made inactive or active",
    "iam:DeleteAccessKey": "no key can be deleted",
    "iam:TagUser": "no description can be written",
    "iam:UntagUser": "a deleted key's description stays",
}
"""What is lost without each action."""

_CALLER = blank(Group.AWS, "caller", "Caller")
_ACCOUNT = blank(Group.AWS, "account", "Account")
_ENDPOINT = blank(Group.AWS, "endpoint", "Endpoint")
_MFA = blank(Group.AWS, "mfa", "MFA")
_BLANKS = tuple(
    blank(Group.AWS, action.removeprefix("iam:"), "IAM actions", action.removeprefix("iam:"))
    for action in _WITHOUT
)


class _Caller:
    """The connection, made by the first probe and waited for by the others."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._iam: Future[Iam | None] = Future()

    def connect(self) -> Iam:
        """Connect and ask who is calling. Raises KeytuiError."""
        try:
            iam = self._ctx.connect(self._ctx.settings.profile)
            iam.identity()
        except BaseException:
            self._iam.set_result(None)
            raise
        self._iam.set_result(iam)
        return iam

    def wait(self) -> Iam | None:
        """Return the connection; None where it failed, which the first probe tells."""
        return self._iam.result()


def probes(ctx: Context) -> list[Probe]:
    """Return the looks at AWS."""
    caller = _Caller(ctx)
    changes = not ctx.settings.read_only
    return [
        Probe("AWS", (_CALLER, _ACCOUNT, _ENDPOINT), SECONDS, lambda: _first(ctx, caller)),
        Probe("AWS", (_MFA,), SECONDS, lambda: [_mfa(caller.wait())]),
        Probe("AWS", _BLANKS, SECONDS, lambda: _actions(caller.wait(), changes)),
    ]


def _first(ctx: Context, caller: _Caller) -> list[Row]:
    """Raises KeytuiError where the credentials are not to blame."""
    try:
        iam = caller.connect()
    except CredentialsError as error:
        failed = replace(_CALLER, status=Status.FAIL, text=error.title, advice=error.next_step)
        return [replace(failed, command=_sign_in(ctx)), _ACCOUNT, _ENDPOINT]
    identity = iam.identity()
    where = "" if identity.partition == "aws" else f", partition {identity.partition}"
    account = replace(_ACCOUNT, status=Status.OK, value=identity.account)
    return [
        _who(identity, iam.signing_key_id()),
        replace(account, text=f"{identity.account}{where}."),
        _endpoint(iam.custom_endpoint, demo=ctx.settings.demo),
    ]


def _sign_in(ctx: Context) -> str:
    """Return the command that most likely gives credentials."""
    if name := ctx.settings.profile or os.environ.get("AWS_PROFILE"):
        return f"aws sso login --profile {shlex.quote(name)}"
    try:
        names = ctx.profiles()
    except KeytuiError:
        names = []
    return f"keytui doctor --profile {shlex.quote(names[0])}" if names else "aws configure"


def _who(identity: Identity, signing: str) -> Row:
    passing = "temporary credentials" if signing.startswith("ASIA") else f"key {signing}"
    text = f"{identity.arn} ({_kind(identity)}, {passing})."
    row = replace(_CALLER, status=Status.OK, text=text, value=identity.arn)
    if not identity.is_root:
        return row
    advice = "Use an IAM user or a role: the root user can't be limited."
    return replace(row, status=Status.WARN, advice=advice)


def _endpoint(url: str | None, *, demo: bool) -> Row:
    if url is None or demo:
        text = f"{url}, the demo account's." if url else "AWS's own."
        return replace(_ENDPOINT, status=Status.OK, text=text, value=url)
    return replace(
        _ENDPOINT,
        status=Status.WARN,
        text=f"{url}, not AWS's own.",
        value=url,
        advice="It comes from --endpoint-url, AWS_ENDPOINT_URL or the config.",
    )


def _kind(identity: Identity) -> str:
    resource = identity.arn.split(":", 5)[-1].partition("/")[0]
    kinds = {
        "user": "IAM user",
        "root": "the root user",
        "assumed-role": "role",
        "federated-user": "federated user",
    }
    return kinds.get(resource, resource)


def _mfa(iam: Iam | None) -> Row:
    row = _MFA
    if iam is None:
        return row
    from keytui.aws.permissions import mfa_devices

    try:
        count = mfa_devices(iam)
    except AccessDeniedError as error:
        return replace(row, text=f"Not known: {error.action} is denied. keytui does without.")
    except AwsError as error:
        return replace(row, text=f"Not known: {error.title}")
    if count is None:
        return replace(row, text="Not the caller's own matter: a role or a federated user.")
    if count:
        devices = "an MFA device" if count == 1 else f"{count} MFA devices"
        return replace(row, status=Status.OK, text=f"The caller has {devices}.", value=count)
    return replace(
        row,
        status=Status.WARN,
        text="The caller has no MFA device.",
        value=0,
        advice="Policies that ask for MFA deny such a caller.",
    )


def _actions(iam: Iam | None, changes: bool) -> list[Row]:
    """Ask about every action at the same time."""
    if iam is None:
        return list(_BLANKS)
    from keytui.aws.permissions import permissions

    try:
        asked = permissions(iam, changes=changes)
    except KeytuiError as error:
        return [replace(row, text=f"Not known: {error.title}") for row in _BLANKS]
    if asked is None:
        return list(_BLANKS)
    rows = finish(start(_action_probe(asked, row) for row in _BLANKS))
    if any(row.status is Status.OK or row.value in _UNDECIDED for row in rows):
        return rows
    command = _grant(iam.identity())
    denied = [replace(row, status=Status.FAIL, text="Denied", item=row.key) for row in rows]
    return [replace(row, advice=_ALL_DENIED, command=command) for row in denied]


_UNDECIDED = {None, "unknown"}
_ALL_DENIED = (
    "Use another profile (--profile NAME), or ask who looks after the account to allow what "
    "the policy in keytui's README has."
)


def _grant(identity: Identity) -> str:
    """Return the command by which somebody else allows the caller to work; empty for none."""
    policy = "--policy-name keytui --policy-document file://policy.json"
    if name := identity.user_name:
        return f"aws iam put-user-policy --user-name {shlex.quote(name)} {policy}"
    kind, _, rest = identity.arn.split(":", 5)[-1].partition("/")
    role = rest.partition("/")[0]
    if kind != "assumed-role" or role.startswith("AWSReservedSSO_"):
        return ""
    return f"aws iam put-role-policy --role-name {shlex.quote(role)} {policy}"


def _action_probe(asked: "Permissions", row: Row) -> Probe:
    action = f"iam:{row.key}"
    return Probe(action, (row,), _ACTION_SECONDS, lambda: [_action(row, asked.find(action))])


def _action(row: Row, found: "Permission") -> Row:
    from keytui.aws.permissions import Scope

    told = replace(row, value=found.scope.value)
    match found.scope:
        case Scope.EVERYONE:
            return replace(told, status=Status.OK, text="Allowed for every user")
        case Scope.OWN:
            return replace(told, status=Status.OK, text="Allowed for the caller's own user")
        case Scope.DENIED:
            item = f"{row.item} ({_WITHOUT[found.action]})"
            return replace(told, status=Status.WARN, text="Denied", item=item)
        case Scope.OTHERS_DENIED:
            text = "Denied for other users; for the caller's own it can't be told without doing it"
            return replace(told, text=text)
        case Scope.NOT_TRIED:
            return replace(told, text="Not tried, since nothing may be changed (read-only)")
    return replace(told, text=f"Not known ({found.reason.rstrip('.')})")
