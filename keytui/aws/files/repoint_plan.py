"""Which local profiles are to be given another key, and how. Pure."""

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from keytui.aws.files.ini import (
    CREDENTIAL_SETTINGS,
    KEY_SETTINGS,
    TOKEN_SETTINGS,
    FileKind,
    Sections,
    profile_of,
)
from keytui.aws.files.repoint_edit import ID, PROCESS, SECRET, How
from keytui.aws.files.uses import KeyUse, key_uses, names
from keytui.core.text import plain
from keytui.keys.local_use import LocalUse, Place

_FOREIGN = "It runs another program than keytui: see that it knows the new key."
_IN_FILE = "Its secret stays in the file: as a credential_process another setting would win."
_HIDDEN = "••••"


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
class Wish:
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


def plan(files: Iterable[AwsText], wish: Wish) -> tuple[RepointChange, ...]:
    """Return a change for each section that uses the old key."""
    found = list(files)
    return tuple(
        change
        for file in found
        for use in key_uses(file.text, file.kind, wish.old_id)
        for change in [_change(file, use, found, wish)]
        if change
    )


def is_static(settings: dict[str, str], key_id: str) -> bool:
    """Return whether a section holds a key with its secret, and that is no temporary one."""
    return (
        settings.get(ID) == key_id
        and len(settings.get(SECRET, "").splitlines()) == 1
        and not any(settings.get(token) for token in TOKEN_SETTINGS)
    )


def _change(file: AwsText, use: KeyUse, files: list[AwsText], wish: Wish) -> RepointChange | None:
    """Return a section's change; None where it is to stay."""
    own = {setting.name for setting in use.section.settings}
    # What the SDK lets it inherit is not its own to be changed.
    found = file.sections.get(use.section.name, {})
    settings = {name: value for name, value in found.items() if name in own}
    process = settings.get(PROCESS, "")
    ours = _runs_keytui(process)
    named = names(process, wish.old_id)
    if named and "keytui" in process and not wish.in_keyring:
        return None
    static = is_static(settings, wish.old_id)
    if not (static or named):
        return None
    how, command = How.NAME, ""
    if static:
        rival = _has_rival(file, use, files, wish.new_id)
        how = How.REWRITE if rival else wish.how
        command = wish.command(wish.new_id) if how is How.PROCESS else ""
    note = _IN_FILE if static and how is not wish.how else ""
    note = _FOREIGN if named and not ours else note
    held_in = Place.CONFIG if file.kind is FileKind.CONFIG else Place.CREDENTIALS
    local = LocalUse(held_in if static else Place.PROCESS, file.where, use.profile)
    diff = _diff(use.section.name, settings, how, wish, command)
    ids = wish.old_id, wish.new_id
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
    section: str, settings: dict[str, str], how: How, wish: Wish, command: str
) -> tuple[str, ...]:
    lines = [f"  [{section}]"]
    if how is not How.NAME:
        lines += [f"- {ID} = {wish.old_id}", f"- {SECRET} = {_HIDDEN}"]
    if how is How.REWRITE:
        lines += [f"+ {ID} = {wish.new_id}", f"+ {SECRET} = {_HIDDEN}"]
    if how is How.PROCESS:
        lines += [f"+ {PROCESS} = {command}"]
    elif names(old := settings.get(PROCESS, ""), wish.old_id):
        lines += [
            f"{sign} {PROCESS} = {_shown(old, wish.old_id, key_id)}"
            for sign, key_id in (("-", wish.old_id), ("+", wish.new_id))
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
