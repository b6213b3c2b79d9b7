"""Keys read live, user by user, at a pace that AWS bears, and when to stop asking. Blocks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from keytui.audit.pace import AT_ONCE, Pace
from keytui.audit.rows import UserKeys
from keytui.core.credential_report import joined
from keytui.core.errors import (
    AwsError,
    CredentialsError,
    KeytuiError,
    NotFoundError,
    ThrottledError,
    UnreachableError,
)
from keytui.core.iam import Iam
from keytui.core.model import ROOT_USER, AccessKey, User
from keytui.core.parallel import in_parallel

UNANSWERED = 2
"""How often a call is made again that AWS has not answered."""
REFUSALS = 20
"""After so many refusals and not one answer, no more calls are made. Refusals arrive at once,
and a policy may allow a few users only, so this is more than one round of calls."""
SILENCES = AT_ONCE
"""After so many calls in a row that AWS throttled to the end or did not answer, no more are
made, even after answers: each of them has cost minutes."""
_BUSY = ThrottledError("AWS went on asking for fewer calls.", next_step="Try again later.")

T = TypeVar("T")


class Patience:
    """Whether more calls of one kind are worth making, judged by those made so far."""

    def __init__(self) -> None:
        self.is_over = False
        self.error: KeytuiError = _BUSY
        """Why, or the last error."""
        self._answered = False
        self._refusals = self._silences = 0

    def note(self, error: KeytuiError | None) -> None:
        """Note how a call ended; None for an answer."""
        if self.is_over:
            return  # What was under way was cut short by that.
        if error is None:
            self._answered, self._silences = True, 0
            return
        throttled = isinstance(error, ThrottledError)
        self.error = _BUSY if throttled else error
        if throttled or isinstance(error, UnreachableError):
            self._silences += 1
        else:
            self._silences = 0
            self._refusals += 1
        self.is_over = (
            isinstance(error, CredentialsError)
            or self._silences >= SILENCES
            or (self._refusals >= REFUSALS and not self._answered)
        )


def all_users(iam: Iam) -> list[User]:
    """Return an account's users by name; the root user first where it is the caller.

    Raises:
        AccessDeniedError: They may not be listed.
        AwsError: They can't be.
    """
    listed = {user.name: user for page in iam.users() for user in page}
    users = sorted(listed.values(), key=lambda user: user.name.casefold())
    return [ROOT_USER, *users] if iam.identity().is_root else users


def read_live(
    iam: Iam,
    users: Sequence[User],
    pace: Pace,
    now: Callable[[], datetime],
    reported: Callable[[User], Sequence[AccessKey]] = lambda _: (),
    *,
    mfa: bool = False,
    descriptions: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[UserKeys]:
    """Read the keys of some users, and yield each user once, as the answers come.

    Users that AWS had no time for are asked about again while others are answered. Where more
    calls are not worth making, the rest is yielded with the error of those that were tried.

    Args:
        iam: The account.
        users: Whose keys. The root user's are listed only where the caller is root; otherwise
            they are left out, since AWS would list the caller's own.
        pace: How fast.
        now: The clock, aware.
        reported: A user's keys as the report has them. Where it is certain which is which, the
            last use is the report's; else AWS is asked.
        mfa: Whether to ask for MFA devices too.
        descriptions: Whether to ask for the keys' descriptions too.
        stopped: Says that nobody waits any more: no further call is made, and no more yielded.
    """
    patience = Patience()

    def ended() -> bool:
        return patience.is_over or stopped()

    reader = _Reader(iam.sending_once(), pace, now, ended, mfa, descriptions)
    root = iam.identity().is_root
    waiting = [user for user in users if root or not user.is_root]

    def read(user: User) -> UserKeys:
        return reader.read(user, reported(user))

    progress = True
    while waiting and progress and not ended():
        answered: set[str] = set()
        for _, one in in_parallel(waiting, read, AT_ONCE, ended):
            if (one.error or one.notes) and ended():
                continue  # What was cut short says nothing of AWS.
            patience.note(one.error)
            if not isinstance(one.error, ThrottledError):
                answered.add(one.user.name)
                yield one
        progress = bool(answered)
        waiting = [user for user in waiting if user.name not in answered]
    if not stopped():
        yield from (UserKeys(user, (), now(), error=patience.error) for user in waiting)


@dataclass(frozen=True, slots=True)
class _Reader:
    iam: Iam
    pace: Pace
    now: Callable[[], datetime]
    stopped: Callable[[], bool]
    mfa: bool
    descriptions: bool
    uses_patience: Patience = field(default_factory=Patience)
    mfa_patience: Patience = field(default_factory=Patience)
    descriptions_patience: Patience = field(default_factory=Patience)

    def read(self, user: User, reported: Sequence[AccessKey]) -> UserKeys:
        read_at = self.now()
        try:
            listed = self._ask(lambda: self.iam.keys(user))
        except NotFoundError:
            return UserKeys(user, (), read_at, gone=True)
        except AwsError as error:
            return UserKeys(user, (), read_at, error=error)
        found = self._with_last_use(UserKeys(user, joined(listed, reported), read_at))
        if self.mfa:
            found = self._with_mfa(found)
        return self._with_descriptions(found) if self.descriptions and found.keys else found

    def _with_last_use(self, found: UserKeys) -> UserKeys:
        keys = list(found.keys)
        for index, key in enumerate(keys):
            if key.last_used is not None:
                continue
            used = self._try(self.uses_patience, partial(self.iam.last_used, key.id))
            if isinstance(used, NotFoundError):
                continue  # Deleted since it was listed: that shows when it is read again.
            if isinstance(used, KeytuiError):
                return replace(found, keys=tuple(keys), notes=(used,))
            keys[index] = replace(key, last_used=used)
        return replace(found, keys=tuple(keys))

    def _with_mfa(self, found: UserKeys) -> UserKeys:
        has_mfa = self._try(self.mfa_patience, lambda: self.iam.has_mfa(found.user))
        if isinstance(has_mfa, KeytuiError):
            return replace(found, notes=(*found.notes, has_mfa))
        return replace(found, mfa=has_mfa)

    def _with_descriptions(self, found: UserKeys) -> UserKeys:
        texts = self._try(self.descriptions_patience, lambda: self.iam.descriptions(found.user))
        if isinstance(texts, KeytuiError):
            return replace(found, notes=(*found.notes, texts))
        keys = (replace(key, description=texts.get(key.id, "")) for key in found.keys)
        return replace(found, keys=tuple(keys))

    def _try(self, patience: Patience, call: Callable[[], T]) -> T | KeytuiError:
        """Return what a call gives, or its error; that of those before where it is of no use."""
        if patience.is_over:
            return patience.error
        try:
            result = self._ask(call)
        except AwsError as error:
            if not self.stopped():
                patience.note(None if isinstance(error, NotFoundError) else error)
            return error
        patience.note(None)
        return result

    def _ask(self, call: Callable[[], T]) -> T:
        for _ in range(UNANSWERED):
            with suppress(UnreachableError):
                return self.pace.ask(call, self.stopped)
        return self.pace.ask(call, self.stopped)
