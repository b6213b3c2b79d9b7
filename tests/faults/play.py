"""One run of keytui with a fault in it, and what is left of it: the cells of the matrix.

A run opens at a user without keys, creates a key, and ends in one of the ways that users and
machines end a program. Then whatever was broken is mended, ``keytui recover`` is run as the
next start, and all is looked at from outside.
"""

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest

from tests.e2e.conftest import on_bus
from tests.faults.outside import Scene, key_ids, losses
from tests.faults.program import Finished, Program, Zygote, program
from tests.faults.proxy import FaultProxy
from tests.faults.summary import record_cell
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService

REVEAL = "shown only now"
NOWHERE = "kept nowhere yet"
KEPT = "read back"
ORPHAN = "whose secret is lost"
REST = re.compile(rf"{NOWHERE}|{KEPT}|{ORPHAN}|^ (?:✗|!(?! \d+ creation)) ", re.MULTILINE)
"""What a creation comes to, whatever happens: a reveal, an offer, or a sentence."""
KEY_ID = re.compile(r"AKIA\w{12,}")
DOWN = "\x1b[B"
END_SECONDS = 60.0
"""How long keytui may take to end: as long as a keyring and AWS that give no answer."""


class Goal(Enum):
    """Where the secret is to go, by how often ``down`` is pressed in the dialog."""

    KEYRING = 0
    CSV = 1
    SHOW = 2


class End(Enum):
    """How a run ends."""

    KILL = signal.SIGKILL
    HANG_UP = signal.SIGHUP
    INTERRUPT = signal.SIGINT
    TERMINATE = signal.SIGTERM
    CLOSED = "the terminal is closed"


@dataclass(slots=True)
class Cell:
    """A place to run keytui in, with all that can be broken around it.

    Attributes:
        source: What runs are forked from.
        account: The account, as the server has it.
        proxy: What stands before it.
        user: A user without keys.
        home: The home folder.
        env: The environment.
        service: The keyring; None for none.
        csv: The CSV files asked for.
        folders: Further folders that keytui writes to.
        screens: What was on the screen when keytui came to rest.
        written: All that was written to terminals.
        asked: How many creations were asked for.
        before: The keys that the user had before.
        others: The keys that somebody else made.
        guarded: The keys that keytui made and nobody agreed to delete.
        hung: What keytui was told when it did not end in time.
    """

    source: Zygote
    account: MotoAccount
    proxy: FaultProxy
    user: str
    home: Path
    env: dict[str, str]
    service: SecretService | None = None
    csv: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    screens: list[str] = field(default_factory=list)
    written: bytes = b""
    asked: int = 0
    before: frozenset[str] = frozenset()
    others: set[str] = field(default_factory=set)
    guarded: set[str] = field(default_factory=set)
    hung: list[str] = field(default_factory=list)

    def open(self, run: Program) -> None:
        """Start keytui at the user and wait until their keys are read."""
        run.start(["--user", self.user], self.env)
        run.wait_for(f"{self.user} has no access keys")

    def ask(self, run: Program, goal: Goal = Goal.KEYRING, description: str = "") -> None:
        """Go through the dialog; return when the creation is on its way."""
        self.choose(run, goal, description)
        self.confirm(run)

    def choose(self, run: Program, goal: Goal = Goal.KEYRING, description: str = "") -> None:
        """Fill in the dialog. The account has been read by then, and the keyring proved once."""
        run.send("c")
        ready = "can be written" if self.service else "can't be used"
        run.wait_for(ready)
        for _ in range(goal.value):
            run.send(DOWN)
        run.wait_for({Goal.KEYRING: "◉ OS", Goal.CSV: "◉ CSV", Goal.SHOW: "◉ Show"}[goal])
        if description:
            run.send("\t")
            run.send(description)
            run.wait_for(description)

    def confirm(self, run: Program) -> None:
        """Set the creation going."""
        self.asked += 1
        run.send("\r")

    def rest(self, run: Program, timeout: float = 60) -> str:
        """Wait until the creation has come to something; return the screen."""
        run.wait_gone("Create an access key", timeout)
        run.wait_gone("Creating a key for", timeout)
        screen = run.wait_for(REST, timeout)
        if "Looking into" in screen:
            run.wait_gone("Looking into", timeout)
            screen = run.wait_for(REST, timeout)
        self.screens.append(screen)
        return screen

    def end(self, run: Program, how: End) -> None:
        """End the run and wait until it has ended."""
        tell(run, how)
        self.ended(run, how.name)

    def ended(self, run: Program, told: str = "") -> int:
        """Wait until a run has ended; return its exit status. That it hangs is a loss.

        Args:
            run: The run.
            told: What it was told, a word.
        """
        if not run.ends_within(END_SECONDS):
            self.hung.append(told or "its work was done")
            run.kill()
        return run.wait_exit()

    def mended(self, service: SecretService) -> None:
        """From now on the keyring is this one, unlocked."""
        self.service = service
        self.env |= on_bus(service)

    def recover(self, *flags: str) -> Finished:
        """Run ``keytui recover`` as the next start."""
        done = self.source.run(["recover", *flags], self.env)
        assert done.status in {0, 3}, done
        assert "Traceback" not in done.err
        return done

    def settle(self, request: pytest.FixtureRequest, *, certain: bool) -> Finished:
        """Accept what is offered for sure; return what ``recover --yes`` said.

        Args:
            request: The test.
            certain: Whether no key may be left but those whose secret is in the keyring. Else one
                may stay whose secret somebody might have: it is named.
        """
        told = self.recover("--yes")
        self._count(request, told)
        if certain and self.service:
            left = self.key_ids() - self.before - self.others
            assert all(self.service.lookup(key) for key in left), told.out
        return told

    def recover_by_hand(self) -> None:
        """Let a person delete the key that ``recover --yes`` leaves, on a terminal."""
        with program(self.source, ["recover"], self.env) as run:
            screen = run.wait_for("Type the last four characters of its ID:")
            (key_id,) = set(KEY_ID.findall(screen)) & self.key_ids()
            run.send(f"{key_id[-4:]}\r")
            run.wait_for(f"{key_id} is deleted")
            assert self.ended(run) == 0

    def judge(self, request: pytest.FixtureRequest, run: Program | None = None) -> Finished:
        """Start anew, look at all from outside, count what was lost; return what was told."""
        told = self.recover()
        self.written += run.written if run else b""
        self._count(request, told)
        return told

    def _count(self, request: pytest.FixtureRequest, told: Finished) -> None:
        lost = losses(self._scene(told.out))
        record_cell(request, lost)
        assert lost == [], told.out

    def _scene(self, recovered: str) -> Scene:
        return Scene(
            iam=self.account.iam,
            user=self.user,
            proxy=self.proxy,
            before=self.before,
            others=frozenset(self.others),
            guarded=frozenset(self.guarded),
            hung=tuple(self.hung),
            asked=self.asked,
            home=self.home,
            service=self.service,
            csv=tuple(self.csv),
            screen="\n".join(self.screens),
            recovered=recovered,
            written=self.written,
            folders=tuple(self.folders),
        )

    def key_ids(self) -> frozenset[str]:
        """Return the user's keys, as the server has them."""
        return key_ids(self.account.iam, self.user)


def tell(run: Program, how: End | None) -> None:
    """Let a run end so; None to let it go on."""
    if how is End.CLOSED:
        run.close_terminal()
    elif how:
        run.kill(how.value)


def once(call: Callable[[], None]) -> Callable[[], None]:
    """Return a callable that does its work the first time only."""
    done: list[bool] = []

    def work() -> None:
        if not done:
            done.append(True)
            call()

    return work
