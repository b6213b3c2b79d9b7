"""How a command line is read: as argparse does it, but what was typed is never repeated."""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from keytui.exits import EXIT_FAILED
from keytui.plain import plain
from keytui.streams import failed, write

_OPTION = re.compile(r"--[a-z][a-z-]*")
_VALUE = re.compile(r"(?<=invalid choice): .*(?= \()|(?<=ignored explicit argument) .*", re.DOTALL)
"""Where argparse's own sentences repeat what was typed."""
_HARMLESS = 7
"""Characters; nothing so short is a secret, and much of it is a word of keytui's own."""


class Reader(argparse.ArgumentParser):
    """Reads arguments, and repeats none: a word typed or pasted by mistake may be a secret."""

    _typed: Sequence[str] = ()

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the arguments; leaves with status 2 where some are unknown."""
        known, unknown = self.parse_known_args(args, namespace)
        if unknown:
            options = [word.partition("=")[0] for word in unknown]
            named = " ".join(word for word in options if _OPTION.fullmatch(word))
            what = named or f"{len(unknown)}, not repeated here: it may be a secret"
            self._leave(f"unrecognized arguments: {what}")
        return known

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the arguments known and the rest; remembers what must not be repeated."""
        self._typed = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say how it is used and what is wrong, without what was typed; leave with status 2."""
        message = _VALUE.sub("", message)
        for word in _texts(self._typed):
            if word not in self._own_words():
                message = re.sub(
                    rf"(?<![\w-]){re.escape(word)}(?![\w-])", "(not repeated)", message
                )
        self._leave(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Leave; with status 1 where what was asked for, such as the help, was not printed."""
        super().exit(EXIT_FAILED if not status and failed() else status, message)

    def _leave(self, message: str) -> NoReturn:
        super().error(plain(message))

    def _own_words(self) -> set[str]:
        """Return what keytui itself may say in a sentence on the arguments."""
        words = set(self._option_string_actions)
        for action in self._actions:
            words |= {str(choice) for choice in action.choices or ()}
        return words

    def _print_message(self, message: str, file: Any = None) -> None:
        write(message, file or sys.stderr)


def _texts(typed: Iterable[str]) -> list[str]:
    """Return the words typed and the values in them, the longest first."""
    texts: set[str] = set()
    for word in typed:
        texts |= {word, word.partition("=")[2]}
        if word.startswith("-"):
            texts |= {word.lstrip("-"), word[2:]}
    return sorted((one for one in texts if len(one) > _HARMLESS), key=len, reverse=True)
