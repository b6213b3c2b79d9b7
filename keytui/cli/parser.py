"""The command line's grammar: what a command declares, the options that several share."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from keytui import __version__
from keytui.cli.streams import failed, write
from keytui.core.text import plain
from keytui.session.settings import DEMO_USERS

if TYPE_CHECKING:
    from keytui.session.context import Context

EXIT_DONE = 0
"""Done, also where there was nothing to do."""
EXIT_FAILED = 1
"""AWS or a store refused, or not all is done."""
EXIT_USAGE = 2
"""It can't start."""
EXIT_OPEN = 3
"""Something was left undone because nobody agreed, or it stays open."""
EXIT_INTERRUPTED = 130
"""128 + SIGINT."""


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


STATUSES = (
    "Exit status: 0 done, also where there was nothing to do; 1 AWS or a store refused, or not "
    "all is done; 2 it can't start; 3 left undone, since a guard asked and nobody agreed, or "
    "still open; 128 + a signal that ended it."
)
FROM_INPUT = "- or none reads the text from standard input, so that it is in no process list"


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what it takes, what runs it, how it fails.

    Attributes:
        brief: What it does, in the list of commands.
        description: The same at length.
        arguments: Adds its arguments.
        run: Runs it and returns its exit status.
        takes_text: It takes ``text``, with access key IDs in it, from standard input too.
        refused: Read-only mode refuses it at once; others look and change nothing.
        names_endpoint: It says where it works, if that is not at AWS.
        failed: The exit status where AWS or a store refuses.
        unusable: The exit status where it can't start.
        unprinted: The exit status where its output is lost, of which nothing is left then.
    """

    brief: str
    description: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: "Callable[[Context, Request], int]"
    takes_text: bool = False
    refused: bool = False
    names_endpoint: bool = True
    failed: int = EXIT_FAILED
    unusable: int = EXIT_USAGE
    unprinted: int = EXIT_DONE


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        command: The command; None for the screen.
        flags: The settings by name; None where one was not given.
        options: The command's own options by name; None where one was not given.
        from_input: Whether the text came from standard input, which answers no questions then.
    """

    command: str | None
    flags: dict[str, Any]
    options: dict[str, Any]
    from_input: bool = False


def parser(wanted: Mapping[str, Command]) -> Reader:
    """Return what reads the arguments.

    Args:
        wanted: The commands to know. All of them take several milliseconds to describe,
            which the way to the first frame does not have.
    """
    reader = Reader(
        prog="keytui",
        usage="keytui [OPTIONS] [TEXT WITH AN ACCESS KEY ID | COMMAND ...]",
        description="Manage AWS IAM access keys: see, make inactive or active, create, delete. "
        "A new secret goes straight into the OS keyring. A text with an access key ID in it, "
        "such as a log line, opens the screen at that key; - reads the text from standard input.",
        epilog="AWS_PROFILE, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, HTTPS_PROXY and the rest are "
        f"honoured as by the AWS SDK. KEYTUI_READ_ONLY=1 is --read-only. {STATUSES}",
        allow_abbrev=False,
    )
    add_account_flags(reader)
    reader.add_argument("--user", metavar="NAME", help="open at this user's keys")
    add_unlock(reader)
    reader.add_argument("--version", action="version", version=f"keytui {__version__}")
    reader.set_defaults(command=None)
    if wanted:
        commands = reader.add_subparsers(
            dest="command", metavar="COMMAND", title="commands", prog="keytui"
        )
        for name, command in wanted.items():
            command.arguments(
                commands.add_parser(
                    name,
                    help=command.brief,
                    description=command.description,
                    argument_default=argparse.SUPPRESS,
                    allow_abbrev=False,
                )
            )
    return reader


def add_account_flags(reader: argparse.ArgumentParser) -> None:
    reader.add_argument("--profile", metavar="NAME", help="a profile of the AWS config")
    reader.add_argument("--region", metavar="NAME", help="the region; picks the partition")
    reader.add_argument("--endpoint-url", metavar="URL", help="ask IAM and STS here, not at AWS")
    add_read_only(reader)
    reader.add_argument(
        "--demo", action="store_const", const=True, help="a demo account that can't reach AWS"
    )
    reader.add_argument(
        "--demo-users",
        type=_number,
        metavar="N",
        help=f"how many users the demo account has (default {DEMO_USERS}); implies --demo",
    )


def add_read_only(reader: argparse.ArgumentParser) -> None:
    reader.add_argument("--read-only", action="store_const", const=True, help="refuse every change")


def add_unlock(reader: argparse.ArgumentParser) -> None:
    reader.add_argument(
        "--unlock-keyring",
        action="store_true",
        help="ask for the keyring's password first, and start one where there is none",
    )


def add_json(reader: argparse.ArgumentParser) -> None:
    reader.add_argument("--json", action="store_true", help="print JSON, and ask nothing")


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 50_000:
        raise argparse.ArgumentTypeError("takes a number from 1 to 50000")
    return int(text)


def store_name(text: str) -> str:
    if text == "keyring" or text.removeprefix("csv:") not in {"", text}:
        return text
    raise argparse.ArgumentTypeError("takes keyring, or csv: and a path")
