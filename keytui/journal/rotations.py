"""The rotations that the journal tells of, each from its lines. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum

from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, User
from keytui.journal.creations import Attempt, attempts
from keytui.journal.log import Entry, Event, time_of


class Step(Enum):
    """A step of a rotation: its number, and what it does."""

    PROBE = (1, "the store can keep a secret")
    CREATE = (2, "create the new key")
    STORE = (3, "keep its secret, read it back")
    VERIFY = (4, "AWS accepts the new key")
    REPOINT = (5, "AWS profiles here use it")
    WATCH = (6, "watch the old key")
    RETIRE = (7, "make the old key inactive")
    DELETE = (8, "delete the old key")

    def __init__(self, number: int, words: str) -> None:
        self.number = number
        self.words = words


STEPS = len(Step)
_UNTIDY = {None, Event.ABANDONED}
_OF_KEYS = {
    Event.STATUS,
    Event.UNDONE,
    Event.DELETED,
    Event.GONE,
    Event.FORGOTTEN,
}


@dataclass(frozen=True, slots=True)
class Rotation:
    """The replacement of one key by a new one, as far as it went.

    Attributes:
        id: Joins its journal lines.
        at: When it began.
        account: The account ID.
        user: The user name, or ``<root account>``.
        old_id: The key that goes.
        old_created: When that was made; None where it is not known.
        chosen: The locator of the store that the new secret is to go to.
        attempt: The latest creation of a new key; None before the first.
        store: The locator of the store that has the new secret; empty where none has.
        repointed: The local profiles that name the new key by now, as ``detail`` has them.
        done: The steps that are done, with their times.
        gone_id: The new key that was deleted last; empty for none.
        retired: Whether this rotation has deactivated the old key, or was about to.
        rolling_back: Whether the old key is to be the one again.
        ended: How it ended; None while it is open.
    """

    id: str
    at: datetime
    account: str
    user: str
    old_id: str
    old_created: datetime | None
    chosen: str = ""
    attempt: Attempt | None = None
    store: str = ""
    repointed: tuple[str, ...] = ()
    done: dict[Step, datetime] = field(default_factory=dict)
    gone_id: str = ""
    retired: bool = False
    rolling_back: bool = False
    ended: Event | None = None

    def has(self, key_id: str) -> bool:
        """Return whether a key is its old or its new one."""
        return key_id in {self.old_id, self.new_id}

    @property
    def owner(self) -> User:
        """Whose keys they are."""
        return user_of(self.user)

    @property
    def new_id(self) -> str:
        """The new key; empty while there is none."""
        return self.attempt.key_id if self.attempt else ""

    @property
    def old(self) -> AccessKey:
        """The key that goes, as it was at the beginning."""
        return AccessKey(self.old_id, self.owner, KeyStatus.ACTIVE, self.old_created)

    @property
    def new(self) -> AccessKey:
        """The new key, by its ID."""
        return AccessKey(self.new_id, self.owner, KeyStatus.ACTIVE, None)

    @property
    def step(self) -> Step | None:
        """What is to be done next; None where nothing is."""
        if self.ended:
            return None
        return next((step for step in Step if step not in self.done), None)

    @property
    def unsettled(self) -> bool:
        """Whether it is not known what became of the new key or its secret."""
        return self.attempt is not None and self.attempt.open

    @property
    def secretless(self) -> bool:
        """Whether the new key's secret is kept nowhere, and so the key is of no use."""
        return bool(self.new_id) and not self.unsettled and not self.store

    @property
    def keyless(self) -> bool:
        """Whether profiles here name a new key that is deleted: only the way back is left."""
        return bool(self.repointed) and not self.attempt

    @property
    def only_back(self) -> bool:
        """Whether it can only be rolled back."""
        return self.rolling_back or self.keyless or self.secretless

    @property
    def brief(self) -> str:
        """Where it stands in the fewest characters, such as ``5/8``."""
        return f"{self.step.number if self.step else STEPS}/{STEPS}"

    @property
    def title(self) -> str:
        """Where it stands, as a clause."""
        if self.rolling_back:
            return f"rotation of {self.user}: being rolled back"
        step = self.step
        if step is None:
            return f"rotation of {self.user}: the old key is deleted"
        return f"rotation of {self.user}: step {step.number} of {STEPS}"


def user_of(name: str) -> User:
    """Return the user of a name in the journal."""
    return ROOT_USER if name == ROOT_USER.name else User(name)


def rotations(entries: Iterable[Entry]) -> list[Rotation]:
    """Return the rotations in these lines, oldest first."""
    lines = list(entries)
    creations = {attempt.id: attempt for attempt in attempts(lines)}
    of_attempt = {e.attempt: e.rotation for e in lines if e.attempt and e.rotation}
    found = _Found()
    for entry in lines:
        if entry.event is Event.ROTATING and entry.rotation:
            found.keep(_begun(entry))
            continue
        name = entry.rotation or of_attempt.get(entry.attempt, "")
        for one in found.concerned(entry, name):
            found.keep(_told(one, entry, creations))
    return list(found.by_id.values())


class _Found:
    """The rotations found so far, by their IDs and by their keys."""

    def __init__(self) -> None:
        self.by_id: dict[str, Rotation] = {}
        self._by_key: dict[str, dict[str, None]] = {}

    def keep(self, rotation: Rotation) -> None:
        """Take a rotation in, in place of what was known of it."""
        before = self.by_id.get(rotation.id)
        self.by_id[rotation.id] = rotation
        now = _keys(rotation)
        for key_id in (_keys(before) if before else set()) - now:
            self._by_key[key_id].pop(rotation.id, None)
        for key_id in now:
            self._by_key.setdefault(key_id, {})[rotation.id] = None

    def concerned(self, entry: Entry, name: str) -> list[Rotation]:
        """Return the rotations that a line tells of: the one it names, and those of its key."""
        ids = [name] if name in self.by_id else []
        if entry.event in _OF_KEYS:
            ids += [one for one in self._by_key.get(entry.key_id, ()) if one != name]
        found = [self.by_id[one] for one in ids]
        return [one for one in found if one.id == name or one.account == entry.account]


def _keys(rotation: Rotation) -> set[str]:
    """Return the keys whose lines tell of a rotation; none where it has come to its end."""
    if rotation.ended not in _UNTIDY:
        return set()
    return {key_id for key_id in (rotation.old_id, rotation.new_id) if key_id}


def open_rotations(entries: Iterable[Entry], account: str) -> tuple[Rotation, ...]:
    """Return the open rotations of an account, oldest first."""
    found = rotations(entries)
    return tuple(one for one in found if one.ended is None and one.account == account)


def left_over(entries: Iterable[Entry], account: str) -> tuple[Rotation, ...]:
    """Return the rotations whose old key was deleted by other means: they have come to their end.

    Those that were ended with both keys kept are among them, if backups may be left.
    """
    return tuple(
        one
        for one in rotations(entries)
        if one.account == account and Step.DELETE in one.done and one.ended in _UNTIDY
    )


def _begun(entry: Entry) -> Rotation:
    at = time_of(entry.at) or datetime.now(UTC)
    created = time_of(entry.created)
    whose = entry.account, entry.user, entry.key_id
    done = {Step.PROBE: at}
    return Rotation(entry.rotation, at, *whose, created, entry.store, done=done)


def _told(rotation: Rotation, entry: Entry, creations: dict[str, Attempt]) -> Rotation:
    """Return a rotation with what one more line tells."""
    if entry.attempt in creations and entry.rotation:
        rotation = replace(rotation, attempt=creations[entry.attempt])
    elif entry.attempt and (rotation.attempt is None or rotation.attempt.id != entry.attempt):
        return rotation  # of a creation before
    if entry.key_id and entry.key_id == rotation.old_id:
        return _told_of_old(rotation, entry)
    if entry.attempt or (entry.key_id and entry.key_id == rotation.new_id):
        return _told_of_new(rotation, entry)
    return _told_of_it(rotation, entry)


def _told_of_old(rotation: Rotation, entry: Entry) -> Rotation:
    match entry.event:
        case Event.RETIRING:
            return replace(rotation, retired=True)
        case Event.STATUS | Event.UNDONE if entry.detail == KeyStatus.INACTIVE:
            retired = replace(rotation, retired=entry.rotation == rotation.id)
            return _with(retired, entry, Step.WATCH, Step.RETIRE)
        case Event.FOUND_INACTIVE:
            return _with(replace(rotation, retired=False), entry, Step.WATCH, Step.RETIRE)
        case Event.STATUS | Event.UNDONE:
            return _without(replace(rotation, retired=False), Step.WATCH, Step.RETIRE)
        case Event.DELETED | Event.GONE:
            return _with(rotation, entry, Step.WATCH, Step.RETIRE, Step.DELETE)
    return _told_of_it(rotation, entry)


def _told_of_new(rotation: Rotation, entry: Entry) -> Rotation:
    match entry.event:
        case Event.CREATED | Event.ORPHAN:
            return _with(rotation, entry, Step.CREATE)
        case Event.STORED:
            return replace(_with(rotation, entry, Step.CREATE, Step.STORE), store=entry.store)
        case Event.FORGOTTEN if entry.store == rotation.store:
            return replace(_without(rotation, Step.STORE, Step.VERIFY), store="")
        case Event.DISCARDED | Event.DELETED | Event.GONE | Event.NOT_CREATED:
            undone = [step for step in Step if step is not Step.PROBE]
            rest = _without(rotation, *undone)
            return replace(rest, attempt=None, store="", gone_id=entry.key_id or rest.gone_id)
    return _told_of_it(rotation, entry)


def _told_of_it(rotation: Rotation, entry: Entry) -> Rotation:
    match entry.event:
        case Event.VERIFIED:
            return _with(rotation, entry, Step.VERIFY)
        case Event.REPOINTED if entry.detail not in rotation.repointed:
            return replace(rotation, repointed=(*rotation.repointed, entry.detail))
        case Event.PUT_BACK:
            left = tuple(text for text in rotation.repointed if text != entry.detail)
            return replace(_without(rotation, Step.REPOINT), repointed=left)
        case Event.WATCHING:
            return _with(rotation, entry, Step.REPOINT)
        case Event.ROLLING_BACK:
            return replace(rotation, rolling_back=True)
        case Event.ROTATED | Event.ROLLED_BACK | Event.ABANDONED:
            return replace(rotation, ended=entry.event, rolling_back=False)
    return rotation


def _with(rotation: Rotation, entry: Entry, *steps: Step) -> Rotation:
    at = time_of(entry.at) or rotation.at
    # What is recorded already keeps its time.
    return replace(rotation, done=dict.fromkeys(steps, at) | rotation.done)


def _without(rotation: Rotation, *steps: Step) -> Rotation:
    return replace(rotation, done={s: at for s, at in rotation.done.items() if s not in steps})
