"""AWS's time comes from its replies: the moment of a creation is told by that, not by ours."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import pytest

from keytui.aws.clients import ServerClock
from keytui.aws.session import connect
from keytui.core.model import Secret
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_server import IamServer

CLOSE = timedelta(seconds=10)
"""A slow machine may take some seconds between two looks at a clock."""


def reply(**headers: str) -> SimpleNamespace:
    return SimpleNamespace(headers=headers)


@pytest.mark.parametrize("ahead", [timedelta(minutes=-4), timedelta(), timedelta(minutes=3)])
def test_it_is_as_far_ahead_as_the_last_reply_said(ahead: timedelta) -> None:
    clock = ServerClock()

    clock.heard(reply(Date=format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)))
    clock.heard(reply(Date=format_datetime(datetime.now(UTC) + ahead, usegmt=True)), model=None)

    assert abs(clock.now() - datetime.now(UTC) - ahead) < CLOSE


@pytest.mark.parametrize(
    "headers", [{}, {"Date": ""}, {"Date": "soon"}, {"Date": "Tue, 24 Nov 2026 10:00:00 -0000"}]
)
def test_reply_without_a_time_changes_nothing(headers: dict[str, str]) -> None:
    clock = ServerClock()

    clock.heard(reply(**headers))

    assert abs(clock.now() - datetime.now(UTC)) < CLOSE


def test_clock_is_heard_also_from_other_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    iam = FakeIam()
    with IamServer(iam) as server:
        gateway = connect(server.options, WRITABLE)
        for minutes, other in enumerate((gateway.sending_once(), gateway), start=3):
            gateway.sign_with(iam.signing_key_id(), Secret("made-up"))
            ahead = timedelta(minutes=minutes)
            told = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
            monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_, t=told: t)

            other.keys(iam.caller)

            assert abs(gateway.clock() - datetime.now(UTC) - ahead) < CLOSE


def test_gateway_hears_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = timedelta(minutes=3)
    told = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: told)
    iam = FakeIam()
    with IamServer(iam) as server:
        gateway = connect(server.options, WRITABLE)
        assert abs(gateway.clock() - datetime.now(UTC)) < CLOSE

        gateway.keys(iam.caller)

        assert abs(gateway.clock() - datetime.now(UTC) - ahead) < CLOSE
