"""The nouns, and above all a secret that does not show itself."""

import copy
import json
import pickle
import traceback
from dataclasses import FrozenInstanceError, asdict, dataclass

import pytest

from keytui.core.model import ROOT_USER, Identity, Secret, User
from keytui.keys.outcomes import Custody
from tests.support.sentinel import SENTINEL, new_key


@dataclass
class Holder:
    secret: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(SENTINEL)),
        str(Secret(SENTINEL)),
        f"{Secret(SENTINEL)}",
        f"{Secret(SENTINEL)!r:>60}",
        f"{Secret(SENTINEL):>60}",
        "%s %r" % (Secret(SENTINEL), Secret(SENTINEL)),  # noqa: UP031 - as logging does it
        "{}".format(Secret(SENTINEL)),  # noqa: UP032
        repr([Secret(SENTINEL)]),
        repr({"secret": Secret(SENTINEL)}),
        repr(Holder(Secret(SENTINEL))),
        repr(new_key()),
        str(new_key()),
        repr(Custody(new_key(), "attempt")),
    ],
)
def test_secret_never_shows_itself(shown: str) -> None:
    assert SENTINEL not in shown
    assert SENTINEL[:8] not in shown
    assert SENTINEL[-8:] not in shown


def test_secret_is_revealed_on_request_only() -> None:
    assert Secret(SENTINEL).reveal() == SENTINEL
    assert not hasattr(Secret(SENTINEL), "__dict__")


def test_secret_is_compared_by_its_text() -> None:
    assert Secret(SENTINEL).matches(Secret(SENTINEL))
    assert not Secret(SENTINEL).matches(Secret(SENTINEL[:-1]))
    assert Secret("gehëim").matches(Secret("gehëim"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_secret_can_not_be_pickled(protocol: int) -> None:
    for thing in (Secret(SENTINEL), new_key(), [Secret(SENTINEL)]):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(thing, protocol)
        assert SENTINEL not in str(caught.value)


def test_secret_can_not_be_copied_or_turned_into_plain_values() -> None:
    for work in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            work(Secret(SENTINEL))
    with pytest.raises(TypeError):
        asdict(new_key())


def test_secret_is_no_json() -> None:
    with pytest.raises(TypeError) as caught:
        json.dumps({"secret": Secret(SENTINEL)})
    assert SENTINEL not in str(caught.value)
    assert SENTINEL not in json.dumps({"secret": Secret(SENTINEL)}, default=str)
    assert SENTINEL not in json.dumps({"secret": Secret(SENTINEL)}, default=repr)


def test_traceback_with_locals_does_not_show_a_secret() -> None:
    def fail(secret: Secret, new: object) -> None:
        kept = [secret, new]
        raise RuntimeError(f"failed with {kept}")

    with pytest.raises(RuntimeError) as caught:
        fail(Secret(SENTINEL), new_key())

    shown = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert "Secret(••••)" in shown
    assert SENTINEL not in shown


def test_new_key_says_which_key_it_is() -> None:
    assert new_key().key.id in repr(new_key())


def test_nouns_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        new_key().account = "000000000000"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        ROOT_USER.name = "alice"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arn", "partition", "user", "label", "root"),
    [
        ("arn:aws:iam::123456789012:user/alice", "aws", "alice", "alice", False),
        ("arn:aws:iam::123456789012:user/team/eu/alice", "aws", "alice", "alice", False),
        ("arn:aws-us-gov:iam::123456789012:user/bob", "aws-us-gov", "bob", "bob", False),
        ("arn:aws-cn:iam::123456789012:root", "aws-cn", None, "root", True),
        (
            "arn:aws:sts::123456789012:assumed-role/Admin/alice@acme",
            "aws",
            None,
            "Admin/alice@acme",
            False,
        ),
        (
            "arn:aws:sts::123456789012:federated-user/x",
            "aws",
            None,
            "federated-user/x",
            False,
        ),
        ("nonsense", "aws", None, "nonsense", False),
    ],
)
def test_identity_is_read_from_its_arn(
    arn: str, partition: str, user: str | None, label: str, root: bool
) -> None:
    who = Identity("123456789012", arn)

    assert (who.partition, who.user_name, who.label, who.is_root) == (partition, user, label, root)


def test_root_user_has_no_name_to_call_it_by() -> None:
    assert ROOT_USER.is_root
    assert ROOT_USER.api_name is None
    assert User("alice").api_name == "alice"
