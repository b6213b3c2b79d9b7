"""Runs a helper process and talks to it where no other process can listen.

A pipe of another process of the same user can be opened under ``/proc/PID/fd``, and what is
under way in it read. A socket can't. A helper of keytui's own first says that it is ready,
which is when its memory is closed to others; only then is it sent anything.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence

from keytui.core.model import Secret

_CHUNK = 65_536
_PRIVATE = 0o077
CRYPTFILE_SECRETS = ("KEYRING_CRYPTFILE_PASSWORD", "KEYRING_PROPERTY_KEYRING_KEY")
"""The variables of keyrings.cryptfile and of keyring that unlock an encrypted file."""
_AWS = "AWS_"


class HelperError(Exception):
    """A helper broke off, said too much or failed. Holds nothing of what was said."""


def without_secrets(env: Mapping[str, str], keep: Sequence[str] = ()) -> dict[str, str]:
    """Return an environment for a program that has no business with AWS.

    Args:
        env: The environment.
        keep: The variables that the program needs in any case.
    """
    return {
        name: value
        for name, value in env.items()
        if name in keep or not (name.startswith(_AWS) or name in CRYPTFILE_SECRETS)
    }


def talk(
    command: Sequence[str],
    request: Secret,
    *,
    env: Mapping[str, str],
    seconds: float,
    most_bytes: int,
    ready: bytes = b"",
    answers: bool = True,
    apart: bool = False,
) -> tuple[Secret, int]:
    """Run a program, send it a request and return what it answers and its exit status.

    Args:
        command: The command line; holds no secret.
        request: What the program reads on its standard input.
        env: The environment.
        seconds: How long the program may take in all.
        most_bytes: The longest answer that is taken.
        ready: What the program says before it may be sent the request.
        answers: Whether an answer is wanted; a program may go on in the background if not.
        apart: Whether the program gets a session of its own: no terminal to ask on, no Ctrl-C,
            and a process group that is killed as a whole.

    Raises:
        HelperError: The program can't be run, or did not keep to this.
        TimeoutError: It took too long, and was killed.
    """
    deadline = time.monotonic() + seconds
    ours, theirs = socket.socketpair()
    with ours:
        child = _start(command, theirs, env, answers=answers, apart=apart)
        line = _Line(ours, deadline)
        try:
            line.expect(ready)
            line.send(request)
            answer = line.receive(most_bytes) if answers else Secret("")
            return answer, child.wait(line.left())
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise TimeoutError from None
            raise HelperError(type(error).__name__) from None
        finally:
            _end(child, apart=apart)


def _start(
    command: Sequence[str],
    theirs: socket.socket,
    env: Mapping[str, str],
    *,
    answers: bool,
    apart: bool,
) -> subprocess.Popen[bytes]:
    with theirs:
        try:
            return subprocess.Popen(
                list(command),
                stdin=theirs.fileno(),
                stdout=theirs.fileno() if answers else subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=apart,
                umask=_PRIVATE,
                env=dict(env),
            )
        except (OSError, ValueError) as error:
            raise HelperError(type(error).__name__) from None


def _end(child: subprocess.Popen[bytes], *, apart: bool) -> None:
    """Kill what is left of the child, with its group where it has one; at once if it is over."""
    if child.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if apart:
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=1)


class _Line:
    """The socket to a helper, for as long as the helper may take."""

    def __init__(self, ours: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = ours, deadline

    def left(self) -> float:
        """Return the seconds left."""
        return max(0.0, self._deadline - time.monotonic())

    def expect(self, words: bytes) -> None:
        """Wait until the helper has said these words. Raises ``HelperError`` for others."""
        heard = b""
        while len(heard) < len(words):
            chunk = self._receive(len(words) - len(heard))
            heard += chunk
            if not chunk or not words.startswith(heard):
                raise HelperError("It is not ready")

    def send(self, request: Secret) -> None:
        """Send all, and that this is the end."""
        self._limit()
        # One that needs no input may have ended: its exit status says how it went.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(request.reveal().encode())
            self._socket.shutdown(socket.SHUT_WR)

    def receive(self, most_bytes: int) -> Secret:
        """Return what the helper says until it ends. Raises ``HelperError`` for too much."""
        heard = bytearray()
        while chunk := self._receive(_CHUNK):
            heard += chunk
            if len(heard) > most_bytes:
                raise HelperError("It says too much")
        return Secret(heard.decode(errors="replace"))

    def _receive(self, most: int) -> bytes:
        self._limit()
        try:
            return self._socket.recv(most)
        except ConnectionResetError:  # It ended without reading all.
            return b""

    def _limit(self) -> None:
        left = self.left()
        if not left:
            raise TimeoutError
        self._socket.settimeout(left)
