"""Reads for an audit in the background: the report, the rows on the screen, or all users live."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from threading import Event

from keytui.audit.live import Checked, check
from keytui.audit.report import STALE, reports
from keytui.core.errors import CredentialsError, KeytuiError, UnreachableError
from keytui.core.model import ROOT_USER, User
from keytui.session.account import Account
from keytui.session.context import Context
from keytui.tui.services.threads import in_thread

HOPELESS = 20
"""After how many users none of whom could be read a live reading ends by itself."""
BATCH_SECONDS = 0.1
"""What arrives within this time is taken in together, and painted once."""


async def read_report(account: Account, ctx: Context) -> None:
    """Take the credential report into the account's audit; why it can't be had is remembered.

    Where it is being read already, that is waited for; one that has become stale is read anew.
    """
    made_at, task = account.audit.report_made_at, account.report_task
    stale = made_at is not None and ctx.now() - made_at >= STALE
    if task is None or (stale and task.done()):
        account.audit.report_error = None
        task = account.report_task = asyncio.ensure_future(_read_report(account, ctx))
    await asyncio.shield(task)


async def _read_report(account: Account, ctx: Context) -> None:
    found = reports(account.iam, ctx.now, ctx.wait.sleep)
    try:
        while (report := await in_thread(lambda: next(found, None))) is not None:
            account.audit.take_prepared(await in_thread(partial(account.audit.prepared, report)))
            account.tell_audit()
    except KeytuiError as error:
        account.audit.report_error = error
        account.tell_audit()


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
    def is_hopeless(self) -> bool:
        """Whether it can't be expected that any more users can be read."""
        if isinstance(self.failed, CredentialsError | UnreachableError):
            return True
        return self.failures >= HOPELESS and self.failures == self.done - self.done_before

    @property
    def seconds_left(self) -> float | None:
        """How long it still takes at the speed so far; None where that can't be said yet."""
        read = self.done - self.done_before
        spent = time.monotonic() - self.began
        if not self.running or read < 5 or spent < 1:
            return None
        return (self.total - self.done) * spent / read


class AuditReader:
    """Reads users' keys for one audit screen, and takes them in batch by batch."""

    def __init__(self, account: Account, ctx: Context, told: Callable[[], None]) -> None:
        """Take the account, and what is called in the event loop's thread after each batch."""
        self._account, self._ctx, self._told = account, ctx, told
        self.progress = Progress()
        self.problem: KeytuiError | None = None
        """Why rows on the screen could not be checked, or not wholly."""
        self.refused: set[str] = set()
        """The names of users whose keys could not be read."""
        self._waited_for: set[str] = set()
        """Who is still to be read, of all users."""
        self._arrived: list[Checked] = []
        self._waiting: asyncio.TimerHandle | None = None
        self._checking = Event()
        self._stopped = Event()
        self._closed = Event()
        self.taken: Callable[[Checked], None] = lambda _: None
        """Called with each user's keys after they are taken in."""

    def close(self) -> None:
        """Read nothing more."""
        self._closed.set()
        self._checking.set()
        if self._waiting:
            self._waiting.cancel()
        self._take_in()

    def forget_failures(self) -> None:
        """Forget what could not be read, as it is to be read anew."""
        self.refused.clear()
        self.problem = None

    async def look_at(self, users: Sequence[User]) -> None:
        """Read these users' keys, and no longer those asked for before."""
        self._checking.set()
        left = self._checking = Event()
        if users:
            await self._read(users, lambda: left.is_set() or self._closed.is_set())

    def stop(self) -> None:
        """Read no more of all users."""
        self._stopped.set()

    async def read_all(self, *, anew: bool = False) -> None:
        """Read all users' keys, until all are read or ``stop`` is called.

        Args:
            anew: Whether AWS is asked again who they are, and about those read before.
        """
        account = self._account
        if self.progress.running:
            return
        self.progress = Progress(running=True)
        self._stopped.clear()
        try:
            users = await in_thread(lambda: _all_users(account, anew))
            if anew:
                self._take_out_others(users)
            waiting = [u for u in users if anew or not account.audit.is_live(u.name)]
            done = len(users) - len(waiting)
            self.progress = Progress(len(users), done, time.monotonic(), done, running=True)
            self._told()
            self._waited_for = {user.name for user in waiting}
            await self._read(waiting, lambda: self._closed.is_set() or self._stopped.is_set())
            self._take_in()
        except KeytuiError as error:
            self.progress.failed = error
        finally:
            self.progress.running = False
            self._told()

    def _take_out_others(self, users: Sequence[User]) -> None:
        """Take out who is not among these, but for root, whom AWS does not list."""
        audit, names = self._account.audit, {user.name for user in users}
        for user in list(audit.users):
            if user.name not in names and not user.is_root:
                audit.take_gone(user)

    async def read_some(self, users: Sequence[User], left: Callable[[], bool]) -> None:
        """Read these users' keys, until all are read or nobody waits any more."""
        await self._read(users, left)
        self._take_in()

    async def _read(self, users: Sequence[User], left: Callable[[], bool]) -> None:
        account, loop = self._account, asyncio.get_running_loop()
        context = copy_context()  # A thread has none, and Textual's timers need the screen's.
        audit, from_report = account.audit, account.audit.report_made_at is not None

        def work() -> None:
            checks = check(
                account.iam,
                users,
                account.pace,
                self._ctx.now,
                lambda user: audit.reported(user.name),
                mfa=not from_report and len(users) <= 100,
                left=left,
            )
            for checked in checks:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._arrive, checked, context=context)

        await in_thread(work)

    def _arrive(self, checked: Checked) -> None:
        self._arrived.append(checked)
        if self._waiting is None and not self._closed.is_set():
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_later(BATCH_SECONDS, self._take_in)

    def _take_in(self) -> None:
        self._waiting = None
        arrived, self._arrived = self._arrived, []
        for checked in arrived:
            self._take(checked)
        if arrived and not self._closed.is_set():
            self._told()

    def _take(self, checked: Checked) -> None:
        audit, progress, name = self._account.audit, self.progress, checked.user.name
        waited_for = progress.running and name in self._waited_for
        self._waited_for.discard(name)
        progress.done += waited_for
        if checked.error:
            self.problem = checked.error
            self.refused.add(name)
            if waited_for:
                progress.failures += 1
                progress.failed = checked.error
                if progress.is_hopeless:
                    self._checking.set()
                    self._stopped.set()
            return
        self.problem = checked.note or self.problem
        if checked.gone:
            audit.take_gone(checked.user)
        else:
            audit.take_keys(checked.user, checked.keys, checked.read_at, checked.mfa)
        self.taken(checked)


def _all_users(account: Account, anew: bool) -> Sequence[User]:
    if account.inventory.all_read and not anew:
        return account.inventory.users
    root = [ROOT_USER] if account.identity.is_root else []
    return root + [user for page in account.iam.users() for user in page]
