"""Credentials without a question: what a profile runs gets no terminal, no window, and an end."""

import atexit
import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

from botocore.credentials import (
    AssumeRoleProvider,
    CredentialResolver,
    ProcessProvider,
    ProfileProviderBuilder,
)

from keytui.aws.bounds import BoundedSession
from keytui.errors import CredentialsError

PROCESS_SECONDS = 8.0
"""How long a credential_process may take.

Less than ``fleet.PROFILE_SECONDS``, so that it is told what took so long.
"""
_WINDOWS = frozenset({"DISPLAY", "WAYLAND_DISPLAY"})
_running: set["QuietProcess"] = set()


def quieten(providers: CredentialResolver, session: BoundedSession) -> None:
    """Let a session's credential_process, and those of the profiles it builds on, ask nothing."""
    own: Any = providers.get_provider(ProcessProvider.METHOD)
    own._popen = QuietProcess  # noqa: SLF001 - no other way
    roles: Any = providers.get_provider(AssumeRoleProvider.METHOD)
    roles._profile_provider_builder = _QuietBuilder(session, cache=roles.cache)  # noqa: SLF001


class _QuietBuilder(ProfileProviderBuilder):
    _session: BoundedSession

    def _create_process_provider(self, profile_name: str) -> ProcessProvider:
        return ProcessProvider(
            profile_name, load_config=lambda: self._session.full_config, popen=QuietProcess
        )


class QuietProcess(subprocess.Popen[bytes]):
    """A program that can't ask: it has no input, no terminal and no display.

    It ends with keytui, and with its time.
    """

    def __init__(self, command: list[str], **pipes: Any) -> None:
        env = {name: value for name, value in os.environ.items() if name not in _WINDOWS}
        super().__init__(
            command, stdin=subprocess.DEVNULL, start_new_session=True, env=env, **pipes
        )
        _running.add(self)

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
        finally:
            _running.discard(self)
        self.end()
        raise CredentialsError(
            f"The profile's credential_process did not end within {PROCESS_SECONDS:.0f} s.",
            "It was stopped.",
            "Run it by hand to see what it waits for.",
        )

    def end(self) -> None:
        """Stop it with all that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        for pipe in (self.stdout, self.stderr):
            if pipe:
                pipe.close()


@atexit.register
def _end_all() -> None:
    for process in tuple(_running):
        process.end()
