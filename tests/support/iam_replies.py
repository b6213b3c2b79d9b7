"""IAM's and STS's replies in XML, as AWS writes them."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol
from xml.sax.saxutils import escape

from keytui.core.errors import AccessDeniedError, AwsError, NotFoundError, QuotaError
from keytui.core.model import AccessKey, KeyStatus, User
from tests.support.fake_iam import FakeIam

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_REQUEST_ID = "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE0"

Parameters = dict[str, str]


class NoReportError(Exception):
    """There is no credential report yet."""


class Account(Protocol):
    """What the replies are made from."""

    state: FakeIam
    page_size: int
    key_page_size: int


def failure(code: str, message: str, status: int = 400) -> bytes:
    """Return the document of an AWS error."""
    blame = "Sender" if status < 500 else "Receiver"
    return (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>{blame}</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
    ).encode()


class Replies:
    """Answers requests from a ``FakeIam``."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._pages: dict[tuple[int, int, int], bytes] = {}
        self._answers: dict[str, Callable[[Parameters], bytes]] = {
            "GetCallerIdentity": self._identity,
            "GetAccessKeyInfo": self._account_of,
            "ListUsers": self._users,
            "GetUser": self._user,
            "ListAccessKeys": self._keys,
            "GetAccessKeyLastUsed": self._last_used,
            "ListUserTags": self._tags,
            "ListMFADevices": self._mfa_devices,
            "GenerateCredentialReport": self._make_report,
            "GetCredentialReport": self._report,
            "UpdateAccessKey": self._update,
            "DeleteAccessKey": self._delete,
            "CreateAccessKey": self._create,
            "TagUser": self._tag,
            "UntagUser": self._untag,
        }

    def answer(self, parameters: Parameters) -> tuple[int, bytes]:
        """Return the HTTP status and the document that AWS would send."""
        action = parameters.get("Action", "")
        answer = self._answers.get(action)
        if answer is None:
            return 400, failure("InvalidAction", f"Could not find operation {action}")
        try:
            return 200, answer(parameters)
        except NotFoundError as error:
            return 404, failure("NoSuchEntity", _as_aws_says(error), 404)
        except NoReportError:
            return 410, failure("ReportNotPresent", "No report is present", 410)
        except QuotaError:
            quota = self._account.state.quota
            return 409, failure("LimitExceeded", f"Cannot exceed quota: {quota}", 409)
        except AccessDeniedError as error:
            message = f"User: X is not authorized to perform: {error.action} on resource: Y"
            return 403, failure("AccessDenied", message, 403)
        except AwsError as error:
            return 500, failure("ServiceFailure", error.title, 500)

    def _identity(self, _: Parameters) -> bytes:
        who = self._account.state.identity()
        return _reply(
            "GetCallerIdentity",
            f"<Arn>{escape(who.arn)}</Arn><UserId>AIDA</UserId><Account>{who.account}</Account>",
        )

    def _account_of(self, parameters: Parameters) -> bytes:
        account = self._account.state.account_of(parameters["AccessKeyId"])
        return _reply("GetAccessKeyInfo", f"<Account>{account}</Account>")

    def _users(self, parameters: Parameters) -> bytes:
        users = [user for page in self._account.state.users() for user in page]
        start = int(parameters.get("Marker", 0))
        size = min(int(parameters.get("MaxItems", 100)), self._account.page_size)
        place = (start, size, len(users))
        if place not in self._pages:
            members = "".join(
                f"<member>{_user(user)}</member>" for user in users[start : start + size]
            )
            self._pages[place] = _reply(
                "ListUsers", f"<Users>{members}</Users>{_more(start + size, len(users))}"
            )
        return self._pages[place]

    def _user(self, parameters: Parameters) -> bytes:
        user = self._account.state.user(parameters["UserName"])
        return _reply("GetUser", f"<User>{_user(user)}</User>")

    def _keys(self, parameters: Parameters) -> bytes:
        keys = self._account.state.keys(self._owner(parameters))
        start = int(parameters.get("Marker", 0))
        end = start + min(int(parameters.get("MaxItems", 100)), self._account.key_page_size)
        members = "".join(f"<member>{_key(key)}</member>" for key in keys[start:end])
        more = _more(end, len(keys))
        return _reply("ListAccessKeys", f"<AccessKeyMetadata>{members}</AccessKeyMetadata>{more}")

    def _last_used(self, parameters: Parameters) -> bytes:
        use = self._account.state.last_used(parameters["AccessKeyId"])
        owner = self._account.state.owner_of(parameters["AccessKeyId"])
        when = f"<LastUsedDate>{_time(use.when)}</LastUsedDate>" if use.when else ""
        return _reply(
            "GetAccessKeyLastUsed",
            f"<UserName>{escape(owner.name)}</UserName><AccessKeyLastUsed>{when}"
            f"<ServiceName>{use.service or 'N/A'}</ServiceName>"
            f"<Region>{use.region or 'N/A'}</Region></AccessKeyLastUsed>",
        )

    def _tags(self, parameters: Parameters) -> bytes:
        tags = list(self._account.state.descriptions(self._owner(parameters)).items())
        start = int(parameters.get("Marker", 0))
        end = start + self._account.key_page_size
        members = "".join(
            f"<member><Key>{escape(key)}</Key><Value>{escape(value)}</Value></member>"
            for key, value in tags[start:end]
        )
        return _reply("ListUserTags", f"<Tags>{members}</Tags>{_more(end, len(tags))}")

    def _mfa_devices(self, parameters: Parameters) -> bytes:
        user = self._owner(parameters)
        serial = f"arn:aws:iam::123456789012:mfa/{escape(user.name)}"
        device = (
            f"<member><UserName>{escape(user.name)}</UserName><SerialNumber>{serial}"
            "</SerialNumber><EnableDate>2026-01-02T03:04:05Z</EnableDate></member>"
        )
        devices = device if self._account.state.has_mfa(user) else ""
        return _reply("ListMFADevices", f"<MFADevices>{devices}</MFADevices>{_more(0, 0)}")

    def _make_report(self, _: Parameters) -> bytes:
        state = "COMPLETE" if self._account.state.make_report() else "STARTED"
        return _reply("GenerateCredentialReport", f"<State>{state}</State>")

    def _report(self, _: Parameters) -> bytes:
        state = self._account.state
        if state.credential_report() is None or state.report is None:
            raise NoReportError
        content, made_at = state.report
        return _reply(
            "GetCredentialReport",
            f"<Content>{b64encode(content).decode()}</Content><ReportFormat>text/csv"
            f"</ReportFormat><GeneratedTime>{_time(made_at)}</GeneratedTime>",
        )

    def _update(self, parameters: Parameters) -> bytes:
        status = KeyStatus(parameters["Status"])
        self._account.state.set_status(self._the_key(parameters), status)
        return _reply("UpdateAccessKey")

    def _delete(self, parameters: Parameters) -> bytes:
        key = self._the_key(parameters)
        if key.id not in {held.id for held in self._account.state.held(key.user)}:
            raise NotFoundError(f"The access key {key.id}")
        self._account.state.delete_key(key)
        return _reply("DeleteAccessKey")

    def _create(self, parameters: Parameters) -> bytes:
        new = self._account.state.create_key(self._owner(parameters))
        secret = f"<SecretAccessKey>{escape(new.secret.reveal())}</SecretAccessKey>"
        return _reply("CreateAccessKey", f"<AccessKey>{_key(new.key)}{secret}</AccessKey>")

    def _tag(self, parameters: Parameters) -> bytes:
        self._account.state.set_description(
            self._owner(parameters),
            parameters["Tags.member.1.Key"],
            parameters["Tags.member.1.Value"],
        )
        return _reply("TagUser")

    def _untag(self, parameters: Parameters) -> bytes:
        self._account.state.remove_description(
            self._owner(parameters), parameters["TagKeys.member.1"]
        )
        return _reply("UntagUser")

    def _owner(self, parameters: Parameters) -> User:
        """Return whose keys are meant: without a UserName, the caller's own."""
        state = self._account.state
        name = parameters.get("UserName")
        return state.caller if name is None else state.find(name)

    def _the_key(self, parameters: Parameters) -> AccessKey:
        key_id = parameters["AccessKeyId"]
        return AccessKey(key_id, self._owner(parameters), KeyStatus.ACTIVE, None)


def _reply(action: str, result: str = "") -> bytes:
    wrapped = f"<{action}Result>{result}</{action}Result>" if result else ""
    return (
        f'<{action}Response xmlns="{_NAMESPACE}">{wrapped}'
        f"<ResponseMetadata><RequestId>{_REQUEST_ID}</RequestId></ResponseMetadata>"
        f"</{action}Response>"
    ).encode()


def _more(end: int, total: int) -> str:
    if end >= total:
        return "<IsTruncated>false</IsTruncated>"
    return f"<IsTruncated>true</IsTruncated><Marker>{end}</Marker>"


def _user(user: User) -> str:
    created = f"<CreateDate>{_time(user.created)}</CreateDate>" if user.created else ""
    name = escape(user.name)
    return (
        f"<Path>/</Path><UserName>{name}</UserName><UserId>AIDA{abs(hash(name)):017d}</UserId>"
        f"<Arn>arn:aws:iam::123456789012:user/{name}</Arn>{created}"
    )


def _key(key: AccessKey) -> str:
    owner = "" if key.user.is_root else f"<UserName>{escape(key.user.name)}</UserName>"
    created = f"<CreateDate>{_time(key.created)}</CreateDate>" if key.created else ""
    return f"{owner}<AccessKeyId>{key.id}</AccessKeyId><Status>{key.status}</Status>{created}"


def _time(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _as_aws_says(error: NotFoundError) -> str:
    if error.title.startswith("The access key"):
        return "The Access Key with id X cannot be found."
    return "The user with name X cannot be found."
