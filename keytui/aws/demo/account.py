"""The demo account's own process: a moto server on loopback, filled with made-up users."""

import argparse
import json
import logging
import os
import sys
import threading
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from keytui.aws.demo.people import DEMO_KEY_ID, DEMO_SECRET, Person, people
from keytui.aws.demo.report import DemoReport

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

ACCOUNT = "123456789012"
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_PAGE_SIZE = 100
"""What AWS gives where no MaxItems is asked for."""
_SEED = 20
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def main() -> None:
    """Serve the demo account until standard input ends; announce the URL as a line of JSON."""
    options = _arguments()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.disable(logging.CRITICAL)
    try:
        server = _server()
        _fill(people(options.users), options.now)
    except ModuleNotFoundError as error:
        _announce({"missing": error.name or "moto"})
        sys.exit(1)
    _announce({"url": f"http://127.0.0.1:{server.port}"})
    server.serve_forever()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m keytui.aws.demo.server", description=__doc__)
    parser.add_argument("--users", type=int, default=12, help="how many users, 1 or more")
    parser.add_argument(
        "--now",
        type=datetime.fromisoformat,
        help="the account's clock, standing still (default: the real time)",
    )
    return parser.parse_args()


def _announce(line: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def _server() -> "BaseWSGIServer":
    """Return moto's server, bound to a free loopback port and already listening."""
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        # Kept-alive connections otherwise wait 40 ms for each reply's second packet.
        disable_nagle_algorithm = True

        def log_request(self, *_: Any, **__: Any) -> None:
            """Say nothing."""

    application: Any = DomainDispatcherApplication(create_backend_app)
    return make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)


def _fill(persons: list[Person], fixed_now: datetime | None) -> None:
    from moto.iam import models, responses

    handlers: Any = responses.IamResponse
    handlers.list_users = _list_users
    _make_up_new_keys(models, fixed_now)
    now = (fixed_now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0, tzinfo=None)
    backend = models.iam_backends[ACCOUNT]["aws"]
    clock: Any = models
    report = DemoReport(backend.users.values, lambda: clock.utcnow())
    handlers.generate_credential_report = lambda response: report.generate(response)
    handlers.get_credential_report = lambda response: report.get(response)
    for person in persons:
        tags = [{"Key": key.id, "Value": key.description} for key in person.keys if key.description]
        user = backend.create_user("us-east-1", person.name, tags=tags)
        user.create_date = now - person.age
        if person.mfa:
            user.enable_mfa_device(f"arn:aws:iam::{ACCOUNT}:mfa/{person.name}", "", "")
        for sample in person.keys:
            key = user.create_access_key(prefix="AKIA", status=sample.status)
            key.access_key_id = sample.id
            key.create_date = now - sample.age
            if sample.id == DEMO_KEY_ID:
                key.secret_access_key = DEMO_SECRET
            if sample.used is not None:
                key.last_used = models.AccessKeyLastUsed(
                    now - sample.used, sample.service, sample.region
                )
            backend.access_keys[sample.id] = key


def _list_users(response: Any) -> tuple[int, dict[str, str], str]:
    """Answer ListUsers in pages, as AWS does.

    moto puts all users into one reply and takes a second to write 5,000.
    """
    asked = response._get_param  # noqa: SLF001 - how moto's own handlers read a request
    start, size = int(asked("Marker", 0)), int(asked("MaxItems", 0))
    users = sorted(response.backend.users.values(), key=lambda user: user.name)
    end = start + (size or _PAGE_SIZE)
    marker = f"<Marker>{end}</Marker>" if end < len(users) else ""
    body = (
        f"<ListUsersResponse xmlns='{_NAMESPACE}'><ListUsersResult>"
        f"<Users>{''.join(map(_user, users[start:end]))}</Users>"
        f"<IsTruncated>{str(bool(marker)).lower()}</IsTruncated>{marker}</ListUsersResult>"
        "<ResponseMetadata><RequestId>demo</RequestId></ResponseMetadata></ListUsersResponse>"
    )
    return 200, {}, body


def _user(user: Any) -> str:
    return (
        f"<member><Path>{escape(user.path)}</Path><UserName>{escape(user.name)}</UserName>"
        f"<UserId>{user.id}</UserId><Arn>{escape(user.arn)}</Arn>"
        f"<CreateDate>{user.create_date:%Y-%m-%dT%H:%M:%SZ}</CreateDate></member>"
    )


def _make_up_new_keys(models: Any, fixed_now: datetime | None) -> None:
    """Give keys IDs and secrets that show what they are, the same ones at a fixed clock.

    They have a generator of their own: moto's is also drawn from for each request's ID, so
    that a key would depend on how many requests came before.
    """
    random = Random(_SEED if fixed_now else None)  # noqa: S311 - nothing here is secret

    def key_id(*_: Any, prefix: str, total_length: int = 20, **__: Any) -> str:
        shown = f"{prefix}DEMO"
        return shown + "".join(random.choices(_LETTERS, k=total_length - len(shown)))

    def secret(length: int) -> str:
        return "demo" + "".join(random.choices(_BASE64, k=length - 4))

    models.generate_access_key_id_from_account_id = key_id
    models.random_alphanumeric = secret
    if fixed_now is not None:
        stopped = fixed_now.astimezone(UTC).replace(tzinfo=None)
        models.utcnow = lambda: stopped
