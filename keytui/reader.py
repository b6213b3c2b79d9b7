"""How a command line is read: as argparse does it, but what was typed is never repeated."""

import argparse
import re
from typing import Any, NoReturn

from keytui.plain import plain

_OPTION = re.compile(r"--[a-z][a-z-]*")
_VALUE = re.compile(r"(?<=invalid choice): .*(?= \()|(?<=ignored explicit argument) .*", re.DOTALL)
"""Where argparse's own sentences repeat what was typed."""


class Reader(argparse.ArgumentParser):
    """Reads arguments, and repeats none: a word typed or pasted by mistake may be a secret."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the arguments; leaves with status 2 where some are unknown."""
        known, unknown = self.parse_known_args(args, namespace)
        if unknown:
            options = [word.partition("=")[0] for word in unknown]
            named = " ".join(word for word in options if _OPTION.fullmatch(word))
            what = named or f"{len(unknown)}, not repeated here: it may be a secret"
            self.error(f"unrecognized arguments: {what}")
        return known

    def error(self, message: str) -> NoReturn:
        """Say how it is used and what is wrong, and leave with status 2."""
        super().error(plain(_VALUE.sub("", message)))
