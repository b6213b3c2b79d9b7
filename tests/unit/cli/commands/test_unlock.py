"""``--unlock-keyring``: what is asked before the screen opens, and what is done with answers."""

import getpass
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from keytui.cli.commands import unlock
from keytui.core.errors import NotStoredError, ReadOnlyError, StoreError, WrongPasswordError
from keytui.core.gate import Gate
from keytui.core.model import Secret
from keytui.session.settings import Settings
from keytui.stores.base import Mend, Probe
from keytui.stores.keyring import session_bus
from keytui.stores.vault import Held
from tests.support.fake_store import FakeStore

RIGHT = "correct horse"


class Keyring(FakeStore):
    """A keyring that is made by its first password, or opened by the right one."""

    def __init__(self, mend: Mend) -> None:
        super().__init__()
        self.trouble = StoreError("It is not open.", next_step="Open it.")
        self.mend = mend
        self.tried: list[str] = []

    def probe(self, *, canary: bool = True) -> Probe:
        assert not canary, "nothing is written to find out whether it is open"
        return super().probe(canary=canary)

    def unlock(self, password: Secret) -> None:
        self.tried.append(password.reveal())
        super().unlock(password)


Answering = Callable[..., None]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Let these be typed at the prompts, one after the other; then nothing more."""

    def answer(*answers: str) -> None:
        left = list(answers)

        def typed(_prompt: str) -> str:
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr(getpass, "getpass", typed)

    return answer


def run(keyring: FakeStore, kind: str = "os") -> None:
    ctx: Any = SimpleNamespace(keyring=keyring, settings=Settings(keyring=kind))
    with ExitStack() as stack:
        unlock.unlock_keyring(ctx, stack)


@pytest.mark.parametrize("error", [EOFError(), OSError(5, "Input/output error")])
def test_terminal_that_cannot_be_read_gives_no_password(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_prompt: str) -> str:
        raise error

    monkeypatch.setattr(getpass, "getpass", fails)
    keyring = Keyring(Mend.UNLOCK)
    with pytest.raises(StoreError, match="No password was given"):
        run(keyring)
    assert keyring.tried == []


def test_open_keyring_asks_nothing(answering: Answering) -> None:
    answering()
    keyring = Keyring(Mend.NOTHING)
    keyring.trouble = None
    run(keyring)
    assert keyring.tried == []


def test_wrong_password_is_said_and_asked_again(
    answering: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    answering("wrong", RIGHT)
    keyring = Keyring(Mend.UNLOCK)
    run(keyring)
    assert keyring.trouble is None
    said = capsys.readouterr()
    assert said.err == "That is not the keyring's password.\n"
    assert said.out == ""


def test_three_wrong_passwords_end_it(answering: Answering) -> None:
    answering("one", "two", "three", RIGHT)
    keyring = Keyring(Mend.UNLOCK)
    with pytest.raises(WrongPasswordError):
        run(keyring)
    assert keyring.tried == ["one", "two", "three"]


def test_no_answer_leaves_it_as_it_is(answering: Answering) -> None:
    answering()
    keyring = Keyring(Mend.UNLOCK)
    with pytest.raises(StoreError) as caught:
        run(keyring)
    assert str(caught.value) == "No password was given. The keyring stays as it is."
    assert keyring.tried == []


def test_first_password_is_typed_twice(
    answering: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    answering("  ", "one", "two", RIGHT, RIGHT)
    keyring = Keyring(Mend.MAKE)
    run(keyring)
    assert keyring.tried == [RIGHT]
    said = capsys.readouterr().err
    assert "There is no fake store yet." in said
    assert "An empty password protects nothing.\nThe two differ.\n" in said
    assert RIGHT not in said


def test_three_that_differ_make_nothing(answering: Answering) -> None:
    answering("a", "b", "a", "b", "a", "b")
    keyring = Keyring(Mend.MAKE)
    with pytest.raises(StoreError, match=r"No keyring was made\."):
        run(keyring)
    assert keyring.tried == []


def test_what_no_password_mends_is_said(answering: Answering) -> None:
    answering(RIGHT)
    with pytest.raises(StoreError, match=r"It is not open\. Open it\."):
        run(Keyring(Mend.NOTHING))


@pytest.fixture(autouse=True)
def no_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the signals of the test's process alone."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


def lend_bus(
    monkeypatch: pytest.MonkeyPatch, keyring: Keyring, mend: Mend, *, own: bool
) -> list[str]:
    """Let there be a private bus, on which the keyring is in a state; return its life."""
    life: list[str] = []

    @contextmanager
    def bus(env: object, _gate: Gate) -> Iterator[bool]:
        assert env is os.environ
        keyring.mend = mend
        life.append("made")
        try:
            yield own
        finally:
            life.append("ended")

    monkeypatch.setattr(session_bus, "private_bus", bus)
    return life


@pytest.mark.parametrize(
    ("own", "said"),
    [(True, "keytui made one that lasts for this run."), (False, "It ends with that one.")],
)
def test_missing_bus_is_made_and_then_the_keyring(
    answering: Answering,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    own: bool,
    said: str,
) -> None:
    keyring = Keyring(Mend.START)
    life = lend_bus(monkeypatch, keyring, Mend.MAKE, own=own)
    answering(RIGHT, RIGHT)
    run(keyring)
    assert (keyring.tried, life) == ([RIGHT], ["made", "ended"])
    assert said in capsys.readouterr().err


def test_keyring_that_does_not_come_to_the_bus_may_be_on_another(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = Keyring(Mend.START)
    life = lend_bus(monkeypatch, keyring, Mend.NOTHING, own=True)
    answering(RIGHT)
    with pytest.raises(StoreError, match="runs on another D-Bus session"):
        run(keyring)
    assert life == ["made", "ended"]


class Pass(FakeStore):
    """A password store that gpg opens on the terminal."""

    locator = "keyring:pass"
    asked: ClassVar[list[str]] = []

    def probe(self, *, canary: bool = True) -> Probe:
        self.asked.append("canary" if canary else "state")
        return Probe("Password store (pass)", writable=True)

    def get(self, key_id: str) -> Secret:
        self.asked.append(key_id)
        raise NotStoredError("It is gone.")


@pytest.mark.parametrize("read_only", [True, False])
def test_pass_is_unlocked_by_reading_a_secret_if_read_only(
    monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    gates: list[bool] = []

    def made(*, gate: Gate, **_: object) -> Pass:
        gates.append(gate.read_only)
        return Pass()

    monkeypatch.setattr(Pass, "asked", [])
    monkeypatch.setattr(unlock, "OsKeyring", made)
    monkeypatch.setenv("GPG_TTY", "/dev/null")
    elsewhere = Held("AKIAELSEWHERE0000001", "alice", "1", None, "keyring")
    one = Held("AKIAPASS000000000001", "alice", "1", None, Pass.locator)
    vault = SimpleNamespace(held=lambda: (elsewhere, one))
    settings = Settings(keyring="pass", read_only=read_only)
    ctx: Any = SimpleNamespace(keyring=Pass(), settings=settings, vault=vault)

    with ExitStack() as stack:
        unlock.unlock_keyring(ctx, stack)

    assert gates == [read_only]
    assert Pass.asked == ["canary", *([one.key_id] if read_only else [])]


def test_in_read_only_mode_no_keyring_is_made(answering: Answering) -> None:
    answering("new horse", "new horse")
    keyring = Keyring(Mend.MAKE)
    ctx: Any = SimpleNamespace(keyring=keyring, settings=Settings(read_only=True))

    with ExitStack() as stack, pytest.raises(ReadOnlyError):
        unlock.unlock_keyring(ctx, stack)

    assert keyring.tried == []
