"""The rules for a keyring's password, which the command line and the screen share."""

import pytest

from keytui.core.errors import ReadOnlyError
from keytui.core.model import Secret
from keytui.stores.base import Ask, Mend, Probe, new_password_problem, what_to_ask
from tests.support.gates import READ_ONLY, WRITABLE


def in_state(mend: Mend) -> Probe:
    return Probe("OS keyring", writable=False, mend=mend)


@pytest.mark.parametrize(
    ("mend", "ask"),
    [
        (Mend.UNLOCK, Ask.PASSWORD),
        (Mend.MAKE, Ask.NEW_PASSWORD),
        (Mend.START, None),
        (Mend.NOTHING, None),
    ],
)
def test_password_asked_for_depends_on_the_keyring(mend: Mend, ask: Ask | None) -> None:
    assert what_to_ask(in_state(mend), WRITABLE) is ask
    assert in_state(mend).can_be_unlocked == (ask is not None)


def test_read_only_mode_creates_no_keyring() -> None:
    with pytest.raises(ReadOnlyError):
        what_to_ask(in_state(Mend.MAKE), READ_ONLY)
    assert what_to_ask(in_state(Mend.UNLOCK), READ_ONLY) is Ask.PASSWORD


@pytest.mark.parametrize(
    ("password", "again", "problem"),
    [
        ("", None, "An empty password protects nothing."),
        (" \t", " \t", "An empty password protects nothing."),
        ("correct horse", None, ""),
        ("correct horse", "correct house", "The two differ."),
        ("correct horse", "", "The two differ."),
        ("correct horse", "correct horse", ""),
    ],
)
def test_new_password_is_typed_twice_and_not_empty(
    password: str, again: str | None, problem: str
) -> None:
    second = None if again is None else Secret(again)
    assert new_password_problem(Secret(password), second) == problem
