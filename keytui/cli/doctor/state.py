"""keytui's own files: where they are, for whom, and what is unfinished in them."""

import os
import shlex
import stat
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from keytui.cli.doctor.checks import Group, Probe, Row, Status, blank
from keytui.journal.creations import attempts
from keytui.journal.log import Journal
from keytui.session.context import Context
from keytui.session.settings import config_file

SECONDS = 2.0

_FOLDER = blank(Group.STATE, "folder", "State folder")
_JOURNAL = blank(Group.STATE, "journal", "Record")
_UNFINISHED = blank(Group.STATE, "unfinished", "Unfinished")
_CONFIG = blank(Group.STATE, "config", "config.toml")


def probes(ctx: Context, env: Mapping[str, str], home: Path) -> list[Probe]:
    """Return the looks at keytui's files."""
    journal, read_only = ctx.journal, ctx.settings.read_only
    return [
        Probe(
            "The state folder",
            (_FOLDER, _JOURNAL),
            SECONDS,
            lambda: _written(journal.path, read_only=read_only),
        ),
        Probe("keytui's record", (_UNFINISHED,), SECONDS, lambda: [_unfinished(journal)]),
        Probe("config.toml", (_CONFIG,), SECONDS, lambda: [_config(config_file(env, home))]),
    ]


def _written(journal: Path, *, read_only: bool) -> Iterable[Row]:
    folder = journal.parent
    yield _folder(folder)
    yield _journal(journal, read_only=read_only)


def _folder(folder: Path) -> Row:
    row = replace(_FOLDER, value=str(folder))
    try:
        status = folder.stat()
    except FileNotFoundError:
        return _folder_to_be(row, folder)
    mode = stat.S_IMODE(status.st_mode)
    text = f"{folder}, mode {mode:04o}."
    if status.st_uid != os.geteuid():
        advice = "It belongs to another user: set XDG_STATE_HOME to a folder of yours."
        return replace(row, status=Status.FAIL, text=text, advice=advice)
    if mode & 0o077:
        command = f"chmod 700 {shlex.quote(str(folder))}"
        advice = "Others can look into it."
        return replace(row, status=Status.WARN, text=text, advice=advice, command=command)
    return replace(row, status=Status.OK, text=text)


def _folder_to_be(row: Row, folder: Path) -> Row:
    above = next((part for part in folder.parents if part.exists()), Path("/"))
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return replace(row, status=Status.OK, text=f"{folder}, made when it is needed.")
    text = f"{folder} can't be made: {above} can't be written."
    advice = "Make it writable, or set XDG_STATE_HOME to another folder."
    return replace(row, status=Status.FAIL, text=text, advice=advice)


def _journal(path: Path, *, read_only: bool) -> Row:
    if not path.parent.exists():
        return replace(_JOURNAL, text="None yet.")
    if read_only:
        return replace(_JOURNAL, text=f"{path}; not tested in read-only mode.")
    if trouble := _unwritable(path):
        text = f"{path} can't be written: {trouble}."
        return replace(
            _JOURNAL,
            status=Status.FAIL,
            text=text,
            value=False,
            advice="No key is made without it.",
            command=_make_writable(path),
        )
    return replace(_JOURNAL, status=Status.OK, text=f"{path} can be written.", value=True)


def _unwritable(path: Path) -> str:
    """Return why the journal can't be written; empty where it can.

    A file beside it is written and removed, which tells of a full disk too; the journal
    itself stays as it is.
    """
    try:
        with suppress(FileNotFoundError):
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                return "it is not a plain file of yours"
            if not os.access(path, os.R_OK | os.W_OK):
                return "its mode forbids it"
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".doctor-") as file:
            file.write(b"keytui doctor\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or "unknown reason"
    return ""


def _make_writable(path: Path) -> str:
    """Return the command for the case that only modes are in the way."""
    for place in (path.parent, path):
        with suppress(OSError):
            own = place.stat().st_uid == os.geteuid()
            if own and not os.access(place, os.R_OK | os.W_OK):
                return f"chmod u+rwX {shlex.quote(str(place))}"
    return f"df -h {shlex.quote(str(path.parent))}"


def _unfinished(journal: Journal) -> Row:
    """Raises StateError where the journal can't be read."""
    count = sum(attempt.open for attempt in attempts(journal.entries()))
    if not count:
        return replace(_UNFINISHED, status=Status.OK, text="Nothing.", value=0)
    text = "A creation was cut short." if count == 1 else f"{count} creations were cut short."
    return replace(
        _UNFINISHED, status=Status.WARN, text=text, value=count, command="keytui recover"
    )


def _config(path: Path) -> Row:
    row = replace(_CONFIG, value=str(path))
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return replace(row, text=f"{path}, not there.")
    text = f"{path}, mode {mode:04o}."
    if mode & 0o022:
        command = f"chmod go-w {shlex.quote(str(path))}"
        advice = "Others can change it, and so where keytui asks."
        return replace(row, status=Status.WARN, text=text, advice=advice, command=command)
    return replace(row, status=Status.OK, text=text)
