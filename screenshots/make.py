"""Make the screenshots: the demo account at a fixed clock, worked by real key presses.

``python -m screenshots.make [FOLDER]`` writes them; the folder is this one unless told.
They are the same on each run, so that a test can tell when the screens have changed.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from textual.app import App
from textual.pilot import Pilot

from keytui.aws.demo.server import DemoServer
from keytui.aws.files.profiles import AwsFiles
from keytui.aws.options import ConnectOptions
from keytui.aws.session import connect
from keytui.core.errors import NotStoredError
from keytui.core.model import Identity, NewAccessKey, Secret, User
from keytui.core.waiting import Wait
from keytui.journal.log import Entry, Event, Journal
from keytui.session.context import Context
from keytui.session.settings import Settings
from keytui.stores.base import Probe, Receipt
from keytui.stores.csv_file import CsvFile, expand
from keytui.tui.app import KeytuiApp
from keytui.tui.audit.screen import AuditScreen
from keytui.tui.main.screen import MainScreen
from tests.support.gates import WRITABLE

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
"""The clock of every screenshot."""

SIZES = {"": (120, 32), "-narrow": (60, 20)}
"""The ending of a file's name → columns and lines."""

FOLDER = Path(__file__).parent
"""Where the screenshots are kept."""

PATIENCE = 20.0
"""Seconds to wait for a state; nothing takes that long."""

Screenshots = dict[str, str]
"""File name → SVG."""


class MadeUpKeyring:
    """A keyring in memory that looks like the Secret Service."""

    name = "keyring"
    locator = "keyring"
    _LABEL = "OS keyring (Secret Service)"

    def __init__(self) -> None:
        self._kept: dict[str, Secret] = {}

    def probe(self, *, canary: bool = True) -> Probe:
        """Say that it can be written."""
        del canary
        return Probe(self._LABEL, writable=True)

    def put(self, new: NewAccessKey) -> Receipt:
        """Keep a secret."""
        self._kept[new.key.id] = new.secret
        return Receipt(self.name, self._LABEL)

    def get(self, key_id: str) -> Secret:
        """Return a kept secret."""
        if key_id not in self._kept:
            raise NotStoredError(f"The OS keyring holds no secret for {key_id}.")
        return self._kept[key_id]

    def delete(self, key_id: str) -> None:
        """Forget a secret."""
        self.get(key_id)
        del self._kept[key_id]

    def unlock(self, password: Secret) -> None:
        """Do nothing: it is open."""

    def hurried(self, seconds: float) -> Self:
        """Return itself."""
        del seconds
        return self


class Camera:
    """One run of keytui, with a finger on the keys and an eye on the screen."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self._pilot = pilot

    @property
    def app(self) -> KeytuiApp:
        """The application."""
        app = self._pilot.app
        assert isinstance(app, KeytuiApp)
        return app

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self._pilot.press(*keys)

    async def until(self, state: Callable[[], bool], what: str) -> None:
        """Return once a state holds and is drawn."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not state():
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"not within {PATIENCE:g} s: {what}")
            await self._pilot.pause(0.02)
        await self._pilot.pause()

    async def until_shown(self, text: str) -> None:
        """Return once a text is on the screen."""
        await self.until(lambda: text in self.text(), f"{text!r} shown")

    def text(self) -> str:
        """Return what is on the screen."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    def shoot(self) -> str:
        """Return the screen as SVG, without what differs from run to run.

        Some programs that draw SVG drop the space a word begins with unless told not to.
        keytui refuses screenshots while it holds a secret. These secrets are made up, so
        Textual's own method is asked instead.
        """
        svg = App.export_screenshot(self.app, title="keytui")
        svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
        return re.sub(r"terminal-\d+-", "terminal-", svg)


async def make() -> Screenshots:
    """Return all screenshots."""
    made: Screenshots = {}
    for ending, size in SIZES.items():
        shots = await _narrow_or_wide(size)
        made |= {f"{name}{ending}.svg": svg for name, svg in shots.items()}
    return made


async def _narrow_or_wide(size: tuple[int, int]) -> Screenshots:
    shots: Screenshots = {}
    async with _keytui(size) as camera:
        await camera.until_shown("12 users")
        await camera.until_shown("Secret Service")
        await camera.press("j")
        await _keys_read(camera, "alice")
        await camera.until(lambda: _report_read(camera), "the credential report")
        shots["picker"] = camera.shoot()

        await camera.press("enter", "j")
        await _keys_read(camera, "alice")
        shots["keys"] = camera.shoot()

        await camera.press("A")
        await camera.until_shown("14 keys")
        await camera.until(lambda: _all_checked(camera), "all rows read from AWS itself")
        shots["audit"] = camera.shoot()
        await camera.press("escape")
        await camera.until(lambda: isinstance(camera.app.screen, MainScreen), "the main screen")

        await camera.press("k", "x")
        await camera.until_shown("last four characters")
        shots["delete"] = camera.shoot()
        await camera.press("escape")
        await camera.until_shown("was not deleted")

        await camera.press("escape", "escape", "j", "j")
        await _keys_read(camera, "carol")
        await camera.press("c")
        await camera.until_shown("can be written")
        await camera.press("tab")
        await camera.until(lambda: getattr(camera.app.focused, "id", "") == "description", "focus")
        await camera.press(*"build server")
        await camera.until_shown("build server")
        shots["create"] = camera.shoot()

        await camera.press("enter")
        await camera.until_shown("read back")
        shots["reveal"] = camera.shoot()

        await camera.press("escape")
        await camera.until_shown("is active; its secret is in")
        await camera.press("H")
        await camera.until_shown("Access key ID")
        await camera.until_shown("History")
        shots["history"] = camera.shoot()

        await camera.press("escape")
        await camera.until(lambda: isinstance(camera.app.screen, MainScreen), "the main screen")
        _remember_secrets(camera.app.main.ctx.journal)
        await camera.press("V")
        await camera.until_shown("gone from IAM")
        await camera.until(lambda: "asking" not in camera.text(), "IAM's answers")
        shots["vault"] = camera.shoot()

        await camera.press("escape")
        await camera.until(lambda: isinstance(camera.app.screen, MainScreen), "the main screen")
        await camera.press("k")
        await _keys_read(camera, "bob")
        await camera.press("enter", "R")
        await camera.until_shown("can be written")
        await camera.press("enter")
        await camera.until_shown("was not used since")
        await camera.until_shown("never used")
        shots["rotation"] = camera.shoot()
    return shots


def _report_read(camera: "Camera") -> bool:
    """Return whether the users are marked by what the credential report tells of their keys."""
    task = camera.app.main.stage.account.report_task
    return task is not None and task.done()


def _all_checked(camera: Camera) -> bool:
    screen = camera.app.screen
    return isinstance(screen, AuditScreen) and all(row.live for row in screen.table.rows)


def _remember_secrets(journal: Journal) -> None:
    """Let the keyring hold some more: of each kind that the vault tells apart."""
    for key_id, user, account, days in (
        ("AKIADEMOALICE0000001", "alice", "123456789012", 400),
        ("AKIADEMOBOB000000001", "bob", "123456789012", 6),
        ("AKIADEMOBOB000000000", "bob", "123456789012", 190),
        ("AKIADEMODEPLOY000001", "deploy", "210987654321", 35),
    ):
        at = (NOW - timedelta(days=days)).isoformat()
        caller = f"arn:aws:iam::{account}:user/admin"
        journal.append(Entry(at, Event.STORED, account, user, caller, key_id, store="keyring"))


async def _keys_read(camera: Camera, name: str) -> None:
    def read() -> bool:
        main = camera.app.screen
        assert isinstance(main, MainScreen)
        user = main.users.user
        known = main.stage.account.inventory.keys_of(user) if user else None
        return user is not None and user.name == name and known is not None and known.complete

    await camera.until(read, f"the keys of {name} read")


@asynccontextmanager
async def _keytui(size: tuple[int, int]) -> AsyncIterator[Camera]:
    with (
        DemoServer(now=NOW) as server,
        tempfile.TemporaryDirectory(prefix="keytui-screenshots-") as folder,
    ):
        options = await asyncio.to_thread(server.wait_ready, PATIENCE)
        app = KeytuiApp(_ctx(options, Path(folder)))
        async with app.run_test(size=size) as pilot:
            yield Camera(pilot)


def _ctx(options: ConnectOptions, folder: Path) -> Context:
    keyring = MadeUpKeyring()
    return Context(
        settings=Settings(demo=True, state_folder=folder),
        connect=lambda _: connect(options, WRITABLE),
        profiles=list,
        journal=Journal(folder, WRITABLE),
        keyring=keyring,
        csv_file=lambda path: CsvFile(expand(path), WRITABLE),
        store_at=lambda locator: keyring if locator == keyring.locator else None,
        wait=Wait(lambda _: None),
        who=lambda *_: Identity("123456789012", "arn:aws:iam::123456789012:user/admin"),
        csv_path=_csv_path,
        now=lambda: NOW + timedelta(seconds=4),
        aws_files=lambda: AwsFiles({}, folder, WRITABLE),
    )


def _csv_path(user: User) -> Path:
    return Path("~") / f"{user.name}_accessKeys.csv"


def main() -> None:
    """Write the screenshots."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, svg in asyncio.run(make()).items():
        (folder / name).write_text(svg, encoding="utf-8")
        print(folder / name)


if __name__ == "__main__":
    main()
