"""A file of access keys in plain text on this machine: read, and cleared once they are kept."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from keytui.aws.files.atomic_file import read
from keytui.aws.files.ini import KEY_SETTINGS, FileKind
from keytui.aws.files.key_files import NOTHING_IMPORTED, Form, FoundKey, read_keys
from keytui.aws.files.profiles import AwsFiles, credentials_command, name_problem
from keytui.core.errors import StoreError
from keytui.core.gate import Gate
from keytui.core.model import Secret
from keytui.core.new_files import remove
from keytui.stores.csv_file import expand

Limits = Callable[[], Sequence[str]]


class FoundProfile:
    """Implements ``keys.importing.StaticProfile``."""

    def __init__(self, files: AwsFiles, path: Path, found: FoundKey, limits: Limits) -> None:
        self._files, self._path, self._key = files, path, (found.key_id, found.secret)
        self.name, self._kind, self.limits = found.profile, found.kind, limits
        # [default] is written alike in both files.
        if self.name == "default" and path == _real(files.config):
            self._kind = FileKind.CONFIG
        self.in_config = self._kind is FileKind.CONFIG
        own = files.config if self.in_config else files.credentials
        self.at_home = path == _real(own) and not name_problem(self.name)
        self.config = files.short(files.config)

    def obstacle(self) -> str:
        state = self._files.look(self.name)
        others = [
            line
            for line in (*state.aside, *state.static)
            if line.partition(" =")[0] not in KEY_SETTINGS
        ]
        if not others:
            return ""
        also = ", ".join(others)
        return f"the profile {self.name} also has {also}, and keytui can't tell which is meant."

    def use_keyring(self) -> None:
        command = credentials_command(self._key[0])
        self._files.write(self.name, command, drops=self._key if self.in_config else None)

    def drop_key(self) -> None:
        self._files.drop_key(self._path, self.name, self._kind, self._key)


class FoundFile:
    """Implements ``keys.importing.PlainFile``."""

    def __init__(
        self, file: str, section: str | None, files: AwsFiles, limits: Limits, gate: Gate
    ) -> None:
        """Read it.

        Args:
            file: The path as typed.
            section: The profile wanted of an AWS file; None for the only one.
            files: The user's AWS files.
            limits: Returns where a profile that uses the keyring will not work.
            gate: What changes pass.

        Raises:
            StoreError: It can't be read, or has no key that can be understood.
        """
        self.path, self._gate = _real(expand(file)), gate
        self._content = _content(self.path)
        content = self._content.reveal().encode(errors="surrogateescape")
        found = read_keys(content, str(self.path), section)
        self.keys, self.more = found.keys, found.more
        self.profile: FoundProfile | None = None
        if found.form is Form.PROFILES:
            self.profile = FoundProfile(files, self.path, found.keys[0], limits)

    def changed(self) -> bool:
        return not _content(self.path).matches(self._content)

    def delete(self) -> None:
        remove(self.path, self._gate)


def _content(path: Path) -> Secret:
    content = read(path, NOTHING_IMPORTED)
    if content is None:
        raise StoreError(f"There is no file {path}.", NOTHING_IMPORTED)
    return Secret(content.decode(errors="surrogateescape"))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
