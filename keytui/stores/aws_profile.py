"""AWS profiles that take their credentials from the keyring, in the user's own AWS files."""

import configparser
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from keytui.errors import StoreError
from keytui.stores import aws_ini
from keytui.stores.aws_ini import CREDENTIAL_SETTINGS, KEY_SETTINGS, FileKind
from keytui.stores.private_file import FileProblem
from keytui.stores.replaced_file import change, read

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
_Sections = dict[str, dict[str, str]]


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
        config: The config file.
        credentials: The shared credentials file.
    """

    def __init__(self, env: Mapping[str, str], home: Path) -> None:
        """Take the places from the environment, as the AWS SDK does."""
        self._env, self._home = env, home
        self.config = self._path("AWS_CONFIG_FILE", ".aws/config")
        self.credentials = self._path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")

    def look(self, name: str) -> ProfileState:
        """Say what there is under a profile's name.

        Raises:
            StoreError: A file can't be read, or the AWS SDK could not read it.
        """
        section = aws_ini.find(self._text(self.config), name, FileKind.CONFIG)
        settings = section.settings if section else ()
        return ProfileState(
            name,
            section is not None,
            tuple(_shown(s.name, s.value) for s in settings if s.name not in CREDENTIAL_SETTINGS),
            tuple(_shown(s.name, s.value) for s in settings if s.name in CREDENTIAL_SETTINGS),
            self._static(name),
            self._winning_variables(),
        )

    def write(self, name: str, command: str, *, drop_keys: bool = False) -> None:
        """Let a profile of the config file take its credentials from a command.

        Args:
            name: A name for which ``name_problem`` has nothing to say.
            command: The command, as ``credentials_command`` returns it.
            drop_keys: Take a static key out of the profile rather than set it aside.

        Raises:
            StoreError: Nothing was written.
        """

        def edit(text: str) -> str:
            new = aws_ini.set_process(text, name, command, drop_keys=drop_keys)
            if _profiles(self.config, new) != _expected(self.config, text, name, command):
                raise FileProblem(
                    f"keytui can't write {name} into {self.config} so that the AWS tools read it.",
                    "Write it by hand, or choose another name.",
                )
            return new

        self._change(self.config, edit)

    def set_aside(self, name: str) -> str:
        """Give the entry of that name in the credentials file another name; return that.

        Raises:
            StoreError: Nothing was changed.
        """
        given = [name]

        def edit(text: str) -> str:
            new, given[0] = aws_ini.rename(text, name)
            return new

        self._change(self.credentials, edit)
        return given[0]

    def drop_key(self, path: Path, name: str, kind: FileKind) -> None:
        """Take the static key out of a profile of a file.

        Raises:
            StoreError: Nothing was changed.
        """
        self._change(path, lambda text: aws_ini.drop_settings(text, name, kind, KEY_SETTINGS))

    def short(self, path: Path) -> str:
        """Return a path as a user writes it, with ``~`` for the home folder."""
        inside = path.is_relative_to(self._home)
        return f"~/{path.relative_to(self._home)}" if inside else str(path)

    def _path(self, variable: str, default: str) -> Path:
        text = self._env.get(variable, "")
        if not text:
            return self._home / default
        text = _VARIABLE.sub(lambda m: self._env.get(m[1] or m[2] or "", m[0]), text)
        if text == "~" or text.startswith("~/"):
            return self._home / text[2:]
        return Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 - Path raises on ~nobody

    def _static(self, name: str) -> tuple[str, ...]:
        # A folder, a device or a pipe holds no credentials: the SDK passes over it.
        if not self.credentials.is_file():
            return ()
        section = aws_ini.find(self._text(self.credentials), name, FileKind.CREDENTIALS)
        settings = section.settings if section else ()
        return tuple(_shown(s.name, s.value) for s in settings if s.name in CREDENTIAL_SETTINGS)

    def _winning_variables(self) -> tuple[str, ...]:
        if self._env.get("AWS_ACCESS_KEY_ID"):
            return ("AWS_ACCESS_KEY_ID",)
        web = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")
        return web if all(self._env.get(variable) for variable in web) else ()

    def _text(self, path: Path) -> str:
        try:
            text = _decoded(read(path) or b"")
            _parsed(path, text)
        except FileProblem as found:
            problem = found
        else:
            return text
        raise StoreError(problem.reason, NOTHING_WRITTEN, problem.next_step)

    def _change(self, path: Path, edit: Callable[[str], str]) -> None:
        def in_bytes(content: bytes) -> bytes:
            text = _decoded(content)
            _parsed(path, text)
            return edit(text).encode(errors="surrogateescape")

        try:
            change(path, in_bytes)
        except FileProblem as found:
            problem = found
        else:
            return
        raise StoreError(problem.reason, NOTHING_WRITTEN, problem.next_step)


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


def _decoded(content: bytes) -> str:
    return content.decode(errors="surrogateescape")


def _parsed(path: Path, text: str) -> _Sections:
    """Return what the AWS SDK reads in a file. Raises ``FileProblem`` where it reads nothing."""
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


def _profiles(path: Path, text: str) -> tuple[_Sections, _Sections]:
    """Return a config file's profiles, and its other sections."""
    profiles: _Sections = {}
    others: _Sections = {}
    for section, settings in _parsed(path, text).items():
        name = aws_ini.profile_of(section, FileKind.CONFIG)
        (others if name is None else profiles)[section if name is None else name] = settings
    return profiles, others


def _expected(path: Path, text: str, name: str, command: str) -> tuple[_Sections, _Sections]:
    profiles, others = _profiles(path, text)
    stays = {
        setting: value
        for setting, value in profiles.get(name, {}).items()
        if setting not in CREDENTIAL_SETTINGS
    }
    profiles[name] = stays | {"credential_process": command}
    return profiles, others
