"""Where this machine names an access key: AWS's files, the environment, the keyring.

It is asked in an incident too: nothing is raised, and what can't be read is told of.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from keytui.errors import StateError
from keytui.history import place
from keytui.stores.aws_files.ini import FileKind
from keytui.stores.aws_files.profile import AwsFiles
from keytui.stores.aws_files.reading import decoded, parsed
from keytui.stores.aws_files.replaced_file import read
from keytui.stores.aws_files.uses import key_uses, names
from keytui.stores.private_file import FileProblem
from keytui.uses import LocalUse, Place
from keytui.vault import Held

_RECORD = "keytui's record of the keyring"
_NO_FILE = frozenset((errno.ENOENT, errno.ENOTDIR))


def uses_here(
    key_id: str, files: AwsFiles, held: Callable[[], Iterable[Held]]
) -> tuple[LocalUse, ...]:
    """Return what on this machine names an access key. Blocks; raises nothing.

    Args:
        key_id: The access key ID.
        files: AWS's files, and the environment.
        held: Tells what the keyrings hold; may raise ``StateError``.
    """
    uses = [
        *_in_file(key_id, files, files.credentials, FileKind.CREDENTIALS),
        *_in_file(key_id, files, files.config, FileKind.CONFIG),
        *(
            LocalUse(Place.ENVIRONMENT, variable)
            for variable, value in files.env.items()
            if value.strip() == key_id
        ),
        *_in_keyrings(key_id, held),
    ]
    return tuple(dict.fromkeys(uses))


def _in_file(key_id: str, files: AwsFiles, path: Path, kind: FileKind) -> list[LocalUse]:
    where = files.short(path)
    try:
        # A folder, a device or a pipe holds no profiles: the SDK passes over it.
        content = read(path) or b"" if stat.S_ISREG(os.stat(path).st_mode) else b""  # noqa: PTH116
    except OSError as error:
        return [] if error.errno in _NO_FILE else [LocalUse(Place.UNREADABLE, where)]
    except (FileProblem, ValueError):
        return [LocalUse(Place.UNREADABLE, where)]
    # Of UTF-16, as an editor may have saved it, every second byte is a zero.
    text = decoded(content).replace("\0", "")
    held_in = Place.CONFIG if kind is FileKind.CONFIG else Place.CREDENTIALS
    uses = []
    for use in key_uses(text, kind, key_id):
        places = [held_in] * use.static + [Place.PROCESS] * use.process
        uses += [LocalUse(one, where, use.profile) for one in places]
    if not uses and names(text, key_id) and not _readable(path, decoded(content)):
        return [LocalUse(Place.UNREADABLE, where)]
    return uses


def _readable(path: Path, text: str) -> bool:
    try:
        parsed(path, text)
    except FileProblem:
        return False
    return True


def _in_keyrings(key_id: str, held: Callable[[], Iterable[Held]]) -> list[LocalUse]:
    try:
        return [
            LocalUse(Place.KEYRING, place(one.locator)) for one in held() if one.key_id == key_id
        ]
    except StateError:
        return [LocalUse(Place.UNREADABLE, _RECORD)]
