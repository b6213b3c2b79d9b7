"""The rules for settling an interrupted key creation, for every face."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from keytui.core.errors import AccessDeniedError, KeytuiError, ReadOnlyError, UnreachableError
from keytui.core.model import AccessKey, KeyStatus, LastUsed
from keytui.core.port import run_now
from keytui.journal.log import Event
from keytui.keys.recovery import Finding, Verdict
from keytui.keys.settle import Answer, settle
from tests.support.fake_iam import START
from tests.unit.keys.test_recovery import Stage

T = TypeVar("T")
OTHER_ID = "AKIASOMEBODYELSES001"


class Face:
    """Implements ``SettlePort``: answers as it is set to, and notes what was called.

    Attributes:
        types: Whether the last four characters are typed.
        calls: What the driver called, in order.
        told: The sentences.
        before: Called when a change begins.
    """

    def __init__(self, answer: Answer = Answer.DELETE, *, types: bool = True) -> None:
        self.answer, self.types = answer, types
        self.calls: list[str] = []
        self.told: list[str] = []
        self.before: Callable[[], object] = lambda: None

    async def work(self, call: Callable[[], T]) -> T:
        self.calls.append("work")
        return call()

    def progress(self, step: str) -> None:
        pass

    def tell(self, sentence: str, *, good: bool = True) -> None:
        assert good
        self.told.append(sentence)

    def committed(self) -> None:
        self.calls.append("committed")
        self.before()

    def show(self, finding: Finding, *, offered: bool) -> None:
        self.calls.append("show an offer" if offered else "show")

    async def decide(self, finding: Finding) -> Answer:
        self.calls.append("decide")
        return self.answer

    async def confirm_last_four(self, key: AccessKey) -> bool:
        self.calls.append(f"confirm {key.id}")
        return self.types

    def stays(self, finding: Finding, refusal: ReadOnlyError | None) -> None:
        self.calls.append("refused" if refusal else "stays")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "state")


def settled(stage: Stage, face: Face) -> bool:
    """Look into the one open key creation and settle it."""
    return run_now(settle(stage.recovery, stage.lifecycle, stage.look(), face))


def untouched(stage: Stage) -> bool:
    keys = stage.iam.held(stage.alice)
    return stage.deletions == [] and {key.status for key in keys} == {KeyStatus.ACTIVE}


# A key that nobody can use.


def test_useless_key_is_deleted_after_one_answer(stage: Stage) -> None:
    stage.lose_a_reply()
    key, face = stage.key, Face(types=False)

    assert settled(stage, face)

    assert face.calls == ["show an offer", "decide", "committed", "work"]
    assert face.told == [f"{key.id} is deleted."]
    assert stage.iam.held(stage.alice) == ()
    assert not stage.is_open


def test_later_keeps_a_useless_key_and_its_creation_open(stage: Stage) -> None:
    stage.lose_a_reply()
    face = Face(Answer.LATER)

    assert not settled(stage, face)

    assert (face.calls, face.told) == (["show an offer", "decide", "stays"], [])
    assert untouched(stage)
    assert stage.is_open


# A key that somebody may use.


def test_doubtful_key_takes_its_last_four_characters(stage: Stage) -> None:
    stage.kill("after")
    key, face = stage.key, Face()

    assert settled(stage, face)

    confirmed = ["decide", f"confirm {key.id}", "committed", "work"]
    assert face.calls == ["show an offer", *confirmed]
    assert stage.iam.held(stage.alice) == ()


def test_doubtful_key_stays_without_the_last_four(stage: Stage) -> None:
    stage.kill("after")
    face = Face(types=False)

    assert not settled(stage, face)

    assert face.calls[-2:] == [f"confirm {stage.key.id}", "stays"]
    assert face.told == []
    assert untouched(stage)
    assert stage.is_open


def test_last_use_after_the_answer_keeps_the_key(stage: Stage) -> None:
    stage.lose_a_reply()
    key, face = stage.key, Face()
    used = LastUsed(START, "s3", "eu-west-1")
    face.before = lambda: stage.iam._uses.update({key.id: used})

    with pytest.raises(KeytuiError, match="was not deleted: It was used at"):
        settled(stage, face)

    assert face.told == []
    assert untouched(stage)
    assert stage.is_open


# A key that is in use, or one of several.


def test_key_in_use_is_kept_whatever_is_answered(stage: Stage) -> None:
    stage.lose_a_reply()
    stage.iam._uses[stage.key.id] = LastUsed(START, "s3", "eu-west-1")
    face = Face()

    assert not settled(stage, face)

    assert face.calls == ["show an offer", "decide", "stays"]
    assert face.told == []
    assert untouched(stage)


def test_ambiguous_keys_are_kept_whatever_is_answered(stage: Stage) -> None:
    stage.lose_a_reply()
    stage.add_key(OTHER_ID, 2)
    face = Face()

    assert not settled(stage, face)

    assert face.calls == ["show an offer", "decide", "stays"]
    assert face.told == []
    assert untouched(stage)
    assert stage.is_open


# Left as it is, on the user's word.


def test_left_key_is_not_asked_about_again(stage: Stage) -> None:
    stage.lose_a_reply()
    face = Face(Answer.LEAVE)

    assert settled(stage, face)

    assert face.calls == ["show an offer", "decide", "committed", "work"]
    assert face.told == [f"{stage.key.id} stays as it is. keytui does not ask again."]
    assert untouched(stage)
    assert not stage.is_open
    assert stage.events[-1] is Event.UNKEPT


def test_left_ambiguous_keys_are_both_named(stage: Stage) -> None:
    stage.lose_a_reply()
    ids = {stage.key.id, stage.add_key(OTHER_ID, 2).id}
    face = Face(Answer.LEAVE)

    assert settled(stage, face)

    (sentence,) = face.told
    assert set(sentence.partition(" stays as it is.")[0].split(" and ")) == ids
    assert untouched(stage)


# Nothing to decide.


def test_closed_creation_is_shown_and_nothing_asked(stage: Stage) -> None:
    stage.kill("before")
    face = Face()

    assert settled(stage, face)

    assert (face.calls, face.told) == (["show"], [])


def test_unknown_outcome_is_shown_and_stays_open(stage: Stage) -> None:
    stage.lose_a_reply()
    stage.iam.errors["iam:ListAccessKeys"] = UnreachableError("No network.")
    finding, face = stage.look(), Face()
    assert finding.verdict is Verdict.UNSURE

    assert not run_now(settle(stage.recovery, stage.lifecycle, finding, face))

    assert (face.calls, face.told) == (["show"], [])
    assert untouched(stage)


# Refusals.


@pytest.mark.parametrize("several", [False, True], ids=["orphan", "ambiguous"])
def test_read_only_mode_shows_a_key_and_asks_nothing(stage: Stage, several: bool) -> None:
    stage.lose_a_reply()
    if several:
        stage.add_key(OTHER_ID, 2)
    stage.begin(read_only=True)
    face = Face()

    assert not settled(stage, face)

    assert (face.calls, face.told) == (["show an offer", "refused"], [])
    assert untouched(stage)
    assert stage.is_open


def test_refused_deletion_leaves_the_creation_open(stage: Stage) -> None:
    stage.lose_a_reply()
    stage.iam.deny = {"iam:UpdateAccessKey"}
    face = Face()

    with pytest.raises(AccessDeniedError):
        settled(stage, face)

    assert face.told == []
    assert untouched(stage)
    assert stage.is_open
