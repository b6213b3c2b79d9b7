"""Text from AWS, the keyring and the config is data: it can't colour, move or break anything."""

from datetime import timedelta
from pathlib import Path

import pytest

from keytui.core.errors import AccessDeniedError, AwsError, StoreError
from keytui.core.iam import Iam
from keytui.core.model import Identity, KeyStatus, LastUsed
from keytui.tui.dialogs.dialogs import ConfirmScreen, PathScreen, TypeScreen
from keytui.tui.keys.change import DeleteScreen
from keytui.tui.keys.create import CreateScreen
from keytui.tui.keys.reveal import RevealScreen
from tests.support.app import CsvFile, Desk, GatedIam, opened
from tests.support.fake_iam import START

NASTY = (
    "[red]x[/red][/]",
    "[@click=app.quit]go[/]",
    "[link=http://x]y[/]",
    "[$primary]$accent %s[",
    "\\[b]{name} x\\",
    "a\x1b[31mred\x1b]52;c;eA==\x07",
    "a\rb\nc\td\x9b2J\u202e\u200b\u2028\ud800",
)
"""What Textual's markup, Python's formats and a terminal could take for something else."""
EACH = (NASTY[1], *NASTY[4:])
"""One of each sort, for what takes long."""
FORBIDDEN = set("\x1b\x07\r\t\x9b\u202e\u200b\u2028\ud800\x00")


def is_plain(text: str) -> bool:
    return not FORBIDDEN & set(text)


def shown(text: str) -> str:
    """How a text has to be on the screen: itself, its dangerous characters marked."""
    return "".join("�" if char in FORBIDDEN or char == "\n" else char for char in text)


async def appears(desk: Desk, text: str) -> None:
    """Wait until a text is on one line of the screen."""
    await desk.until(lambda: text in desk.text)


def nasty_account(nasty: str) -> GatedIam:
    """Return an account whose every text is nasty; its first user is alice."""
    iam = GatedIam()
    user = iam.add_user(f"aaa {nasty}", START - timedelta(days=100))
    iam.add_key(
        user,
        f"AKIA{nasty}1234",
        status=KeyStatus.INACTIVE,
        description=f"desc {nasty}",
        last_used=LastUsed(START - timedelta(days=3), f"svc {nasty}", f"reg {nasty}"),
    )
    return iam


@pytest.mark.parametrize("nasty", EACH, ids=ascii)
async def test_users_and_keys(tmp_path: Path, nasty: str) -> None:
    desk = Desk(tmp_path, nasty_account(nasty))
    async with opened(desk, size=(180, 40)):
        await desk.press("up", "home")
        await desk.until(lambda: f"aaa {shown(nasty)}" in desk.line("▸ aaa"))
        await desk.until(lambda: shown(f"AKIA{nasty}1234")[:19] in desk.text)
        await desk.until(lambda: shown(f"“desc {nasty}”") in desk.text)
        await desk.until(lambda: f"svc {shown(nasty)} reg {shown(nasty)}"[:18] in desk.text)
        assert is_plain(desk.text)

        await desk.press("right", "x")
        await desk.on(DeleteScreen)
        await desk.until(lambda: shown(f"AKIA{nasty}1234")[:19] in desk.text)
        assert is_plain(desk.text)
        await desk.press("enter")
        await desk.on_main()
        await desk.until(lambda: shown(f"AKIA{nasty}1234 was not deleted") in desk.text)

        await desk.press("a")
        await desk.until(lambda: shown(f"AKIA{nasty}1234 is active") in desk.text)
        await desk.settled()
        await desk.press("x")
        await desk.on(ConfirmScreen)
        await desk.until(lambda: shown(f"AKIA{nasty}1234 is active") in desk.text)
        await desk.press("n")
        await desk.on_main()

        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.until(lambda: f"For aaa {shown(nasty)}" in desk.words)
        assert is_plain(desk.text)
        await desk.press("down", "down", "enter")
        await desk.on(RevealScreen)
        assert is_plain(desk.text)
        await desk.press("f")
        await desk.on(PathScreen)
        await desk.press("escape")
        await desk.on(RevealScreen)
        await desk.press("escape")
        await desk.on(TypeScreen)
        assert is_plain(desk.text)


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
async def test_titles_of_questions(tmp_path: Path, nasty: str) -> None:
    iam = GatedIam()
    user = iam.add_user("aaa")
    iam.add_key(user, f"AKIA{nasty}", last_used=LastUsed(START, "s3", "x"))
    async with opened(Desk(tmp_path, iam), user="aaa") as desk:
        await desk.press("d")
        await desk.on(ConfirmScreen)
        await desk.until(lambda: shown(f"Make AKIA{nasty} inactive?") in desk.text)
        assert is_plain(desk.text)


@pytest.mark.parametrize("nasty", EACH, ids=ascii)
async def test_errors_and_stores(desk: Desk, nasty: str) -> None:
    async with opened(desk, user="alice", size=(160, 40)):
        desk.iam.errors["iam:UpdateAccessKey"] = AwsError(
            f"title {nasty}", f"safe {nasty}", f"next {nasty}"
        )
        await desk.press("a")
        for part in ("title", "safe", "next"):
            await appears(desk, f"{part} {shown(nasty)}")
        assert is_plain(desk.text)

    store = StoreError(f"reason {nasty}", next_step=f"step {nasty}")
    desk.keyring.trouble, desk.keyring.label = store, f"OS keyring ({nasty})"
    async with opened(desk, user="carol", ready=False, size=(160, 40)):
        await desk.sees("carol has no access keys")
        await desk.until(lambda: f"reason {shown(nasty)}" in desk.text)
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.until(lambda: f"step {shown(nasty)}" in desk.text)
        assert is_plain(desk.text)
        await desk.press("escape")
        await desk.on_main()

    desk.keyring.trouble = None
    desk.keyring.fails_at_put = store
    desk.iam.errors["iam:TagUser"] = AwsError(f"warning {nasty}")
    desk.files["/csv/carol.csv"] = CsvFile(f"/csv/{nasty}")
    async with opened(desk, user="carol", ready=False, size=(160, 40)):
        await desk.sees("carol has no access keys")
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("tab", "x", "enter")
        await desk.on(RevealScreen)
        for part in ("reason", "step", "warning"):
            await appears(desk, f"{part} {shown(nasty)}")
        await desk.press("f")
        await desk.on(PathScreen)
        await desk.press("enter")
        await desk.until(lambda: f"In /csv/{shown(nasty)}, read back" in desk.text)
        assert is_plain(desk.text)
        await desk.press("escape")
        await desk.until(lambda: f"its secret is in /csv/{shown(nasty)}" in desk.text)


class Nasty(GatedIam):
    """An account whose caller, partition and endpoint are nasty too."""

    nasty = ""

    def _ask_identity(self) -> Identity:
        arn = f"arn:{self.nasty}:sts::1:assumed-role/R/{self.nasty}"
        return Identity(f"acc{self.nasty}", arn)


@pytest.mark.parametrize("nasty", EACH, ids=ascii)
async def test_caller_and_profiles(tmp_path: Path, nasty: str) -> None:
    iam = Nasty()
    iam.nasty, iam.custom_endpoint = nasty, f"http://{nasty}"
    iam.deny = {"iam:ListUsers"}
    desk = Desk(tmp_path, iam)
    desk.profiles = [f"prof {nasty}"]

    def connect(profile: str | None) -> Iam:
        if profile:
            raise AccessDeniedError("sts:X", f"no {profile}")
        return iam

    desk.connecting = connect
    async with opened(desk, ready=False, size=(160, 40)):
        await desk.until(lambda: f"acc{shown(nasty)}" in desk.text)
        assert f"http://{shown(nasty)}" in desk.text
        assert is_plain(desk.text)
        await desk.press("P")
        await desk.until(lambda: f"prof {shown(nasty)}" in desk.text)
        await desk.press("down", "enter")
        await desk.until(lambda: f"no prof {shown(nasty)}" in desk.text)
        assert f"profile prof {shown(nasty)}" in desk.text
        assert is_plain(desk.text)


async def test_key_id_that_is_no_key_id_is_not_made_part_of_an_action(desk: Desk) -> None:
    key_id = "AKIA'),app.quit('"
    desk.iam.add_key(desk.iam.find("carol"), key_id, status=KeyStatus.INACTIVE)
    async with opened(desk, user="carol", size=(160, 40)):
        await desk.click("Make active", "AKIA")
        await desk.pilot.pause()
        assert desk.app.is_running
