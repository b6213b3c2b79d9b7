"""The AWS config, read once for many profiles: 300 of them take 0.06 s each time."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.configloader import load_config, raw_config_parse
from botocore.credentials import ConfigProvider, CredentialProvider, SharedCredentialProvider
from botocore.session import Session

from keytui.aws.bounds import BoundedSession
from keytui.core.errors import CredentialsError

_MOST_BYTES = 16_000_000
"""10,000 profiles take a tenth of it."""

_Parse = Callable[[str], Any]
_Stamp = tuple[str, int, int, int] | None


def _stamp(path: str) -> _Stamp:
    """Return what tells one state of a file from another; None where there is no file."""
    try:
        found = Path(path).expanduser().stat()
    except (OSError, RuntimeError):
        return None
    return (path, found.st_ino, found.st_size, found.st_mtime_ns)


def _once(parse: _Parse) -> _Parse:
    """Return what parses a file again only where it has changed."""
    known: dict[_Stamp, Any] = {}

    def read(path: str) -> Any:
        stamp = _stamp(path)
        if stamp is None:
            return parse(path)
        found = known.get(stamp)
        if found is None:
            found = parse(path)
            known.clear()
            known[stamp] = found
        return found

    return read


_config, _credentials = _once(load_config), _once(raw_config_parse)
_whole: dict[tuple[_Stamp, ...], Any] = {}


def check_files(session: Session) -> None:
    """See that the SDK can read the AWS config to an end.

    Raises:
        CredentialsError: A file is a pipe or a device, or is far too large. There may be none.
    """
    for name in ("config_file", "credentials_file"):
        path = Path(session.get_config_variable(name)).expanduser()
        try:
            found, nothing = path.stat(), os.stat(os.devnull)  # noqa: PTH116 - a device, no path
        except (OSError, RuntimeError, ValueError):
            continue
        if os.path.samestat(found, nothing):
            continue
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise CredentialsError(
                f"{path} is not a regular file, so keytui does not read it.",
                "Nothing was changed.",
                "Set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE to regular files.",
            )
        if found.st_size > _MOST_BYTES:
            raise CredentialsError(
                f"{path} is larger than {_MOST_BYTES // 1_000_000} MB, so keytui does not read it.",
                "Nothing was changed.",
                "An AWS config is a text file of some kB: check what wrote to it.",
            )


def share_config(session: BoundedSession) -> None:
    """Let a session use the config as another one has read it, unless it has changed since."""
    names = ("config_file", "credentials_file")
    stamps = tuple(_stamp(session.get_config_variable(name)) for name in names)
    found = _whole.get(stamps)
    if found is None:
        found = session.full_config
        _whole.clear()
        _whole[stamps] = found
    session.know(found)


def share_files(provider: CredentialProvider) -> None:
    """Let a provider of credentials use the files as another one has read them."""
    known: Any = provider
    if isinstance(provider, ConfigProvider):
        known._config_parser = _config  # noqa: SLF001 - no other way
    elif isinstance(provider, SharedCredentialProvider):
        known._ini_parser = _credentials  # noqa: SLF001
