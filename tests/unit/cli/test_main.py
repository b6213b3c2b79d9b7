"""The command line up to the screen, and what is imported on the way."""

import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keytui import __version__
from keytui.cli.main import main
from keytui.cli.parser import EXIT_USAGE
from keytui.session.settings import Settings
from keytui.session.users_cache import KnownUsers
from keytui.session.wiring import users_cache

HEAVY = ("botocore", "boto3", "keyring", "secretstorage", "moto", "flask")


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run keytui without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "keytui", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **(env or {})},
        check=False,
    )


def run_in_terminal(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run keytui on a terminal of its own that does not answer; it must end by itself."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "keytui", *arguments],
        stdin=follower,
        stdout=follower,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    os.close(follower)
    try:
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(leader)
    return process.returncode, errors


def is_one_sentence_of_keytui(text: str) -> bool:
    return text.startswith("keytui: ") and text.count("\n") == 1 and "Traceback" not in text


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"keytui {__version__}\n", "")


def test_help_names_every_flag() -> None:
    done = run("--help")
    assert done.returncode == 0
    for flag in (
        "--profile",
        "--region",
        "--endpoint-url",
        "--user",
        "--read-only",
        "--demo",
        "--demo-users",
        "--version",
        "--help",
    ):
        assert flag in done.stdout
    assert "KEYTUI_READ_ONLY" in done.stdout


@pytest.mark.parametrize("arguments", [(), ("--demo",), ("--read-only", "--user", "alice")])
def test_without_a_terminal(arguments: tuple[str, ...]) -> None:
    done = run(*arguments, env={"TERM": "xterm-256color"})

    assert done.returncode == EXIT_USAGE == 2
    assert done.stdout == ""
    assert is_one_sentence_of_keytui(done.stderr)
    assert "needs a terminal" in done.stderr
    assert "ssh -t" in done.stderr


@pytest.mark.parametrize("term", ["dumb", ""])
def test_terminal_that_can_not_be_drawn_on(term: str) -> None:
    status, errors = run_in_terminal(env={"TERM": term})

    assert status == EXIT_USAGE
    assert is_one_sentence_of_keytui(errors)
    assert "TERM=xterm-256color" in errors


@pytest.mark.parametrize("number", ["0", "-1", "50001", "x", "1.5", "", "1e3", "9" * 30])
def test_number_of_demo_users_that_can_not_be_used(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([f"--demo-users={number}"])

    assert caught.value.code == EXIT_USAGE
    assert "from 1 to 50000" in capsys.readouterr().err


def test_flag_that_keytui_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--no-such-flag"])

    assert caught.value.code == EXIT_USAGE
    assert "--no-such-flag" in capsys.readouterr().err


def test_setting_that_can_not_be_used() -> None:
    done = run(env={"KEYTUI_READ_ONLY": "perhaps"})

    assert done.returncode == EXIT_USAGE
    assert is_one_sentence_of_keytui(done.stderr)
    assert "KEYTUI_READ_ONLY" in done.stderr


def test_config_file_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "keytui").mkdir()
    (tmp_path / "keytui/config.toml").write_text("nonsense")

    done = run(env={"XDG_CONFIG_HOME": str(tmp_path)})

    assert done.returncode == EXIT_USAGE
    assert "config.toml" in done.stderr
    assert "Traceback" not in done.stderr


def imported_by(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has after some code."""
    show = "import sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("module", ["keytui.cli.main", "keytui.tui.app", "keytui.session.context"])
def test_nothing_heavy_is_imported_before_the_first_frame(module: str) -> None:
    assert not imported_by(f"import {module}") & set(HEAVY)


def test_parts_are_joined_without_anything_heavy() -> None:
    """All that ``cli`` does before the screen opens, the stores' modules included."""
    code = (
        "from contextlib import ExitStack\n"
        "from pathlib import Path\n"
        "from keytui.core.model import User\n"
        "from keytui.session.settings import load\n"
        "from keytui.session.wiring import wire\n"
        "parts = wire(load({}, {}, Path('/nowhere')), ExitStack(), lambda _: None)\n"
        "parts.csv_path(User('alice')), parts.csv_file('~/a.csv'), parts.store_at('keyring')"
    )
    assert not imported_by(code) & set(HEAVY)


def test_command_line_imports_no_screens_before_it_needs_them() -> None:
    assert not imported_by("import keytui.cli.main") & {"textual", "rich"}


def test_nouns_and_verbs_import_no_screen_and_no_sdk() -> None:
    code = "import keytui.keys.operations, keytui.session.inventory, keytui.journal.log"
    assert not imported_by(code) & {"textual", "rich", *HEAVY}


def test_package_itself_imports_nothing_of_keytui() -> None:
    code = "import keytui, sys\nassert [m for m in sys.modules if m.startswith('keytui.')] == []"
    assert "keytui" in imported_by(code)


def test_core_dumps_are_off_and_memory_is_closed() -> None:
    """``/proc/PID/status`` of a process that is not dumpable belongs to root."""
    code = (
        "import ctypes, resource\n"
        "from keytui.cli.main import main\n"
        "main([])\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "(0, 0) 0"


@pytest.mark.parametrize(
    "variable",
    ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL_STS"],
)
def test_users_cache_is_separate_per_aws_config_and_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv(variable, raising=False)
    settings = Settings(cache_folder=tmp_path)
    known = KnownUsers("123456789012", datetime.now(UTC), ["alice"], {})
    users_cache(settings).save("acme", known)
    assert users_cache(settings).load("acme")
    monkeypatch.setenv(variable, "other")
    assert users_cache(settings).load("acme") is None
