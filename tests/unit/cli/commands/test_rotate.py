"""``keytui rotate``: how far it goes, what it asks for, and what it prints."""

import json
import sys
from pathlib import Path

import pytest

from keytui.aws.files.profiles import AwsFiles
from keytui.cli.arguments import parse
from keytui.cli.commands.rotate import rotate_key
from keytui.core.errors import KeytuiError, StoreError, UnknownKeyError
from keytui.core.model import Identity, KeyStatus, LastUsed, Secret
from keytui.journal.log import Event
from keytui.keys.local_use import LocalUse, Place
from keytui.session.settings import Settings
from keytui.stores.keyring import limits
from keytui.stores.keyring.session_bus import Bus, BusKind
from tests.support.app import ACTIVE_ID, BOB_ID, OWN_ID, Desk, an_account, parts_of
from tests.support.commands import run_command
from tests.support.fake_iam import ACCOUNT, START
from tests.support.gates import WRITABLE
from tests.support.sentinel import SENTINEL

Said = pytest.CaptureFixture[str]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """bob's key was used three hours ago, and a profile here has it."""
    desk = Desk(tmp_path, an_account())
    (tmp_path / ".aws").mkdir()
    secret = desk.iam.secrets[BOB_ID].reveal()
    (tmp_path / ".aws/credentials").write_text(
        f"[bob]\naws_access_key_id = {BOB_ID}\naws_secret_access_key = {secret}\n"
    )
    desk.aws_files = AwsFiles({}, tmp_path, WRITABLE)
    desk.who = lambda key_id, _: whose(desk, key_id)
    desk.iam.next_secret = SENTINEL
    return desk


def whose(desk: Desk, key_id: str) -> Identity:
    return Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/{desk.iam.owner_of(key_id).name}")


def rotate(desk: Desk, *options: str, key_id: str = BOB_ID) -> int:
    try:
        return run_command(desk, "rotate", key_id, *options)
    except KeytuiError as error:  # As the command line does.
        print(error, file=sys.stderr)
        return 1


def text(desk: Desk) -> str:
    return desk.aws_files.credentials.read_text()


def new_id(desk: Desk) -> str:
    return next(key_id for key_id in desk.held("bob") if key_id != BOB_ID)


def test_it_stops_where_both_keys_work(desk: Desk, capsys: Said) -> None:
    assert rotate(desk, "--profiles", "process") == 0

    new = new_id(desk)
    assert desk.held("bob") == {BOB_ID: KeyStatus.ACTIVE, new: KeyStatus.ACTIVE}
    assert f"credentials {new}" in text(desk)
    said = capsys.readouterr()
    assert "Rotation of bob: step 6 of 8, to come: watch the old key." in said.out
    assert SENTINEL not in said.out + said.err


def test_profiles_are_not_changed_unasked(desk: Desk, capsys: Said) -> None:
    before = text(desk)

    assert rotate(desk) == 3

    assert text(desk) == before
    assert "profile bob in ~/.aws/credentials" in capsys.readouterr().err


def test_guard_keeps_the_old_key_active_until_agreed(desk: Desk, capsys: Said) -> None:
    rotate(desk, "--profiles", "rewrite")

    assert rotate(desk, "--to", "inactive") == 3
    assert desk.held("bob")[BOB_ID] is KeyStatus.ACTIVE
    assert "used in the last 24 hours" in capsys.readouterr().err
    assert rotate(desk, "--to", "inactive", "--yes") == 0
    assert desk.held("bob")[BOB_ID] is KeyStatus.INACTIVE


def test_old_key_is_deleted_only_in_a_run_after_deactivation(desk: Desk, capsys: Said) -> None:
    assert rotate(desk, "--to", "deleted", "--yes") == 3
    assert desk.held("bob")[BOB_ID] is KeyStatus.INACTIVE
    capsys.readouterr()

    assert rotate(desk, "--to", "deleted", "--yes", "--json") == 0

    said = json.loads(capsys.readouterr().out)
    (new,) = desk.held("bob")
    assert said["new_key_id"] == new
    assert (said["step"], said["result"], said["user"]) == (None, "done", "bob")
    assert not list(desk.aws_files.credentials.parent.glob("*.bak"))


def test_deleting_takes_a_word(desk: Desk) -> None:
    rotate(desk, "--profiles", "leave", "--to", "inactive", "--yes")

    assert rotate(desk, "--to", "deleted") == 3
    assert desk.held("bob")[BOB_ID] is KeyStatus.INACTIVE


def test_rolled_back(desk: Desk) -> None:
    before = text(desk)
    rotate(desk, "--profiles", "process", "--to", "inactive", "--yes")
    new = new_id(desk)

    assert rotate(desk, "--roll-back", key_id=new) == 3
    assert rotate(desk, "--roll-back", "--yes", key_id=new) == 0

    assert desk.held("bob") == {BOB_ID: KeyStatus.ACTIVE}
    assert text(desk) == before
    assert new not in desk.keyring.kept
    assert rotate(desk, "--roll-back", "--yes") == 1


def test_file_with_the_new_secret_is_named_after_a_rollback(
    desk: Desk, tmp_path: Path, capsys: Said
) -> None:
    file = tmp_path / "bob.csv"
    assert rotate(desk, "--profiles", "leave", "--store", f"csv:{file}") == 0

    rotate(desk, "--roll-back", "--yes")

    assert list(desk.held("bob")) == [BOB_ID]
    said = " ".join(capsys.readouterr().err.split())
    assert f"{file} still has the new key's secret. It is of no use any more" in said


def test_store_that_fails_leaves_no_key_behind(desk: Desk, capsys: Said) -> None:
    desk.keyring.fails_at_put = StoreError("The keyring is full.")

    assert rotate(desk) == 1

    assert desk.held("bob") == {BOB_ID: KeyStatus.ACTIVE}
    assert "The keyring is full." in capsys.readouterr().err
    desk.keyring.fails_at_put = None
    assert rotate(desk, "--to", "verified") == 0


def test_lost_reply_waits_for_recover(desk: Desk, capsys: Said) -> None:
    desk.iam.lose_reply = True

    assert rotate(desk) == 3

    assert "its secret did not arrive" in capsys.readouterr().err
    desk.iam.lose_reply = False
    assert rotate(desk) == 3, "a second key would be made"


def test_key_that_aws_does_not_accept_stays_unverified(desk: Desk, capsys: Said) -> None:
    def unknown(key_id: str, secret: Secret) -> Identity:
        raise UnknownKeyError("AWS does not accept the key.")

    desk.who = unknown
    assert rotate(desk) == 1
    assert "does not accept" in capsys.readouterr().err
    assert desk.held("bob")[BOB_ID] is KeyStatus.ACTIVE
    assert Event.VERIFIED not in {entry.event for entry in desk.journal.entries()}


def test_two_keys_leave_no_room(desk: Desk, capsys: Said) -> None:
    assert rotate(desk, key_id=ACTIVE_ID) == 1
    assert "alice has 2 access keys" in capsys.readouterr().err
    assert len(desk.held("alice")) == 2


def test_read_only_refuses(desk: Desk) -> None:
    assert rotate(desk, "--read-only") == 1
    assert desk.held("bob") == {BOB_ID: KeyStatus.ACTIVE}


def test_new_key_whose_rotation_has_ended_is_rotated_anew(desk: Desk) -> None:
    rotate(desk, "--profiles", "process", "--to", "inactive", "--yes")
    new = new_id(desk)
    assert rotate(desk, key_id=new) == 3, "it is in the middle of a rotation"
    desk.iam.remove_key(desk.iam.held(desk.iam.find("bob"))[0])

    assert rotate(desk, "--to", "verified", key_id=new) == 0
    assert len(desk.held("bob")) == 2


def test_deleting_the_old_key_ends_its_rotation(desk: Desk) -> None:
    rotate(desk, "--profiles", "process", "--to", "inactive", "--yes")

    assert run_command(desk, "delete", BOB_ID, "--yes") == 0

    assert not list(desk.aws_files.credentials.parent.glob("*.bak"))
    assert Event.ROTATED in {entry.event for entry in desk.journal.entries()}


def test_killed_before_the_end_was_written_down(desk: Desk, capsys: Said) -> None:
    rotate(desk, "--yes", "--profiles", "process", "--to", "inactive")
    new = new_id(desk)
    desk.iam.delete_key(
        next(key for key in desk.iam.held(desk.iam.find("bob")) if key.id == BOB_ID)
    )

    assert rotate(desk, "--to", "deleted", "--yes") == 0

    assert f"{BOB_ID} is deleted: its rotation has ended." in capsys.readouterr().out
    assert desk.held("bob") == {new: KeyStatus.ACTIVE}
    assert not list(desk.aws_files.credentials.parent.glob("*.bak"))


@pytest.mark.parametrize("denied", [True, False])
def test_yes_alone_deletes_no_new_key_that_is_in_use(
    desk: Desk, capsys: Said, denied: bool
) -> None:
    """Nor one whose use is unknown."""
    rotate(desk, "--profiles", "process", "--yes")
    desk.iam._uses[new_id(desk)] = LastUsed(START, "s3", "eu-west-1")
    desk.iam.deny = {"iam:GetAccessKeyLastUsed"} if denied else set()

    assert rotate(desk, "--roll-back", "--yes") == 3

    assert len(desk.held("bob")) == 2
    said = capsys.readouterr().err
    assert ("last used is unknown" if denied else "is in use by s3") in said


# What a later process can't read.


@pytest.fixture
def private_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--unlock-keyring`` has made a D-Bus session, or uses another keytui's."""
    private = Bus("unix:path=/x", BusKind.PRIVATE)
    monkeypatch.setattr(limits, "find_bus", lambda _: private)


@pytest.mark.usefixtures("private_bus")
def test_yes_alone_writes_no_profile_that_ends_with_this_run(desk: Desk, capsys: Said) -> None:
    before = text(desk)

    assert rotate(desk, "--yes", "--to", "inactive") == 3

    assert text(desk) == before
    assert desk.held("bob")[BOB_ID] is KeyStatus.ACTIVE
    said = " ".join(capsys.readouterr().err.split())
    assert "It works while this keytui runs" in said
    assert "--profiles process agrees to that" in said


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        (Settings(keyring="pass", keyring_by_variable=True), "KEYTUI_KEYRING=pass"),
        (Settings(keyring="cryptfile"), "KEYRING_CRYPTFILE_PASSWORD"),
        (Settings(), "PYTHON_KEYRING_BACKEND"),
    ],
)
def test_yes_alone_writes_no_profile_that_needs_a_variable(
    desk: Desk,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    variable: str,
) -> None:
    monkeypatch.delenv("KEYRING_CRYPTFILE_PASSWORD", raising=False)
    if variable == "PYTHON_KEYRING_BACKEND":
        monkeypatch.setenv(variable, "keyrings.other.Keyring")
    before, request = text(desk), parse(["rotate", BOB_ID, "--yes"])

    assert rotate_key(parts_of(desk, settings), request) == 3

    assert text(desk) == before
    assert variable in capsys.readouterr().err


@pytest.mark.usefixtures("private_bus")
@pytest.mark.parametrize("choice", ["process", "rewrite", "leave"])
def test_word_of_the_user_decides_about_limited_profiles(
    desk: Desk, capsys: Said, choice: str
) -> None:
    assert rotate(desk, "--yes", "--profiles", choice) == 0

    assert ("credentials" in text(desk)) == (choice == "process")
    assert ("It works while" in capsys.readouterr().err) == (choice == "process")


def test_profile_working_only_in_this_run_keeps_old_key_active(desk: Desk, capsys: Said) -> None:
    desk.gives_key = lambda _: False

    assert rotate(desk, "--yes", "--profiles", "process", "--to", "inactive") == 1

    assert set(desk.held("bob").values()) == {KeyStatus.ACTIVE}
    said = " ".join(capsys.readouterr().err.split())
    assert "[bob] in ~/.aws/credentials does not give the new key to a new process" in said
    assert "Nothing was changed; the old key is active." in said
    desk.gives_key = lambda _: True
    assert rotate(desk, "--yes", "--to", "inactive") == 0


def test_static_profiles_are_not_run(desk: Desk) -> None:
    desk.gives_key = lambda _: False

    assert rotate(desk, "--yes", "--profiles", "rewrite", "--to", "inactive") == 0


# The user's own shell.

SHELL = LocalUse(Place.ENVIRONMENT, "AWS_ACCESS_KEY_ID")
PROFILE = LocalUse(Place.CREDENTIALS, "~/.aws/credentials", "admin")


@pytest.mark.parametrize("key_id", [BOB_ID, OWN_ID])
def test_own_shell_is_not_cut_off_by_yes(desk: Desk, capsys: Said, key_id: str) -> None:
    """Whether the variables sign keytui's calls, or a profile does."""
    user = desk.iam.owner_of(key_id).name
    desk.uses[key_id] = (SHELL,)

    assert rotate(desk, "--yes", "--to", "inactive", key_id=key_id) == 3

    said = " ".join(capsys.readouterr().err.split())
    assert said.count(f"This shell has {key_id} in AWS_ACCESS_KEY_ID") == 2, "first, and last"
    assert "set the variables to the new key and its secret, or unset them" in said
    assert "--own-key agrees to be cut off" in said
    assert desk.held(user)[key_id] is KeyStatus.ACTIVE
    assert rotate(desk, "--yes", "--own-key", "--to", "inactive", key_id=key_id) == 0
    assert desk.held(user)[key_id] is KeyStatus.INACTIVE


def test_own_shell_is_named_where_nothing_is_cut_off_yet(desk: Desk, capsys: Said) -> None:
    desk.uses[BOB_ID] = (SHELL,)

    assert rotate(desk, "--yes", "--to", "verified") == 0

    assert f"This shell has {BOB_ID} in AWS_ACCESS_KEY_ID" in capsys.readouterr().err
