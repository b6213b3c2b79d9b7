"""An import's rules: kept, tested from the keyring, and only then cleared from the file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from keytui.core.errors import CredentialsError, ReadOnlyError, StoreError, StoreLockedError
from keytui.core.gate import Gate
from keytui.core.model import ROOT_ACCOUNT, Identity, Secret
from keytui.core.port import run_now
from keytui.journal.log import Journal
from keytui.keys.importing import COPIES, Importer, import_keys
from keytui.stores.vault import Vault
from tests.support.fake_iam import START
from tests.support.fake_store import FakeStore
from tests.support.gates import WRITABLE
from tests.support.sentinel import ACCOUNT, KEY_ID, SENTINEL

T = TypeVar("T")
OTHER_ID = "AKIAI44QH8DHBEXAMPLE"
ALICE = Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/team/alice")
REFUSAL = CredentialsError("AWS does not know this access key.")


@dataclass(frozen=True)
class Key:
    key_id: str = KEY_ID
    secret: Secret = field(default_factory=lambda: Secret(SENTINEL))
    user: str = ""


class Profile:
    """A profile whose file and AWS config are noted, not written."""

    name, config = "my dev", "~/.aws/config"

    def __init__(self, *, at_home: bool = True, in_config: bool = False) -> None:
        self.at_home, self.in_config = at_home, in_config
        self.in_the_way = ""
        self.limited: tuple[str, ...] = ()
        self.done: list[str] = []

    def obstacle(self) -> str:
        return self.in_the_way

    def limits(self) -> tuple[str, ...]:
        return self.limited

    def use_keyring(self) -> None:
        self.done.append("use keyring")

    def drop_key(self) -> None:
        self.done.append("drop key")


class File:
    """A file on disk, whose content nobody reads."""

    def __init__(self, path: Path, profile: Profile | None = None) -> None:
        path.write_text("content")
        self.path, self.profile = path, profile
        self.keys: tuple[Key, ...] = (Key(),)
        self.more: tuple[str, ...] = ()
        self.is_changed = False

    def changed(self) -> bool:
        return self.is_changed

    def delete(self) -> None:
        self.path.unlink()


class Stage:
    """Somebody at a port with a file, a keyring and an AWS that answers.

    Attributes:
        answers: To the questions, in order; then comes yes.
        told: The sentences, and whether each is good.
        events: The questions, and when they are over.
        asked: The secrets that AWS was asked with.
    """

    def __init__(self, folder: Path) -> None:
        self.file = File(folder / "accessKeys.csv")
        self.keyring = FakeStore()
        self.journal = Journal(folder / "state", WRITABLE)
        self.vault = Vault(self.journal, self.keyring, lambda _: None, lambda: START)
        self.who: Callable[[str, Secret], Identity] = lambda *_: ALICE
        self.answers: list[bool] = []
        self.told: list[tuple[str, bool]] = []
        self.events: list[str] = []
        self.asked: list[str] = []

    def run(self, *, sure: bool = False, gate: Gate = WRITABLE) -> bool:
        def who(key_id: str, secret: Secret) -> Identity:
            self.asked.append(secret.reveal())
            return self.who(key_id, secret)

        importer = Importer(gate, self.vault, self.keyring, who)
        done = run_now(import_keys(importer, self.read, self, sure=sure))
        assert SENTINEL not in f"{self.told} {self.events}"
        return done

    def read(self) -> File:
        self.events.append("read")
        return self.file

    async def work(self, call: Callable[[], T]) -> T:
        return call()

    def progress(self, step: str) -> None:
        pass

    def tell(self, sentence: str, *, good: bool = True) -> None:
        self.told.append((sentence, good))

    def committed(self) -> None:
        self.events.append("committed")

    async def agree(self, question: str) -> bool:
        assert "committed" not in self.events
        self.events.append(question)
        return self.answers.pop(0) if self.answers else True

    @property
    def wrong(self) -> list[str]:
        return [sentence for sentence, good in self.told if not good]

    @property
    def said(self) -> str:
        return "\n".join(sentence for sentence, _ in self.told)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def profile(stage: Stage) -> Profile:
    profile = Profile()
    stage.file = File(stage.file.path.with_name("credentials"), profile)
    return profile


def refuse(*_: object) -> Identity:
    raise REFUSAL


def test_key_is_kept_tested_and_its_file_deleted(stage: Stage) -> None:
    path = stage.file.path

    assert stage.run()

    assert stage.asked == [SENTINEL, SENTINEL]
    assert stage.keyring.kept[KEY_ID].reveal() == SENTINEL
    assert not path.exists()
    assert stage.events == ["read", f"Delete {path}?", "committed"]
    assert stage.told == [
        (f"{KEY_ID} is in the memory, read back.", True),
        (f"It works: AWS knows it as alice in the account {ACCOUNT}.", True),
        (f"{path} is deleted. {COPIES}", True),
    ]
    (entry,) = stage.journal.entries()
    assert (entry.key_id, entry.user, entry.account) == (KEY_ID, "alice", ACCOUNT)
    assert entry.caller == ALICE.arn


def test_read_only_mode_reads_no_file(stage: Stage) -> None:
    with pytest.raises(ReadOnlyError):
        stage.run(gate=Gate(read_only=True))
    assert stage.events == []
    assert stage.keyring.kept == {}


def test_root_key_is_remembered_as_the_accounts(stage: Stage) -> None:
    stage.who = lambda *_: Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    assert stage.run()
    (entry,) = stage.journal.entries()
    assert entry.user == ROOT_ACCOUNT


def test_user_named_by_the_file_is_kept_of_an_unknown_key(stage: Stage) -> None:
    stage.file.keys = (Key(user="bob"),)
    stage.who = refuse
    assert not stage.run(sure=True)
    (entry,) = stage.journal.entries()
    assert (entry.user, entry.account) == ("bob", "")


def test_secret_is_tested_as_the_keyring_returns_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.keyring, "get", lambda _: Secret("spoilt"))
    stage.who = lambda _, secret: ALICE if secret.reveal() == SENTINEL else refuse()

    assert not stage.run(sure=True)

    assert stage.file.path.exists()
    assert stage.wrong == [
        f"It could not be tested with the secret from the keyring. {REFUSAL}",
        f"{stage.file.path} stays as it is.",
    ]


def test_key_that_aws_refuses_is_kept_and_the_file_stays(stage: Stage) -> None:
    stage.who = refuse
    assert not stage.run(sure=True)
    assert stage.keyring.kept[KEY_ID].reveal() == SENTINEL
    assert stage.file.path.exists()
    assert stage.wrong[0] == f"It could not be tested, and its user is not known. {REFUSAL}"


@pytest.mark.parametrize(("known", "what"), [("good", "another secret for it"), (SENTINEL, "it")])
def test_known_secret_is_not_overwritten_by_a_refused_one(
    known: str, what: str, stage: Stage
) -> None:
    stage.keyring.kept[KEY_ID] = Secret(known)
    stage.who = refuse
    assert not stage.run(sure=True)
    assert stage.keyring.kept[KEY_ID].reveal() == known
    said = f"{KEY_ID}: the keyring has {what} already, which stays. {REFUSAL}"
    assert stage.wrong[0] == said
    assert stage.journal.entries() == [], "what is known of the key is not lost either"


def test_wrong_secret_in_the_keyring_is_replaced_by_a_good_one(stage: Stage) -> None:
    stage.keyring.kept[KEY_ID] = Secret("no good")
    assert stage.run()
    assert stage.keyring.kept[KEY_ID].reveal() == SENTINEL


def test_keyring_that_fails_keeps_the_file(stage: Stage) -> None:
    stage.keyring.trouble = StoreLockedError("It is locked.", next_step="Unlock it.")
    assert not stage.run(sure=True)
    assert stage.file.path.exists()
    assert stage.wrong[0] == f"{KEY_ID} could not be kept. It is locked. Unlock it."


def test_one_bad_key_of_several_keeps_the_file(stage: Stage) -> None:
    stage.file.keys = (Key(OTHER_ID), Key())
    stage.who = lambda key_id, _: ALICE if key_id == KEY_ID else refuse()
    assert not stage.run(sure=True)
    assert stage.file.path.exists()
    assert set(stage.keyring.kept) == {KEY_ID, OTHER_ID}, "the others are kept all the same"


def test_file_stays_without_consent(stage: Stage) -> None:
    stage.answers = [False]
    assert stage.run(), "plaintext that somebody wants to keep is no failure"
    assert stage.file.path.exists()
    assert stage.told[-1] == (f"{stage.file.path} stays, with the secret in plain text.", True)


def test_consent_given_in_advance_asks_nothing(stage: Stage) -> None:
    assert stage.run(sure=True)
    assert stage.events == ["read", "committed"]
    assert not stage.file.path.exists()


def test_file_with_more_than_keys_is_not_deleted(stage: Stage) -> None:
    stage.file.more = ("password", "note")
    assert stage.run(sure=True)
    assert stage.file.path.exists()
    assert stage.told[-1] == (f"{stage.file.path} stays: it also holds password, note.", True)


def test_file_changed_meanwhile_is_not_deleted(stage: Stage) -> None:
    stage.file.is_changed = True
    assert not stage.run(sure=True)
    assert stage.file.path.exists()
    assert stage.wrong == [f"{stage.file.path} was changed meanwhile and stays."]


@pytest.mark.parametrize("gone", [False, True])
def test_profile_of_a_file_changed_meanwhile_stays(
    stage: Stage, tmp_path: Path, gone: bool
) -> None:
    stage.file = File(tmp_path / "credentials", Profile())
    stage.file.is_changed = not gone
    if gone:
        stage.file.path.unlink()

    assert not stage.run(sure=True)

    assert stage.file.profile
    assert stage.file.profile.done == []
    (said,) = stage.wrong
    assert "No such file" in said if gone else "was changed meanwhile and stays" in said


def test_file_that_can_not_be_deleted_is_a_failure(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise StoreError("It can't be removed.")

    monkeypatch.setattr(stage.file, "delete", fails)
    assert not stage.run(sure=True)
    assert stage.wrong == ["It can't be removed."]


def test_hard_link_keeps_the_secret_and_is_named(stage: Stage, tmp_path: Path) -> None:
    path = stage.file.path
    (tmp_path / "other.csv").hardlink_to(path)
    inode = path.stat().st_ino

    assert not stage.run(sure=True)

    assert f"The name {path} is removed. The file has another name (hard links)" in stage.said
    assert f"-xdev -inum {inode}" in stage.said
    assert "is deleted" not in stage.said


@pytest.mark.parametrize(
    ("in_config", "done"), [(False, ["use keyring", "drop key"]), (True, ["use keyring"])]
)
def test_profile_goes_over_to_the_keyring(
    in_config: bool, done: list[str], stage: Stage, profile: Profile
) -> None:
    profile.in_config = in_config
    path = stage.file.path

    assert stage.run()

    assert profile.done == done
    assert stage.events[1:] == [
        f"Take the secret of my dev out of {path}?",
        "Let my dev in ~/.aws/config take it from the keyring? aws --profile 'my dev' needs that.",
        "committed",
    ]
    what = "Its secret" if in_config else "The secret of my dev"
    assert stage.told[-2:] == [
        ("Profile my dev in ~/.aws/config takes its key from the keyring.", True),
        (f"{what} is no more in {path}. {COPIES}", True),
    ]


def test_profile_stays_without_consent(stage: Stage, profile: Profile) -> None:
    stage.answers = [False]
    assert stage.run()
    assert profile.done == []
    assert "stays, with the secret in plain text" in stage.said


def test_profile_can_be_cleared_without_another(stage: Stage, profile: Profile) -> None:
    stage.answers = [True, False]
    assert stage.run()
    assert profile.done == ["drop key"]


def test_profile_elsewhere_is_only_cleared(stage: Stage, profile: Profile) -> None:
    profile.at_home, profile.in_the_way, profile.limited = False, "Not asked.", ("Not asked.",)
    assert stage.run(sure=True)
    assert profile.done == ["drop key"]


@pytest.mark.parametrize("sure", [True, False])
def test_profile_with_an_obstacle_keeps_its_secret(
    sure: bool, stage: Stage, profile: Profile
) -> None:
    profile.in_the_way = "it also has a role."
    assert stage.run(sure=sure) is not sure
    assert (profile.done, stage.events) == ([], ["read"])
    assert stage.told[-1][0] == f"The secret stays in {stage.file.path}: it also has a role."


def test_limited_profile_keeps_its_secret_where_nobody_is_asked(
    stage: Stage, profile: Profile
) -> None:
    profile.limited = ("It works on Mondays.", "And on Fridays.")
    assert not stage.run(sure=True)
    assert (profile.done, stage.events) == ([], ["read"])
    assert stage.told[-2][0] == (
        "With the key in the keyring, the profile my dev is limited. It works on Mondays. And on "
        "Fridays."
    )
    assert stage.wrong == [f"The secret stays in {stage.file.path}. Without --yes you are asked."]


def test_limits_are_told_before_the_question(stage: Stage, profile: Profile) -> None:
    profile.limited = ("It works on Mondays.",)
    stage.answers = [False]
    assert stage.run()
    assert len(stage.events) == 2
    assert "It works on Mondays." in stage.told[-2][0]
    assert "stays, with the secret in plain text" in stage.told[-1][0]


@pytest.mark.parametrize("in_config", [True, False])
def test_hard_link_of_a_cleared_profile_is_named(
    in_config: bool, stage: Stage, profile: Profile, tmp_path: Path
) -> None:
    profile.in_config = in_config
    for number in range(2):
        (tmp_path / str(number)).hardlink_to(stage.file.path)
    assert not stage.run(sure=True)
    assert "The file has 2 other names (hard links)" in stage.said
