"""keytui on a terminal in memory: an account, stores, a fixed clock, keys and a mouse."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from rich.cells import cell_len
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from keytui.aws.files.profiles import AwsFiles
from keytui.core.errors import StoreError
from keytui.core.iam import Iam
from keytui.core.mfa import MfaDesk
from keytui.core.model import AccessKey, Identity, KeyStatus, LastUsed, NewAccessKey, Secret, User
from keytui.core.rules import Thresholds
from keytui.core.waiting import Wait
from keytui.journal.log import Journal
from keytui.keys.local_use import LocalUse
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import UnansweredError
from keytui.session.context import Context
from keytui.session.settings import Settings
from keytui.session.users_cache import UsersCache
from keytui.stores.base import Probe, Receipt, SecretStore
from keytui.tui.app import KeytuiApp
from keytui.tui.terminal.clipboard import Clipboard
from tests.support.fake_iam import START, FakeIam
from tests.support.fake_store import FakeStore
from tests.support.gates import WRITABLE

S = TypeVar("S", bound=Screen[Any])

SECONDS = 10.0
"""How long anything may take before a test gives up; no test passes by waiting it out."""

ACTIVE_ID = "AKIAALICEACTIVE00001"
INACTIVE_ID = "AKIAALICEINACTIVE002"
BOB_ID = "AKIABOBACTIVE0000003"
LIMITS = Thresholds()
OWN_ID = "AKIAFAKECALLER000001"
"""The key that signs the calls of ``FakeIam``."""


class GatedIam(FakeIam):
    """A ``FakeIam`` whose calls can be held up.

    Attributes:
        gates: Action → what its calls wait for.
        page_gate: Each page of users after the first waits for one release; None for no wait.
    """

    def __init__(self, *, caller: str = "admin", root: bool = False) -> None:
        self.gates: dict[str, threading.Event] = {}
        self.page_gate: threading.Semaphore | None = None
        super().__init__(caller=caller, root=root)

    def hold(self, action: str) -> threading.Event:
        """Hold up an action's calls until the event returned is set."""
        gate = self.gates[action] = threading.Event()
        return gate

    def users(self) -> Iterator[list[User]]:
        for number, page in enumerate(super().users()):
            if number and self.page_gate:
                self.page_gate.acquire(timeout=SECONDS)
            yield page

    def count(self, action: str) -> int:
        """Return how often an action was asked for."""
        return sum(call.split()[0] == action for call in self.calls)

    @property
    def mutations(self) -> list[str]:
        """The calls that change something."""
        verbs = ("iam:Create", "iam:Update", "iam:Delete", "iam:Tag", "iam:Untag")
        return [call for call in self.calls if call.startswith(verbs)]

    def _call(self, action: str, *details: str) -> Any:
        if gate := self.gates.get(action):
            gate.wait(SECONDS)
        return super()._call(action, *details)


class Keyring(FakeStore):
    """An OS keyring in memory.

    Attributes:
        label: How it calls itself.
        fails_at_put: Raised by ``put``, after a probe that said all is well.
        gate: What ``put`` waits for; None for no wait.
        probes: For each probe, whether it was to write a canary.
    """

    name = "keyring"
    locator = "keyring"

    def __init__(self) -> None:
        super().__init__()
        self.label = "OS keyring (Secret Service)"
        self.fails_at_put: StoreError | None = None
        self.gate: threading.Event | None = None
        self.probes: list[bool] = []

    def probe(self, *, canary: bool = True) -> Probe:
        self.probes.append(canary)
        if self.trouble is None:
            return Probe(self.label, writable=True)
        return Probe(self.label, False, self.trouble.title, self.trouble.next_step, self.mend)

    def put(self, new: NewAccessKey) -> Receipt:
        if self.gate:
            self.gate.wait(SECONDS)
        if self.fails_at_put:
            raise self.fails_at_put
        super().put(new)
        return Receipt(self.name, self.label)


class CsvFile(Keyring):
    """A CSV file in memory."""

    name = "csv"

    def __init__(self, path: str) -> None:
        super().__init__()
        self.label = path
        self.locator = f"csv:{path}"


class Desk:
    """keytui, the terminal it is on, and the account and stores behind it.

    Attributes:
        iam: The account.
        home: The home folder.
        keyring: The OS keyring.
        files: Path → the CSV file; a test may put one here before it is asked for.
        journal: keytui's record.
        aws_files: The AWS config and credentials files.
        profiles: The profiles of the AWS config.
        connected: The profiles connected with, in order.
        who: Whose an access key is, as AWS would say.
        uses: Access key ID → where this machine names it.
        mfa: Where MFA codes are asked for.
        cache: The users last seen; kept nowhere unless a test says so.
        peeking: Connects with one profile among all.
        gives_key: Whether a credential_process gives its key to a new process.
        sent: What went to the terminal past Textual, such as the clipboard's sequences.
        now: keytui's clock, which stands still.
    """

    def __init__(self, folder: Path, iam: GatedIam) -> None:
        self.iam, self.home = iam, folder
        self.keyring = Keyring()
        self.files: dict[str, CsvFile] = {}
        self.journal = Journal(folder / "state", WRITABLE)
        self.aws_files = AwsFiles({}, folder, WRITABLE)
        self.profiles: list[str] = ["default", "prod"]
        self.connected: list[str | None] = []
        self.connecting: Callable[[str | None], Iam] | None = None
        self.peeking: Callable[[str], Iam] = lambda _: self.iam
        self.gives_key: Callable[[str], bool] = lambda _: True
        self.sent: list[str] = []
        self.now = START
        self.who: Callable[[str, Secret], Identity] = lambda *_: self.iam.identity()
        self.uses: dict[str, tuple[LocalUse, ...]] = {}
        self.mfa = MfaDesk()
        self.cache = UsersCache(None)
        self._running: tuple[KeytuiApp, Pilot[None]] | None = None

    @property
    def app(self) -> KeytuiApp:
        """The application."""
        assert self._running
        return self._running[0]

    @property
    def pilot(self) -> Pilot[None]:
        """The hands."""
        assert self._running
        return self._running[1]

    @property
    def text(self) -> str:
        """What is on the screen, line by line."""
        return screen_text(self.app)

    @property
    def words(self) -> str:
        """What is on the screen, wrapped sentences joined and frames left out."""
        return words(self.text)

    def line(self, part: str) -> str:
        """Return the line of the screen that holds a text; empty where none does."""
        return next((line for line in self.text.splitlines() if part in line), "")

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)

    async def write(self, text: str) -> None:
        """Type a text, character by character."""
        names = {" ": "space", "/": "slash", ".": "full_stop", "-": "minus", "_": "underscore"}
        names |= {"+": "plus", "=": "equals_sign", ",": "comma", "@": "at", "~": "tilde"}
        await self.press(*(names.get(char, char) for char in text))

    async def paste(self, text: str) -> None:
        """Paste a text, as a terminal with bracketed paste hands it over."""
        self.app.post_message(events.Paste(text))
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a state."""
        await until(self.pilot, condition)

    async def sees(self, *texts: str) -> None:
        """Wait until texts are on the screen."""
        await until(self.pilot, lambda: all(text in self.words for text in texts), repr(texts))

    async def loses(self, part: str) -> None:
        """Wait until a text is on the screen no more."""
        await until(self.pilot, lambda: part not in self.words, f"no more {part!r}")

    async def on(self, kind: type[S]) -> S:
        """Wait for a dialog, and return it."""
        await until(self.pilot, lambda: isinstance(self.app.screen, kind), kind.__name__)
        await self.pilot.pause()
        assert isinstance(self.app.screen, kind)
        return self.app.screen

    async def on_main(self) -> None:
        """Wait until no dialog is open."""
        await until(self.pilot, lambda: self.app.screen is self.app.main, "the main screen")
        await self.pilot.pause()

    async def settled(self) -> None:
        """Wait until no work is under way, but for a flow that waits for a dialog."""

        def busy() -> bool:
            in_dialog = self.app.screen is not self.app.main
            return any(
                not worker.is_finished and not (in_dialog and worker.description == "a flow")
                for worker in self.app.workers
            )

        await until(self.pilot, lambda: not busy(), "no work under way")

    async def click(self, part: str, line: str = "") -> None:
        """Click on a text, on the first line that also holds another one."""
        for y, row in enumerate(self.text.splitlines()):
            if part in row and line in row:
                before = row[: row.index(part)]
                await self.pilot.click(offset=(cell_len(before) + 1, y))
                return
        raise AssertionError(f"{part!r} is not on the screen:\n{self.text}")

    def held(self, user: str) -> dict[str, KeyStatus]:
        """Return key ID → status, as AWS has them."""
        return {key.id: key.status for key in self.iam.held(self.iam.find(user))}


@asynccontextmanager
async def opened(
    desk: Desk,
    *,
    user: str | None = None,
    key_ids: tuple[str, ...] = (),
    broken_ids: int = 0,
    read_only: bool = False,
    size: tuple[int, int] = (120, 40),
    ready: bool = True,
    limits: Thresholds = LIMITS,
) -> AsyncIterator[Desk]:
    """Open keytui on an account; at a user's keys where one is named.

    IAM's lag is waited out without any sleep between the tries.

    Args:
        desk: What stands behind it.
        user: The user to open at.
        key_ids: The key to open at.
        broken_ids: How many IDs beside it were cut short.
        read_only: Whether every change is refused.
        size: The terminal's columns and lines.
        ready: Wait until the account has been read.
        limits: After how many days a key counts as old or unused.
    """
    settings = Settings(
        user=user,
        key_ids=key_ids,
        broken_ids=broken_ids,
        read_only=read_only,
        old_days=limits.old_days,
        unused_days=limits.unused_days,
    )
    app = KeytuiApp(parts_of(desk, settings), Clipboard({}))
    try:
        async with app.run_test(size=size) as pilot:
            desk._running = app, pilot
            _listen(desk)
            if ready:
                await desk.sees("Keyring: Secret Service")
                await until(pilot, lambda: app.main.users.user is not None)
            if ready and user:
                await until(pilot, lambda: _is_read(app, user), f"the keys of {user}")
            yield desk
            await _leave(app)
    finally:
        for gate in desk.iam.gates.values():
            gate.set()


def parts_of(desk: Desk, settings: Settings) -> Context:
    """Return the parts that a desk stands for."""

    def connect(profile: str | None) -> Iam:
        desk.connected.append(profile)
        return desk.connecting(profile) if desk.connecting else desk.iam

    journal, files = desk.journal, lambda: desk.aws_files
    if settings.read_only:
        journal = Journal(desk.journal.path.parent, settings.gate)
        files = lambda: AwsFiles(desk.aws_files.env, desk.home, settings.gate)  # noqa: E731
    return Context(
        settings=settings,
        connect=connect,
        profiles=lambda: desk.profiles,
        journal=journal,
        keyring=desk.keyring,
        csv_file=lambda path: desk.files.setdefault(path, CsvFile(path)),
        csv_path=lambda user: Path(f"/csv/{user.name}.csv"),
        now=lambda: desk.now,
        wait=Wait(lambda _: None, lambda: 0.0),
        store_at=lambda locator: (
            desk.keyring if locator == "keyring" else desk.files.get(locator.removeprefix("csv:"))
        ),
        who=lambda key_id, secret: desk.who(key_id, secret),
        aws_files=files,
        uses_here=lambda key_id: desk.uses.get(key_id, ()),
        mfa=desk.mfa,
        cache=desk.cache,
        peek=lambda profile: desk.peeking(profile),
        gives_key=lambda command, *_: desk.gives_key(command),
    )


def an_account(*, root: bool = False) -> GatedIam:
    """Return an account: admin (the caller), alice, bob, carol and two of a team."""
    iam = GatedIam(root=root)
    alice = iam.add_user("alice", START - timedelta(days=800))
    iam.add_key(
        alice,
        INACTIVE_ID,
        status=KeyStatus.INACTIVE,
        created=START - timedelta(days=800),
        description="old laptop",
    )
    iam.add_key(
        alice,
        ACTIVE_ID,
        created=START - timedelta(days=115),
        last_used=LastUsed(START - timedelta(days=3), "s3", "eu-west-1"),
    )
    bob = iam.add_user("bob")
    iam.add_key(
        bob,
        BOB_ID,
        created=START - timedelta(days=10),
        last_used=LastUsed(START - timedelta(hours=3), "ec2", "us-east-1"),
    )
    for name in ("carol", "team-one", "team-two"):
        iam.add_user(name)
    return iam


def an_orphan(
    desk: Desk, user: str = "carol", store: SecretStore | None = None
) -> tuple[str, AccessKey]:
    """Let an earlier run have lost the reply to a creation; return the attempt and its key."""
    before = set(desk.held(user))
    desk.iam.lose_reply = True
    try:
        earlier_run(desk).create(desk.iam.find(user), store)
    except UnansweredError as lost:
        (key,) = [key for key in desk.iam.held(desk.iam.find(user)) if key.id not in before]
        return lost.attempt, key
    finally:
        desk.iam.lose_reply = False
        desk.iam.calls.clear()
    raise AssertionError("the reply came")


def earlier_run(desk: Desk) -> Lifecycle:
    """Return the verbs of a run before this one, which ended without a word."""
    journal = Journal(desk.journal.path.parent, WRITABLE)
    return Lifecycle(
        desk.iam, journal, now=lambda: START, wait=Wait(lambda _: None, lambda: 0.0), gate=WRITABLE
    )


def only_key(desk: Desk, user: str) -> AccessKey:
    """Return the one key a user has."""
    (key,) = desk.iam.held(desk.iam.find(user))
    return key


def screen_text(app: KeytuiApp) -> str:
    """Return what is on the screen, line by line, as the terminal is told to show it."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def words(text: str) -> str:
    """Join what is wrapped, and leave frames out."""
    frames = dict.fromkeys(map(ord, "│┃╭╮╰╯─┏┓┗┛━║═▏▕"), " ")
    return " ".join(text.translate(frames).split())


async def until(
    pilot: Pilot[None], condition: Callable[[], object], what: str = "", timeout: float = SECONDS
) -> None:
    """Wait for a state; fail with what is on the screen where it never comes."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while not condition():
        if pilot.app._exception is not None:
            raise AssertionError(f"keytui has crashed: {pilot.app._exception!r}")
        if loop.time() > end:
            assert isinstance(pilot.app, KeytuiApp)
            shown = screen_text(pilot.app) if pilot.app.is_running else "(keytui has ended)"
            raise AssertionError(f"never came: {what or 'the state waited for'}\n{shown}")
        await asyncio.sleep(0.01)
        if pilot.app.is_running:
            await pilot.pause()


def _listen(desk: Desk) -> None:
    driver = desk.app._driver
    assert driver is not None
    write = driver.write

    def heard(data: str) -> None:
        desk.sent.append(data)
        write(data)

    driver.write = heard  # type: ignore[method-assign]


async def _leave(app: KeytuiApp) -> None:
    """End as keytui ends by itself: work under way is dropped before the screen is."""
    if app._exception is None:
        app.exit()
    while app.is_running:
        await asyncio.sleep(0)


def _is_read(app: KeytuiApp, name: str) -> bool:
    account = app.main.stage.connection.current
    known = account.inventory.keys.get(name) if account else None
    return known is not None and known.complete
