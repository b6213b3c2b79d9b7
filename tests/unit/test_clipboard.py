"""The escape sequences for the terminal's clipboard."""

import base64

from keytui.stores.clipboard import osc52, osc52_clear
from tests.support.sentinel import SENTINEL


def test_the_text_travels_as_base64_between_the_marks() -> None:
    sequence = osc52(SENTINEL)

    assert sequence.startswith("\x1b]52;c;")
    assert sequence.endswith("\a")
    payload = sequence.removeprefix("\x1b]52;c;").removesuffix("\a")
    assert base64.b64decode(payload, validate=True).decode() == SENTINEL
    assert SENTINEL not in sequence


def test_text_outside_ascii_is_utf8() -> None:
    payload = osc52("né •").removeprefix("\x1b]52;c;").removesuffix("\a")

    assert base64.b64decode(payload, validate=True).decode() == "né •"


def test_clearing_sends_an_empty_payload() -> None:
    assert osc52_clear() == "\x1b]52;c;\a"
    assert osc52("") == osc52_clear()
