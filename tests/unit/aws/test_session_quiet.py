"""Looking at a profile among many: nothing asks, nothing opens, nothing goes on for ever."""

import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from keytui.aws import bounded_process, session
from keytui.aws.gateway import IamGateway
from keytui.aws.options import ConnectOptions
from keytui.aws.session import connect
from keytui.core.errors import AccessDeniedError, AwsError, CredentialsError, MfaDeclinedError
from keytui.core.mfa import MfaDesk
from keytui.core.model import Secret, User
from tests.support.aws_env import AwsHome
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_server import IamServer
from tests.support.mfa_replies import CODE, SERIAL, MfaReplies
from tests.support.secret_service import PATIENCE, wait_until
from tests.support.sentinel import full_text

OWN = "AKIAFAKECALLER000001"
KEYS = f"aws_access_key_id = {OWN}\naws_secret_access_key = made-up\n"
PRINTED = f'{{"Version": 1, "AccessKeyId": "{OWN}", "SecretAccessKey": "made-up"}}'
ROLE = "role_arn = arn:aws:iam::123456789012:role/ops\n"


@pytest.fixture
def replies(aws_env: AwsHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[MfaReplies]:
    """An account that a role can be assumed in."""
    del aws_env
    monkeypatch.setattr("getpass.getpass", lambda *_: pytest.fail("asked on the terminal"))
    with IamServer(FakeIam()) as server:
        server.replies = MfaReplies(server, guarded=("ListUsers",))
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server.replies


def look(profile: str, desk: MfaDesk | None = None) -> IamGateway:
    mfa = (desk or MfaDesk()).silent()
    return connect(ConnectOptions(profile=profile, mfa=mfa, quiet=True), WRITABLE)


def program(folder: Path, code: str) -> str:
    """Return a credential_process that runs this code."""
    path = folder / "program.py"
    path.write_text(code)
    return f"credential_process = {shlex.join([sys.executable, str(path)])}\n"


@pytest.mark.usefixtures("replies")
def test_program_gets_neither_input_nor_terminal_nor_display(
    aws_env: AwsHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    seen = tmp_path / "seen"
    code = f"""
import os, sys
try:
    os.close(os.open("/dev/tty", os.O_RDWR))
    terminal = True
except OSError:
    terminal = False
own = os.getsid(0) == os.getpid()
displays = [name for name in ("DISPLAY", "WAYLAND_DISPLAY") if name in os.environ]
open({str(seen)!r}, "w").write(repr((sys.stdin.read(), terminal, own, displays)))
print({PRINTED!r})
"""
    process = program(tmp_path, code)
    config = f"[profile own]\n{process}[profile by]\n{ROLE}source_profile = own\n"
    aws_env.config.write_text(config)
    for profile in ("own", "by"):  # Its own, and that of the profile its role builds on.
        look(profile)
        assert seen.read_text() == repr(("", False, True, []))
        seen.unlink()


@pytest.mark.usefixtures("replies")
def test_credential_process_gets_a_window_and_time_but_no_tty(
    aws_env: AwsHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_process, "PROCESS_SECONDS", 0.01)
    monkeypatch.setenv("DISPLAY", ":7")
    seen = tmp_path / "seen"
    code = f"""
import os, sys, time
own = os.getsid(0) == os.getpid()
open({str(seen)!r}, "w").write(repr((sys.stdin.read(), own, os.environ["DISPLAY"])))
time.sleep(0.1)
print({PRINTED!r})
"""
    process = program(tmp_path, code)
    config = f"[profile own]\n{process}[profile by]\n{ROLE}source_profile = own\n"
    aws_env.config.write_text(config)
    for profile in ("own", "by"):
        connect(ConnectOptions(profile=profile, on_screen=True), WRITABLE)
        assert seen.read_text() == repr(("", True, ":7"))
        seen.unlink()
    assert not bounded_process._running


@pytest.mark.usefixtures("replies")
def test_hung_credential_process_is_stopped_with_its_children(
    aws_env: AwsHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_process, "PROCESS_SECONDS", 0.5)
    child = tmp_path / "child"
    code = f"""
import subprocess, time
open({str(child)!r} + "-new", "w").write(str(subprocess.Popen(["sleep", "1000"]).pid))
import os; os.rename({str(child)!r} + "-new", {str(child)!r})
print({PRINTED!r}, flush=True)
time.sleep(1000)
"""
    aws_env.config.write_text(f"[profile own]\n{program(tmp_path, code)}")
    told: list[AwsError] = []
    while not child.exists():  # A slow start would be cut short, too.
        with pytest.raises(CredentialsError) as caught:
            look("own")
        told.append(caught.value)
    assert "credential_process did not end within" in told[-1].title
    assert told[-1].__context__ is None
    assert "made-up" not in repr(told[-1].args)
    wait_until(lambda: not _runs(int(child.read_text())), "the end of what it started")
    assert not bounded_process._running


@pytest.mark.usefixtures("replies")
def test_none_is_started_any_more_while_keytui_ends(
    aws_env: AwsHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_process, "_leaving", threading.Event())
    started = tmp_path / "started"
    process = program(tmp_path, f"open({str(started)!r}, 'w')")
    aws_env.config.write_text(f"[profile own]\n{process}")
    bounded_process._end_all()
    with pytest.raises(CredentialsError, match="keytui ends"):
        look("own")
    assert not started.exists()


AWAY = {
    "in a session of its own": "subprocess.Popen([sys.executable, stay], start_new_session=True)",
    "as a daemon": "os.fork() or (os.setsid(), os.fork() and os._exit(0), "
    "os.execv(sys.executable, [sys.executable, stay]))",
    "with an empty environment": "subprocess.Popen([sys.executable, stay], env={}, "
    "start_new_session=True)",
}
WAYS = [
    ConnectOptions(profile="own", quiet=True),
    ConnectOptions(profile="own", on_screen=True),
    ConnectOptions(profile="own"),
]
STAY = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
with open({pids!r}, "a") as file:
    file.write(f"{{os.getpid()}}\\n")
while True:
    {does}
"""


def stayer(folder: Path, does: str = "time.sleep(1)", start: str = "") -> str:
    """Return a credential_process that is deaf to signals; it names its processes in a file."""
    code = STAY.format(pids=str(folder / "pids"), does=does)
    (folder / "stay.py").write_text(code)
    begin = f"import os, subprocess, sys\nstay = {str(folder / 'stay.py')!r}\n{start}\n"
    return program(folder, begin + code)


def pids_of(folder: Path) -> list[int]:
    named = folder / "pids"
    return [int(line) for line in named.read_text().split()] if named.exists() else []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_process, "PROCESS_SECONDS", 1.5)
    monkeypatch.setattr(bounded_process, "SIGN_IN_SECONDS", 1.5)


@pytest.mark.usefixtures("replies", "impatient")
@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("options", WAYS, ids=["quiet", "on a screen", "in a command"])
def test_what_leaves_its_process_group_is_stopped_too(
    aws_env: AwsHome, tmp_path: Path, away: str, options: ConnectOptions
) -> None:
    aws_env.config.write_text(f"[profile own]\n{stayer(tmp_path, start=AWAY[away])}")
    while len(pids_of(tmp_path)) < 2:  # A slow start would be cut short, too.
        with pytest.raises(CredentialsError, match="did not end within"):
            connect(options, WRITABLE)
    wait_until(lambda: not any(map(_runs, pids_of(tmp_path))), "the end of both")
    assert not bounded_process._running


@pytest.mark.usefixtures("replies")
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("options", WAYS, ids=["quiet", "on a screen", "in a command"])
def test_what_prints_without_end_is_stopped(
    aws_env: AwsHome, tmp_path: Path, stream: str, options: ConnectOptions
) -> None:
    does = f"sys.{stream}.write('made-up' * 10_000)"
    aws_env.config.write_text(f"[profile own]\n{stayer(tmp_path, does)}")
    with pytest.raises(CredentialsError) as caught:
        connect(options, WRITABLE)
    assert "printed more than 1,000,000 bytes" in caught.value.title
    assert "made-up" not in full_text(caught.value)
    wait_until(lambda: not any(map(_runs, pids_of(tmp_path))), "the end of both")


@pytest.mark.usefixtures("replies")
@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signal_ends_a_command_and_what_its_profile_runs(
    aws_env: AwsHome, tmp_path: Path, number: signal.Signals, away: str
) -> None:
    aws_env.config.write_text(f"[profile own]\n{stayer(tmp_path, start=AWAY[away])}")
    command = [sys.executable, "-m", "keytui", "list", "--profile", "own"]
    run = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(pids_of(tmp_path)) == 2, "both run")
    run.send_signal(number)
    assert run.wait(PATIENCE) == 128 + number
    wait_until(lambda: not any(map(_runs, pids_of(tmp_path))), "the end of both")


def _runs(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_role_with_mfa_asks_nobody(aws_env: AwsHome, replies: MfaReplies) -> None:
    config = f"[profile keys]\n{KEYS}[profile ops]\n{ROLE}source_profile = keys\n"
    aws_env.config.write_text(f"{config}mfa_serial = {SERIAL}\n")
    desk = MfaDesk(lambda _: pytest.fail("asked"))
    with pytest.raises(MfaDeclinedError):
        look("ops", desk)
    assert not replies.codes

    desk.ask_by(lambda _: Secret(CODE))
    connect(ConnectOptions(profile="ops", mfa=desk), WRITABLE)
    desk.ask_by(lambda _: pytest.fail("asked"))
    assert look("ops", desk).signing_key_id().startswith("ASIA")  # It is signed in by now.


def test_policy_that_demands_mfa_is_told_as_that(aws_env: AwsHome, replies: MfaReplies) -> None:
    aws_env.config.write_text(f"[profile keys]\n{KEYS}")
    gateway = look("keys", MfaDesk(lambda _: pytest.fail("asked")))
    with pytest.raises(MfaDeclinedError):
        next(gateway.users())
    assert gateway.keys(User("admin"))
    replies.devices = []  # Nobody has a device: that it takes one is of no help.
    with pytest.raises(AccessDeniedError):
        next(look("keys").users())


@pytest.mark.usefixtures("replies")
def test_config_that_was_changed_is_read_again(aws_env: AwsHome) -> None:
    aws_env.config.write_text(f"[profile a]\n{KEYS}")
    assert look("a").signing_key_id() == OWN
    with pytest.raises(CredentialsError):
        look("b")
    aws_env.config.write_text(f"[profile b]\n{KEYS.replace(OWN, 'AKIAOTHER')}")
    assert look("b").signing_key_id() == "AKIAOTHER"
    aws_env.credentials.write_text(f"[b]\n{KEYS}")
    assert look("b").signing_key_id() == OWN


@pytest.mark.usefixtures("replies")
def test_slow_connection_setup_delays_others_only_for_a_while(
    aws_env: AwsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "TURN_SECONDS", 0.01)
    aws_env.config.write_text(f"[profile a]\n{KEYS}")
    with session._in_turn(ConnectOptions(quiet=True)):
        found: list[IamGateway] = []
        other = threading.Thread(target=lambda: found.append(look("a")), daemon=True)
        other.start()
        other.join(20)
        assert found


@pytest.mark.usefixtures("replies")
@pytest.mark.parametrize(
    ("config", "said"),
    [
        (f"[profile a]\n{ROLE}source_profile = gone\n", 'source_profile "gone" referenced'),
        (f"[profile a]\n{ROLE}source_profile = a\n", "a"),
        ("[profile a]\nregion = eu-west-1\n", "The profile a has no credentials."),
        ("[profile a]\ncredential_process = /no/such/program\n", "/no/such/program, which"),
        (
            "[profile a]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
            "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x.example\n",
            "The sign-in session has expired or is missing.",
        ),
    ],
)
def test_it_says_in_a_sentence_what_is_wrong(aws_env: AwsHome, config: str, said: str) -> None:
    aws_env.config.write_text(config)
    with pytest.raises(AwsError) as caught:
        look("a")
    assert said in caught.value.title
    assert "\n" not in caught.value.title
    assert caught.value.__context__ is None
