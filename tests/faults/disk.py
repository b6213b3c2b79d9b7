"""A small file system that can be filled up."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

PAGE = os.sysconf("SC_PAGE_SIZE")
"""A tmpfs gives room by the page: a file may grow to the end of its last one on a full disk."""

_FILLER = ".filler"
_CHUNK = b"\0" * PAGE
_SHELL = 'mount -t tmpfs -o "$0" tmpfs "$1" && echo ready && exec cat'


class SmallDisk:
    """A mounted file system; see ``small_disk``.

    Attributes:
        path: Its root; not the mount point where only a namespace of its own sees that.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, last: Path | None = None, leave: int = 0) -> None:
        """Use up all room.

        Args:
            last: A file on this disk that is padded with line ends, so that it can't grow in
                its last page either, as a file on a full disk of whole blocks could not.
                Keytui's record passes over empty lines.
            leave: Bytes of room to leave at the end of ``last``: a line is torn there.
        """
        if last and last.exists():
            _pad(last, leave)
        with (self.path / _FILLER).open("ab", buffering=0) as filler:
            try:
                while filler.write(_CHUNK):
                    pass
            except OSError:
                return  # No space left on device.

    def free(self) -> None:
        """Give the room back."""
        (self.path / _FILLER).unlink(missing_ok=True)

    def room(self) -> int:
        """Return the free bytes, in whole pages."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize


@contextmanager
def small_disk(path: Path, size_kb: int = 256, *, private: bool = False) -> Iterator[SmallDisk]:
    """Mount a small file system while the block runs; work on its ``path``.

    As root it is mounted at ``path``. Elsewhere a process of its own mounts it in a user
    namespace, and it is reached through that process's view.

    Args:
        path: The mount point, made where it is missing.
        size_kb: Its size; whole pages.
        private: Mount it in a namespace in any case.
    """
    path.mkdir(parents=True, exist_ok=True)
    options = f"size={size_kb}k,mode=700"
    refused = "" if private else _mount(path, options)
    with ExitStack() as stack:
        if private or refused:
            root = stack.enter_context(_namespace(path, options, refused))
        else:
            root = path
            # Lazily: what keytui left open may not keep a test from ending.
            stack.callback(_run, "umount", "--lazy", str(path))
        yield SmallDisk(root)


def _mount(path: Path, options: str) -> str:
    """Mount it for all to see; return why that was refused."""
    if os.geteuid() != 0:
        return "not root"
    done = _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path))
    return done.stderr.strip() if done.returncode else ""


@contextmanager
def _namespace(path: Path, options: str, refused: str) -> Iterator[Path]:
    """Mount it in a namespace that lasts as long as a process; yield the way in."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _SHELL]
    with subprocess.Popen(
        [*command, options, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stderr
        if holder.stdout.readline() != "ready\n":
            pytest.fail(
                "a full disk needs root with CAP_SYS_ADMIN, or unprivileged user namespaces: "
                f"{refused} {holder.stderr.read().strip()}"
            )
        try:
            yield Path(f"/proc/{holder.pid}/root") / path.absolute().relative_to("/")
        finally:
            holder.stdin.close()


def _pad(path: Path, leave: int) -> None:
    short = -path.stat().st_size % PAGE - leave
    if short > 0:
        with path.open("ab") as file:
            file.write(b"\n" * short)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
