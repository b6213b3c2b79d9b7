"""A made-up secret that is easy to search for, and places to search."""

import os
import traceback
from datetime import UTC, datetime
from pathlib import Path

from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, NewAccessKey, Secret, User

SENTINEL = "wJalr/SENTINEL+K7MDENGbPxRfiCYEXAMPLEKEY"
"""Shaped as AWS's secrets are, with the characters that need care."""

EXPOSED = "wJalr/EXPOSED+K7MDENGbPxRfiCYEXAMPLEKEY0"
"""Another, for a test that itself puts it into an environment or an argument: tests beside it
look for ``SENTINEL`` in all of this machine's.
"""

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
ACCOUNT = "123456789012"
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def new_key(user: str = "alice", key_id: str = KEY_ID, secret: str = SENTINEL) -> NewAccessKey:
    """Return a key as if AWS had just made it."""
    owner = ROOT_USER if user == ROOT_USER.name else User(user)
    return NewAccessKey(
        AccessKey(key_id, owner, KeyStatus.ACTIVE, CREATED), ACCOUNT, Secret(secret)
    )


def full_text(error: BaseException) -> str:
    """Return all that a crash reporter could print of an error: locals and causes included.

    Frames of test functions are left out, as a test may name its secret.
    """
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    chain: list[traceback.TracebackException | None] = [shown]
    while (link := chain[-1]) is not None:
        ours = [frame for frame in link.stack if not frame.name.startswith("test_")]
        link.stack = traceback.StackSummary.from_list(ours)
        chain.append(link.__cause__ or link.__context__)
    assert shown.stack, "no frame beside the test's in the traceback"
    return "\n".join([repr(error), str(error), repr(vars(error)), *shown.format()])


def processes_that_show(text: str) -> list[str]:
    """Return the /proc files of command lines and environments that hold a text."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue  # ended meanwhile, or another user's
            if text.encode() in content:
                found.append(f"{process.name}/{name}")
    return found


def files_that_hold(text: str, folder: Path) -> list[Path]:
    """Return the plain files under a folder that hold a text."""
    paths = (Path(root) / name for root, _, names in os.walk(folder) for name in names)
    return [
        path
        for path in paths
        if path.is_file() and not path.is_symlink() and text.encode() in path.read_bytes()
    ]
