"""A real sshd of the tests' own, on a loopback port, as whoever runs the tests.

``sshd(env)`` starts one with its own folder, host key and client key. A login gets the
environment it is given here and nothing else of the tests': no D-Bus, no AWS, no keyring.
"""

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE = 20.0
"""Seconds to wait for the server before a test fails; nothing takes that long."""

_SBIN = ("/usr/sbin", "/sbin", "/usr/local/sbin")
_MARK = "KEYTUI_TEST_SSHD"
"""In the environment of every login: how its processes are found, also those that detached."""

_TRIES = 5
"""How often a free port is looked for: another program may take it first."""

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
LogLevel VERBOSE
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
UseDNS no
X11Forwarding no
AllowAgentForwarding no
"""


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running sshd.

    Attributes:
        folder: Its keys, its configuration and ``log``, what it says.
        port: Where it listens on 127.0.0.1.
        pid: Its process.
    """

    folder: Path
    port: int
    pid: int

    def ssh(
        self, *remote: str | Path, tty: bool = True, port: int | None = None, options: str = ""
    ) -> list[str]:
        """Return the command line of a client that logs in.

        Args:
            remote: The words of the command to run, each as it is; none for a login shell.
            tty: Whether the login gets a terminal.
            port: Another port, where something of the test's stands in between.
            options: Further flags of the client, such as ``-C``.
        """
        settings = {
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.folder / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null",
            "HostKeyAlias": "keytui-test",
            "LogLevel": "ERROR",
            "EscapeChar": "none",
        }
        words = ["ssh", "-F", "/dev/null", "-i", str(self.folder / "client_key")]
        words += [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        words += ["-tt"] if tty else ["-T"]
        words += [*shlex.split(options), "-p", str(port or self.port)]
        words.append(f"{getpass.getuser()}@127.0.0.1")
        return [*words, shlex.join(map(str, remote))] if remote else words

    def log(self) -> str:
        """Return what the server has said."""
        return (self.folder / "log").read_text()

    def processes(self) -> list[int]:
        """Return the processes of all logins, also those that have detached."""
        mark = f"{_MARK}={self.folder}".encode()
        below = _below(self.pid)
        return sorted(below | {pid for pid in _all_processes() if mark in _environment(pid)})

    def end_logins(self) -> None:
        """Kill every process of every login at once."""
        for pid in self.processes():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def sshd(env: Mapping[str, str]) -> Iterator[Sshd]:
    """Run an sshd while the block runs; its logins end with it.

    Args:
        env: What is set in every login, besides what sshd sets itself (``SSH_CONNECTION``,
            ``SSH_TTY``, ``TERM`` of the client, ``SHELL``, ``USER``). ``tests.support.terminal``
            has ``clean_env`` to begin with; ``TERM`` in it is left to the client.
    """
    program = _sshd_program()
    # Not in pytest's folder: a socket in it, such as tmux's, may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="keytui-sshd-") as name:
        folder = Path(name)
        for key in ("host_key", "client_key"):
            _make_key(folder / key)
        shutil.copy(folder / "client_key.pub", folder / "authorized_keys")
        _know_host(folder)
        process, port = _start(program, folder, env)
        server = Sshd(folder, port, process.pid)
        try:
            yield server
        finally:
            server.end_logins()  # first while their parents tell which they are
            process.terminate()
            process.wait(PATIENCE)
            server.end_logins()


def _sshd_program() -> str:
    for program, package in (("ssh", "openssh-client"), ("ssh-keygen", "openssh-client")):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is missing: apt-get install {package}")
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SBIN])
    found = shutil.which("sshd", path=path)
    if found is None:
        pytest.fail("sshd is missing: apt-get install openssh-server")
    return str(Path(found).resolve())


def _make_key(path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "keytui-test", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)


def _know_host(folder: Path) -> None:
    kind, key = (folder / "host_key.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"keytui-test {kind} {key}\n")


def _start(
    program: str, folder: Path, env: Mapping[str, str]
) -> tuple["subprocess.Popen[bytes]", int]:
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    log, config = folder / "log", folder / "sshd_config"
    for _ in range(_TRIES):
        port = _free_port()
        config.write_text(_CONFIG.format(folder=folder, port=port) + _set_env(folder, env))
        with log.open("wb") as out:
            process = subprocess.Popen(
                [program, "-D", "-e", "-f", str(config)],
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        if _listens(process, log):
            return process, port
    pytest.fail(f"sshd does not start:\n{log.read_text()}")


def _set_env(folder: Path, env: Mapping[str, str]) -> str:
    """Return the one SetEnv line: of several, sshd heeds the first alone."""
    wanted = {name: value for name, value in env.items() if name != "TERM"} | {_MARK: str(folder)}
    for name, value in wanted.items():
        if '"' in value or "\n" in value:
            pytest.fail(f"sshd can't set {name}: it holds a quotation mark or a line end")
    return "SetEnv " + " ".join(f'"{name}={value}"' for name, value in wanted.items()) + "\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(process: "subprocess.Popen[bytes]", log: Path) -> bool:
    """Wait until the server listens; False where it has ended instead."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None:
        # Asking the port itself would be a login that fails, for which new servers lock one out.
        if "Server listening on" in log.read_text():
            return True
        if time.monotonic() > deadline:
            process.kill()
        time.sleep(0.01)
    return False


def _all_processes() -> Sequence[int]:
    return [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]


def _environment(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""


def _below(pid: int) -> set[int]:
    """Return a process's children, their children, and so on."""
    found: set[int] = set()
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found |= {child} | _below(child)
    return found
