"""Copies of an AWS file beside it, from before a rotation changed it: for their owner alone.

They hold secrets in plain text, as the file did; they are deleted with the old key.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from keytui.gate import Gate
from keytui.model import Secret
from keytui.stores.aws_files.reading import decoded, parsed
from keytui.stores.aws_files.replaced_file import read
from keytui.stores.aws_files.repoint_text import sources
from keytui.stores.private_file import FileProblem, create, remove

_MOST = 99


def paths(path: Path, stamp: str) -> Iterator[Path]:
    """Yield where the backups of a file are: one, and more where the file had new keys since."""
    yield path.with_name(f"{path.name}.keytui-{stamp}.bak")
    for number in range(2, _MOST):
        yield path.with_name(f"{path.name}.keytui-{stamp}-{number}.bak")


def existing(path: Path, stamp: str) -> Iterator[tuple[Path, str]]:
    """Yield the backups with their texts. Raises ``FileProblem``."""
    for backup in paths(path, stamp):
        content = read(backup)
        if content is None:
            return
        yield backup, decoded(content)


def keep(path: Path, stamp: str, text: str, section: str, gate: Gate) -> Path | None:
    """See that a backup holds a section's key as a file's text has it.

    Returns:
        The backup that was made for it; None where one held it already.

    Raises:
        FileProblem: None could be made; nothing is left of it.
    """
    now = sources(parsed(path, text)[section])
    for backup in paths(path, stamp):
        content = read(backup)
        if content is None:
            create(backup, Secret(text), gate)
            return backup
        if sources(parsed(backup, decoded(content)).get(section, {})) == now:
            return None
    raise FileProblem(f"There are too many backups of {path}.", "Delete those you do not need.")


def drop(
    path: Path, stamp: str, gate: Gate, needed: Callable[[str], bool] = lambda _: False
) -> None:
    """Delete the backups, but for those of which ``needed`` says so by their text.

    Raises:
        FileProblem: One is still there.
    """
    for backup, text in list(existing(path, stamp)):
        if not needed(text):
            remove(backup, gate)
