"""The question for an MFA code where there is no screen: on the terminal."""

import re
import sys

from keytui.mfa import MfaRequest
from keytui.model import Secret
from keytui.plain import plain
from keytui.streams import write

_CODE = re.compile(r"\d{6}", re.ASCII)


def ask_on_terminal(request: MfaRequest) -> Secret | None:
    """Ask for a code; None for an empty line, and where there is no terminal to ask on.

    The code is shown while it is typed, as it works only once. Standard output is left alone.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    _say(request.problem or f"AWS asks for an MFA code of {request.who}.")
    while True:
        _say(f"Six digits from {request.serial} (an empty line: none): ", end="")
        try:
            typed = sys.stdin.readline()
        except OSError:  # The terminal can't be read.
            return None
        digits = "".join(typed.split())
        if _CODE.fullmatch(digits):
            return Secret(digits)
        if not digits:
            return None


def _say(text: str, end: str = "\n") -> None:
    write(f"keytui: {plain(text)}{end}", sys.stderr)
