"""The question for an MFA code on a terminal without a screen."""

import errno
import io
import sys

import pytest

from keytui.cli.console import ask_on_terminal
from keytui.core.mfa import MfaRequest
from tests.support.mfa_replies import SERIAL

REQUEST = MfaRequest("alice in the account 123456789012", SERIAL)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> _Terminal:
    shown = _Terminal()
    monkeypatch.setattr(sys, "stdin", _Terminal(typed))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def test_code_is_asked_for_until_it_is_six_digits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = at_terminal(monkeypatch, "12345\nletters\n123 456\n")

    code = ask_on_terminal(REQUEST)

    assert code is not None
    assert code.reveal() == "123456"
    assert REQUEST.who in shown.getvalue()
    assert SERIAL in shown.getvalue()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("typed", ["\n", ""])
def test_empty_line_or_the_end_declines(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    at_terminal(monkeypatch, typed)

    assert ask_on_terminal(REQUEST) is None


def test_terminal_that_cannot_be_read_declines(monkeypatch: pytest.MonkeyPatch) -> None:
    at_terminal(monkeypatch, "")

    def fails() -> str:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(sys.stdin, "readline", fails)

    assert ask_on_terminal(REQUEST) is None


def test_problem_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = at_terminal(monkeypatch, "\n")

    ask_on_terminal(MfaRequest(REQUEST.who, SERIAL, "AWS did not take this code."))

    assert "AWS did not take this code." in shown.getvalue()


def test_pipe_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    at_terminal(monkeypatch, "")
    monkeypatch.setattr(sys, "stdin", io.StringIO("123456\n"))

    assert ask_on_terminal(REQUEST) is None
