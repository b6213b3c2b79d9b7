"""Credentials without a question: what a profile runs gets no terminal.

Where many profiles are looked at it gets no window either, and an end.
"""

import atexit
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock
from typing import Any, ClassVar, cast

from botocore.credentials import (
    AssumeRoleProvider,
    CredentialResolver,
    ProcessProvider,
    ProfileProviderBuilder,
)

from keytui.aws.bounds import BoundedSession
from keytui.aws.config_files import share_files
from keytui.aws.options import ConnectOptions
from keytui.errors import CredentialsError

PROCESS_SECONDS = 8.0
"""How long a credential_process may take.

Less than ``fleet.PROFILE_SECONDS``, so that it is told what took so long.
"""
TURN_SECONDS = 1.0
"""How long one profile waits, at most, while another is set up."""
START_SECONDS = 0.5
"""How long the end waits, at most, for programs that are being started."""
_starting: set["ApartProcess"] = set()
_running: set["ApartProcess"] = set()
_leaving = Event()
_turn = Lock()


@contextmanager
def in_turn(options: ConnectOptions) -> Iterator[None]:
    """Set up one quiet profile after the other.

    That takes 0.1 s of work each: eight at the same time would leave a key press none.
    """
    got = options.quiet and _turn.acquire(timeout=TURN_SECONDS)
    try:
        yield
    finally:
        if got:
            _turn.release()


def set_apart(providers: CredentialResolver, session: BoundedSession, *, quiet: bool) -> None:
    """Keep the credential_process of a session, and of what it builds on, off the terminal.

    Args:
        providers: Where the session finds credentials.
        session: The session.
        quiet: Whether they may ask nothing, in no window either, and take ``PROCESS_SECONDS``.
    """
    roles: Any = providers.get_provider(AssumeRoleProvider.METHOD)
    builder = _Builder(session, cache=roles.cache)
    builder.quiet = quiet
    roles._profile_provider_builder = builder  # noqa: SLF001 - no other way
    for provider in providers.providers:
        _set_apart(provider, quiet=quiet)


def _set_apart(provider: Any, *, quiet: bool) -> None:
    if quiet:
        share_files(provider)
    if isinstance(provider, ProcessProvider):
        process = QuietProcess if quiet else ApartProcess
        cast("Any", provider)._popen = process  # noqa: SLF001 - no other way


class _Builder(ProfileProviderBuilder):
    quiet = False

    def providers(self, profile_name: str, disable_env_vars: bool = False) -> list[Any]:
        found: list[Any] = super().providers(profile_name, disable_env_vars)
        for provider in found:
            _set_apart(provider, quiet=self.quiet)
        return found


class ApartProcess(subprocess.Popen[bytes]):
    """A program that has no input and no terminal. It ends with keytui.

    It may open a window, such as a browser's to sign in, and wait for that.
    """

    hidden: ClassVar[frozenset[str]] = frozenset()
    """The variables of the environment that it does not get."""

    def __init__(self, command: list[str], **pipes: Any) -> None:
        env = {name: value for name, value in os.environ.items() if name not in self.hidden}
        _starting.add(self)
        try:
            if _leaving.is_set():
                raise CredentialsError("The profile was not asked: keytui ends.")
            super().__init__(
                command, stdin=subprocess.DEVNULL, start_new_session=True, env=env, **pipes
            )
            _running.add(self)
        finally:
            _starting.discard(self)

    def communicate(
        self,
        input: bytes | None = None,  # noqa: A002 - subprocess's name
        timeout: float | None = None,
    ) -> tuple[bytes, bytes]:
        """Return what it prints."""
        try:
            return super().communicate(input, timeout)
        finally:
            _running.discard(self)

    def end(self) -> None:
        """Stop it with all that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        for pipe in (self.stdout, self.stderr):
            if pipe:
                pipe.close()


class QuietProcess(ApartProcess):
    """A program that can't ask: it has no display either. It ends with its time, too."""

    hidden = frozenset({"DISPLAY", "WAYLAND_DISPLAY"})

    def communicate(
        self,
        input: bytes | None = None,  # noqa: A002 - subprocess's name
        timeout: float | None = None,
    ) -> tuple[bytes, bytes]:
        """Return what it prints. Raises ``CredentialsError`` where it does not end in time."""
        try:
            return super().communicate(input, timeout or PROCESS_SECONDS)
        except subprocess.TimeoutExpired:
            pass  # What it has printed so far may be a secret: it goes no further.
        self.end()
        raise CredentialsError(
            f"The profile's credential_process did not end within {PROCESS_SECONDS:.0f} s.",
            "It was stopped.",
            "Run it by hand to see what it waits for.",
        )


@atexit.register
def _end_all() -> None:
    """End what runs, and let nothing begin: daemon threads go on until the very end."""
    _leaving.set()
    late = time.monotonic() + START_SECONDS
    while _starting and time.monotonic() < late:
        time.sleep(0.005)
    for process in tuple(_running):
        process.end()
