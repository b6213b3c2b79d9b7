"""The AWS config and credentials files as text: find and change single lines, keep the rest.

Pure. Lines are seen as the AWS SDK sees them, which is as ``configparser`` does: a name that
stands more than once, a value that goes on over indented lines, comments inside a value. What
is not asked for stays as it is to the byte: spacing, order, comments, line ends.
"""

import configparser
import re
import shlex
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NoReturn

from keytui.core.errors import StoreError

ASIDE = "# set aside by keytui: "
"""Before a line that would win over the new one; take it away and the line is back."""

KEY_SETTINGS = frozenset({"aws_access_key_id", "aws_secret_access_key"})
TOKEN_SETTINGS = frozenset({"aws_session_token", "aws_security_token"})
CREDENTIAL_SETTINGS = (
    KEY_SETTINGS
    | TOKEN_SETTINGS
    | frozenset(
        {
            "aws_account_id",
            "credential_process",
            "credential_source",
            "login_session",
            "role_arn",
            "source_profile",
            "sso_account_id",
            "sso_region",
            "sso_role_name",
            "sso_session",
            "sso_start_url",
            "web_identity_token_file",
        }
    )
)
"""Settings that say where a profile's credentials come from; the SDK takes one of them."""

_DEFAULT = "DEFAULT"
"""The SDK takes settings of a section of this name for settings of all others."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_HEADER = re.compile(r"\[(?P<name>.+)\]")
_SETTING = re.compile(r"(?P<name>.*?)\s*[=:]\s*(?P<value>.*)$")


class FileKind(Enum):
    """How profiles are named in a file."""

    CONFIG = "config"
    """``[default]``, ``[profile NAME]``."""
    CREDENTIALS = "credentials"
    """``[NAME]``."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with all its lines.

    Attributes:
        name: Its name in lower case.
        value: Its value; of one over several lines, the first.
        lines: The indexes of its lines.
    """

    name: str
    value: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A section.

    Attributes:
        name: What stands between the brackets.
        line: The index of its header.
        settings: Its settings in order.
    """

    name: str
    line: int
    settings: tuple[Setting, ...]

    def value(self, name: str) -> str | None:
        """Return a setting's value; of several, the last."""
        return next((s.value for s in reversed(self.settings) if s.name == name), None)


def split_lines(text: str) -> list[str]:
    """Return the lines with their ends, divided where the SDK divides them."""
    return _LINE.findall(text)


def sections(text: str) -> list[Section]:
    """Return the sections in the order in which they stand."""
    found: list[Section] = []
    indent = 0
    setting: Setting | None = None
    for index, line in enumerate(split_lines(text)):
        content = line.strip()
        if not content or content[0] in "#;":
            continue
        depth = _indent(line)
        if setting is not None and depth > indent:
            setting = Setting(setting.name, setting.value, (*setting.lines, index))
            found[-1] = _with_last(found[-1], setting)
            continue
        indent, setting = depth, None
        if header := _HEADER.match(content):
            found.append(Section(header["name"], index, ()))
        elif found and (match := _SETTING.match(content)) and match["name"]:
            setting = Setting(match["name"].rstrip().lower(), match["value"].strip(), (index,))
            last = found[-1]
            found[-1] = Section(last.name, last.line, (*last.settings, setting))
    return found


def profile_of(section: str, kind: FileKind) -> str | None:
    """Return the profile that a section is; None where it is none."""
    if kind is FileKind.CREDENTIALS or section == "default":
        return section
    if not section.startswith("profile"):
        return None
    try:
        parts = shlex.split(section)
    except ValueError:
        return None
    return parts[1] if len(parts) == 2 else None


def find(text: str, name: str, kind: FileKind) -> Section | None:
    """Return a profile's section; where several claim it, the last, which the SDK takes."""
    named = [one for one in sections(text) if profile_of(one.name, kind) == name]
    return named[-1] if named else None


def header(name: str) -> str:
    """Return the config file's header for a profile."""
    if name == "default":
        return "[default]"
    return f'[profile "{name}"]' if " " in name else f"[profile {name}]"


def set_process(text: str, name: str, command: str, *, drop_keys: bool = False) -> str:
    """Let a profile of a config file take its credentials from a command.

    A new profile stands at the end. In one that exists, other settings stay, and those that
    would win over the command or compete with it become comments.

    Args:
        text: The file.
        name: The profile.
        command: The value of ``credential_process``.
        drop_keys: Take static keys out of the profile rather than make comments of them.
    """
    if drop_keys:
        text = drop_settings(text, name, FileKind.CONFIG, KEY_SETTINGS, keep_header=True)
    line = f"credential_process = {command}"
    section = find(text, name, FileKind.CONFIG)
    if section is None:
        return _append(text, header(name), line)
    lines = split_lines(text)
    for setting in section.settings:
        if setting.name in CREDENTIAL_SETTINGS:
            for index in setting.lines:
                lines[index] = ASIDE + lines[index]
    lines[section.line] = ended(lines[section.line], text)
    lines.insert(section.line + 1, _next_indent(lines, section.line + 1) + line + _end_of(text))
    return "".join(lines)


def drop_settings(
    text: str,
    name: str,
    kind: FileKind,
    settings: frozenset[str],
    *,
    keep_header: bool = False,
) -> str:
    """Take settings out of a profile, in all sections that are this profile.

    A header with no setting left below it goes too, unless ``keep_header``.
    """
    lines = split_lines(text)
    for section in sections(text):
        if profile_of(section.name, kind) != name:
            continue
        going = [setting for setting in section.settings if setting.name in settings]
        for setting in going:
            for index in setting.lines:
                lines[index] = ""
        if going and len(going) == len(section.settings) and not keep_header:
            lines[section.line] = ""
    return "".join(lines)


def rename(text: str, name: str, kind: FileKind = FileKind.CREDENTIALS) -> tuple[str, str]:
    """Give a profile of a credentials file another name, ``NAME-set-aside`` or the next free.

    Returns:
        The text and the new name.
    """
    taken = {section.name for section in sections(text)}
    lines = split_lines(text)
    new = name
    for section in sections(text):
        if profile_of(section.name, kind) == name:
            new = _free(f"{name}-set-aside", taken)
            taken.add(new)
            before, _, after = lines[section.line].partition(f"[{section.name}]")
            lines[section.line] = f"{before}[{new}]{after}"
    return "".join(lines), new


def ended(line: str, text: str) -> str:
    """Return a line with an end, its own or that of the text's first line."""
    return line if line.endswith(("\r", "\n")) else line + _end_of(text)


def _with_last(section: Section, setting: Setting) -> Section:
    return Section(section.name, section.line, (*section.settings[:-1], setting))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _next_indent(lines: list[str], start: int) -> str:
    """Return the blanks before the next line that counts: deeper, it would go on our value."""
    for line in lines[start:]:
        content = line.strip()
        if content and content[0] not in "#;":
            return line[: _indent(line)]
    return ""


def _end_of(text: str) -> str:
    first = next(iter(split_lines(text)), "")
    return first[len(first.rstrip("\r\n")) :] or "\n"


def _append(text: str, *new: str) -> str:
    end = _end_of(text)
    lines = split_lines(text)
    if lines:
        lines[-1] = ended(lines[-1], text)
        if lines[-1].strip():
            lines.append(end)
    return "".join(lines) + "".join(line + end for line in new)


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


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
        StoreError: It reads nothing; names the line and never quotes it.
    """
    lines = split_lines(text)
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
                raise StoreError(
                    f"The AWS tools can't read {setting} in [{section}] of {path}.",
                    next_step="Mend that block first.",
                )
    return found


def _unreadable(path: Path, number: int, why: str) -> NoReturn:
    raise StoreError(
        f"The AWS tools can't read line {number} of {path}: {why}.",
        next_step="Mend that line first.",
    )


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A section that names an access key.

    Attributes:
        section: The section.
        profile: The profile that it is.
        static: Whether it holds the key.
        process: Whether its ``credential_process`` names the key.
    """

    section: Section
    profile: str
    static: bool
    process: bool


def names(text: str, key_id: str) -> bool:
    """Return whether a text names an access key, as a whole word."""
    return bool(word(key_id).search(text))


def word(key_id: str) -> re.Pattern[str]:
    """Return a pattern for an access key ID as a whole word."""
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(key_id)}(?![A-Za-z0-9])")


def key_uses(text: str, kind: FileKind, key_id: str) -> list[KeyUse]:
    """Return the sections that name an access key, in order.

    Seen leniently: a file that the AWS SDK refuses still tells what it names, and a section that
    another one of the same profile wins over counts too, as other SDKs merge them.
    """
    lines = split_lines(text)
    found = []
    for section in sections(text):
        profile = _DEFAULT if section.name == _DEFAULT else profile_of(section.name, kind)
        if profile is None:
            continue
        named = {s.name for s in section.settings if names(_whole(s, lines), key_id)}
        static, process = "aws_access_key_id" in named, "credential_process" in named
        if static or process:
            found.append(KeyUse(section, profile, static, process))
    return found


def _whole(setting: Setting, lines: list[str]) -> str:
    return "".join(lines[index] for index in setting.lines)
