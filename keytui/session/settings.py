"""What the user asked for: flag > environment > config.toml > default.

AWS's own variables (AWS_PROFILE, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL and so on) are left to
the AWS SDK: where one is set, the config file's value for the same thing is passed over.
"""

import errno
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from keytui.core.errors import UsageError
from keytui.core.gate import Gate
from keytui.core.private_files import RefusedFileError, keytui_folder, read_trusted
from keytui.core.rules import Thresholds

DEMO_USERS = 12
KEYRINGS = ("os", "pass", "cryptfile")

_MOST_BYTES = 1_000_000
"""A config file takes a thousandth of it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run.

    Attributes:
        profile: The AWS profile; None for the SDK's own choice.
        region: The AWS region; it picks the partition only. None for the SDK's choice.
        endpoint_url: An endpoint for IAM and STS instead of AWS's; None for AWS.
        user: Open at this user's keys; None for the list.
        key_ids: Open at this access key; where there are several, one is chosen.
        broken_ids: How many more words of the text were meant as an access key ID.
        read_only: Refuse every change.
        demo: Work on a demo account of keytui's own.
        demo_users: How many users the demo account has.
        keyring: Which keyring: ``os``, or one asked for by name, ``pass`` or ``cryptfile``.
        keyring_by_variable: Whether ``KEYTUI_KEYRING`` says so and the config file does not.
        old_days: After how many whole days an active key counts as old.
        unused_days: After how many an unused one counts as unused.
        cache: Whether the users last seen are kept for the next start.
        state_folder: Where keytui's record is kept.
        cache_folder: Where the users last seen are kept.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    user: str | None = None
    key_ids: tuple[str, ...] = ()
    broken_ids: int = 0
    read_only: bool = False
    demo: bool = False
    demo_users: int = DEMO_USERS
    keyring: str = "os"
    keyring_by_variable: bool = False
    old_days: int = Thresholds().old_days
    unused_days: int = Thresholds().unused_days
    cache: bool = True
    state_folder: Path = Path()
    cache_folder: Path = Path()

    @property
    def limits(self) -> Thresholds:
        """After how many days a key counts as old or unused."""
        return Thresholds(self.old_days, self.unused_days)

    @property
    def gate(self) -> Gate:
        """What every change of this run passes."""
        return Gate(self.read_only)


def load(flags: Mapping[str, Any], env: Mapping[str, str], home: Path) -> Settings:
    """Join the sources of settings.

    Args:
        flags: The command line's values by name; None where a flag was not given.
        env: The environment.
        home: The user's home folder.

    Raises:
        UsageError: A value that can't be used, with the place it came from.
    """
    settings = Settings(
        state_folder=keytui_folder(env, "XDG_STATE_HOME", home / ".local/state"),
        cache_folder=keytui_folder(env, "XDG_CACHE_HOME", home / ".cache"),
    )
    settings = _from_file(settings, config_file(env, home), env)
    if text := env.get("KEYTUI_READ_ONLY", ""):
        settings = replace(settings, read_only=_truth("KEYTUI_READ_ONLY", text))
    if text := env.get("KEYTUI_KEYRING", ""):
        name = _keyring("KEYTUI_KEYRING", text)
        differs = name != settings.keyring
        settings = replace(settings, keyring=name, keyring_by_variable=differs)
    given = {name: value for name, value in flags.items() if value is not None}
    if "demo_users" in given:
        given["demo"] = True
    return replace(settings, **given)


def config_file(env: Mapping[str, str], home: Path) -> Path:
    """Return where the config file is, if there is one."""
    return keytui_folder(env, "XDG_CONFIG_HOME", home / ".config") / "config.toml"


def _truth(name: str, text: str) -> bool:
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise UsageError(f"{name} takes 1 or 0.", next_step=f"Set {name}=1 or unset it.")


def _keyring(where: str, name: str) -> str:
    if name in KEYRINGS:
        return name
    raise UsageError(
        f"{where} names no keyring that keytui knows.",
        next_step=f"It takes {', '.join(KEYRINGS[:-1])} or {KEYRINGS[-1]}.",
    )


_CONFIG_TYPES: dict[str, type] = {
    "profile": str,
    "region": str,
    "endpoint_url": str,
    "read_only": bool,
    "keyring": str,
    "old_days": int,
    "unused_days": int,
    "cache": bool,
}
_DAYS = range(1, 36_501)
"""A century is more than any key has, and what dates can be reckoned with."""
_TAKES = {
    str: "a text in quotes",
    bool: "true or false, without quotes",
    int: f"a whole number of days from {_DAYS[0]} to {_DAYS[-1]}, without quotes",
}

_SDK_VARIABLES = {
    "profile": ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"),
    "region": ("AWS_DEFAULT_REGION",),
    "endpoint_url": ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM"),
}


def _from_file(settings: Settings, path: Path, env: Mapping[str, str]) -> Settings:
    try:
        text = read_trusted(path, _MOST_BYTES).decode()
    except FileNotFoundError:
        return settings
    except RefusedFileError as error:
        verdict = "is not used" if error.errno == errno.EPERM else "can't be read"
        raise UsageError(
            f"The config file {path} {verdict}: {error.strerror}.", next_step=error.next_step
        ) from None
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"The config file {path} can't be read.", next_step="Make it readable, or remove it."
        ) from None
    import tomllib

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The config file {path} is not TOML: {error}.") from None
    except (ValueError, RecursionError):  # A number or a nesting that Python gives up on.
        raise UsageError(
            f"The config file {path} can't be read: it is far too long or too deep.",
            next_step="Mend it, or remove it.",
        ) from None
    for name, value in values.items():
        wanted = _CONFIG_TYPES.get(name)
        if wanted is None:
            names = ", ".join(_CONFIG_TYPES)
            raise UsageError(
                f"The config file {path} sets {name!r}, which keytui does not know.",
                next_step=f"It knows {names}.",
            )
        if type(value) is not wanted or (wanted is int and value not in _DAYS):
            raise UsageError(f"In the config file {path}, {name} takes {_TAKES[wanted]}.")
    if "keyring" in values:
        _keyring(f"In the config file {path}, keyring", values["keyring"])
    for name, variables in _SDK_VARIABLES.items():
        if any(env.get(variable) for variable in variables):
            values.pop(name, None)
    return replace(settings, **values)
