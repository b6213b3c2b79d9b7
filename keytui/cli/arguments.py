"""The arguments: what the user asked for, and texts with an access key ID in them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from keytui.cli.commands import MODULES
from keytui.cli.commands import command as find_command
from keytui.cli.parser import Request, parser
from keytui.cli.streams import read_text
from keytui.core.errors import UsageError
from keytui.core.key_ids import IdsInText, key_ids, read_ids
from keytui.session.settings import Settings

_SETTINGS = frozenset(field.name for field in fields(Settings))
"""The options that are settings; the others are a command's own."""
_WITH_VALUE = ("--profile", "--region", "--endpoint-url", "--demo-users", "--user")
"""The options before a command that a value follows."""
WHAT_IS_ONE = "It is AKIA and 16 more capital letters or digits."
_INPUT = "-"
"""Stands for the text on standard input."""
_COMMAND_LENGTH = 12
"""Characters; a longer word is no misspelt command and may be a secret."""
_LIKE_OPTION = re.compile(r"--?[a-z][a-z-]*")
_DASHES = r"\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
"""What word processors, chats and web pages make of hyphens."""
_MISTYPED = re.compile(rf"(?:--|-?[{_DASHES}][-{_DASHES}]*)[A-Za-z][\w-]*(?:=.*)?", re.DOTALL)
"""Meant as an option: with other dashes than an option has, or with other letters."""


class _Options(dict[str, Any]):
    """A command's own options; one that was not given, or is another command's, is None."""

    def __missing__(self, name: str) -> None:
        return None


def parse(argv: Sequence[str], read: Callable[[], str] = read_text) -> Request:
    """Read the arguments. A text with an access key ID in it is what ``find`` takes.

    Args:
        argv: The arguments.
        read: Reads the text from standard input, where ``-`` or nothing stands for it.

    Raises:
        UsageError: A word that is no command, or a text without an access key ID.
        SystemExit: As argparse does: after --help and --version, and for a wrong option.
    """
    words = _with_find(_as_texts(argv))
    wanted = {name: find_command(name) for name in _wanted(words)}
    given = vars(parser(wanted).parse_args(words))
    command = given.pop("command")
    flags = {name: value for name, value in given.items() if name in _SETTINGS}
    options = _Options((name, given[name]) for name in given.keys() - flags.keys())
    takes_text = command is not None and wanted[command].takes_text
    from_input = takes_text and (options["text"] or [_INPUT]) == [_INPUT]
    if from_input:
        options["text"] = [read()]
    elif takes_text:
        _refuse_mistyped(options["text"])
    if command == "find":
        found = _looked_for(options["text"])
        flags["key_ids"], flags["broken_ids"] = found.ids, found.broken
        command = None
    return Request(command, flags, options, from_input)


def ids_in(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the access key IDs in some texts, each once, for a command that changes them all.

    Raises:
        UsageError: There is none; or something was meant as an ID and is none. The text is
            not repeated: what is pasted may hold a secret.
    """
    found = _looked_for(texts)
    if found.broken:
        raise UsageError(
            f"{found.problem} Complete: {' '.join(found.ids)}.",
            "Nothing was changed.",
            f"{WHAT_IS_ONE} Correct the text, or name only the complete ones.",
        )
    return found.ids


def _looked_for(texts: Sequence[str]) -> IdsInText:
    """Return the access key IDs in some texts. Raises ``UsageError`` where there is none."""
    found = read_ids(" ".join(texts))
    if not found.ids:
        raise UsageError(found.problem, "Nothing was changed.", WHAT_IS_ONE)
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


def _refuse_mistyped(texts: Sequence[str]) -> None:
    """Raise ``UsageError`` for an option that would pass as a text, and change nothing then."""
    if any(_MISTYPED.fullmatch(text.strip()) and not key_ids(text) for text in texts):
        raise UsageError(
            "An option is mistyped.",
            "Nothing was changed.",
            "Options begin with two plain hyphens and have small letters; --help names them. "
            "Put a pasted text in quotes.",
        )


def _with_find(argv: Sequence[str]) -> list[str]:
    """Put ``find`` in front of a text that no command stands before."""
    at = _first_word(argv)
    if at is None or argv[at] in MODULES:
        return list(argv)
    word, text = argv[at], argv[at:]
    meant = _meant(word)
    is_text = word == _INPUT or " " in word or read_ids(word).broken or key_ids(" ".join(text))
    if not meant and is_text:
        return [*argv[:at], "find", *text]
    title = "That is neither a command nor a text with an access key ID."
    if _like_command(word):  # Anything else may be a secret, pasted by mistake.
        title = f"There is no command {word}" + (f"; did you mean {meant}?" if meant else ".")
    raise UsageError(
        title,
        next_step="keytui --help names them all; keytui find TEXT looks for access key IDs in it.",
    )


def _wanted(words: Sequence[str]) -> Sequence[str]:
    """Return the commands that the parser has to know; all where its help is asked for."""
    at = _first_word(words)
    if {"-h", "--help"} & set(words[:at]):
        return tuple(MODULES)
    return () if at is None else (words[at],)


def _first_word(argv: Sequence[str]) -> int | None:
    """Return where the first argument is that is neither an option nor an option's value."""
    value = False
    for index, argument in enumerate(argv):
        if value:
            value = False
        elif argument in {"--", _INPUT} or not argument.startswith("-"):
            return index
        else:
            value = argument in _WITH_VALUE
    return None


def _meant(word: str) -> str:
    """Return the command that a word was meant to be; empty where it is like none."""
    if not _like_command(word):
        return ""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, MODULES, n=1, cutoff=0.75)), "")


def _like_command(word: str) -> bool:
    return word.isascii() and word.isalpha() and word.islower() and len(word) <= _COMMAND_LENGTH
