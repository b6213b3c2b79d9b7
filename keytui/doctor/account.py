"""AWS: who signs the calls, where they go, and what the caller may do."""

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

from keytui.doctor.checks import Group, Probe, Row, Status, blank
from keytui.doctor.run import finish, start
from keytui.errors import AccessDeniedError, AwsError, KeytuiError
from keytui.model import Identity
from keytui.parts import Parts
from keytui.ports import Iam

if TYPE_CHECKING:
    from keytui.aws.permissions import Permission, Permissions

SECONDS = 10.0
_ACTION_SECONDS = 9.0

_WITHOUT = {
    "iam:ListUsers": "the users are not listed",
    "iam:GetUser": "--user NAME finds nobody",
    "iam:ListAccessKeys": "no keys are shown",
    "iam:GetAccessKeyLastUsed": "it is not shown when a key was last used",
    "iam:ListUserTags": "descriptions are not shown",
    "iam:CreateAccessKey": "no key can be created",
    "iam:UpdateAccessKey": "no key can be made inactive or active",
    "iam:DeleteAccessKey": "no key can be deleted",
    "iam:TagUser": "no description can be written",
    "iam:UntagUser": "a deleted key's description stays",
}
"""What is lost without each action."""

_BLANKS = tuple(
    blank(Group.AWS, action.removeprefix("iam:"), "IAM actions", action.removeprefix("iam:"))
    for action in _WITHOUT
)


class _Caller:
    """The connection, made by the first probe and waited for by the others."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._iam: Future[Iam | None] = Future()

    def connect(self) -> Iam:
        """Connect and ask who is calling. Raises KeytuiError."""
        try:
            iam = self._parts.connect(self._parts.settings.profile)
            iam.identity()
        except BaseException:
            self._iam.set_result(None)
            raise
        self._iam.set_result(iam)
        return iam

    def wait(self) -> Iam | None:
        """Return the connection; None where it failed, which the first probe tells."""
        return self._iam.result()


def probes(parts: Parts) -> list[Probe]:
    """Return the looks at AWS."""
    caller = _Caller(parts)
    who = (("caller", "Caller"), ("account", "Account"), ("endpoint", "Endpoint"))
    mfa = blank(Group.AWS, "mfa", "MFA")
    changes = not parts.settings.read_only
    return [
        Probe(
            "AWS",
            tuple(blank(Group.AWS, key, name) for key, name in who),
            SECONDS,
            lambda: [*_who(caller.connect()), _endpoint(caller.wait(), demo=parts.settings.demo)],
        ),
        Probe("AWS", (mfa,), SECONDS, lambda: [_mfa(caller.wait(), mfa)]),
        Probe("AWS", _BLANKS, SECONDS, lambda: _actions(caller.wait(), changes)),
    ]


def _who(iam: Iam) -> Iterable[Row]:
    identity, signing = iam.identity(), iam.signing_key_id()
    kind = _kind(identity)
    passing = ", temporary credentials" if signing.startswith("ASIA") else f", key {signing}"
    row = blank(Group.AWS, "caller", "Caller")
    yield replace(
        row,
        status=Status.WARN if identity.is_root else Status.OK,
        text=f"{identity.arn} ({kind}{passing}).",
        value=identity.arn,
        advice="Use an IAM user or a role: the root user can't be limited."
        if identity.is_root
        else "",
    )
    where = "" if identity.partition == "aws" else f", partition {identity.partition}"
    account = f"{identity.account}{where}."
    yield Row(Group.AWS, "account", "Account", Status.OK, account, identity.account)


def _endpoint(iam: Iam | None, *, demo: bool) -> Row:
    url = iam.custom_endpoint if iam else None
    if url is None or demo:
        text = f"{url}, the demo account's." if url else "AWS's own."
        return Row(Group.AWS, "endpoint", "Endpoint", Status.OK, text, url)
    text = f"{url}, not AWS's own."
    advice = "It comes from --endpoint-url, AWS_ENDPOINT_URL or the config."
    return Row(Group.AWS, "endpoint", "Endpoint", Status.WARN, text, url, advice)


def _kind(identity: Identity) -> str:
    resource = identity.arn.split(":", 5)[-1].partition("/")[0]
    kinds = {
        "user": "IAM user",
        "root": "the root user",
        "assumed-role": "role",
        "federated-user": "federated user",
    }
    return kinds.get(resource, resource)


def _mfa(iam: Iam | None, row: Row) -> Row:
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
    if all(row.value == "denied" for row in rows):
        return [replace(row, status=Status.FAIL, advice=_ALL_DENIED) for row in rows]
    return rows


_ALL_DENIED = (
    "Use another profile (--profile NAME), or ask who looks after the account for the policy "
    "in keytui's README."
)


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
            lost = f"Without it {_WITHOUT[found.action]}."
            return replace(told, status=Status.WARN, text="Denied", advice=lost)
        case Scope.OTHERS_DENIED:
            text = "Denied for other users; for the caller's own it can't be told without doing it"
            return replace(told, text=text)
        case Scope.NOT_TRIED:
            return replace(told, text="Not tried, since nothing may be changed (read-only)")
    return replace(told, text=f"Not known ({found.reason.rstrip('.')})")
