"""A CSV file that ``aws configure import`` reads; for the root user, ``rootkey.csv``."""

import re
from pathlib import Path

from keytui.core.errors import NotStoredError, StoreError
from keytui.core.gate import Gate
from keytui.core.model import NewAccessKey, Secret, User
from keytui.core.new_files import check_free, create, prove_writable, read_secret, remove
from keytui.stores.base import Probe, Receipt

_LABEL = "CSV file"
_HEADER = "User Name,Access key ID,Secret access key"
_ROOT_ID = "AWSAccessKeyId="
_ROOT_SECRET = "AWSSecretKey="  # noqa: S105 - the name before the secret
_CANARY_SIZE = 512
"""Bytes; no file of keytui's is larger."""
_NOT_LOST = "Nothing was written. The secret is not lost: keytui still holds it."


def expand(text: str) -> Path:
    """Return the path that a user typed: ``~`` and ``~user`` resolved, absolute.

    An empty text gives ``Path()``, whose probe says that no file is named.
    """
    text = text.strip()
    if not text:
        return Path()
    try:
        return Path(text).expanduser().absolute()
    except (RuntimeError, OSError):
        # No such user, or no current folder: the probe says that the folder is missing.
        return Path(text)


def default_path(user: User, home: Path) -> Path:
    """Return a path for a user's CSV file that is free now.

    ``alice_accessKeys.csv`` in the home folder, then ``alice_accessKeys-2.csv`` and so on;
    ``rootkey.csv`` for the root user. Characters outside ``A-Za-z0-9._+=@-`` become ``_``,
    as does a dot or a dash in front.
    """
    safe = re.sub(r"[^\w.+=@-]|^[.-]", "_", user.name, flags=re.ASCII)
    stem = "rootkey" if user.is_root else f"{safe}_accessKeys"
    path, number = home / f"{stem}.csv", 1
    while _exists(path):
        number += 1
        path = home / f"{stem}-{number}.csv"
    return path


class CsvFile:
    """A ``SecretStore`` of one key in one new file.

    Mode 0600 from the first byte, made whole or not at all, never over or through anything
    that is there, read back. Columns are ``User Name,Access key ID,Secret access key`` with
    plain line feeds. ``aws configure import`` splits at every comma and knows no quotes, so
    in the file a comma in a user name becomes ``_`` (as does anything else outside the
    characters of IAM's names): ``Smith,John`` is imported as the profile ``Smith_John``.
    The root user's file has the console's old two lines, ``AWSAccessKeyId=…`` and
    ``AWSSecretKey=…``.
    """

    name = "csv"

    def __init__(self, path: Path, gate: Gate) -> None:
        """Take the path of the file, which need not exist, and what changes pass."""
        self._path = path
        self._gate = gate

    @property
    def locator(self) -> str:
        """How a later run finds the file again."""
        return f"{self.name}:{self._path}"

    def probe(self, *, canary: bool = True) -> Probe:
        """Say whether the file can be made; see ``SecretStore``."""
        try:
            check_free(self._path)
            if canary and not self._gate.read_only:
                prove_writable(self._path.parent, _CANARY_SIZE, self._gate)
        except StoreError as problem:
            return Probe(_LABEL, False, problem.title, problem.next_step)
        return Probe(_LABEL, writable=True)

    def put(self, new: NewAccessKey) -> Receipt:
        """Make the file and read it back; see ``SecretStore``.

        Raises:
            StoreError: The file was not made; nothing of it is left.
        """
        create(self._path, _content(new), self._gate, _NOT_LOST)
        return Receipt(store=self.name, where=str(self._path))

    def get(self, key_id: str) -> Secret:
        """Return the secret in the file.

        Raises:
            NotStoredError: There is no file, or it holds another key.
            StoreError: The file can't be read.
        """
        content = read_secret(self._path)
        secret = _find(content, key_id) if content else None
        if secret is None:
            raise NotStoredError(f"{self._path} holds no secret for {key_id}.")
        return secret

    def delete(self, key_id: str) -> None:
        """Remove the file if it holds this key.

        Raises:
            NotStoredError: There is no file, or it holds another key; it stays.
            StoreError: The file can't be read or removed.
        """
        self.get(key_id)
        remove(self._path, self._gate)


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:
        return False
    return True


def _content(new: NewAccessKey) -> Secret:
    """Return the file's text."""
    key = new.key
    if key.user.is_root:
        return Secret(f"{_ROOT_ID}{key.id}\n{_ROOT_SECRET}{new.secret.reveal()}\n")
    name = re.sub(r"[^\w.+=@-]", "_", key.user.name, flags=re.ASCII)
    return Secret(f"{_HEADER}\n{name},{key.id},{new.secret.reveal()}\n")


def _find(content: Secret, key_id: str) -> Secret | None:
    """Return the secret of a key from either form of the file."""
    lines = content.reveal().splitlines()
    if lines[:1] == [_ROOT_ID + key_id] and len(lines) > 1:
        return Secret(lines[1].removeprefix(_ROOT_SECRET))
    if lines[:1] == [_HEADER]:
        for cells in (line.split(",") for line in lines[1:]):
            if len(cells) > 2 and cells[1] == key_id:
                return Secret(cells[2])
    return None
