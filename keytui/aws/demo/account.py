"""The demo account itself: moto's IAM and STS, filled with made-up users.

moto has no pages of users, no date or root user in its credential report, and gives keys that
could be real. Its backend and its handlers are extended by that here.
"""

import csv
import io
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from random import Random
from typing import Any
from xml.sax.saxutils import escape

from moto.iam import models
from moto.iam.responses import IamResponse
from moto.server import ThreadedMotoServer
from werkzeug.serving import WSGIRequestHandler

from keytui.aws.demo.people import DEMO_KEY_ID, DEMO_SECRET, Person

ACCOUNT = "123456789012"
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_PAGE_SIZE = 100
"""What AWS gives where no MaxItems is asked for."""
_SEED = 20
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NONE = "N/A"
_KEY = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
_COLUMNS = (
    *("user", "arn", "user_creation_time", "mfa_active"),
    *(f"access_key_{slot}_{name}" for slot in (1, 2) for name in _KEY),
)
_NO_KEY = ["false", *[_NONE] * 4]


def serve(persons: list[Person], fixed_now: datetime | None) -> str:
    """Serve an account with these users, in threads of its own, and return its URL.

    ``fixed_now`` is its clock, standing still; None for the real time.
    """
    mocked: Any = models
    if fixed_now is not None:
        stopped = fixed_now.astimezone(UTC).replace(tzinfo=None)
        mocked.utcnow = lambda: stopped
    backend = DemoBackend(
        Random(_SEED if fixed_now else None),  # noqa: S311 - nothing here is secret
        mocked.utcnow,
    )
    models.iam_backends[ACCOUNT]["aws"] = backend
    now = mocked.utcnow().replace(microsecond=0)
    for person in persons:
        backend.add(person, now)
    # Kept-alive connections otherwise wait 40 ms for each reply's second packet.
    WSGIRequestHandler.disable_nagle_algorithm = True
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    return "http://{}:{}".format(*server.get_host_and_port())


class DemoBackend(models.IAMBackend):
    """What the account holds.

    Keys are drawn from a generator of their own: moto's also gives each request its ID, so that
    a key would depend on how many requests came before.
    """

    def __init__(self, random: Random, clock: Callable[[], datetime]) -> None:
        super().__init__("aws", ACCOUNT)
        self.report_made = clock()
        self._random, self._clock = random, clock
        self._report = ""

    @property
    def url_paths(self) -> dict[str, Callable[..., Any]]:
        return {"/$": DemoHandlers.dispatch}

    def add(self, person: Person, now: datetime) -> None:
        tags = [{"Key": key.id, "Value": key.description} for key in person.keys if key.description]
        user = self.create_user("us-east-1", person.name, tags=tags)
        user.create_date = now - person.age
        if person.mfa:
            device = f"arn:aws:iam::{ACCOUNT}:mfa/{person.name}"
            self.enable_mfa_device(person.name, device, "", "")
        for sample in person.keys:
            key = self.create_access_key(person.name, status=sample.status)
            is_callers = sample.id == DEMO_KEY_ID
            self._show_as(key, sample.id, DEMO_SECRET if is_callers else key.secret_access_key)
            key.create_date = now - sample.age
            if sample.used is not None:
                used = now - sample.used
                key.last_used = models.AccessKeyLastUsed(used, sample.service, sample.region)

    def create_access_key(
        self, user_name: str, prefix: str = "AKIA", status: str = "Active"
    ) -> models.AccessKey:
        key = super().create_access_key(user_name, prefix, status)
        ending = self._random.choices(_LETTERS, k=12)
        secret = self._random.choices(_BASE64, k=36)
        self._show_as(key, "".join((prefix, "DEMO", *ending)), "".join(("demo", *secret)))
        return key

    def _show_as(self, key: models.AccessKey, key_id: str, secret: str) -> None:
        del self.access_keys[key.access_key_id]
        key.access_key_id, key.secret_access_key = key_id, secret
        self.access_keys[key_id] = key

    def generate_report(self) -> None:
        """Make the report where there is none: it is kept, as AWS does for hours."""
        if not self.report_generated():
            self._report, self.report_made = _report(self.users.values()), self._clock()
        super().generate_report()

    def get_credential_report(self) -> str:
        super().get_credential_report()  # It raises what AWS answers where there is none.
        return self._report


class DemoHandlers(IamResponse):
    """What answers IAM's calls."""

    backend: DemoBackend

    def list_users(self) -> Any:
        """Answer in pages, as AWS does; moto takes a second to write 5,000 users."""
        start = int(self._get_param("Marker") or 0)
        end = start + int(self._get_param("MaxItems") or _PAGE_SIZE)
        users = sorted(self.backend.users.values(), key=lambda user: user.name)
        marker = f"<Marker>{end}</Marker>" if end < len(users) else ""
        listed = f"<Users>{''.join(map(_user, users[start:end]))}</Users>"
        more = f"<IsTruncated>{str(bool(marker)).lower()}</IsTruncated>{marker}"
        return _reply("ListUsers", listed + more)

    def generate_credential_report(self) -> Any:
        self.backend.generate_report()
        return _reply("GenerateCredentialReport", "<State>COMPLETE</State>")

    def get_credential_report(self) -> Any:
        content = b64encode(self.backend.get_credential_report().encode()).decode()
        made = _time(self.backend.report_made)
        return _reply(
            "GetCredentialReport",
            f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat>"
            f"<GeneratedTime>{made}</GeneratedTime>",
        )


def _reply(action: str, result: str) -> tuple[int, dict[str, str], str]:
    body = (
        f"<{action}Response xmlns='{_NAMESPACE}'><{action}Result>{result}</{action}Result>"
        f"<ResponseMetadata><RequestId>demo</RequestId></ResponseMetadata></{action}Response>"
    )
    return 200, {}, body


def _user(user: models.User) -> str:
    return (
        f"<member><Path>{escape(user.path)}</Path><UserName>{escape(user.name)}</UserName>"
        f"<UserId>{user.id}</UserId><Arn>{escape(user.arn)}</Arn>"
        f"<CreateDate>{_time(user.create_date)}</CreateDate></member>"
    )


def _report(users: Iterable[models.User]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    rows.writerow(["<root_account>", "", _NONE, "true", *_NO_KEY, *_NO_KEY])
    for user in sorted(users, key=lambda user: user.name):
        cells = [user.name, user.arn, _time(user.create_date), str(bool(user.mfa_devices)).lower()]
        first, second = [*map(_key, user.access_keys), _NO_KEY, _NO_KEY][:2]
        rows.writerow([*cells, *first, *second])
    return text.getvalue()


def _key(key: models.AccessKey) -> list[str]:
    used = key.last_used
    last = [_time(used.timestamp), used.region, used.service] if used else [_NONE] * 3
    return [str(key.status == "Active").lower(), _time(key.create_date), *last]


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}+00:00"
