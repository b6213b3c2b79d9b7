"""``u`` restores what AWS had before, whatever the screen showed, and nothing that others did."""

import threading
from dataclasses import replace

from keytui.core.model import AccessKey, KeyStatus, User
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, Desk, opened
from tests.tui.test_bulk import mark
from tests.tui.test_keys import at_active

ACTIVE, INACTIVE = KeyStatus.ACTIVE, KeyStatus.INACTIVE


def elsewhere(desk: Desk, key_id: str, status: KeyStatus) -> None:
    """Change a key as a colleague does."""
    holder = desk.iam._holders[desk.iam.owner_of(key_id).api_name]
    holder.keys[key_id] = replace(holder.keys[key_id], status=status)


async def test_stale_d_leaves_nothing_for_u(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        elsewhere(desk, ACTIVE_ID, INACTIVE)
        await desk.press("d")
        await desk.sees(f"{ACTIVE_ID} was inactive already. There is nothing to undo.")
        await desk.until(lambda: "○ Inactive" in desk.line(ACTIVE_ID))
        await desk.settled()

        await desk.press("u")
        await desk.sees("There is no change of status to undo.")

    assert desk.held("alice")[ACTIVE_ID] is INACTIVE


async def test_u_leaves_what_a_colleague_changed_since(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("g", "a")
        await desk.sees(f"{INACTIVE_ID} is active. u undoes it.")
        await desk.settled()
        elsewhere(desk, INACTIVE_ID, INACTIVE)
        updates = desk.iam.count("iam:UpdateAccessKey")

        await desk.press("u")
        await desk.sees(f"{INACTIVE_ID} is inactive now, changed since by somebody else.")
        await desk.settled()
        await desk.press("u")
        await desk.sees("There is no change of status to undo.")

    assert desk.held("alice")[INACTIVE_ID] is INACTIVE
    assert desk.iam.count("iam:UpdateAccessKey") == updates


async def test_bulk_undo_leaves_what_a_colleague_changed_since(desk: Desk) -> None:
    async with opened(desk):
        await mark(desk, "alice", "bob")
        await desk.press("d", "Y", "escape")
        await desk.sees("2 keys are inactive. u undoes that.")
        await desk.settled()
        elsewhere(desk, BOB_ID, ACTIVE)
        updates = desk.iam.count("iam:UpdateAccessKey")

        await desk.press("u")
        await desk.sees("1 of 2 done")
        await desk.press("escape")
        await desk.sees(
            "1 of 2 keys is as before; 1 changed since by somebody else and not touched."
        )
        await desk.settled()
        await desk.press("u")
        await desk.sees("There is no change of status to undo.")

    assert desk.held("alice")[ACTIVE_ID] is ACTIVE
    assert desk.iam.count("iam:UpdateAccessKey") == updates + 1


async def test_listing_from_before_a_change_does_not_hide_it(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        old = desk.iam.held(desk.iam.find("alice"))
        real, gate = desk.iam.keys, threading.Event()

        def late(user: User) -> tuple[AccessKey, ...]:
            desk.iam.keys = real  # type: ignore[method-assign]
            gate.wait(10)
            return old

        desk.iam.keys = late  # type: ignore[method-assign]
        await desk.press("r")
        await desk.until(lambda: desk.iam.keys == real)
        await desk.press("d")
        await desk.sees(f"{ACTIVE_ID} is inactive")
        gate.set()
        await desk.settled()
        assert "○ Inactive" in desk.line(ACTIVE_ID)
