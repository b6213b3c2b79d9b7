"""The keyrings for servers that are used only when asked for by name; child side.

``pass`` keeps each secret in a file encrypted by GnuPG (package keyring-pass). ``cryptfile``
keeps all of them in one file, encrypted by AES-GCM with a key that Argon2id makes from a
password (package keyrings.cryptfile).
"""

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any

from keytui.core.gate import Gate
from keytui.core.model import Secret
from keytui.core.private_files import MODE, NEW, lock, make_private, open_lock
from keytui.stores.helpers import HelperError, talk
from keytui.stores.keyring.codes import CRYPTFILE, PASS, Refusal, Trouble

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_PASS_SECONDS = 60.0
"""keytui ends the child long before."""
_MOST_BYTES = 1_000_000

CRYPTFILE_VARIABLE = "KEYRING_CRYPTFILE_PASSWORD"
"""keyrings.cryptfile's own: what unlocks the file where nobody can be asked."""


def open_named(kind: str, password: str, gate: Gate) -> "KeyringBackend":
    """Return the keyring of a name.

    Args:
        kind: ``pass`` or ``cryptfile``.
        password: What unlocks the encrypted file; empty where it was not asked for.
        gate: What changes pass: in read-only mode no file is made.

    Raises:
        Refusal: NO_PACKAGE, NO_PASS, NO_COLLECTION, LOCKED or WRONG_PASSWORD.
    """
    return _open_pass() if kind == "pass" else _open_cryptfile(password, gate)


def _open_pass() -> "KeyringBackend":
    try:
        import keyring_pass
    except ImportError:
        raise Refusal(Trouble.NO_PACKAGE, "pass") from None
    if not shutil.which("pass"):
        raise Refusal(Trouble.NO_PASS)
    store = Path(os.environ.get("PASSWORD_STORE_DIR") or Path.home() / ".password-store")
    if not (store / ".gpg-id").is_file():
        raise Refusal(Trouble.NO_COLLECTION, backend=PASS)
    keyring_pass.command = _run_pass
    backend: KeyringBackend = keyring_pass.PasswordStoreBackend()
    return backend


def _run_pass(command: Sequence[str], **options: Any) -> str:
    """Run ``pass`` as keyring_pass does, but by a socket: its pipes could be read by others.

    Raises:
        CalledProcessError: It failed; its words are dropped.
    """
    request = Secret(options.get("input", ""))
    try:
        answer, status = talk(
            command, request, env=os.environ, seconds=_PASS_SECONDS, most_bytes=_MOST_BYTES
        )
    except (HelperError, TimeoutError):
        answer, status = Secret(""), 2
    if status:
        raise CalledProcessError(status, list(command), "")
    return answer.reveal()


def _open_cryptfile(password: str, gate: Gate) -> "KeyringBackend":
    try:
        from keyrings.cryptfile.cryptfile import CryptFileKeyring
    except ImportError:
        raise Refusal(Trouble.NO_PACKAGE, "cryptfile") from None

    class WholeOrNotAtAll(CryptFileKeyring):  # type: ignore[misc] # an untyped library
        """Writes a copy and puts it in the file's place: a kill or a full disk loses nothing."""

        def _write_config_value(self, service: str, key: str, value: str) -> None:
            if gate.read_only:  # It makes the file where it finds none.
                raise Refusal(Trouble.NO_COLLECTION, backend=CRYPTFILE)
            with _rewritten(self):
                super()._write_config_value(service, key, value)

        def delete_password(self, service: str, username: str) -> None:
            with _rewritten(self):
                super().delete_password(service, username)

    backend: KeyringBackend = WholeOrNotAtAll()
    password = password or os.environ.get(CRYPTFILE_VARIABLE, "")
    if not password.strip():
        exists = Path(backend.file_path).exists()  # type: ignore[attr-defined]
        raise Refusal(Trouble.LOCKED if exists else Trouble.NO_COLLECTION, backend=CRYPTFILE)
    try:
        backend.keyring_key = password  # type: ignore[attr-defined]
    except ValueError:
        raise Refusal(Trouble.WRONG_PASSWORD, backend=CRYPTFILE) from None
    return backend


@contextmanager
def _rewritten(backend: "KeyringBackend") -> Iterator[None]:
    """Let a backend write into a copy of its file, then put that in the file's place."""
    named = Path(backend.file_path)  # type: ignore[attr-defined]
    path = named.resolve()
    make_private(path.parent)
    copy = path.with_name(f"{path.name}.new")
    turn = open_lock(path.with_name(f"{path.name}.lock"))
    try:
        lock(turn, math.inf)  # keytui ends this child long before.
        copy.unlink(missing_ok=True)
        _copy_privately(path, copy)
        backend.file_path = str(copy)  # type: ignore[attr-defined]
        yield
        _flush(copy)
        copy.replace(path)
        _flush(path.parent)
    finally:
        backend.file_path = str(named)  # type: ignore[attr-defined]
        with suppress(OSError):
            copy.unlink(missing_ok=True)
        os.close(turn)


def _copy_privately(path: Path, copy: Path) -> None:
    with os.fdopen(os.open(copy, NEW, MODE), "wb") as file, suppress(FileNotFoundError):
        file.write(path.read_bytes())


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
