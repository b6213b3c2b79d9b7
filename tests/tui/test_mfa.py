"""The question for an MFA code, over whatever is on the screen."""

import asyncio
import threading
from pathlib import Path

import pytest

from keytui.core.errors import AccessDeniedError
from keytui.core.mfa import MfaRequest, MfaSession
from keytui.core.model import KeyStatus, Secret
from keytui.tui.dialogs.dialogs import WorkingScreen
from keytui.tui.dialogs.mfa import CodeLine, MfaScreen
from keytui.tui.keys.create import CreateScreen
from keytui.tui.keys.reveal import RevealScreen
from keytui.tui.services import connection
from tests.support.app import SECONDS, Desk, GatedIam, only_key, opened

SERIAL = "arn:aws:iam::123456789012:mfa/admin"
WRONG = "AWS did not take this code."


class MfaIam(GatedIam):
    """An account that asks for a code where AWS would refuse; the code 123456 is right.

    Attributes:
        desk: Where it asks.
        guarded: The actions that take a code.
        codes: What was typed.
        declined: Set when no code was given.
    """

    def __init__(self) -> None:
        self.desk: Desk | None = None
        self.guarded: set[str] = set()
        self.codes: list[str] = []
        self.declined = threading.Event()
        super().__init__()

    def _call(self, action: str, *details: str) -> threading.RLock:
        lock: threading.RLock = super()._call(action, *details)
        if action in self.guarded and not (self.desk and self.desk.mfa.sessions):
            self._sign_in(action)
        return lock

    def _sign_in(self, action: str) -> None:
        assert self.desk
        problem = ""
        while code := self.desk.mfa.code(MfaRequest("admin in 123456789012", SERIAL, problem)):
            self.codes.append(code.reveal())
            if code.reveal() == "123456":
                session = MfaSession("ASIA", Secret("s"), Secret("t"))
                return self.desk.mfa.keep(self.signing_key_id(), session)
            problem = WRONG
        self.declined.set()
        raise AccessDeniedError(action, f"You may not do this: {action} is denied.")


@pytest.fixture
def iam() -> MfaIam:
    iam = MfaIam()
    iam.add_user("carol")
    return iam


@pytest.fixture
def desk(tmp_path: Path, iam: MfaIam) -> Desk:
    desk = iam.desk = Desk(tmp_path, iam)
    return desk


async def test_code_is_asked_for_over_the_main_screen(desk: Desk, iam: MfaIam) -> None:
    iam.guarded = {"iam:ListUsers"}
    async with opened(desk, ready=False, size=(60, 20)):
        await desk.on(MfaScreen)
        await desk.sees("admin in 123456789012", SERIAL, "Its six digits")
        await desk.write("12a3")
        await desk.press("enter")
        await desk.sees("A code has six digits.")
        await desk.write("000")
        await desk.press("enter")
        await desk.sees(WRONG)
        await desk.write("123456")
        await desk.press("enter")
        await desk.sees("carol", "MFA")
    assert iam.codes == ["123000", "123456"]


async def test_time_it_takes_to_type_does_not_count(
    desk: Desk, iam: MfaIam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.05)
    iam.guarded = {"sts:GetCallerIdentity"}
    async with opened(desk, ready=False):
        dialog = await desk.on(MfaScreen)
        await desk.until(lambda: dialog.query_one(CodeLine).has_focus)
        waited = threading.Event()
        desk.app.set_timer(0.2, waited.set)
        await desk.until(waited.is_set)
        await desk.write("123456")
        await desk.press("enter")
        await desk.sees("carol")
        await desk.loses("did not answer")


async def test_mfa_prompt_in_key_creation_has_focus_and_no_typeahead(
    desk: Desk, iam: MfaIam
) -> None:
    iam.guarded = {"iam:CreateAccessKey"}
    gate = iam.hold("iam:CreateAccessKey")
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.sees("Secret Service")
        await desk.press("enter")
        await desk.on(WorkingScreen)
        await desk.write("99")
        gate.set()
        await desk.on(MfaScreen)
        await desk.write("123456")
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.sees(only_key(desk, "carol").id)
    assert iam.codes == ["123456"]


async def test_declined_code_leaves_the_creation_as_refused(desk: Desk, iam: MfaIam) -> None:
    iam.guarded = {"iam:CreateAccessKey"}
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.sees("Secret Service")
        await desk.press("enter")
        await desk.on(MfaScreen)
        await desk.press("escape")
        await desk.on_main()
        await desk.sees("iam:CreateAccessKey is denied")
    assert desk.held("carol") == {}


async def test_keys_that_wait_for_a_flow_do_not_keep_the_code_waiting(
    desk: Desk, iam: MfaIam
) -> None:
    key = iam.add_key(iam.find("carol"))
    async with opened(desk, user="carol"):
        await desk.sees("never")
        iam.guarded = {"iam:GetAccessKeyLastUsed"}
        await desk.press("d")
        await desk.on(MfaScreen)
        await desk.write("123456")
        await desk.press("enter")
        await desk.until(lambda: desk.held("carol")[key.id] is KeyStatus.INACTIVE)


async def test_work_that_ends_beneath_the_question_waits_for_it(desk: Desk, iam: MfaIam) -> None:
    gate = iam.hold("iam:CreateAccessKey")
    answers: list[Secret | None] = []
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.sees("Secret Service")
        await desk.press("enter")
        await desk.on(WorkingScreen)

        def ask() -> None:
            answers.append(desk.mfa.code(MfaRequest("admin", SERIAL)))

        threading.Thread(target=ask, daemon=True).start()
        await desk.on(MfaScreen)
        gate.set()
        await desk.until(lambda: desk.app.main.stage.custody is not None)
        await desk.write("123456")
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.until(lambda: answers)
    assert answers[0] is not None
    assert answers[0].reveal() == "123456"


async def test_whoever_waits_is_released_when_keytui_is_left(desk: Desk, iam: MfaIam) -> None:
    iam.guarded = {"iam:ListUsers"}
    async with opened(desk, ready=False):
        await desk.on(MfaScreen)
        await desk.press("ctrl+c")
    assert await asyncio.to_thread(iam.declined.wait, SECONDS)
    assert desk.mfa.code(MfaRequest("admin", SERIAL)) is None
