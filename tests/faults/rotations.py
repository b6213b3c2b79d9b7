"""A rotation with a fault in it, and what is left of it: the key of an AWS profile is replaced.

A run goes up to the step that deactivates the old key. However it ended, the profile names a
key that works, and the same command completes the rotation.
"""

import pytest

from tests.faults.outside import active_key_ids
from tests.faults.play import KEY_ID, Cell
from tests.faults.program import Finished, Program

PROFILE = """[work]
aws_access_key_id = {AccessKeyId}
aws_secret_access_key = {SecretAccessKey}
region = eu-west-1
"""


def rotating(cell: Cell) -> str:
    """Give the user a key that an AWS profile names; return its ID."""
    key = cell.account.iam.create_access_key(UserName=cell.user)["AccessKey"]
    folder = cell.home / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(PROFILE.format_map(key))
    cell.before = frozenset({key["AccessKeyId"]})
    return key["AccessKeyId"]


def words(cell: Cell) -> list[str]:
    """Return the command that replaces the user's key."""
    (old,) = cell.before
    return ["rotate", old, "--to", "inactive", "--yes"]


def rotate(cell: Cell, run: Program) -> None:
    """Set the rotation going in a terminal."""
    cell.asked += 1
    run.start(words(cell), cell.env)


def complete(cell: Cell, request: pytest.FixtureRequest, run: Program | None = None) -> None:
    """Start anew and count what was lost; then complete the rotation with the same command."""
    if cell.judge(request, run).status and cell.settle(request, certain=False).status:
        cell.recover_by_hand()
    cell.asked += 1
    done = _once_more(cell)
    assert done.status == 0, done
    cell.judge(request)
    (old,) = cell.before
    (new,) = cell.key_ids() - {old}
    assert active_key_ids(cell.account.iam, cell.user) == {new}
    named = [(cell.home / ".aws" / name) for name in ("credentials", "config")]
    assert set(KEY_ID.findall("".join(p.read_text() for p in named if p.is_file()))) == {new}


def _once_more(cell: Cell) -> Finished:
    return cell.source.run(words(cell), cell.env)
