"""AWS's files on the disk: what is there, what is written, and what can't be."""

import errno
import fcntl
import os
import shlex
import signal
import stat
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from botocore.session import Session

from keytui.aws.files import atomic_file
from keytui.aws.files.ini import FileKind
from keytui.aws.files.profiles import (
    AwsFiles,
    credentials_command,
    default_name,
    name_problem,
)
from keytui.core.errors import StoreError
from keytui.core.model import Secret
from keytui.session.settings import load
from keytui.stores.keyring import limits
from keytui.stores.keyring.limits import profile_limits
from keytui.stores.keyring.session_bus import Bus, BusKind
from tests.support.aws_env import AwsHome
from tests.support.gates import WRITABLE
from tests.support.sentinel import KEY_ID, SENTINEL, files_that_hold, full_text

COMMAND = f"/opt/keytui credentials {KEY_ID}"
STATIC = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SENTINEL}\n"
KEY = (KEY_ID, Secret(SENTINEL))


@pytest.fixture
def files(tmp_path: Path) -> AwsFiles:
    (tmp_path / ".aws").mkdir()
    return AwsFiles({}, tmp_path, WRITABLE)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refused(files: AwsFiles, name: str = "dev") -> StoreError:
    with pytest.raises(StoreError) as caught:
        files.write(name, COMMAND)
    assert caught.value.safe == "Nothing was written."
    assert SENTINEL not in full_text(caught.value)
    return caught.value


def test_first_profile_makes_a_folder_and_a_file_for_their_owner(tmp_path: Path) -> None:
    files = AwsFiles({}, tmp_path, WRITABLE)
    assert not files.look("dev").exists

    files.write("dev", COMMAND)

    assert files.config.read_text() == f"[profile dev]\ncredential_process = {COMMAND}\n"
    assert (mode(files.config), mode(files.config.parent)) == (0o600, 0o700)
    assert [path.name for path in files.config.parent.iterdir()] == ["config"]
    assert files.look("dev").exists


def test_file_keeps_its_mode_its_owner_and_its_bytes(files: AwsFiles) -> None:
    before = b"# mine \xc3\xa9\r\n[default]\r\nregion=x"
    files.config.write_bytes(before)
    files.config.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(files.config, 12345, 12345)
    owner = files.config.stat().st_uid

    files.write("my dev", COMMAND)

    after = files.config.read_bytes()
    assert after.startswith(before + b'\r\n\r\n[profile "my dev"]\r\n')
    assert (mode(files.config), files.config.stat().st_uid) == (0o640, owner)


NOBODY = 0xFFFFFFFF


def acl(mask: int) -> bytes:
    """An ACL that lets one more user read, and no group: tag, permissions and ID of each entry."""
    entries = [(1, 6, NOBODY), (2, 4, 12345), (4, 0, NOBODY), (16, mask, NOBODY), (32, 0, NOBODY)]
    return b"".join([struct.pack("<I", 2), *(struct.pack("<HHI", *entry) for entry in entries)])


@pytest.fixture
def acls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[int, bytes]:
    """ACLs by inode, as on a file system that has them, which the tests' need not be."""
    kept: dict[int, bytes] = {}

    def inode(file: int | Path) -> int:
        return os.stat(file).st_ino  # noqa: PTH116 - a descriptor too

    def getxattr(file: int, name: str) -> bytes:
        assert name == "system.posix_acl_access"
        if inode(file) not in kept:
            raise OSError(errno.ENODATA, "none")
        return kept[inode(file)]

    def setxattr(file: int, _: str, value: bytes) -> None:
        kept[inode(file)] = value

    monkeypatch.setattr(os, "getxattr", getxattr)
    monkeypatch.setattr(os, "setxattr", setxattr)
    monkeypatch.setattr(os, "removexattr", lambda file, _: kept.pop(inode(file)))
    return kept


def test_access_control_list_stays(files: AwsFiles, acls: dict[int, bytes]) -> None:
    files.config.write_text("[default]\n")
    files.config.chmod(0o640)
    acls[files.config.stat().st_ino] = acl(4)

    files.write("dev", COMMAND)

    assert acls[files.config.stat().st_ino] == acl(4)
    assert mode(files.config) == 0o640


def test_kernels_access_control_list_stays(files: AwsFiles) -> None:
    files.config.write_text("[default]\n")
    try:
        os.setxattr(files.config, "system.posix_acl_access", acl(4))
    except OSError as error:
        assert error.errno == errno.ENOTSUP  # noqa: PT017 - the test above covers it then
        return
    assert mode(files.config) == 0o640

    files.write("dev", COMMAND)

    assert os.getxattr(files.config, "system.posix_acl_access") == acl(4)
    assert mode(files.config) == 0o640


def test_folders_default_access_control_list_adds_nothing(files: AwsFiles) -> None:
    files.config.write_text("[default]\n")
    files.config.chmod(0o640)
    try:
        os.setxattr(files.config.parent, "system.posix_acl_default", acl(4))
    except OSError as error:
        assert error.errno == errno.ENOTSUP  # noqa: PT017 - nothing to see here
        return

    files.write("dev", COMMAND)

    with pytest.raises(OSError, match="No data"):
        os.getxattr(files.config, "system.posix_acl_access")
    assert mode(files.config) == 0o640


def test_access_control_list_that_can_not_stay_leaves_the_file(
    files: AwsFiles, acls: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "no")

    files.config.write_text("[default]\n")
    acls[files.config.stat().st_ino] = acl(4)
    monkeypatch.setattr(os, "setxattr", no)

    assert "access control list" in refused(files).title
    assert files.config.read_text() == "[default]\n"
    assert [path.name for path in files.config.parent.iterdir()] == ["config"]


def test_copy_that_a_killed_change_left_is_removed(files: AwsFiles) -> None:
    killed = (
        "import os, signal, sys; from pathlib import Path;"
        "from keytui.core.gate import Gate;"
        "from keytui.aws.files import atomic_file;"
        "os.replace = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL);"
        "atomic_file.change(Path(sys.argv[1]), lambda old: old + b'# x', Gate(False))"
    )
    files.credentials.write_text(f"[dev]\n{STATIC}")
    folder = files.credentials.parent
    done = subprocess.run([sys.executable, "-c", killed, files.credentials], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(folder.glob(".keytui-*.tmp"))) == 1, "it was killed midway"

    files.write("dev", COMMAND)

    assert sorted(path.name for path in folder.iterdir()) == ["config", "credentials"]


def test_what_only_looks_left_over_stays(files: AwsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, digits = files.config.parent, "0123456789abcdef"
    others = [f".keytui-{digits}.tmp", ".keytui-change-x.tmp", f".keytui-change-{digits}.tmp~"]
    for other in others:
        (folder / other).write_text("x")
    mine = folder / f".keytui-change-{digits}.tmp"
    mine.symlink_to("config")
    files.write("dev", COMMAND)
    assert mine.is_symlink()
    mine.unlink()

    mine.write_text("x")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    files.write("ops", COMMAND)
    assert mine.exists(), "it is another user's"
    monkeypatch.undo()

    monkeypatch.setattr(atomic_file, "LOCK_SECONDS", 0.0)
    holder = os.open(folder, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    files.write("web", COMMAND)
    os.close(holder)
    assert mine.exists(), "without the lock it may be in use"
    monkeypatch.undo()

    files.write("ops", COMMAND)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*others, "config"])


def test_symbolic_link_stays_one(files: AwsFiles, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    files.config.symlink_to("../dotfiles/config")

    files.write("dev", COMMAND)
    files.write("prod", COMMAND)

    assert files.config.is_symlink()
    assert (dotfiles / "config").read_text().count("credential_process") == 2


def test_what_a_profile_has_is_shown_without_secrets(files: AwsFiles) -> None:
    files.config.write_text(
        f"[profile dev]\nregion = eu-west-1\n{STATIC}x = {SENTINEL}\n"
        f"credential_process = /bin/tool --token {SENTINEL}\n"
    )
    files.credentials.write_text(f"[dev]\n{STATIC}")

    state = files.look("dev")

    assert state.exists
    assert state.stays == ("region = eu-west-1", "x = …")
    key = (f"aws_access_key_id = {KEY_ID}", "aws_secret_access_key = …")
    assert state.aside == (*key, "credential_process = /bin/tool …")
    assert state.static == key


@pytest.mark.parametrize(
    ("env", "wins"),
    [
        ({}, ()),
        ({"AWS_ACCESS_KEY_ID": "AKIA"}, ("AWS_ACCESS_KEY_ID",)),
        ({"AWS_ROLE_ARN": "arn:x"}, ()),
        (
            {"AWS_ROLE_ARN": "arn:x", "AWS_WEB_IDENTITY_TOKEN_FILE": "f"},
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
        ),
    ],
)
def test_variables_that_win(env: dict[str, str], wins: tuple[str, ...], tmp_path: Path) -> None:
    assert AwsFiles(env, tmp_path, WRITABLE).look("dev").environment == wins


def test_places_are_the_sdks(tmp_path: Path) -> None:
    env = {"AWS_CONFIG_FILE": "~/a/config", "AWS_SHARED_CREDENTIALS_FILE": "$PLACE/${WHICH}/$no"}
    env |= {"PLACE": "/somewhere", "WHICH": "c"}

    files = AwsFiles(env, tmp_path, WRITABLE)

    assert files.config == tmp_path / "a/config"
    assert files.credentials == Path("/somewhere/c/$no")
    assert files.short(files.config) == "~/a/config"
    assert files.short(files.credentials) == "/somewhere/c/$no"


def test_sdk_uses_the_command_once_a_static_entry_is_set_aside(aws_env: AwsHome) -> None:
    files = AwsFiles(os.environ, Path.home(), WRITABLE)
    script = Path.home() / "my tools" / "print it"
    script.parent.mkdir()
    script.write_text(
        '#!/bin/sh\necho \'{"Version":1,"AccessKeyId":"AKIANEW","SecretAccessKey":"x"}\'\n'
    )
    script.chmod(0o755)
    aws_env.credentials.write_text(f"[dev]\n{STATIC}")

    files.write("dev", shlex.join([str(script), "credentials", KEY_ID]))
    assert signer("dev") == KEY_ID  # The static entry wins.
    assert files.set_aside("dev") == "dev-set-aside"

    assert signer("dev") == "AKIANEW"
    assert signer("dev-set-aside") == KEY_ID


def signer(profile: str) -> str:
    credentials = Session(profile=profile).get_credentials()
    assert credentials is not None
    return str(credentials.access_key)


def test_static_key_can_be_taken_out(files: AwsFiles) -> None:
    files.credentials.write_text(f"[a]\n{STATIC}[dev]\n{STATIC}region = x\n")

    files.drop_key(files.credentials, "dev", FileKind.CREDENTIALS, KEY)

    assert files.credentials.read_text() == f"[a]\n{STATIC}[dev]\nregion = x\n"
    assert mode(files.credentials) == 0o644


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        (b"[profile a]\nx = 1\n[profile a]\n", 3, "said before"),
        (b"[profile a]\nx = 1\nX = 2\n", 3, "said before"),
        (b"x = 1\n", 1, "before any"),
        (f"[profile a]\n{SENTINEL}\n".encode(), 2, "no setting"),
        (b"[profile a]\n# \xff\n", 2, "UTF-8"),
        (b"\xef\xbb\xbf[profile a]\n", 1, "byte order mark"),
    ],
)
def test_file_that_the_aws_tools_refuse_is_left_alone(
    content: bytes, line: int, why: str, files: AwsFiles
) -> None:
    files.config.write_bytes(content)

    error = refused(files)

    assert f"line {line} of {files.config}" in error.title
    assert why in error.title
    assert files.config.read_bytes() == content
    with pytest.raises(StoreError, match="The AWS tools can't read line"):
        files.look("dev")


def test_block_that_the_aws_tools_refuse(files: AwsFiles) -> None:
    files.config.write_text("[profile a]\ns3 =\n  nothing\n")
    assert "s3 in [profile a]" in refused(files).title


def test_default_section_settings_do_not_bypass_the_check(files: AwsFiles) -> None:
    files.config.write_text(f"[DEFAULT]\n{STATIC}")
    assert "keytui can't write dev" in refused(files).title
    assert files.config.read_text() == f"[DEFAULT]\n{STATIC}"


def test_what_is_no_plain_file_is_left_alone(files: AwsFiles) -> None:
    os.mkfifo(files.config)
    assert "not a plain file" in refused(files).title
    files.config.unlink()
    files.config.mkdir()
    assert "not a plain file" in refused(files).title
    files.config.rmdir()
    files.config.write_text("#" * 1_000_001)
    assert "too large" in refused(files).title
    files.config.unlink()
    files.config.symlink_to("config")
    assert "circle" in refused(files).title


def test_credentials_that_are_no_file_hold_nothing(tmp_path: Path) -> None:
    env = {"AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    assert AwsFiles(env, tmp_path, WRITABLE).look("dev").static == ()


def test_file_that_may_not_be_written(files: AwsFiles) -> None:
    files.config.write_text("[default]\n")
    files.config.chmod(0o444)
    assert "is read-only" in refused(files).title
    assert files.config.read_text() == "[default]\n"


def test_folder_that_may_not_be_written(files: AwsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def no(*_: object) -> None:
        raise PermissionError(13, "no")

    files.config.write_text("[default]\n")
    monkeypatch.setattr(atomic_file, "_write", no)
    assert refused(files).title == f"You may not write {files.config}."


def test_unreadable_credentials_file_counts_as_empty(tmp_path: Path) -> None:
    env = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / ("x" * 300))}
    assert AwsFiles(env, tmp_path, WRITABLE).look("dev").static == ()


def test_folder_that_is_missing(tmp_path: Path) -> None:
    files = AwsFiles({"AWS_CONFIG_FILE": str(tmp_path / "a/b/config")}, tmp_path, WRITABLE)
    assert refused(files).title == f"There is no folder {tmp_path / 'a/b'}."


def test_full_disk_leaves_the_file_as_it_was(
    files: AwsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "full")

    files.config.write_text("[default]\n")
    monkeypatch.setattr(os, "write", full)
    assert "is full" in refused(files).title
    monkeypatch.undo()
    assert files.config.read_text() == "[default]\n"
    assert [path.name for path in files.config.parent.iterdir()] == ["config"]


def test_what_another_program_writes_meanwhile_is_not_lost(
    files: AwsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.config.write_text("[default]\n")
    write = atomic_file._write
    others = iter(("[default]\nregion = x\n", "[default]\nregion = y\n"))

    def slowly(*args: object) -> None:
        write(*args)  # type: ignore[arg-type]
        if other := next(others, ""):
            files.config.write_text(other)

    monkeypatch.setattr(atomic_file, "_write", slowly)
    files.write("dev", COMMAND)

    assert files.config.read_text().startswith("[default]\nregion = y\n\n[profile dev]\n")
    assert [path.name for path in files.config.parent.iterdir()] == ["config"]


def test_program_that_never_stops_writing(files: AwsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    write, number = atomic_file._write, [0]

    def slowly(*args: object) -> None:
        write(*args)  # type: ignore[arg-type]
        number[0] += 1
        files.config.write_text(f"[default]\nregion = {number[0]}\n")

    monkeypatch.setattr(atomic_file, "_write", slowly)
    assert "keeps writing" in refused(files).title


def test_many_at_once_lose_nothing(files: AwsFiles) -> None:
    names = [f"dev{number}" for number in range(12)]
    threads = [threading.Thread(target=files.write, args=(name, COMMAND)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(files.look(name).exists for name in names)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("", "needs a name"),
        ("  ", "needs a name"),
        (" dev", "blanks"),
        ("a\nb", "control"),
        ("a\x1b[2J", "control"),
        ("a\u202eb", "control"),
        *((f"a{char}b", "brackets") for char in "[]'\"\\#;"),
    ],
)
def test_names_that_can_not_be(name: str, word: str) -> None:
    assert word in name_problem(name)


@pytest.mark.parametrize(
    "name", ["dev", "my  dev", "a,b+c=d@e.f-g_h", "a%$&(x)!", "müller", "=", "x:y"]
)
def test_names_that_can_be_are_read_by_the_sdk(name: str, aws_env: AwsHome) -> None:
    assert name_problem(name) == ""
    AwsFiles(os.environ, Path.home(), WRITABLE).write(name, COMMAND)
    assert Session().available_profiles == [name]


def test_default_name_is_the_users() -> None:
    assert default_name("Smith,John@x") == "Smith,John@x"
    assert default_name("<root account>") == "root"
    assert default_name("") == "root"


def test_command_is_this_program_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "my tools" / "keytui"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    fallback = f"{sys.executable} -P -m keytui credentials {KEY_ID}"
    assert credentials_command(KEY_ID, str(program)) == fallback  # It can't be run.
    program.chmod(0o755)
    command = f"'{program}' credentials {KEY_ID}"
    assert credentials_command(KEY_ID, str(program)) == command
    monkeypatch.chdir(program.parent.parent)
    assert credentials_command(KEY_ID, "my tools/keytui") == command
    monkeypatch.setenv("PATH", str(program.parent))
    assert credentials_command(KEY_ID, "keytui") == command
    assert credentials_command(KEY_ID, "/bin/sh") == fallback
    assert credentials_command(KEY_ID, "", "/my py").endswith(f"-P -m keytui credentials {KEY_ID}")


@pytest.mark.parametrize(
    ("in_file", "env", "said"),
    [
        ("", {}, []),
        ("", {"KEYTUI_KEYRING": "os"}, []),
        ("pass", {}, []),
        ("pass", {"KEYTUI_KEYRING": "pass"}, []),
        ("pass", {"KEYTUI_KEYRING": "os"}, ['config.toml must name it: keyring = "os".']),
        ("", {"KEYTUI_KEYRING": "pass"}, ['config.toml must name it: keyring = "pass".']),
        ("cryptfile", {}, ["KEYRING_CRYPTFILE_PASSWORD is set, and here it is not"]),
        ("cryptfile", {"KEYRING_CRYPTFILE_PASSWORD": "x"}, []),
        (
            "",
            {"KEYTUI_KEYRING": "cryptfile"},
            ['keyring = "cryptfile"', "KEYRING_CRYPTFILE_PASSWORD is set"],
        ),
    ],
)
def test_what_a_profile_needs_beside_the_config_file(
    in_file: str, env: dict[str, str], said: list[str], tmp_path: Path
) -> None:
    own = tmp_path / ".config/keytui/config.toml"
    own.parent.mkdir(parents=True)
    own.write_text(f'keyring = "{in_file}"\n' if in_file else "")
    bare = env | {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}

    settings = load({}, env, tmp_path)
    limits = profile_limits(settings.keyring, bare, by_variable=settings.keyring_by_variable)

    assert len(limits) == len(said)
    assert all(part in limit for part, limit in zip(said, limits, strict=True))


def test_private_bus_is_a_limit_of_the_keyring_that_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    private = Bus("unix:path=/x", BusKind.PRIVATE)
    monkeypatch.setattr(limits, "find_bus", lambda _: private)
    (limit,) = profile_limits("os", {}, by_variable=False)
    assert "later, while a keytui --unlock-keyring does" in limit
    assert profile_limits("pass", {}, by_variable=False) == ()


def test_no_copy_of_a_secret_is_left_anywhere(files: AwsFiles, tmp_path: Path) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    files.drop_key(files.credentials, "dev", FileKind.CREDENTIALS, KEY)
    assert files_that_hold(SENTINEL, tmp_path) == []
