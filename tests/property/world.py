"""A world for property tests: an IAM, stores and a disk that go wrong wherever they are told to.

A fault is set for the n-th step from now: before it takes effect, after, or as a kill, which no
``except Exception`` catches. A kill takes the memory with it; the journal, IAM and the stores
stay.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TypeVar

from keytui.core.errors import LostReplyError, StateError, StoreError, UnreachableError
from keytui.core.model import AccessKey, KeyStatus, NewAccessKey, Secret, User
from keytui.core.waiting import Wait
from keytui.journal.log import Entry, Event, Journal
from keytui.keys.local_use import LocalUse, Place
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import Custody
from keytui.keys.recovery import Recovery
from keytui.stores.base import Probe, Receipt
from tests.support.fake_iam import START, FakeIam
from tests.support.fake_store import FakeStore
from tests.support.gates import WRITABLE

T = TypeVar("T")
CONSISTENT_SECONDS = 10.0
"""After how long IAM lists every change; it is eventually consistent."""


class Killed(BaseException):
    """The process has ended at this very step."""


class How(Enum):
    """What goes wrong with a step."""

    BEFORE = "it fails before it takes effect"
    AFTER = "it takes effect and then fails"
    KILL_BEFORE = "killed before it"
    KILL_AFTER = "killed right after it"


class Trouble:
    """Counts the steps and lets one of them go wrong."""

    def __init__(self) -> None:
        self.countdown = -1
        self.how = How.BEFORE

    def arm(self, steps: int, how: How) -> None:
        """Let the step that comes after ``steps`` others go wrong."""
        self.countdown, self.how = steps, how

    def step(self, work: Callable[[], T], error: Callable[[], Exception]) -> T:
        """Do a step, or let it go wrong."""
        due, self.countdown = self.countdown == 0, self.countdown - 1
        if due and self.how is How.KILL_BEFORE:
            raise Killed
        if due and self.how is How.BEFORE:
            raise error()
        result = work()
        if due and self.how is How.KILL_AFTER:
            raise Killed
        if due:
            raise error()
        return result


def _unreachable() -> Exception:
    return UnreachableError("The reply is lost.")


class TroubledIam(FakeIam):
    """Every call may go wrong; counts the keys that keytui's calls have made."""

    def __init__(self, trouble: Trouble, clock: Callable[[], datetime]) -> None:
        self._trouble = trouble
        self.made: list[str] = []
        super().__init__(clock=clock)

    def keys(self, user: User) -> tuple[AccessKey, ...]:
        return self._trouble.step(lambda: super(TroubledIam, self).keys(user), _unreachable)

    def set_status(self, key: AccessKey, status: KeyStatus) -> None:
        work = super().set_status
        self._trouble.step(lambda: work(key, status), _unreachable)

    def delete_key(self, key: AccessKey) -> None:
        work = super().delete_key
        self._trouble.step(lambda: work(key), _unreachable)

    def set_description(self, user: User, key_id: str, text: str) -> None:
        work = super().set_description
        self._trouble.step(lambda: work(user, key_id, text), _unreachable)

    def create_key(self, user: User) -> NewAccessKey:
        return self._trouble.step(
            lambda: self._create(user), lambda: LostReplyError("The reply is lost.")
        )

    def _create(self, user: User) -> NewAccessKey:
        new = super().create_key(user)
        self.made.append(new.key.id)
        return new


class TroubledStore(FakeStore):
    """Every call may go wrong."""

    def __init__(self, trouble: Trouble, locator: str) -> None:
        super().__init__()
        self._trouble = trouble
        self.locator = locator

    def probe(self, *, canary: bool = True) -> Probe:
        return self._trouble.step(
            lambda: super(TroubledStore, self).probe(canary=canary), lambda: StoreError("?")
        )

    def put(self, new: NewAccessKey) -> Receipt:
        work = super().put
        return self._trouble.step(lambda: work(new), lambda: StoreError("Failed."))

    def get(self, key_id: str) -> Secret:
        work = super().get
        return self._trouble.step(lambda: work(key_id), lambda: StoreError("Failed."))


class TroubledJournal(Journal):
    """Every line may go wrong; ``room`` is how many the disk still takes, None for any."""

    def __init__(self, folder: Path, trouble: Trouble) -> None:
        super().__init__(folder, WRITABLE)
        self._trouble = trouble
        self.room: int | None = None

    def append(self, entry: Entry) -> None:
        if self.room == 0:
            raise StateError("The disk is full.")
        self.room = self.room and self.room - 1
        work = super().append
        self._trouble.step(lambda: work(entry), lambda: StateError("The disk is full."))


class World:
    """One account, one machine, and a keytui that is started again after each kill."""

    def __init__(self, folder: Path) -> None:
        self.time = START
        self.trouble = Trouble()
        self.iam = TroubledIam(self.trouble, lambda: self.time)
        self.alice = self.iam.add_user("alice")
        self.stores = {name: TroubledStore(self.trouble, name) for name in ("keyring", "csv:/a")}
        self.custodies: list[Custody] = []
        self.decided: set[str] = set()
        """The keys whose users said that they have the secret."""
        self.deletions: set[str] = set()
        """The keys that a user, or somebody else, wanted deleted."""
        self.named: set[str] = set()
        """The keys that a profile on this machine names."""
        self.folder = folder
        self.journal = TroubledJournal(folder, self.trouble)
        self.start()

    def start(self) -> None:
        """Start keytui, after a kill too: only what is outside its memory is left."""
        self.custodies.clear()
        self.trouble.countdown = -1
        for attempt in list(self.journal._claims._held):
            self.journal.release(attempt)
        self.journal = TroubledJournal(self.folder, self.trouble)
        wait = Wait(self.let_pass, lambda: self.time.timestamp())
        common = {"now": lambda: self.time, "wait": wait}
        self.lifecycle = Lifecycle(
            self.iam,
            self.journal,
            uses_here=self.uses_here,
            **common,  # type: ignore[arg-type]
            gate=WRITABLE,
        )
        self.recovery = Recovery(
            self.iam,
            self.journal,
            self.lifecycle,
            self.stores.get,
            **common,  # type: ignore[arg-type]
        )

    def uses_here(self, key_id: str) -> tuple[LocalUse, ...]:
        """Return the profile that names a key, where one does."""
        return (LocalUse(Place.CONFIG, "~/.aws/config", "p"),) * (key_id in self.named)

    def let_pass(self, seconds: float) -> None:
        """Let time pass; after some seconds IAM lists what there is."""
        self.time += timedelta(seconds=seconds)
        if seconds >= CONSISTENT_SECONDS:
            self.iam._holders["alice"].stale_reads = 0

    def secret_is_stored(self, key_id: str) -> bool:
        """Return whether a store really has the key's own secret."""
        secret = self.iam.secrets[key_id]
        kept = (store.kept.get(key_id) for store in self.stores.values())
        return any(found is not None and found.matches(secret) for found in kept)

    def in_memory(self, key_id: str) -> bool:
        """Return whether the running keytui still holds the key's secret."""
        return any(custody.new.key.id == key_id for custody in self.custodies)

    def closed(self, event: Event) -> set[str]:
        """Return the keys that the journal has an event of."""
        return {entry.key_id for entry in self.journal.entries() if entry.event is event}
