"""Local profiles given a new key, and back: in the files, and by what the AWS tools sign with."""

import json
import os
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from botocore.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st

from keytui.aws.files import atomic_file
from keytui.aws.files.ini import FileKind, key_uses
from keytui.aws.files.profiles import AwsFiles, credentials_command
from keytui.aws.files.repoint import How, LocalProfiles, RepointChange, Repointed
from keytui.core.errors import StoreError
from keytui.core.model import Secret
from keytui.keys.local_use import Place
from tests.support.aws_env import AwsHome
from tests.support.gates import WRITABLE
from tests.support.sentinel import KEY_ID, SENTINEL, files_that_hold, full_text

OLD, NEW, OTHER = KEY_ID, "AKIAI44QH8DHBEXAMPLE", "AKIAOTHER00000000000"
NEW_SECRET = Secret("new/SECRET+of40characters0000000000000000")
STAMP = "0f3a"
STATIC = f"aws_access_key_id = {OLD}\naws_secret_access_key = {SENTINEL}\n"
COMMAND = f"/opt/keytui credentials {NEW}"
LINE = f"credential_process = {COMMAND}\n"


@pytest.fixture
def files(tmp_path: Path) -> AwsFiles:
    (tmp_path / ".aws").mkdir()
    return AwsFiles({}, tmp_path, WRITABLE)


def profiles(files: AwsFiles, how: How = How.PROCESS, *, in_keyring: bool = True) -> LocalProfiles:
    return LocalProfiles(
        files,
        how,
        in_keyring=in_keyring,
        command=lambda key_id: f"/opt/keytui credentials {key_id}",
    )


def planned(files: AwsFiles, how: How = How.PROCESS, **more: bool) -> tuple[RepointChange, ...]:
    return profiles(files, how, **more).plan(OLD, NEW)


def rotate(files: AwsFiles, how: How = How.PROCESS) -> list[str]:
    """Make all changes; return what puts them back, the latest first."""
    local = profiles(files, how)
    records: list[str] = []
    for change in local.plan(OLD, NEW):
        records.insert(0, local.record(change, STAMP))
        local.repoint(change, NEW_SECRET, STAMP)
    return records


def backups(files: AwsFiles) -> list[str]:
    return sorted(path.name for path in files.config.parent.glob("*.bak"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# What is written.


def test_static_key_becomes_a_command(files: AwsFiles) -> None:
    before = f"# mine\n[default]\nregion = x\n{STATIC}output = json\n[other]\nregion = y\n"
    files.credentials.write_text(before)

    (change,) = planned(files)
    rotate(files)

    after = files.credentials.read_text()
    assert after == before.replace(STATIC, LINE)
    assert (change.use.place, change.use.profile) == (Place.CREDENTIALS, "default")
    assert change.diff == (
        "  [default]",
        f"- aws_access_key_id = {OLD}",
        "- aws_secret_access_key = ••••",
        f"+ credential_process = {COMMAND}",
    )


def test_static_key_is_rewritten(files: AwsFiles) -> None:
    files.config.write_text(f"[profile dev]\n{STATIC}region = x\n")

    (change,) = planned(files, How.REWRITE)
    rotate(files, How.REWRITE)

    assert files.config.read_text() == (
        f"[profile dev]\naws_access_key_id = {NEW}\n"
        f"aws_secret_access_key = {NEW_SECRET.reveal()}\nregion = x\n"
    )
    assert change.use.text == "profile dev in ~/.aws/config"
    assert change.diff[1:] == (
        f"- aws_access_key_id = {OLD}",
        "- aws_secret_access_key = ••••",
        f"+ aws_access_key_id = {NEW}",
        "+ aws_secret_access_key = ••••",
    )


@pytest.mark.parametrize("how", [How.PROCESS, How.REWRITE])
def test_command_is_only_given_the_new_id(how: How, files: AwsFiles) -> None:
    own = credentials_command(OLD)
    files.config.write_text(
        f"[profile a]\ncredential_process = {own}\n"
        f"[profile b]\ncredential_process = /bin/x -t {SENTINEL}\n"
        f"  # {OLD}\n  -k={OLD} {OLD}X\n"
    )

    a, b = planned(files, how)
    rotate(files, how)

    assert files.config.read_text() == (
        f"[profile a]\ncredential_process = {own.replace(OLD, NEW)}\n"
        f"[profile b]\ncredential_process = /bin/x -t {SENTINEL}\n"
        f"  # {OLD}\n  -k={NEW} {OLD}X\n"
    )
    assert a.diff[1:] == (
        f"- credential_process = {own}",
        f"+ credential_process = {own.replace(OLD, NEW)}",
    )
    assert b.diff[1:] == (
        f"- credential_process = /bin/x … {OLD} …",
        f"+ credential_process = /bin/x … {NEW} …",
    )
    assert (a.how, a.note, a.use.place) == (How.NAME, "", Place.PROCESS)
    assert "another program" in b.note


def test_without_the_keyring_keytuis_commands_stay(files: AwsFiles) -> None:
    files.config.write_text(f"[profile a]\ncredential_process = {credentials_command(OLD)}\n")
    assert planned(files, How.REWRITE, in_keyring=False) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"  AWS_ACCESS_KEY_ID:{OLD}  \r\n  aws_secret_access_key  :  s=:#;\r\n",
            f"  {LINE[:-1]}\r\n",
        ),
        (f"aws_secret_access_key=s\n# why\n\naws_access_key_id\t={OLD}", f"{LINE}# why\n\n"),
        (
            f"{STATIC}aws_session_token =\naws_account_id = 1\n",
            f"{LINE}aws_session_token =\naws_account_id = 1\n",
        ),
        (
            f" region = x\n s3 =\n   a = b\n {STATIC.replace(chr(10), chr(10) + ' ')}\n",
            f" region = x\n s3 =\n   a = b\n {LINE} \n",
        ),
    ],
)
def test_odd_lines_are_changed_and_come_back(before: str, after: str, files: AwsFiles) -> None:
    end = "\r\n" if "\r" in before else "\n"
    head = f"[default]{end}region = y{end}; c{end}[ my  dev ]{end}"
    files.credentials.write_bytes((head + before).encode())

    records = rotate(files)

    assert files.credentials.read_bytes().decode() == head + after
    assert profiles(files).put_back(records[0])
    assert files.credentials.read_bytes().decode() == head + before


def test_odd_values_are_rewritten_in_their_places(files: AwsFiles) -> None:
    files.credentials.write_bytes(
        f"[dev] # x\r\n  AWS_ACCESS_KEY_ID :{OLD} \r\nAws_Secret_Access_Key=\ts=s".encode()
    )
    rotate(files, How.REWRITE)
    assert files.credentials.read_bytes().decode() == (
        f"[dev] # x\r\n  AWS_ACCESS_KEY_ID :{NEW} \r\nAws_Secret_Access_Key=\t{NEW_SECRET.reveal()}"
    )


@pytest.mark.parametrize(
    "text",
    [
        f"[dev]\n{STATIC}aws_session_token = t\n",
        f"[dev]\naws_access_key_id = {OLD}\n",
        f"[dev]\n# {STATIC.replace(chr(10), chr(10) + '# ')}\n",
        f"[dev]\naws_access_key_id = {OTHER}\naws_secret_access_key = {SENTINEL}\n",
        f"[DEFAULT]\n{STATIC}[dev]\nregion = x\n",
        f"[DEFAULT]\naws_secret_access_key = s\n[dev]\naws_access_key_id = {OLD}\n",
        "",
    ],
)
def test_what_is_no_long_lived_key_of_that_id_stays(text: str, files: AwsFiles) -> None:
    files.credentials.write_text(text)
    assert planned(files) == ()


def test_malformed_file_is_reported_only_if_it_names_the_key(files: AwsFiles) -> None:
    files.config.write_text(f"[profile dev]\n{STATIC}")
    files.credentials.write_text("[dev]\n[dev]\n")
    assert len(planned(files)) == 1

    files.credentials.write_text(f"[dev]\n{STATIC}[dev]\n")
    with pytest.raises(StoreError) as caught:
        planned(files)
    assert "line 4" in caught.value.title
    assert SENTINEL not in full_text(caught.value)


def test_all_sections_of_a_profile_are_changed(files: AwsFiles) -> None:
    files.config.write_text(f"[profile dev]\n{STATIC}[profile 'dev']\n{STATIC}")
    assert [change.section for change in planned(files)] == ["profile dev", "profile 'dev'"]
    rotate(files)
    assert files.config.read_text() == f"[profile dev]\n{LINE}[profile 'dev']\n{LINE}"


@pytest.mark.parametrize(
    ("config", "how"),
    [
        ("[profile dev]\nregion = x\naws_account_id = 1\n", How.PROCESS),
        ("[profile dev]\nrole_arn = r\nsource_profile = other\n", How.PROCESS),
        (f"[profile dev]\ncredential_process = x {NEW}\n", How.PROCESS),
        ("[profile dev]\nrole_arn = r\nsource_profile = dev\n", How.REWRITE),
        ("[profile dev]\ncredential_process = x\n", How.REWRITE),
        ("[profile dev]\nsso_session = s\n", How.REWRITE),
        ("[profile dev]\nlogin_session = s\n", How.REWRITE),
        ("[profile other]\ncredential_process = x\n", How.PROCESS),
    ],
)
def test_key_stays_where_a_command_would_lose_to_another_setting(
    config: str, how: How, files: AwsFiles
) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    files.config.write_text(config)
    (change,) = planned(files)
    assert change.how is how
    assert bool(change.note) == (how is How.REWRITE)


def test_key_stays_beside_a_command_in_its_own_section(files: AwsFiles) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}{LINE}")
    (change,) = planned(files)
    assert change.how is How.REWRITE


# What the AWS tools make of it.


@pytest.fixture
def tool(aws_env: AwsHome, tmp_path: Path) -> str:
    """A stand-in for keytui: prints the key that its last argument names."""
    script = tmp_path / "my tools" / "keytui"
    script.parent.mkdir()
    script.write_text(
        "#!/bin/sh\n"
        """printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"x"}' "$2"\n"""
    )
    script.chmod(0o755)
    return f"'{script}' credentials"


def signer(profile: str) -> str:
    credentials = Session(profile=profile).get_credentials()
    assert credentials is not None
    return str(credentials.access_key)


@pytest.mark.parametrize("how", [How.PROCESS, How.REWRITE])
def test_tools_sign_with_the_new_key_and_then_the_old(
    how: How, tool: str, aws_env: AwsHome
) -> None:
    before = f"[default]\n{STATIC}[my dev]\n{STATIC}[both]\n{STATIC}"
    before += f"[other]\n{STATIC.replace(OLD, OTHER)}"
    aws_env.credentials.write_text(before)
    aws_env.config.write_text(
        f'[profile "in config"]\n{STATIC}[profile both]\n{STATIC}region = x\n'
        f"[profile process]\ncredential_process = {tool} {OLD}\n"
        f"[profile self]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = default\n"
    )
    config = aws_env.config.read_text()
    all_of_them = ["default", "my dev", "both", "in config", "process"]
    local = LocalProfiles(
        AwsFiles(os.environ, Path.home(), WRITABLE), how, command=lambda key_id: f"{tool} {key_id}"
    )
    assert [signer(name) for name in all_of_them] == [OLD] * 5

    records = []
    for change in local.plan(OLD, NEW):
        records.append(local.record(change, STAMP))
        local.repoint(change, NEW_SECRET, STAMP)

    assert [signer(name) for name in all_of_them] == [NEW] * 5
    assert signer("other") == OTHER
    assert "source_profile = default" in aws_env.config.read_text()
    assert local.plan(OLD, NEW) == ()

    assert all(local.put_back(record) for record in reversed(records))

    assert [signer(name) for name in all_of_them] == [OLD] * 5
    assert (aws_env.credentials.read_text(), aws_env.config.read_text()) == (before, config)
    assert not list(Path.home().glob("*.bak"))


def test_aws_cli_runs_the_command_in_the_credentials_file(
    aws: str, tool: str, aws_env: AwsHome
) -> None:
    aws_env.credentials.write_text(f"[my dev]\n{STATIC}")
    local = LocalProfiles(
        AwsFiles(os.environ, Path.home(), WRITABLE), command=lambda key_id: f"{tool} {key_id}"
    )
    (change,) = local.plan(OLD, NEW)

    local.repoint(change, NEW_SECRET, STAMP)

    line = [aws, "configure", "export-credentials", "--profile", "my dev"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["AccessKeyId"] == NEW


# The backup.


def test_backup_is_single_private_and_removed_with_the_old_key(files: AwsFiles) -> None:
    before = f"[a]\n{STATIC}[b]\n{STATIC}"
    files.credentials.write_text(before)
    files.credentials.chmod(0o644)

    record = rotate(files)[0]

    assert backups(files) == ["credentials.keytui-0f3a.bak"]
    backup = Repointed.from_text(record).backup
    assert (backup.read_text(), mode(backup), mode(files.credentials)) == (before, 0o600, 0o644)
    assert SENTINEL not in record

    profiles(files).drop_backup(record)
    profiles(files).drop_backup(record)
    assert files_that_hold(SENTINEL, files.config.parent) == []


def test_profile_that_came_later_has_a_backup_too(files: AwsFiles) -> None:
    files.credentials.write_text(f"[a]\n{STATIC}")
    first = rotate(files)
    with files.credentials.open("a") as file:
        file.write(f"[b]\n{STATIC}")

    second = rotate(files)

    names = ["credentials.keytui-0f3a-2.bak", "credentials.keytui-0f3a.bak"]
    assert backups(files) == names
    assert profiles(files).put_back(second[0])
    assert backups(files) == names[1:], "the one for the other profile is needed"
    assert profiles(files).put_back(first[0])
    assert files.credentials.read_text() == f"[a]\n{STATIC}[b]\n{STATIC}"
    assert backups(files) == []


def test_nothing_that_is_there_is_written_over(files: AwsFiles) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    (change,) = planned(files)
    there = Repointed.from_text(profiles(files).record(change, STAMP)).backup
    there.symlink_to("nowhere")

    with pytest.raises(StoreError, match="symbolic link"):
        profiles(files).repoint(change, NEW_SECRET, STAMP)

    assert files.credentials.read_text() == f"[dev]\n{STATIC}"
    assert [path.name for path in there.parent.iterdir()] == ["credentials", there.name]


def test_file_behind_a_link_has_its_backup_beside_the_link(files: AwsFiles, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    files.credentials.symlink_to(dotfiles / "credentials")
    files.credentials.write_text(f"[dev]\n{STATIC}")

    (record,) = rotate(files)

    assert files.credentials.is_symlink()
    assert (dotfiles / "credentials").read_text() == f"[dev]\n{LINE}"
    assert [path.name for path in dotfiles.iterdir()] == ["credentials"]
    assert profiles(files).put_back(record)
    assert (dotfiles / "credentials").read_text() == f"[dev]\n{STATIC}"


# What goes wrong.


@pytest.mark.parametrize("how", [How.PROCESS, How.REWRITE])
def test_file_that_can_not_be_written_stays(how: How, files: AwsFiles) -> None:
    before = f"[dev]\n{STATIC}"
    files.credentials.write_text(before)
    files.credentials.chmod(0o400)
    local = profiles(files, how)
    (change,) = local.plan(OLD, NEW)

    with pytest.raises(StoreError) as caught:
        local.repoint(change, NEW_SECRET, STAMP)

    assert caught.value.title.endswith("is read-only.")
    assert NEW_SECRET.reveal() not in full_text(caught.value)
    assert SENTINEL not in full_text(caught.value)
    assert (files.credentials.read_text(), backups(files)) == (before, [])
    assert local.put_back(local.record(change, STAMP)), "it uses the old key"


def test_change_is_made_and_taken_back_once(files: AwsFiles) -> None:
    """A run may have been killed right after; the next makes it again."""
    before = f"[dev]\n{STATIC}"
    files.credentials.write_text(before)
    local = profiles(files)
    (change,) = local.plan(OLD, NEW)
    record = local.record(change, STAMP)
    assert local.put_back(record), "it was not made yet"
    for _ in range(2):
        local.repoint(change, NEW_SECRET, STAMP)
        assert files.credentials.read_text() == f"[dev]\n{LINE}"
    for _ in range(2):
        assert local.put_back(record)
        assert files.credentials.read_text() == before


def test_plan_that_is_out_of_date_changes_nothing(files: AwsFiles) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    (change,) = planned(files)
    now = f"[dev]\n{STATIC.replace(OLD, OTHER)}"
    files.credentials.write_text(now)

    with pytest.raises(StoreError, match="changed meanwhile"):
        profiles(files).repoint(change, NEW_SECRET, STAMP)

    assert (files.credentials.read_text(), backups(files)) == (now, [])


@pytest.mark.parametrize(
    "now",
    [
        f"[dev]\n{STATIC.replace(OLD, OTHER)}",
        f"[dev]\n{LINE.replace(NEW, OTHER)}",
        f"[dev]\n{STATIC.replace(OLD, OTHER)}{LINE}",
        "[dev]\n",
        "[prod]\n",
        None,
    ],
)
def test_what_somebody_else_changed_is_left_alone(now: str | None, files: AwsFiles) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    (record,) = rotate(files)
    files.credentials.unlink()
    if now is not None:
        files.credentials.write_text(now)

    assert not profiles(files).put_back(record)

    assert now is None or files.credentials.read_text() == now
    assert len(backups(files)) == 1


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        (
            f"[a]\nregion = x\n{STATIC}",
            lambda now: now.replace("= x", "= y") + "output = json\n[b]\n",
            f"[a]\nregion = y\n{STATIC}output = json\n[b]\n",
        ),
        (f"[a]\n{STATIC[:-1]}", lambda now: now + "[b]\n", f"[a]\n{STATIC}[b]\n"),
        (
            f"[a]\n  {STATIC[:-1]}",
            lambda now: now + "\n  region = x\n",
            f"[a]\n  {STATIC.replace('aws_s', '  aws_s')}\n  region = x\n",
        ),
        (
            f"[a]\ncredential_process = x\n {OLD}",
            lambda now: now.replace("[a]", "[a] # mine"),
            f"[a] # mine\ncredential_process = x\n {OLD}\n",
        ),
    ],
)
def test_others_lines_stay_when_a_profile_is_put_back(
    before: str, edit: Callable[[str], str], after: str, files: AwsFiles
) -> None:
    files.credentials.write_text(before)
    (record,) = rotate(files)
    files.credentials.write_text(edit(files.credentials.read_text()))

    assert profiles(files).put_back(record)

    assert files.credentials.read_text() == after


def test_what_the_tools_would_read_otherwise_is_not_written(files: AwsFiles) -> None:
    before = f"[dev]\n{STATIC}"
    files.credentials.write_text(before)
    (change,) = planned(files, How.REWRITE)

    with pytest.raises(StoreError, match="so that the AWS tools read it"):
        profiles(files).repoint(change, Secret("x\nregion = y"), STAMP)

    assert (files.credentials.read_text(), backups(files)) == (before, [])


def test_without_its_backup_a_profile_is_not_put_back(files: AwsFiles) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    (record,) = rotate(files)
    profiles(files).drop_backup(record)

    with pytest.raises(StoreError, match="no backup") as caught:
        profiles(files).put_back(record)

    assert OLD in caught.value.next_step
    assert files.credentials.read_text() == f"[dev]\n{LINE}"


@pytest.mark.parametrize("text", ["", "{}", "[]", "1", '{"how":"x"}', '{"how":"name"}'])
def test_damaged_record_changes_nothing(text: str, files: AwsFiles) -> None:
    with pytest.raises(StoreError, match="damaged"):
        profiles(files).put_back(text)


def test_others_that_write_meanwhile_lose_nothing(
    files: AwsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.credentials.write_text("".join(f"[p{n}]\n{STATIC}" for n in range(8)))
    changes = planned(files)
    threads = [
        threading.Thread(target=profiles(files).repoint, args=(change, NEW_SECRET, STAMP))
        for change in changes
    ]
    write = atomic_file._write
    appended: list[int] = []

    def interrupted(*args: object) -> None:
        write(*args)  # type: ignore[arg-type]
        if not appended:  # as aws configure does, which knows no lock
            appended.append(1)
            with files.credentials.open("a") as file:
                file.write(f"[late]\n{STATIC}")

    monkeypatch.setattr(atomic_file, "_write", interrupted)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    late = f"[late]\n{STATIC}"
    assert files.credentials.read_text() == "".join(f"[p{n}]\n{LINE}" for n in range(8)) + late
    assert len(backups(files)) == 1


def test_write_that_fails_leaves_no_backup(
    files: AwsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    files.credentials.write_text(f"[dev]\n{STATIC}")
    (change,) = planned(files)
    monkeypatch.setattr(atomic_file, "_write", full)

    with pytest.raises(StoreError, match="disk is full"):
        profiles(files).repoint(change, NEW_SECRET, STAMP)

    assert backups(files) == []


# Any file.

BLANKS = st.sampled_from(["", "", " ", "\t"])
KEY = st.builds(
    lambda indent, mark, swap, between: (
        lambda id_, secret: [secret, *between, id_] if swap else [id_, *between, secret]
    )(f"{indent}AWS_access_key_id{mark}{OLD}", f"{indent}aws_secret_access_key{mark}s3:c=#;"),
    BLANKS,
    st.sampled_from(["=", " = ", ": ", " :\t"]),
    st.booleans(),
    st.lists(st.sampled_from(["# c", "", "; d = e"]), max_size=2),
)
PROCESS_LINES = st.sampled_from(
    [[f"credential_process = x {OLD}"], [f" credential_process: x\n  {OLD}"]]
)
OTHERS = st.lists(
    st.sampled_from(["region = x", "output=json", "# é", "", "s3 =\n  a = b"]),
    max_size=3,
    unique=True,
)
BODY = st.builds(
    # After a setting, an indented line would go on its value.
    lambda head, key, tail: [
        *(head if not "".join(key[:1])[:1].isspace() else []),
        *key,
        *(t for t in tail if t not in head),
    ],
    OTHERS,
    st.one_of(KEY, KEY, PROCESS_LINES, st.just([])),
    OTHERS,
)
FILES = st.builds(
    lambda bodies, end, last: (
        end.join(
            line
            for n, body in enumerate(bodies)
            for line in ([f"[p {n}]", *body] if n else ["[default]", *body])
        ).replace("\n", end)
        + (end if last else "")
    ).replace("\r\r", "\r"),
    st.lists(BODY, min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


@settings(max_examples=50, deadline=None)
@given(text=FILES, how=st.sampled_from([How.PROCESS, How.REWRITE]))
def test_any_file_is_the_same_to_the_byte_after_there_and_back(text: str, how: How) -> None:
    with TemporaryDirectory() as folder:
        files = AwsFiles(
            {"AWS_SHARED_CREDENTIALS_FILE": f"{folder}/credentials"}, Path(folder), WRITABLE
        )
        files.credentials.write_bytes(text.encode())

        records = rotate(files, how)

        new = files.credentials.read_bytes().decode()
        assert len(records) == len(key_uses(text, FileKind.CREDENTIALS, OLD))
        assert key_uses(new, FileKind.CREDENTIALS, OLD) == []
        assert untouched(new) == untouched(text)
        assert all(profiles(files).put_back(record) for record in records)
        assert files.credentials.read_bytes().decode() == text
        assert list(Path(folder).iterdir()) == [files.credentials]


def untouched(text: str) -> list[str]:
    """Return the lines that name no key."""
    return [
        line
        for line in text.splitlines()
        if not any(part in line.lower() for part in ("aws_", OLD.lower(), NEW.lower()))
    ]
