"""A section of an AWS file given another access key, and its old lines again. Pure.

All else stays as it is to the byte.
"""

import re
from enum import StrEnum

from keytui.aws.files.ini import KEY_SETTINGS, Section, ended, sections, split_lines
from keytui.aws.files.uses import names, word

ID, SECRET, PROCESS = "aws_access_key_id", "aws_secret_access_key", "credential_process"
SOURCES = KEY_SETTINGS | {PROCESS}
"""The settings that are changed, and no others."""

_LINE = re.compile(r"(?P<before>[^=:]*[=:]\s*)(?P<value>.*?)(?P<after>\s*)", re.DOTALL)


class How(StrEnum):
    """How a profile is given the new key."""

    PROCESS = "process"
    """Its static key becomes a ``credential_process`` that takes the new one from the keyring."""
    REWRITE = "rewrite"
    """The new key and its secret take the old ones' place in the file."""
    NAME = "name"
    """Its ``credential_process`` names the new key."""


def wanted(
    settings: dict[str, str], how: How, old_id: str, new_id: str, command: str, secret: str
) -> dict[str, str]:
    """Return what a section's settings are to be with the new key."""
    new = dict(settings)
    if how is How.PROCESS:
        return {name: new[name] for name in new if name not in KEY_SETTINGS} | {PROCESS: command}
    if how is How.REWRITE:
        new |= {ID: new_id, SECRET: secret}
    if PROCESS in new:
        new[PROCESS] = word(old_id).sub(new_id, new[PROCESS])
    return new


def repointed(
    text: str, name: str, how: How, old_id: str, new_id: str, command: str, secret: str
) -> str:
    """Return a file's text with the new key in a section.

    Args:
        text: The file's text.
        name: The section's name in its header.
        how: What is done.
        old_id: The key that goes.
        new_id: The key that comes.
        command: The value of ``credential_process``; matters for ``How.PROCESS``.
        secret: The new secret; matters for ``How.REWRITE``.
    """
    lines, section = split_lines(text), _section(text, name)
    if how is How.PROCESS:
        first, *others = _source_lines(section, KEY_SETTINGS)
        line = lines[first]
        end = line[len(line.rstrip("\r\n")) :]
        lines[first] = f"{_indent(line)}{PROCESS} = {command}{end}"
        for index in others:
            lines[index] = ""
        return "".join(lines)
    values = {ID: new_id, SECRET: secret} if how is How.REWRITE else {}
    for setting in section.settings:
        if setting.name in values and (match := _LINE.fullmatch(lines[setting.lines[0]])):
            lines[setting.lines[0]] = match["before"] + values[setting.name] + match["after"]
        elif setting.name == PROCESS:
            for index in setting.lines:
                lines[index] = word(old_id).sub(new_id, lines[index])
    return "".join(lines)


def restored(text: str, backup: str, name: str) -> str:
    """Return a file's text with a section's key as a backup has it.

    Where nothing else of the section has changed since, it is as it was, to the byte.
    """
    lines, section = split_lines(text), _section(text, name)
    old_lines, old = split_lines(backup), _section(backup, name)
    start, stop = section.line, _stop(text, section, len(lines))
    old_span = range(old.line, _stop(backup, old, len(old_lines)))
    places, old_places = _source_lines(section, SOURCES), _source_lines(old, SOURCES)
    rest = [lines[index] for index in range(start, stop) if index not in places]
    if rest == [old_lines[index] for index in old_span if index not in old_places]:
        new = [old_lines[index] for index in old_span]
    else:
        indent = _indent(lines[places[0]])
        starts = {one.lines[0] for one in old.settings}
        keys = [
            ended(indent + (line.lstrip() if index in starts else line), text)
            for index in old_places
            for line in [old_lines[index]]
        ]
        after = [lines[index] for index in range(places[0], stop) if index not in places]
        new = [*lines[start : places[0]], *keys, *after]
    if stop < len(lines):
        new[-1] = ended(new[-1], text)
    return "".join([*lines[:start], *new, *lines[stop:]])


def has(settings: dict[str, str], key_id: str) -> bool:
    """Return whether a section's settings name a key."""
    return settings.get(ID) == key_id or names(settings.get(PROCESS, ""), key_id)


def sources(settings: dict[str, str]) -> dict[str, str]:
    """Return the settings that say where the key comes from."""
    return {name: value for name, value in settings.items() if name in SOURCES}


def _section(text: str, name: str) -> Section:
    return next(one for one in sections(text) if one.name == name)


def _stop(text: str, section: Section, end: int) -> int:
    """Return the index of the line after a section's last."""
    return min((one.line for one in sections(text) if one.line > section.line), default=end)


def _source_lines(section: Section, settings: frozenset[str]) -> list[int]:
    return sorted(i for one in section.settings if one.name in settings for i in one.lines)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
