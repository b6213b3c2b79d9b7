"""In read-only mode no sequence of verbs changes AWS, a keyring, a file or the record."""

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from keytui.aws.files.ini import FileKind
from keytui.aws.files.profiles import AwsFiles
from keytui.aws.files.repoint import LocalProfiles, RepointChange
from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, Identity, KeyStatus, NewAccessKey, Secret, User
from keytui.core.waiting import Wait
from keytui.journal.log import Entry, Event, Journal
from keytui.journal.rotations import Rotation, rotations
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import Custody, StatusChange, Verb
from keytui.keys.recovery import Recovery
from keytui.rotation.rotator import Rotator
from keytui.stores.base import SecretStore
from keytui.stores.csv_file import CsvFile
from keytui.stores.keyring.codes import Trouble
from keytui.stores.keyring.os_keyring import OsKeyring
from keytui.stores.keyring.process import Reply
from keytui.stores.vault import Held, Vault
from tests.support.change_port import undo, work_on
from tests.support.fake_iam import ACCOUNT, START, FakeIam
from tests.support.gates import READ_ONLY, WRITABLE
from tests.support.snapshot import snapshot

OLD_ID, OFF_ID, GONE_ID = "AKIAALICEOLD00000001", "AKIAALICEOFF00000002", "AKIABOBGONE000000003"
ALICES_KEY = ("alice", FileKind.CREDENTIALS, (OLD_ID, Secret("old")))
CALLER = f"arn:aws:iam::{ACCOUNT}:user/admin"


class Items:
    """What a keyring keeps, as its child process answers."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def ask(self, command: Sequence[str], request: Secret, *_: object) -> Reply:
        asked, op = json.loads(request.reveal()), command[-1]
        name = asked["username"]
        if op == "put":
            self.kept[name] = asked["value"]
        elif op in {"get", "delete"} and name not in self.kept:
            return Reply(Trouble.NOT_STORED)
        value = self.kept.pop(name) if op == "delete" else self.kept.get(name)
        return Reply(value=None if value is None else Secret(value))


class Machine:
    """An account and a machine with something of each kind, and keytui in read-only mode on it."""

    def __init__(self, home: Path) -> None:
        self.home, self.iam, self.items = home, FakeIam(), Items()
        self.alice, self.bob = self.iam.add_user("alice"), self.iam.add_user("bob")
        self.carol = self.iam.add_user("carol")
        self.old = self.iam.add_key(self.alice, OLD_ID, description="laptop")
        self.off = self.iam.add_key(self.alice, OFF_ID, status=KeyStatus.INACTIVE)
        self._set_the_stage()
        self.journal = Journal(home / "state", READ_ONLY)
        self.keyring = OsKeyring(ask=self.items.ask, gate=READ_ONLY)
        self.files = AwsFiles({}, home, READ_ONLY)
        self.profiles = LocalProfiles(self.files)
        common = {"now": lambda: START, "wait": Wait(lambda _: None, lambda: 0.0)}
        self.lifecycle = Lifecycle(self.iam, self.journal, gate=READ_ONLY, **common)  # type: ignore[arg-type]
        self.recovery = Recovery(
            self.iam,
            self.journal,
            self.lifecycle,
            self.store_at,
            **common,  # type: ignore[arg-type]
        )
        self.vault = Vault(self.journal, self.keyring, self.store_at, lambda: START)
        self.rotator: Rotator[RepointChange] = Rotator(
            self.iam,
            self.journal,
            self.lifecycle,
            self.vault,
            self.store_at,
            lambda *_: Identity(ACCOUNT, CALLER),
            self.profiles,
            **common,  # type: ignore[arg-type]
        )

    def _set_the_stage(self) -> None:
        journal = Journal(self.home / "state", WRITABLE)
        keyring = OsKeyring(ask=self.items.ask, gate=WRITABLE)
        earlier = Lifecycle(
            self.iam, journal, gate=WRITABLE, wait=Wait(lambda _: None, lambda: 0.0)
        )
        self.custody = earlier.create(self.bob, keyring)
        line = {"at": START.isoformat(), "account": ACCOUNT, "caller": CALLER, "store": "keyring"}
        gone = AccessKey(GONE_ID, self.bob, KeyStatus.ACTIVE, None)
        for key in (self.old, gone):
            keyring.put(NewAccessKey(key, ACCOUNT, Secret("kept")))
            journal.append(Entry(event=Event.STORED, user=key.user.name, key_id=key.id, **line))
        for key, name in ((self.old, "a1"), (gone, "a2")):
            begun = {**line, "user": key.user.name, "key_id": key.id, "rotation": name}
            journal.append(Entry(event=Event.ROTATING, **begun))
        journal.append(Entry(event=Event.DELETED, user="bob", key_id=GONE_ID, **line))
        files = AwsFiles({}, self.home, WRITABLE)
        files.credentials.parent.mkdir()
        files.credentials.write_text(
            f"[alice]\naws_access_key_id = {OLD_ID}\naws_secret_access_key = old\n"
        )
        CsvFile(self.home / "old.csv", WRITABLE).put(NewAccessKey(self.old, ACCOUNT, Secret("x")))
        self.iam.lose_reply = True
        with suppress(KeytuiError):
            earlier.create(self.bob, None)
        self.iam.lose_reply = False
        for attempt in list(journal._claims._held):
            journal.release(attempt)

    def store_at(self, locator: str) -> SecretStore | None:
        if locator == "keyring":
            return self.keyring
        kind, _, path = locator.partition(":")
        return CsvFile(Path(path), READ_ONLY) if kind == "csv" else None

    @property
    def file(self) -> CsvFile:
        return CsvFile(self.home / "new.csv", READ_ONLY)

    @property
    def rotation(self) -> Rotation:
        return rotations(self.journal.entries())[0]

    @property
    def held(self) -> tuple[Held, ...]:
        return self.vault.held()

    @property
    def change(self) -> RepointChange:
        return self.profiles.plan(OLD_ID, self.custody.new.key.id)[0]

    def everything(self) -> tuple[object, ...]:
        """Return all that could be changed."""
        aws = {name: (dict(h.keys), dict(h.tags)) for name, h in self.iam._holders.items()}
        return aws, dict(self.items.kept), snapshot(self.home), self.home.stat().st_mtime_ns


def _recover(machine: Machine) -> None:
    for attempt in machine.recovery.open_attempts():
        finding = machine.recovery.examine(attempt)
        assert finding
        try:
            machine.recovery.delete(finding)
        except KeytuiError:
            machine.recovery.leave(finding)


def _undo(machine: Machine) -> None:
    undo(machine.lifecycle, [StatusChange(machine.off, KeyStatus.ACTIVE, (), None)])


def _custody(machine: Machine) -> Custody:
    return replace(machine.custody, receipts=[])


VERBS: dict[str, Callable[[Machine], object]] = {
    "create into the keyring": lambda m: m.lifecycle.create(m.carol, m.keyring, "new"),
    "create into a file": lambda m: m.lifecycle.create(m.carol, m.file),
    "create and show": lambda m: m.lifecycle.create(User("admin"), None),
    "keep": lambda m: m.lifecycle.keep(m.custody, m.file),
    "shown": lambda m: m.lifecycle.shown(_custody(m)),
    "discard": lambda m: m.lifecycle.discard(m.custody),
    "leave": lambda m: m.lifecycle.leave(m.custody),
    "rescue": lambda m: m.lifecycle.rescue(_custody(m), m.keyring),
    "let go": lambda m: m.lifecycle.let_go(m.custody),
    "deactivate": lambda m: m.lifecycle.set_status(m.old, KeyStatus.INACTIVE),
    "activate": lambda m: m.lifecycle.set_status(m.off, KeyStatus.ACTIVE, undoing=True),
    "delete": lambda m: m.lifecycle.delete(m.off),
    "discard a key": lambda m: m.lifecycle.discard_key(m.off, "a"),
    "deactivate several": lambda m: work_on(m.lifecycle, Verb.DEACTIVATE, [m.old, m.off]),
    "delete several": lambda m: work_on(m.lifecycle, Verb.DELETE, [m.old, m.off]),
    "undo": _undo,
    "recover": _recover,
    "begin a rotation": lambda m: m.rotator.begin(m.custody.new.key, m.keyring),
    "claim a rotation": lambda m: m.rotator.claim(m.rotation),
    "create for a rotation": lambda m: m.rotator.create(m.rotation),
    "verify": lambda m: m.rotator.verify(m.rotation),
    "repoint": lambda m: m.rotator.repoint(m.rotation, [m.change]),
    "retire": lambda m: m.rotator.retire(m.rotation),
    "delete the old": lambda m: m.rotator.delete(m.rotation),
    "finish": lambda m: m.rotator.finish(m.rotation),
    "end if gone": lambda m: m.rotator.end_if_gone(m.rotation),
    "tidy": lambda m: m.rotator.tidy(),
    "abandon": lambda m: m.rotator.abandon(m.rotation),
    "roll back": lambda m: m.rotator.roll_back(m.rotation),
    "release": lambda m: m.rotator.release(m.rotation),
    "forget": lambda m: m.vault.forget(m.held[0]),
    "take": lambda m: m.vault.take(m.custody.new),
    "delete a file": lambda m: CsvFile(m.home / "old.csv", READ_ONLY).delete(OLD_ID),
    "write a profile": lambda m: m.files.write("alice", "true"),
    "set a profile aside": lambda m: m.files.set_aside("alice"),
    "drop a key": lambda m: m.files.drop_key(m.files.credentials, *ALICES_KEY),
    "change a profile": lambda m: m.profiles.repoint(m.change, Secret("new"), "a1"),
    "put it back": lambda m: m.profiles.put_back(m.profiles.record(m.change, "a1")),
    "drop its backup": lambda m: m.profiles.drop_backup(m.profiles.record(m.change, "a1")),
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(VERBS)), min_size=1, max_size=12))
def test_no_sequence_of_verbs_changes_anything(verbs: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        before = machine.everything()
        for verb in verbs:
            with suppress(KeytuiError):
                VERBS[verb](machine)
            assert machine.everything() == before, verb


def test_each_verb_alone_changes_nothing() -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        before = machine.everything()
        for verb, work in VERBS.items():
            with suppress(KeytuiError):
                work(machine)
            assert machine.everything() == before, verb
