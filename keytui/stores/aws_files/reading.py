"""What the AWS SDK reads in a config or credentials file, and where it reads nothing. Pure."""

import configparser
import re
from pathlib import Path
from typing import NoReturn

from keytui.stores.aws_files import ini as aws_ini
from keytui.stores.private_file import FileProblem

Sections = dict[str, dict[str, str]]
"""A file's sections by the names in their headers, with their settings in lower case."""


def decoded(content: bytes) -> str:
    """Return a file's text; a byte that is not UTF-8 stays as a surrogate."""
    return content.decode(errors="surrogateescape")


def encoded(text: str) -> bytes:
    """Return a text's bytes, as they were before ``decoded``."""
    return text.encode(errors="surrogateescape")


def parsed(path: Path, text: str) -> Sections:
    """Return what the AWS SDK reads in a file.

    Raises:
        FileProblem: It reads nothing; names the line and never quotes it.
    """
    lines = aws_ini.split_lines(text)
    for number, line in enumerate(lines, 1):
        if not line.isascii() and re.search("[\udc80-\udcff]", line):
            _unreadable(path, number, "it is not UTF-8")
    if text.startswith("\ufeff"):
        _unreadable(path, 1, "it begins with a byte order mark")
    parser = configparser.RawConfigParser()
    number, what = 0, ""
    try:
        parser.read_string("".join(line.rstrip("\r\n") + "\n" for line in lines))
    except configparser.MissingSectionHeaderError as error:
        number, what = error.lineno, "it stands before any [profile]"
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        number, what = error.lineno or 0, "it says again what was said before"
    except configparser.ParsingError as error:
        number, what = error.errors[0][0], "it is no setting"
    if what:
        _unreadable(path, number, what)
    found = {name: dict(parser.items(name)) for name in parser.sections()}
    for section, settings in found.items():
        for setting, value in settings.items():
            block = value.splitlines() if value.startswith("\n") else []
            if any(line.strip() and "=" not in line for line in block):
                raise FileProblem(
                    f"The AWS tools can't read {setting} in [{section}] of {path}.",
                    "Mend that block first.",
                )
    return found


def _unreadable(path: Path, number: int, why: str) -> NoReturn:
    raise FileProblem(
        f"The AWS tools can't read line {number} of {path}: {why}.", "Mend that line first."
    )
