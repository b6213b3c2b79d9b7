"""``p`` in the reveal: a profile that takes the key from the keyring."""

import threading
from dataclasses import replace

import pytest

from keytui.aws.files.profiles import AwsFiles, credentials_command
from keytui.core.errors import StoreError
from keytui.session.settings import Settings
from keytui.stores.keyring import limits
from keytui.stores.keyring.session_bus import Bus, BusKind
from keytui.tui.app import KeytuiApp
from keytui.tui.dialogs.dialogs import ConfirmScreen
from keytui.tui.keys.profile import ProfileScreen, write_profile
from keytui.tui.keys.reveal import RevealScreen
from tests.support.app import Desk, only_key, parts_of
from tests.support.gates import WRITABLE
from tests.support.sentinel import SENTINEL
from tests.tui.test_reveal import revealed

TRY = "Profile carol in ~/.aws/config. Try: aws --profile carol sts get-caller-identity"


def line(desk: Desk, user: str = "carol") -> str:
    return f"credential_process = {credentials_command(only_key(desk, user).id)}"


async def choose_name(desk: Desk, name: str = "") -> None:
    await desk.press("p")
    await desk.on(ProfileScreen)
    if name:
        await desk.press("ctrl+u")
        await desk.write(name)
    await desk.press("enter")


async def test_p_keeps_the_secret_and_writes_a_profile(desk: Desk) -> None:
    async with revealed(desk):
        key = only_key(desk, "carol")
        await desk.press("p")
        await desk.on(ProfileScreen)
        await desk.sees("Write an AWS profile", "~/.aws/config", key.id, "carol")
        await desk.press("escape")
        await desk.on(RevealScreen)
        await desk.settled()
        assert desk.keyring.kept == {}
        assert not desk.aws_files.config.exists()
        await choose_name(desk)
        await desk.sees(TRY, "✓ In the OS keyring")
    assert desk.keyring.kept[key.id].reveal() == SENTINEL
    assert desk.aws_files.config.read_text() == f"[profile carol]\n{line(desk)}\n"


async def test_p_does_not_store_twice(desk: Desk) -> None:
    async with revealed(desk, choose=()):
        await desk.sees("✓ In the OS keyring")
        desk.keyring.fails_at_put = StoreError("It was asked again.")
        await choose_name(desk)
        await desk.sees(TRY)


async def test_keyring_that_fails_means_no_profile(desk: Desk) -> None:
    desk.keyring.fails_at_put = StoreError("The keyring is locked.", next_step="Unlock it.")
    async with revealed(desk):
        await choose_name(desk)
        await desk.sees("The keyring is locked. No profile was written. Unlock it.")
        await desk.sees("It is kept nowhere yet.")
    assert not desk.aws_files.config.exists()


async def test_name_that_can_not_be_is_said_at_once(desk: Desk) -> None:
    async with revealed(desk):
        await desk.press("p")
        await desk.on(ProfileScreen)
        await desk.press("ctrl+u", "enter")
        await desk.sees("A profile needs a name.")
        await desk.write("my ops")
        await desk.press("enter")
        await desk.sees("Profile my ops in ~/.aws/config. Try: aws --profile 'my ops' sts")
    assert '[profile "my ops"]' in desk.aws_files.config.read_text()


async def test_profile_that_exists_is_asked_about(desk: Desk) -> None:
    before = "# mine\n[profile ops]\nregion = eu-west-1\nrole_arn = arn:aws:iam::1:role/x\n"
    desk.aws_files.config.parent.mkdir()
    desk.aws_files.config.write_text(before)
    async with revealed(desk):
        await choose_name(desk, "ops")
        await desk.on(ConfirmScreen)
        await desk.sees(
            "The profile ops exists",
            "Stays: region = eu-west-1",
            "Becomes a comment",
            "role_arn = arn:aws:iam::1:role/x",
        )
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.settled()
        assert (desk.aws_files.config.read_text(), desk.keyring.kept) == (before, {})
        await choose_name(desk, "ops")
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees("Profile ops in ~/.aws/config.")
    aside = "# set aside by keytui: role_arn = arn:aws:iam::1:role/x"
    assert desk.aws_files.config.read_text() == (
        f"# mine\n[profile ops]\n{line(desk)}\nregion = eu-west-1\n{aside}\n"
    )


async def test_older_entry_is_offered_to_be_moved_aside(desk: Desk) -> None:
    before = f"[carol]\naws_access_key_id = AKIAOLD\naws_secret_access_key = {SENTINEL}\n"
    desk.aws_files.credentials.parent.mkdir()
    desk.aws_files.credentials.write_text(before)
    async with revealed(desk):
        await choose_name(desk)
        await desk.on(ConfirmScreen)
        await desk.sees("An older entry carol would win", "AKIAOLD", "[carol-set-aside]")
        assert SENTINEL not in desk.text
        await desk.press("enter")
        await desk.sees("[carol] in ~/.aws/credentials would win over it. Nothing was written")
        assert desk.aws_files.credentials.read_text() == before
        assert not desk.aws_files.config.exists()
        await choose_name(desk)
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees(TRY, "The older entry is [carol-set-aside] in ~/.aws/credentials now.")
    after = before.replace("[carol]", "[carol-set-aside]")
    assert desk.aws_files.credentials.read_text() == after


async def test_what_else_a_profile_needs_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "find_bus", lambda _: Bus("unix:path=/x", BusKind.PRIVATE))
    desk.aws_files = AwsFiles(
        {"AWS_ACCESS_KEY_ID": "AKIA"}, desk.journal.path.parent.parent, WRITABLE
    )
    async with revealed(desk):
        await choose_name(desk)
        await desk.sees(TRY, "AWS_ACCESS_KEY_ID in your environment wins over AWS_PROFILE")
        await desk.sees("later, while a keytui --unlock-keyring does.")


async def test_file_that_can_not_be_read_is_said(desk: Desk) -> None:
    desk.aws_files.config.parent.mkdir()
    desk.aws_files.config.write_text("nonsense\n")
    async with revealed(desk):
        await choose_name(desk)
        await desk.sees("The AWS tools can't read line 1", "Nothing was written")
    assert desk.keyring.kept == {}


async def test_keys_typed_ahead_reach_the_questions_and_not_the_reveal(desk: Desk) -> None:
    desk.aws_files.config.parent.mkdir()
    desk.aws_files.config.write_text("[profile carol]\n")
    async with revealed(desk):
        begun, gate = threading.Event(), threading.Event()
        look = desk.aws_files.look

        def slowly(name: str) -> object:
            begun.set()
            gate.wait(10)
            return look(name)

        desk.aws_files.look = slowly  # type: ignore[method-assign,assignment]
        await choose_name(desk)
        await desk.until(begun.is_set)
        await desk.press("y")  # In the reveal it would send the secret to the clipboard.
        assert not any("\x1b]52" in sent for sent in desk.sent)
        gate.set()
        await desk.sees(TRY)
        assert not any("\x1b]52" in sent for sent in desk.sent)


async def test_keyring_that_only_the_environment_names_is_said(desk: Desk) -> None:
    async def ask(_: object) -> str:
        return "carol"

    settings = Settings(keyring="pass", keyring_by_variable=True)
    said = await write_profile(ask, parts_of(desk, settings), "AKIA", "carol")  # type: ignore[arg-type]
    assert 'config.toml must name it: keyring = "pass"' in said[-1]


async def test_demo_key_gets_no_profile(desk: Desk) -> None:
    ctx = replace(parts_of(desk, Settings()), settings=Settings(demo=True))
    with pytest.raises(StoreError, match="AWS does not know the keys of the demo account"):
        await write_profile(KeytuiApp(ctx).main.stage.ask, ctx, "AKIA", "carol")


async def test_it_fits_a_small_terminal(desk: Desk) -> None:
    desk.aws_files.config.parent.mkdir()
    settings = "".join(f"sso_{n} = x\n" for n in ("session", "region", "start_url", "role_name"))
    desk.aws_files.config.write_text(
        f"[profile carol]\nrole_arn = a\nsource_profile = b\n{settings}"
    )
    async with revealed(desk):
        await desk.pilot.resize_terminal(60, 20)
        await desk.sees("s Show k Keyring f CSV p Profile y Copy esc Close")
        await choose_name(desk)
        await desk.on(ConfirmScreen)
        await desk.sees("and 1 more", "Write it?", "y Yes", "n No")
