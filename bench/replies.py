"""IAM's and STS's replies in the query protocol, for the account that the bench makes up."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from bench.made_up import ACCOUNT, CALLER, MadeUpAccount, arn

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_REQUEST_ID = "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE0"
_PAGE_SIZE = 100
"""What AWS gives where no MaxItems is asked for."""
_LARGEST_PAGE = 1000
_STALE = timedelta(hours=4)
"""AWS makes a new report at most this often."""
_MAKING = timedelta(seconds=1)
"""How long a report is in the making; at AWS it takes from seconds to minutes."""

_NO_REPORT = (410, "ReportNotPresent")

Parameters = Mapping[str, str]
Reply = tuple[int, bytes]


class RefusedError(Exception):
    """What AWS would answer with an error document.

    Attributes:
        status: The HTTP status.
        code: AWS's error code.
    """

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class Replies:
    """Answers requests; what has been written once is kept.

    Attributes:
        report_allowed: Whether the credential report may be made and read.
        report_made: When it was made; None for none.
    """

    def __init__(self, account: MadeUpAccount) -> None:
        self._account = account
        self._members = [f"<member>{user}</member>" for user in account.users.values()]
        self._pages: dict[tuple[int, int], bytes] = {}
        self._report: dict[datetime, bytes] = {}
        self._asked: datetime | None = None
        self.report_allowed = True
        self.report_made: datetime | None = None
        self._answers: dict[str, Callable[[Parameters], bytes]] = {
            "GetCallerIdentity": _identity,
            "ListUsers": self._users,
            "GetUser": self._user,
            "ListAccessKeys": self._keys,
            "GetAccessKeyLastUsed": self._last_used,
            "ListUserTags": self._tags,
            "ListMFADevices": self._devices,
            "GenerateCredentialReport": self._make_report,
            "GetCredentialReport": self._read_report,
        }

    def set_report(self, *, allowed: bool, made: datetime | None) -> None:
        """Let the report be as if it had been made then, or never; allowed or not."""
        self.report_allowed, self.report_made, self._asked = allowed, made, None

    def answer(self, parameters: Parameters) -> Reply:
        """Return the HTTP status and the document that AWS would send."""
        answer = self._answers.get(parameters.get("Action", ""))
        if answer is None:
            return 400, failure("InvalidAction")
        try:
            return 200, answer(parameters)
        except RefusedError as refused:
            return refused.status, failure(refused.code)

    def _users(self, parameters: Parameters) -> bytes:
        start, end = _page(parameters)
        if (start, end) not in self._pages:
            users = "".join(self._members[start:end])
            more = _more(end, len(self._members))
            self._pages[start, end] = _reply("ListUsers", f"<Users>{users}</Users>{more}")
        return self._pages[start, end]

    def _user(self, parameters: Parameters) -> bytes:
        return _reply("GetUser", f"<User>{self._account.users[self._named(parameters)]}</User>")

    def _keys(self, parameters: Parameters) -> bytes:
        name = self._named(parameters)
        start, end = _page(parameters)
        keys = self._account.keys[name]
        members = "".join(
            f"<member><UserName>{escape(name)}</UserName>{key.member}</member>"
            for key in keys[start:end]
        )
        more = _more(end, len(keys))
        return _reply("ListAccessKeys", f"<AccessKeyMetadata>{members}</AccessKeyMetadata>{more}")

    def _last_used(self, parameters: Parameters) -> bytes:
        found = self._account.owners.get(parameters.get("AccessKeyId", ""))
        if found is None:
            raise RefusedError(404, "NoSuchEntity")
        name, key = found
        return _reply("GetAccessKeyLastUsed", f"<UserName>{escape(name)}</UserName>{key.last_used}")

    def _tags(self, parameters: Parameters) -> bytes:
        self._named(parameters)
        return _reply("ListUserTags", f"<Tags/>{_more(0, 0)}")

    def _devices(self, parameters: Parameters) -> bytes:
        name = self._named(parameters)
        device = ""
        if name in self._account.with_mfa:
            device = (
                f"<member><UserName>{escape(name)}</UserName><SerialNumber>"
                f"arn:aws:iam::{ACCOUNT}:mfa/{escape(name)}</SerialNumber>"
                "<EnableDate>2024-01-01T00:00:00Z</EnableDate></member>"
            )
        return _reply("ListMFADevices", f"<MFADevices>{device}</MFADevices>{_more(0, 0)}")

    def _make_report(self, _: Parameters) -> bytes:
        if not self.report_allowed:
            raise RefusedError(403, "AccessDenied")
        now = self._make()
        if self.report_made is not None and now - self.report_made < _STALE:
            return _reply("GenerateCredentialReport", "<State>COMPLETE</State>")
        self._asked = self._asked or now
        text = "No report exists. Starting a new report generation task"
        return _reply(
            "GenerateCredentialReport",
            f"<Description>{text}</Description><State>STARTED</State>",
        )

    def _make(self) -> datetime:
        """Let a report that was asked for be ready after its time; return the time now."""
        now = datetime.now(UTC)
        if self._asked is not None and now - self._asked >= _MAKING:
            self.report_made, self._asked = self._asked, None
        return now

    def _read_report(self, _: Parameters) -> bytes:
        if not self.report_allowed:
            raise RefusedError(403, "AccessDenied")
        self._make()
        made = self.report_made
        if made is None:
            raise RefusedError(*((404, "ReportInProgress") if self._asked else _NO_REPORT))
        if made not in self._report:
            self._report[made] = _reply(
                "GetCredentialReport",
                f"<Content>{self._account.report()}</Content>"
                "<ReportFormat>text/csv</ReportFormat>"
                f"<GeneratedTime>{made:%Y-%m-%dT%H:%M:%SZ}</GeneratedTime>",
            )
        return self._report[made]

    def _named(self, parameters: Parameters) -> str:
        """Return the user that a request names; without a name it means the caller."""
        name = parameters.get("UserName", CALLER)
        if name not in self._account.users:
            raise RefusedError(404, "NoSuchEntity")
        return name


def failure(code: str) -> bytes:
    """Return the document of an AWS error."""
    return (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>Made up for the bench: {code}</Message></Error>"
        f"<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
    ).encode()


def _identity(_: Parameters) -> bytes:
    return _reply(
        "GetCallerIdentity",
        f"<Arn>{arn(CALLER)}</Arn><UserId>AIDABENCH</UserId><Account>{ACCOUNT}</Account>",
        _STS_NAMESPACE,
    )


def _reply(action: str, result: str, namespace: str = _NAMESPACE) -> bytes:
    return (
        f'<{action}Response xmlns="{namespace}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>{_REQUEST_ID}</RequestId></ResponseMetadata>"
        f"</{action}Response>"
    ).encode()


def _page(parameters: Parameters) -> tuple[int, int]:
    start = int(parameters.get("Marker", 0))
    return start, start + min(int(parameters.get("MaxItems", _PAGE_SIZE)), _LARGEST_PAGE)


def _more(end: int, count: int) -> str:
    if end >= count:
        return "<IsTruncated>false</IsTruncated>"
    return f"<IsTruncated>true</IsTruncated><Marker>{end}</Marker>"
