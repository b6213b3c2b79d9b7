"""The arguments: what the user asked for, and texts with an access key ID in them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keytui.errors import UsageError
from keytui.key_ids import key_ids
from keytui.parser import COMMANDS, parser

OPTIONS = (
    "yes",
    "own_key",
    "json",
    "file",
    "section",
    "key_id",
    "unlock_keyring",
    "text",
    "findings",
    "store",
    "description",
    "show_secret",
    "to",
    "profiles",
    "roll_back",
    "csv",
    "markdown",
    "fail_on",
    "live",
    "report_only",
)
"""The options of single commands; the rest are settings."""

_WITH_VALUE = ("--profile", "--region", "--endpoint-url", "--demo-users", "--user")
"""The options before a command that a value follows."""
_LIKE_OPTION = re.compile(r"--?[a-z][a-z-]*")


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        command: The command; None for the screen.
        flags: The settings by name; None where one was not given.
        options: The command's own options by name; None where one was not given.
    """

    command: str | None
    flags: dict[str, Any]
    options: dict[str, Any]


def parse(argv: Sequence[str]) -> Request:
    """Read the arguments. A text with an access key ID in it is what ``find`` takes.

    Raises:
        UsageError: A word that is no command, or a text without an access key ID.
        SystemExit: As argparse does: after --help and --version, and for a wrong option.
    """
    words = _with_find(_as_texts(argv))
    flags = vars(parser(_wanted(words)).parse_args(words))
    command = flags.pop("command")
    options = {name: flags.pop(name, None) for name in OPTIONS}
    if command == "find":
        flags["key_ids"] = ids_in(options["text"])
        command = None
    return Request(command, flags, options)


def ids_in(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the access key IDs in some texts, each once.

    Raises:
        UsageError: There is none; or something begins like an ID and is none. The text is
            not repeated: what is pasted may hold a secret.
    """
    found = key_ids(" ".join(texts))
    if not found:
        raise UsageError(
            "No access key ID is in that text: it is AKIA and 16 more capital letters or digits."
        )
    for word in texts:
        if _begins_like_id(word) and not key_ids(word):
            raise UsageError(
                f"An access key ID is cut short or mistyped, beside {' and '.join(found)}.",
                "Nothing was changed.",
                "It is AKIA and 16 more capital letters or digits.",
            )
    return found


def _as_texts(argv: Sequence[str]) -> list[str]:
    """Let pasted lines that begin with a dash, as a diff's do, not look like options.

    Such a line has an ID, or stands with one and is like no option, not even a misspelt one.
    """
    among = any(key_ids(word) for word in argv)

    def is_line(word: str) -> bool:
        name = word.partition("=")[0]
        if key_ids(word):
            return name not in _WITH_VALUE
        return among and word != "--" and not _LIKE_OPTION.fullmatch(name)

    return [f" {word}" if word.startswith("-") and is_line(word) else word for word in argv]


def _with_find(argv: Sequence[str]) -> list[str]:
    """Put ``find`` in front of a text that no command stands before."""
    at = _first_word(argv)
    if at is None or argv[at] in COMMANDS:
        return list(argv)
    word, text = argv[at], argv[at:]
    meant = _meant(word)
    if not meant and (key_ids(" ".join(text)) or " " in word or _begins_like_id(word)):
        return [*argv[:at], "find", *text]
    title = "That is neither a command nor a text with an access key ID."
    if word.isalpha():  # Anything else may be a secret, pasted by mistake.
        title = f"There is no command {word}" + (f"; did you mean {meant}?" if meant else ".")
    raise UsageError(
        title,
        next_step="keytui --help names them all; keytui find TEXT looks for access key IDs in it.",
    )


def _wanted(words: Sequence[str]) -> Sequence[str]:
    """Return the commands that the parser has to know; all where its help is asked for."""
    at = _first_word(words)
    if {"-h", "--help"} & set(words[:at]):
        return COMMANDS
    return () if at is None else (words[at],)


def _first_word(argv: Sequence[str]) -> int | None:
    """Return where the first argument is that is neither an option nor an option's value."""
    value = False
    for index, argument in enumerate(argv):
        if value:
            value = False
        elif argument == "--" or not argument.startswith("-"):
            return index
        else:
            value = argument in _WITH_VALUE
    return None


def _meant(word: str) -> str:
    """Return the command that a word was meant to be; empty where it is like none."""
    if not word.isalpha():
        return ""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, COMMANDS, n=1, cutoff=0.75)), "")


def _begins_like_id(word: str) -> bool:
    return word.upper().startswith(("AKIA", "ASIA"))
