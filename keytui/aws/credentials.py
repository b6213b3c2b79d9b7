"""Where the SDK finds credentials, for keytui's ways: files, programs and roles.

The AWS config is read once for many profiles (300 of them take 0.06 s each time), programs have
an end, and roles ask for their codes where keytui asks.
"""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore.configloader import load_config, raw_config_parse
from botocore.credentials import (
    AssumeRoleProvider,
    ConfigProvider,
    CredentialProvider,
    CredentialResolver,
    ProcessProvider,
    ProfileProviderBuilder,
    SharedCredentialProvider,
    create_credential_resolver,
)
from botocore.session import Session

from keytui.aws.bounded_process import ApartProcess, BoundedProcess, QuietProcess
from keytui.aws.bounds import BoundedSession
from keytui.aws.mfa import RoleCredentials, RolePrompt
from keytui.aws.options import ConnectOptions
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
        return _kept(known, stamp, lambda: parse(path)) if stamp else parse(path)

    return read


def _kept(known: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    """Return what was made last, unless that was for another key."""
    found = known.get(key)
    if found is None:
        found = make()
        known.clear()
        known[key] = found
    return found


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
    session.know(_kept(_whole, stamps, lambda: session.full_config))


def find_credentials(session: BoundedSession, options: ConnectOptions) -> None:
    """Let a session find the profile's credentials; codes for its roles come from ``options.mfa``.

    With a code a role is assumed now; else credentials are looked for when they are needed.
    """
    profiles = session.full_config.get("profiles", {})
    name = session.get_config_variable("profile") or "default"
    if not any("mfa_serial" in profile for profile in _roles(profiles, name)):
        session.register_component("credential_provider", _providers(session, options))
        return
    prompt = RolePrompt(options.mfa, f"profile {name}")

    def load() -> Any:
        # The SDK's provider can be asked once; so each time there is a new one.
        providers = _providers(session, options)
        roles: Any = providers.get_provider(AssumeRoleProvider.METHOD)
        roles._prompter = prompt  # noqa: SLF001 - no other way
        roles.cache = options.mfa.roles.setdefault(name, {})
        return providers.load_credentials()

    found = load()
    if found is not None and found.method == AssumeRoleProvider.METHOD:
        found = RoleCredentials(found, load, prompt)
    session.sign_by(found)


def _roles(profiles: dict[str, dict[str, str]], name: str) -> Iterator[dict[str, str]]:
    """Yield the roles that a profile assumes, one by way of the other."""
    seen: set[str] = set()
    while name in profiles and name not in seen and "role_arn" in profiles[name]:
        seen.add(name)
        yield profiles[name]
        name = profiles[name].get("source_profile", "")


def _providers(session: BoundedSession, options: ConnectOptions) -> CredentialResolver:
    """Return where the session finds credentials; what that runs, also for a role, has an end."""
    process = ApartProcess if options.on_screen else BoundedProcess
    if options.quiet:
        process = QuietProcess
    providers = create_credential_resolver(session)
    roles: Any = providers.get_provider(AssumeRoleProvider.METHOD)
    builder = _Builder(session, cache=roles.cache)
    builder.process = process
    roles._profile_provider_builder = builder  # noqa: SLF001 - no other way
    for provider in providers.providers:
        _bound(provider, process)
    return providers


def _bound(provider: CredentialProvider, process: type[BoundedProcess]) -> None:
    inner: Any = provider  # The SDK has no other way to any of these.
    if isinstance(provider, ProcessProvider):
        inner._popen = process  # noqa: SLF001
    elif process is QuietProcess and isinstance(provider, ConfigProvider):
        inner._config_parser = _config  # noqa: SLF001
    elif process is QuietProcess and isinstance(provider, SharedCredentialProvider):
        inner._ini_parser = _credentials  # noqa: SLF001


class _Builder(ProfileProviderBuilder):
    process: type[BoundedProcess]

    def providers(self, profile_name: str, disable_env_vars: bool = False) -> list[Any]:
        found: list[Any] = super().providers(profile_name, disable_env_vars)
        for provider in found:
            _bound(provider, self.process)
        return found
