"""Reads for an audit in the background: the report, the rows on the screen, or all users live."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

from keytui.audit import report
from keytui.audit.live import all_users, read_live
from keytui.audit.report import STALE
from keytui.audit.rows import UserKeys
from keytui.core.errors import KeytuiError
from keytui.core.model import User
from keytui.core.waiting import seconds_left
from keytui.session.context import Context
from keytui.tui.services.state import AccountState
from keytui.tui.services.threads import in_thread

MFA_USERS = 100
"""For how many users at most MFA devices are asked for where no report tells of them: of more,
the keys come first."""
BATCH_SECONDS = 0.1
"""What arrives within this time is taken in together, and painted once."""

T = TypeVar("T")


async def read_report(account: AccountState, ctx: Context) -> None:
    """Take the credential report into the account's audit.

    Where it is being read already, that is waited for; one that has become stale is read again.
    """
    audit, task = account.audit, account.report_task
    stale = audit.report_made_at is not None and ctx.now() - audit.report_made_at >= STALE
    if task is None or (stale and task.done()):
        reading = report.read_report(account.iam, audit, _Port(account), ctx.now, ctx.wait.sleep)
        task = account.report_task = asyncio.ensure_future(reading)
    await asyncio.shield(task)


class _Port:
    """See ``audit.report.ReportPort``."""

    def __init__(self, account: AccountState) -> None:
        self.report_read = account.tell_audit

    async def work(self, call: Callable[[], T]) -> T:
        return await in_thread(call)


@dataclass(slots=True)
class Progress:
    """How far a live reading of all users has come.

    Attributes:
        total: How many users there are; 0 before that is known.
        done: How many were read.
        began: When, by the monotonic clock.
        done_before: How many had been read before it began.
        running: Whether it goes on.
        failed: Why some could not be read; None where all could so far.
        failures: How many could not be read.
    """

    total: int = 0
    done: int = 0
    began: float = 0.0
    done_before: int = 0
    running: bool = False
    failed: KeytuiError | None = None
    failures: int = 0

    @property
    def seconds_left(self) -> float | None:
        """How long it still takes at the speed so far; None where that can't be said yet."""
        if not self.running:
            return None
        done, total = self.done - self.done_before, self.total - self.done_before
        return seconds_left(done, total, time.monotonic() - self.began)


class AuditReader:
    """Reads users' keys for one audit screen, and takes them in batch by batch."""

    def __init__(
        self,
        account: AccountState,
        ctx: Context,
        on_user: Callable[[UserKeys], None],
        on_batch: Callable[[], None],
    ) -> None:
        """Take the account, and what is called in the event loop's thread.

        Args:
            account: The account.
            ctx: The parts of this run.
            on_user: Called with each user's keys after they are taken in.
            on_batch: Called after each batch of users.
        """
        self._account, self._ctx = account, ctx
        self._on_user, self._on_batch = on_user, on_batch
        self.progress = Progress()
        self.problem: KeytuiError | None = None
        """Why rows on the screen could not be checked, or not wholly."""
        self.refused: set[str] = set()
        """The names of users whose keys could not be read."""
        self._waited_for: set[str] = set()
        """Who is still to be read, of all users."""
        self._arrived: list[UserKeys] = []
        self._waiting: asyncio.TimerHandle | None = None
        self._checking = Event()
        self._stopped = Event()
        self._closed = Event()

    def close(self) -> None:
        """Read nothing more."""
        self._closed.set()
        self._checking.set()
        if self._waiting:
            self._waiting.cancel()
        self._take_in()

    def forget_failures(self) -> None:
        """Forget what could not be read, as it is to be read again."""
        self.refused.clear()
        self.problem = None

    async def look_at(self, users: Sequence[User]) -> None:
        """Read these users' keys, and no longer those asked for before."""
        self._checking.set()
        stopped = self._checking = Event()
        if users:
            await self._read(users, lambda: stopped.is_set() or self._closed.is_set())

    def stop(self) -> None:
        """Read no more of all users."""
        self._stopped.set()

    async def read_all(self, *, again: bool = False) -> None:
        """Read all users' keys, until all are read or ``stop`` is called.

        Args:
            again: Whether AWS is asked again who they are, and about those read before.
        """
        account = self._account
        if self.progress.running:
            return
        self.progress = Progress(running=True)
        self._stopped.clear()
        try:
            known = account.inventory
            if known.all_read and not again:
                users: Sequence[User] = known.users
            else:
                users = await in_thread(lambda: all_users(account.iam))
            if again:
                account.audit.take_users(users)
            waiting = [u for u in users if again or not account.audit.is_live(u.name)]
            done = len(users) - len(waiting)
            self.progress = Progress(len(users), done, time.monotonic(), done, running=True)
            self._on_batch()
            self._waited_for = {user.name for user in waiting}
            await self._read(waiting, lambda: self._closed.is_set() or self._stopped.is_set())
            self._take_in()
        except KeytuiError as error:
            self.progress.failed = error
        finally:
            self.progress.running = False
            self._on_batch()

    async def read_some(self, users: Sequence[User], stopped: Callable[[], bool]) -> None:
        """Read these users' keys, until all are read or nobody waits any more."""
        await self._read(users, stopped)
        self._take_in()

    async def _read(self, users: Sequence[User], stopped: Callable[[], bool]) -> None:
        account, loop = self._account, asyncio.get_running_loop()
        context = copy_context()  # A thread has none, and Textual's timers need the screen's.
        audit, from_report = account.audit, account.audit.report_made_at is not None

        def work() -> None:
            for one in read_live(
                account.iam,
                users,
                account.pace,
                self._ctx.now,
                lambda user: audit.reported(user.name),
                mfa=not from_report and len(users) <= MFA_USERS,
                stopped=stopped,
            ):
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._arrive, one, context=context)

        await in_thread(work)

    def _arrive(self, read: UserKeys) -> None:
        self._arrived.append(read)
        if self._waiting is None and not self._closed.is_set():
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_later(BATCH_SECONDS, self._take_in)

    def _take_in(self) -> None:
        self._waiting = None
        arrived, self._arrived = self._arrived, []
        for read in arrived:
            self._take(read)
        if arrived and not self._closed.is_set():
            self._on_batch()

    def _take(self, read: UserKeys) -> None:
        progress, name = self.progress, read.user.name
        waited_for = progress.running and name in self._waited_for
        self._waited_for.discard(name)
        progress.done += waited_for
        if read.error:
            self.problem = read.error
            self.refused.add(name)
            if waited_for:
                progress.failures += 1
                progress.failed = read.error
            return
        self.problem = next(iter(read.notes), self.problem)
        self._account.audit.take_read(read)
        self._on_user(read)
