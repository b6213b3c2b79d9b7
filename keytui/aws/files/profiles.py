"""AWS profiles that take their credentials from the keyring, in the user's own AWS files."""

import errno
import os
import re
import shlex
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from keytui.aws.files import ini
from keytui.aws.files.atomic_file import change, read
from keytui.aws.files.ini import (
    CREDENTIAL_SETTINGS,
    KEY_SETTINGS,
    FileKind,
    Sections,
    decoded,
    encoded,
    key_uses,
    names,
    parsed,
)
from keytui.core.errors import StateError, StoreError
from keytui.core.gate import Gate
from keytui.core.model import Secret
from keytui.core.new_files import with_store_errors
from keytui.journal.history import place
from keytui.keys.local_use import LocalUse, Place
from keytui.stores.vault import Held

NOTHING_WRITTEN = "Nothing was written."

_HARMLESS = CREDENTIAL_SETTINGS - {
    "aws_secret_access_key",
    "aws_session_token",
    "aws_security_token",
    "credential_process",
    "login_session",
} | {"region", "output", "mfa_serial", "role_session_name", "duration_seconds", "external_id"}
"""Settings whose values may be shown."""
_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^}]*)\})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ProfileState:
    """What there is under a profile's name, without any secret.

    Attributes:
        name: The profile.
        exists: Whether it is in the config file.
        stays: Its settings that stay as they are, as lines to show.
        aside: Its settings that would become comments.
        static: Settings of that name in the credentials file that would win over it.
        environment: Variables that are set and win over ``AWS_PROFILE=NAME``.
    """

    name: str
    exists: bool = False
    stays: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


class AwsFiles:
    """The AWS config file and the shared credentials file. Methods block; any thread may call.

    Attributes:
        env: The environment.
        gate: What changes pass.
        config: The config file.
        credentials: The shared credentials file.
    """

    def __init__(self, env: Mapping[str, str], home: Path, gate: Gate) -> None:
        """Take the places from the environment, as the AWS SDK does."""
        self.env, self._home, self.gate = env, home, gate
        self.config = self._path("AWS_CONFIG_FILE", ".aws/config")
        self.credentials = self._path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")

    def look(self, name: str) -> ProfileState:
        """Say what there is under a profile's name.

        Raises:
            StoreError: A file can't be read, or the AWS SDK could not read it.
        """
        section = ini.find(self.text(self.config), name, FileKind.CONFIG)
        settings = section.settings if section else ()
        return ProfileState(
            name,
            section is not None,
            tuple(_shown(s.name, s.value) for s in settings if s.name not in CREDENTIAL_SETTINGS),
            tuple(_shown(s.name, s.value) for s in settings if s.name in CREDENTIAL_SETTINGS),
            self._static(name),
            self._winning_variables(),
        )

    def write(self, name: str, command: str, *, drops: tuple[str, Secret] | None = None) -> None:
        """Let a profile of the config file take its credentials from a command.

        Args:
            name: A name for which ``name_problem`` has nothing to say.
            command: The command, as ``credentials_command`` returns it.
            drops: The key ID and the secret of a static key to remove; None to set one aside.

        Raises:
            StoreError: Nothing was written; the profile may have another static key by now.
        """

        def edit(text: str) -> str:
            if drops:
                _require_key(self.config, text, name, FileKind.CONFIG, drops)
            new = ini.set_process(text, name, command, drop_keys=drops is not None)
            if _profiles(self.config, new) != _expected(self.config, text, name, command):
                raise StoreError(
                    f"keytui can't write {name} into {self.config} so that the AWS tools read it.",
                    next_step="Write it by hand, or choose another name.",
                )
            return new

        self.edit(self.config, edit)

    def set_aside(self, name: str) -> str:
        """Give the entry of that name in the credentials file another name; return that.

        Raises:
            StoreError: Nothing was changed.
        """
        given = [name]

        def edit(text: str) -> str:
            new, given[0] = ini.rename(text, name)
            return new

        self.edit(self.credentials, edit)
        return given[0]

    def drop_key(self, path: Path, name: str, kind: FileKind, key: tuple[str, Secret]) -> None:
        """Remove a static key, given by its ID and secret, from a profile of a file.

        Raises:
            StoreError: Nothing was changed; the profile may have another key by now.
        """

        def edit(text: str) -> str:
            _require_key(path, text, name, kind, key)
            return ini.drop_settings(text, name, kind, KEY_SETTINGS)

        self.edit(path, edit)

    def text(self, path: Path) -> str:
        """Return a file's text, empty where there is no file.

        Raises:
            StoreError: It can't be read, or the AWS SDK could not read it.
        """

        def readable() -> str:
            text = decoded(read(path) or b"")
            parsed(path, text)
            return text

        return with_store_errors(path, "read", readable, NOTHING_WRITTEN)

    def edit(self, path: Path, edit: Callable[[str], str]) -> None:
        """Replace a file's text by what ``edit`` makes of it; see ``atomic_file.change``.

        Args:
            path: One of the two files.
            edit: Is asked again where another program writes meanwhile; raises ``StoreError``
                where nothing is to be changed.

        Raises:
            StoreError: Nothing was changed.
        """

        def in_bytes(content: bytes) -> bytes:
            text = decoded(content)
            parsed(path, text)
            return encoded(edit(text))

        change(path, in_bytes, self.gate, NOTHING_WRITTEN)

    def short(self, path: Path) -> str:
        """Return a path as a user writes it, with ``~`` for the home folder."""
        inside = path.is_relative_to(self._home)
        return f"~/{path.relative_to(self._home)}" if inside else str(path)

    def _path(self, variable: str, default: str) -> Path:
        text = self.env.get(variable, "")
        if not text:
            return self._home / default
        text = _VARIABLE.sub(lambda m: self.env.get(m[1] or m[2] or "", m[0]), text)
        if text == "~" or text.startswith("~/"):
            return self._home / text[2:]
        return Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 - Path raises on ~nobody

    def _static(self, name: str) -> tuple[str, ...]:
        if not holds_profiles(self.credentials):
            return ()
        section = ini.find(self.text(self.credentials), name, FileKind.CREDENTIALS)
        settings = section.settings if section else ()
        return tuple(_shown(s.name, s.value) for s in settings if s.name in CREDENTIAL_SETTINGS)

    def _winning_variables(self) -> tuple[str, ...]:
        if self.env.get("AWS_ACCESS_KEY_ID"):
            return ("AWS_ACCESS_KEY_ID",)
        web = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")
        return web if all(self.env.get(variable) for variable in web) else ()


def holds_profiles(path: Path) -> bool:
    """Return whether a path is a plain file: the SDK passes over a folder, a device or a pipe."""
    return os.path.isfile(path)  # noqa: PTH113 - is_file raises where a folder is closed


def name_problem(name: str) -> str:
    """Return why a name can't be a profile's, one sentence; empty where it can."""
    if not name.strip():
        return "A profile needs a name."
    if name != name.strip():
        return "A profile's name has no blanks at its ends."
    if not name.isprintable():
        return "A profile's name holds no control characters."
    if any(char in "[]'\"\\#;" for char in name):
        return "A profile's name holds no brackets, quotes, backslashes, # or ;."
    return ""


def default_name(user: str) -> str:
    """Return a profile's name for a user's key."""
    return "root" if name_problem(user) or user.startswith("<") else user


def credentials_command(key_id: str, program: str = "", python: str = "") -> str:
    """Return the command that prints a key from the keyring, for ``credential_process``.

    Args:
        key_id: The access key ID.
        program: How keytui was started; empty for ``sys.argv[0]``.
        python: The interpreter, where that is no program by itself; empty for this one.
    """
    program = program or sys.argv[0]
    found = shutil.which(program) if Path(program).name == "keytui" else None
    # Symbolic links are not resolved: they outlive an upgrade. -P: no module of the folder
    # that aws is run in is taken for keytui.
    own = [os.path.abspath(found)] if found else [python or sys.executable, "-P", "-m", "keytui"]  # noqa: PTH100
    return shlex.join([*own, "credentials", key_id])


def _shown(name: str, value: str) -> str:
    """Return a setting as a line to show, without what may be secret."""
    if name in _HARMLESS:
        return f"{name} = {value}"
    if name == "credential_process":
        return f"{name} = {value.partition(' ')[0]} …"
    return f"{name} = …"


def _profiles(path: Path, text: str) -> tuple[Sections, Sections]:
    """Return a config file's profiles, and its other sections."""
    profiles: Sections = {}
    others: Sections = {}
    for section, settings in parsed(path, text).items():
        name = ini.profile_of(section, FileKind.CONFIG)
        (others if name is None else profiles)[section if name is None else name] = settings
    return profiles, others


def _expected(path: Path, text: str, name: str, command: str) -> tuple[Sections, Sections]:
    profiles, others = _profiles(path, text)
    stays = {
        setting: value
        for setting, value in profiles.get(name, {}).items()
        if setting not in CREDENTIAL_SETTINGS
    }
    profiles[name] = stays | {"credential_process": command}
    return profiles, others


_RECORD = "keytui's record of the keyring"
_NO_FILE = frozenset((errno.ENOENT, errno.ENOTDIR))


def uses_here(
    key_id: str, files: AwsFiles, held: Callable[[], Iterable[Held]]
) -> tuple[LocalUse, ...]:
    """Return what on this machine names an access key. Blocks; raises nothing.

    Args:
        key_id: The access key ID.
        files: AWS's files, and the environment.
        held: Tells what the keyrings hold; may raise ``StateError``.
    """
    uses = [
        *_in_file(key_id, files, files.credentials, FileKind.CREDENTIALS),
        *_in_file(key_id, files, files.config, FileKind.CONFIG),
        *(
            LocalUse(Place.ENVIRONMENT, variable)
            for variable, value in files.env.items()
            if value.strip() == key_id
        ),
        *_in_keyrings(key_id, held),
    ]
    return tuple(dict.fromkeys(uses))


def _in_file(key_id: str, files: AwsFiles, path: Path, kind: FileKind) -> list[LocalUse]:
    where = files.short(path)
    try:
        # A folder, a device or a pipe holds no profiles: the SDK passes over it.
        content = read(path) or b"" if stat.S_ISREG(os.stat(path).st_mode) else b""  # noqa: PTH116
    except OSError as error:
        return [] if error.errno in _NO_FILE else [LocalUse(Place.UNREADABLE, where)]
    except (StoreError, ValueError):
        return [LocalUse(Place.UNREADABLE, where)]
    # Of UTF-16, as an editor may have saved it, every second byte is a zero.
    text = decoded(content).replace("\0", "")
    held_in = Place.CONFIG if kind is FileKind.CONFIG else Place.CREDENTIALS
    uses = []
    for use in key_uses(text, kind, key_id):
        places = [held_in] * use.static + [Place.PROCESS] * use.process
        uses += [LocalUse(one, where, use.profile) for one in places]
    if not uses and names(text, key_id) and not _parses(path, decoded(content)):
        return [LocalUse(Place.UNREADABLE, where)]
    return uses


def _parses(path: Path, text: str) -> bool:
    try:
        parsed(path, text)
    except StoreError:
        return False
    return True


def _in_keyrings(key_id: str, held: Callable[[], Iterable[Held]]) -> list[LocalUse]:
    try:
        return [
            LocalUse(Place.KEYRING, place(one.locator)) for one in held() if one.key_id == key_id
        ]
    except StateError:
        return [LocalUse(Place.UNREADABLE, _RECORD)]


def _require_key(path: Path, text: str, name: str, kind: FileKind, key: tuple[str, Secret]) -> None:
    """Raise ``StoreError`` where a profile has another static key than this one."""
    key_id, secret = key
    wanted = {"aws_access_key_id": Secret(key_id), "aws_secret_access_key": secret}
    mine = (one for one in ini.sections(text) if ini.profile_of(one.name, kind) == name)
    for setting in (setting for section in mine for setting in section.settings):
        if setting.name in wanted and not wanted[setting.name].matches(Secret(setting.value)):
            raise StoreError(f"{path} was changed meanwhile and stays.", NOTHING_WRITTEN)
