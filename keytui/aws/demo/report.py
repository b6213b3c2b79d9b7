"""The demo account's credential report, which moto dates 2015 and makes without a root user."""

import csv
import io
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_NONE = "N/A"
_KEY = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
_COLUMNS = (
    "user",
    "arn",
    "user_creation_time",
    "mfa_active",
    *(f"access_key_{slot}_{name}" for slot in (1, 2) for name in _KEY),
)
_NO_KEY = ["false", *[_NONE] * 4]

Reply = tuple[int, dict[str, str], str]


class DemoReport:
    """Makes the report when it is asked for, and keeps it, as AWS does.

    Args:
        users: Returns moto's users.
        now: The account's clock, naive UTC.
    """

    def __init__(self, users: Callable[[], Iterable[Any]], now: Callable[[], datetime]) -> None:
        self._users = users
        self._now = now
        self._made: tuple[str, datetime] | None = None

    def generate(self, _: Any) -> Reply:
        """Answer GenerateCredentialReport."""
        if self._made is None:
            self._made = (_report(self._users()), self._now())
        return _reply("GenerateCredentialReport", "<State>COMPLETE</State>")

    def get(self, _: Any) -> Reply:
        """Answer GetCredentialReport."""
        if self._made is None:
            body = (
                f"<ErrorResponse xmlns='{_NAMESPACE}'><Error><Type>Sender</Type>"
                "<Code>ReportNotPresent</Code><Message>No report is present.</Message></Error>"
                "<RequestId>demo</RequestId></ErrorResponse>"
            )
            return 410, {"status": "410"}, body  # moto takes the status from there
        content, made_at = self._made
        return _reply(
            "GetCredentialReport",
            f"<Content>{b64encode(content.encode()).decode()}</Content>"
            f"<ReportFormat>text/csv</ReportFormat><GeneratedTime>{_time(made_at)}</GeneratedTime>",
        )


def _reply(action: str, result: str) -> Reply:
    return (
        200,
        {},
        f"<{action}Response xmlns='{_NAMESPACE}'><{action}Result>{result}</{action}Result>"
        f"<ResponseMetadata><RequestId>demo</RequestId></ResponseMetadata></{action}Response>",
    )


def _report(users: Iterable[Any]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    rows.writerow(["<root_account>", "", _NONE, "true", *_NO_KEY, *_NO_KEY])
    for user in sorted(users, key=lambda user: user.name):
        cells = [user.name, user.arn, _time(user.create_date), str(bool(user.mfa_devices)).lower()]
        first, second = [*map(_key, user.access_keys), _NO_KEY, _NO_KEY][:2]
        rows.writerow([*cells, *first, *second])
    return text.getvalue()


def _key(key: Any) -> list[str]:
    used = key.last_used
    last = [_time(used.timestamp), used.region, used.service] if used else [_NONE] * 3
    return [str(key.status == "Active").lower(), _time(key.create_date), *last]


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}+00:00"
