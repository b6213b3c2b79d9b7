"""The texts of AWS's files given another access key: the plan, the edit, the way back. Pure.

All else in them stays as it is to the byte.
"""

import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from keytui.aws.files.ini import (
    CREDENTIAL_SETTINGS,
    KEY_SETTINGS,
    TOKEN_SETTINGS,
    FileKind,
    KeyUse,
    Section,
    Sections,
    ended,
    key_uses,
    names,
    profile_of,
    sections,
    split_lines,
    word,
)
from keytui.core.text import plain
from keytui.keys.local_use import LocalUse, Place

ID, SECRET, PROCESS = "aws_access_key_id", "aws_secret_access_key", "credential_process"
SOURCES = KEY_SETTINGS | {PROCESS}
"""The settings that are changed, and no others."""

_LINE = re.compile(r"(?P<before>[^=:]*[=:]\s*)(?P<value>.*?)(?P<after>\s*)", re.DOTALL)

_FOREIGN = "It runs another program than keytui: see that it knows the new key."
_IN_FILE = "Its secret stays in the file: as a credential_process another setting would win."
_HIDDEN = "••••"


class How(StrEnum):
    """How a profile is given the new key."""

    PROCESS = "process"
    """Its static key becomes a ``credential_process`` that takes the new one from the keyring."""
    REWRITE = "rewrite"
    """The new key and its secret take the old ones' place in the file."""
    NAME = "name"
    """Its ``credential_process`` names the new key."""


@dataclass(frozen=True, slots=True)
class RepointChange:
    """A change of one profile, planned and not made yet.

    Attributes:
        use: The profile.
        path: The file it is in.
        section: The name in the section's header.
        how: What is done.
        old_id: The key that goes.
        new_id: The key that comes.
        command: The new ``credential_process``; empty where there will be none.
        diff: The change as lines to show, without any secret.
        note: What the user should know of it, a sentence; may be empty.
    """

    use: LocalUse
    path: Path
    section: str
    how: How
    old_id: str
    new_id: str
    command: str
    diff: tuple[str, ...]
    note: str = ""

    @property
    def runs_keytui(self) -> bool:
        """Whether the profile gets its key by running keytui."""
        return self.how is not How.REWRITE


@dataclass(frozen=True, slots=True)
class AwsText:
    """One of AWS's files.

    Attributes:
        path: The file.
        where: Its path as the user writes it.
        kind: How profiles are named in it.
        text: What is in it.
        sections: What the AWS SDK reads in it.
    """

    path: Path
    where: str
    kind: FileKind
    text: str
    sections: Sections


@dataclass(frozen=True, slots=True)
class RepointOptions:
    """What is to be done.

    Attributes:
        old_id: The key that goes.
        new_id: The key that comes.
        how: What to do with a static key: ``How.PROCESS`` or ``How.REWRITE``.
        in_keyring: Whether the keyring has the new secret; where it has not, profiles that run
            keytui stay as they are.
        command: Makes the command that prints a key from the keyring.
    """

    old_id: str
    new_id: str
    how: How
    in_keyring: bool
    command: Callable[[str], str]


def plan(files: Iterable[AwsText], options: RepointOptions) -> tuple[RepointChange, ...]:
    """Return a change for each section that uses the old key."""
    found = list(files)
    return tuple(
        change
        for file in found
        for use in key_uses(file.text, file.kind, options.old_id)
        for change in [_change(file, use, found, options)]
        if change
    )


def is_static(settings: dict[str, str], key_id: str) -> bool:
    """Return whether a section holds a key with its secret, and that is no temporary one."""
    return (
        settings.get(ID) == key_id
        and len(settings.get(SECRET, "").splitlines()) == 1
        and not any(settings.get(token) for token in TOKEN_SETTINGS)
    )


def _change(
    file: AwsText, use: KeyUse, files: list[AwsText], options: RepointOptions
) -> RepointChange | None:
    """Return a section's change; None where it is to stay."""
    own = {setting.name for setting in use.section.settings}
    # What the SDK lets it inherit is not its own to be changed.
    found = file.sections.get(use.section.name, {})
    settings = {name: value for name, value in found.items() if name in own}
    process = settings.get(PROCESS, "")
    ours = _runs_keytui(process)
    named = names(process, options.old_id)
    if named and "keytui" in process and not options.in_keyring:
        return None
    static = is_static(settings, options.old_id)
    if not (static or named):
        return None
    how, command = How.NAME, ""
    if static:
        rival = _has_rival(file, use, files, options.new_id)
        how = How.REWRITE if rival else options.how
        command = options.command(options.new_id) if how is How.PROCESS else ""
    note = _IN_FILE if static and how is not options.how else ""
    note = _FOREIGN if named and not ours else note
    held_in = Place.CONFIG if file.kind is FileKind.CONFIG else Place.CREDENTIALS
    local = LocalUse(held_in if static else Place.PROCESS, file.where, use.profile)
    diff = _diff(use.section.name, settings, how, options, command)
    ids = options.old_id, options.new_id
    return RepointChange(local, file.path, use.section.name, how, *ids, command, diff, note)


def _has_rival(file: AwsText, use: KeyUse, files: list[AwsText], new_id: str) -> bool:
    """Return whether something would win over a ``credential_process`` and not over a key.

    So does a role that names its own profile as its source: that works with a static key only.
    """
    for one in files:
        for name, settings in one.sections.items():
            if profile_of(name, one.kind) != use.profile:
                continue
            rivals = (settings.keys() & CREDENTIAL_SETTINGS) - KEY_SETTINGS - TOKEN_SETTINGS
            rivals -= {"aws_account_id"}
            if settings.get("source_profile", use.profile) != use.profile:
                rivals -= {"role_arn", "source_profile"}  # It wins over both.
            elsewhere = (one.path, name) != (file.path, use.section.name)
            if elsewhere and names(settings.get(PROCESS, ""), new_id):
                rivals -= {PROCESS}
            if rivals:
                return True
    return False


def _diff(
    section: str, settings: dict[str, str], how: How, options: RepointOptions, command: str
) -> tuple[str, ...]:
    lines = [f"  [{section}]"]
    if how is not How.NAME:
        lines += [f"- {ID} = {options.old_id}", f"- {SECRET} = {_HIDDEN}"]
    if how is How.REWRITE:
        lines += [f"+ {ID} = {options.new_id}", f"+ {SECRET} = {_HIDDEN}"]
    if how is How.PROCESS:
        lines += [f"+ {PROCESS} = {command}"]
    elif names(old := settings.get(PROCESS, ""), options.old_id):
        lines += [
            f"{sign} {PROCESS} = {_shown(old, options.old_id, key_id)}"
            for sign, key_id in (("-", options.old_id), ("+", options.new_id))
        ]
    return tuple(plain(line) for line in lines)


def _shown(command: str, old_id: str, key_id: str) -> str:
    """Return a command with a key's ID; of another program's only what can be no secret."""
    if _runs_keytui(command):
        return command.replace(old_id, key_id)
    return f"{command.split()[0]} … {key_id} …"


def _runs_keytui(command: str) -> bool:
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    started = Path(words[0]).name == "keytui" if words else False
    module = words[1:3] == ["-m", "keytui"] or words[1:4] == ["-P", "-m", "keytui"]
    return (started or module) and "credentials" in words


def settings_after(
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


def uses_key(settings: dict[str, str], key_id: str) -> bool:
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
