"""The gateway: AWS's pages in, keytui's nouns out, every failure translated once."""

import copy
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from keytui.aws.bounds import ALL_USERS, OF_ONE_USER, listed
from keytui.aws.clients import Clients
from keytui.aws.translate import NO_KEY_MADE, SETUP, Call, ask
from keytui.core.credential_report import CredentialReport, parse
from keytui.core.errors import AwsError, NotFoundError
from keytui.core.model import (
    ROOT_USER,
    AccessKey,
    Identity,
    KeyStatus,
    LastUsed,
    NewAccessKey,
    Secret,
    User,
)

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_NONE_YET = {"ReportNotPresent", "ReportExpired", "ReportInProgress"}
"""What GetCredentialReport answers where there is none, it is too old, or is being made."""


def credential_report(client: "IAMClient") -> CredentialReport | None:
    """Return the report that AWS has, or None; raises as the SDK does."""
    try:
        reply: Any = client.get_credential_report()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _NONE_YET:
            return None
        raise
    return parse(reply["Content"], reply["GeneratedTime"].astimezone(UTC))


_PAGE_SIZE = 1000
"""The most that IAM gives at once."""

_KEY_ID_TAG = re.compile(r"[A-Z0-9]{16,128}")
# What can't be kept as it is, in a line of a CSV file say, is no key of AWS's.
_NEW_KEY_ID = re.compile(r"[\w-]{1,128}", re.ASCII)
_NEW_SECRET = re.compile(r"[\w/+=.~-]{1,1024}", re.ASCII)
_NO_USE = "N/A"
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_AWS_ENDPOINT = re.compile(
    r"https://(?:iam|sts)(?:-fips)?\.(?:(?:global|[a-z]+(?:-[a-z0-9]+)+)\.)?"
    r"(?:amazonaws\.com(?:\.cn)?|api\.aws)"
)
"""What IAM and STS themselves are reached at; customers' machines are in these domains too."""


def _custom(endpoint: str) -> str | None:
    url = urlsplit(endpoint)
    shown = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
    return None if _AWS_ENDPOINT.fullmatch(shown.removesuffix(":443")) else shown


class IamGateway:
    """The account at AWS; see ``core.iam.Iam`` for what each method promises.

    Attributes:
        clients: The SDK's clients, for what is asked of AWS besides users and keys.
    """

    def __init__(self, clients: Clients, signing_key_id: str) -> None:
        self.clients = clients
        self._signing_key_id = signing_key_id
        self._earlier: dict[str, Clients] = {}
        self._identity: Identity | None = None
        self._asking = threading.Lock()

    @property
    def custom_endpoint(self) -> str | None:
        iam, sts = self.clients.iam.meta, self.clients.sts.meta
        found = (_custom(iam.endpoint_url), _custom(sts.endpoint_url))
        return " and ".join(dict.fromkeys(filter(None, found))) or None

    def identity(self) -> Identity:
        return self._who(Call("sts:GetCallerIdentity"))

    def signing_key_id(self) -> str:
        return self._signing_key_id

    def sign_with(self, key_id: str, secret: Secret) -> None:
        clients = ask(SETUP, lambda: self.clients.signed_by(key_id, secret))
        self._earlier[self._signing_key_id] = self.clients
        self.clients, self._signing_key_id = clients, key_id

    def sign_as_before(self, key_id: str) -> bool:
        if (clients := self._earlier.get(key_id)) is None:
            return False
        self.clients, self._signing_key_id = clients, key_id
        return True

    def clock(self) -> datetime:
        return self.clients.clock.now()

    def users(self) -> Iterator[list[User]]:
        call = Call("iam:ListUsers")
        pages = self.clients.iam.get_paginator("list_users").paginate(
            PaginationConfig={"PageSize": _PAGE_SIZE}
        )
        found = listed(pages, "Users", ALL_USERS)
        while (page := ask(call, lambda: _user_page(next(found, None)))) is not None:
            yield page

    def user(self, name: str) -> User:
        call = Call("iam:GetUser", subject=f"The user {name}")
        return ask(call, lambda: _user(self.clients.iam.get_user(UserName=name)["User"]))

    def keys(self, user: User) -> tuple[AccessKey, ...]:
        call = Call("iam:ListAccessKeys", subject=f"The user {user.name}")
        pages = self.clients.iam.get_paginator("list_access_keys").paginate(
            PaginationConfig={"PageSize": _PAGE_SIZE}, **_owner(user)
        )
        keys = ask(
            call,
            lambda: [
                _key(item, user)
                for page in listed(pages, "AccessKeyMetadata", OF_ONE_USER)
                for item in page
            ],
        )
        return tuple(sorted(keys, key=lambda key: (key.created or _BEGINNING, key.id)))

    def last_used(self, key_id: str) -> LastUsed:
        call = Call("iam:GetAccessKeyLastUsed", subject=f"The access key {key_id}")
        return ask(
            call,
            lambda: _last_used(self.clients.iam.get_access_key_last_used(AccessKeyId=key_id)),
        )

    def owner(self, key_id: str) -> tuple[User, LastUsed]:
        call = Call("iam:GetAccessKeyLastUsed", subject=f"The access key {key_id}")
        get = self.clients.iam.get_access_key_last_used
        return ask(call, lambda: _owner_and_use(get(AccessKeyId=key_id)))

    def account_of(self, key_id: str) -> str:
        call = Call("sts:GetAccessKeyInfo", subject=f"The access key {key_id}")
        get = self.clients.sts.get_access_key_info
        return ask(call, lambda: get(AccessKeyId=key_id)["Account"])

    def descriptions(self, user: User) -> dict[str, str]:
        if user.is_root:
            return {}
        call = Call("iam:ListUserTags", subject=f"The user {user.name}")
        pages = self.clients.iam.get_paginator("list_user_tags").paginate(UserName=user.name)
        return ask(
            call,
            lambda: {
                tag["Key"]: tag["Value"]
                for page in listed(pages, "Tags", OF_ONE_USER)
                for tag in page
                if _KEY_ID_TAG.fullmatch(tag["Key"])
            },
        )

    def has_mfa(self, user: User) -> bool:
        call = Call("iam:ListMFADevices", subject=f"The user {user.name}")
        devices = self.clients.iam.list_mfa_devices
        return ask(call, lambda: bool(devices(**_owner(user))["MFADevices"]))

    def credential_report(self) -> CredentialReport | None:
        call = Call("iam:GetCredentialReport")
        return ask(call, lambda: credential_report(self.clients.iam))

    def make_report(self) -> bool:
        call = Call("iam:GenerateCredentialReport")
        generate = self.clients.iam.generate_credential_report
        return ask(call, lambda: generate()["State"] == "COMPLETE")

    def sending_once(self) -> "IamGateway":
        other = copy.copy(self)
        other.clients = self.clients.sending_once()
        return other

    def set_status(self, key: AccessKey, status: KeyStatus) -> None:
        call = Call(
            "iam:UpdateAccessKey",
            subject=f"The access key {key.id}",
            untouched=f"The key's status was not changed: it is still {key.status}.",
            unsure="The key's status may or may not have changed.",
        )
        update = self.clients.iam.update_access_key
        ask(
            call,
            lambda: _confirmed(
                update(AccessKeyId=key.id, Status=cast("Any", status.value), **_owner(key.user))
            ),
        )

    def delete_key(self, key: AccessKey) -> None:
        call = Call(
            "iam:DeleteAccessKey",
            subject=f"The access key {key.id}",
            untouched="The key was not deleted.",
            unsure="The key may or may not have been deleted.",
        )
        delete = self.clients.iam.delete_access_key
        try:
            ask(call, lambda: _confirmed(delete(AccessKeyId=key.id, **_owner(key.user))))
        except NotFoundError:
            return

    def create_key(self, user: User) -> NewAccessKey:
        account = self._who(Call("sts:GetCallerIdentity", untouched=NO_KEY_MADE)).account
        call = Call(
            "iam:CreateAccessKey",
            subject=f"The user {user.name}",
            untouched=NO_KEY_MADE,
            creates=True,
        )
        client = ask(Call("", untouched=NO_KEY_MADE), self.clients.one_attempt_iam)
        try:
            return ask(
                call, lambda: _new_key(client.create_access_key(**_owner(user)), user, account)
            )
        finally:
            client.close()

    def set_description(self, user: User, key_id: str, text: str) -> None:
        if user.is_root:
            raise AwsError(
                "The root user's keys can't have a description.",
                "Nothing else was changed.",
                "AWS keeps descriptions as tags, and only IAM users have tags.",
            )
        call = Call(
            "iam:TagUser",
            subject=f"The user {user.name}",
            untouched="The key itself is as it was; only the description is missing.",
            unsure="The key itself is as it was; the description may be missing.",
        )
        tag = self.clients.iam.tag_user
        ask(
            call, lambda: _confirmed(tag(UserName=user.name, Tags=[{"Key": key_id, "Value": text}]))
        )

    def remove_description(self, user: User, key_id: str) -> None:
        if user.is_root:
            return
        call = Call(
            "iam:UntagUser",
            subject=f"The user {user.name}",
            untouched="The key itself is as it was; its description is still there.",
            unsure="The key itself is as it was; its description may still be there.",
        )
        untag = self.clients.iam.untag_user
        try:
            ask(call, lambda: _confirmed(untag(UserName=user.name, TagKeys=[key_id])))
        except NotFoundError:
            return

    def _who(self, call: Call) -> Identity:
        with self._asking:
            if self._identity is None:
                self._identity = ask(
                    call, lambda: _identity(self.clients.sts.get_caller_identity())
                )
            return self._identity


def _owner(user: User) -> dict[str, Any]:
    """Return the UserName parameter; root's calls leave it out."""
    return {} if user.is_root else {"UserName": user.name}


# What follows reads the SDK's dicts. Missing fields raise KeyError inside ``ask``, which
# says that the answer can't be read.


def _confirmed(reply: Any) -> None:
    """Take a reply that says nothing but that it was done.

    A captive portal's page, answered with 200, passes for one; only AWS gives a request ID.
    """
    if not reply["ResponseMetadata"]["RequestId"]:
        raise ValueError("No request ID")


def _identity(reply: Any) -> Identity:
    return Identity(account=reply["Account"], arn=reply["Arn"])


def _user_page(page: list[Any] | None) -> list[User] | None:
    return None if page is None else [_user(item) for item in page]


def _user(item: Any) -> User:
    return User(item["UserName"], created=_utc(item.get("CreateDate")))


def _key(item: Any, user: User) -> AccessKey:
    return AccessKey(
        item["AccessKeyId"], user, _status(item["Status"]), _utc(item.get("CreateDate"))
    )


def _last_used(reply: Any) -> LastUsed:
    use = reply.get("AccessKeyLastUsed", {})
    when = _utc(use.get("LastUsedDate"))
    if when is None:
        return LastUsed()
    return LastUsed(when, *(_known(use.get(name)) for name in ("ServiceName", "Region")))


def _owner_and_use(reply: Any) -> tuple[User, LastUsed]:
    # For a key of the root user AWS names no user.
    name = reply.get("UserName")
    return (User(name) if name else ROOT_USER), _last_used(reply)


def _new_key(reply: Any, user: User, account: str) -> NewAccessKey:
    fields = reply["AccessKey"]
    secret = Secret(fields.pop("SecretAccessKey"))
    key_id = fields["AccessKeyId"]
    if not (_NEW_KEY_ID.fullmatch(key_id) and _NEW_SECRET.fullmatch(secret.reveal())):
        raise ValueError("The reply holds no key")
    # Only the ID and the secret are needed: for want of anything else the secret is not lost.
    key = AccessKey(
        key_id,
        user,
        _status(fields.get("Status", KeyStatus.ACTIVE)),
        _utc(fields.get("CreateDate")),
    )
    return NewAccessKey(key, account, secret)


def _known(text: str | None) -> str:
    return "" if text is None or text == _NO_USE else text


def _status(text: str) -> KeyStatus:
    for status in (KeyStatus.INACTIVE, KeyStatus.EXPIRED):
        if text == status:
            return status
    # A status that keytui doesn't know counts as Active: the careful reading, since an
    # active key is never deleted without being made inactive first.
    return KeyStatus.ACTIVE


def _utc(when: datetime | None) -> datetime | None:
    return None if when is None else when.astimezone(UTC)
