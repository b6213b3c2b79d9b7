"""All profiles of the AWS config side by side: who each one is, and the caller's own keys."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, replace
from datetime import datetime

from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    KeytuiError,
    MfaDeclinedError,
    UnreachableError,
)
from keytui.core.iam import Iam
from keytui.core.model import ROOT_USER, AccessKey, Identity, User
from keytui.core.parallel import in_background
from keytui.core.rules import Finding, Rule, Thresholds, findings

PROFILE_SECONDS = 10.0
"""How long one profile may take, from when it begins."""
AT_ONCE = 8
"""How many profiles are begun side by side."""
SLOW_SECONDS = 2.0
"""After this long a profile only waits for somebody else, and the next may begin beside it."""
STALE = frozenset({Rule.OLD, Rule.UNUSED, Rule.NEVER_USED})
"""The rules that say that a key has been left lying."""
_LOOK_SECONDS = 0.2
"""How often a profile's time limit, and whether anybody still waits, is checked."""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """One of the caller's own keys with what the rules say of it.

    Attributes:
        key: The key, with its last use where that may be read.
        findings: What the rules say.
        signs: Whether it signs this profile's calls.
    """

    key: AccessKey
    findings: tuple[Finding, ...]
    signs: bool

    @property
    def fails(self) -> bool:
        """Whether it breaks a rule."""
        return any(one.fails for one in self.findings)

    @property
    def stale(self) -> bool:
        """Whether it is old, or has not been used."""
        return any(one.fails and one.rule in STALE for one in self.findings)


@dataclass(frozen=True, slots=True)
class Member:
    """What was found of one profile.

    Attributes:
        profile: Its name.
        identity: Who it is; None where that could not be asked.
        keys: The caller's own keys; empty for a role.
        error: Why it, or its keys, could not be read; None where all was.
        note: Why the last use of its keys is not known; None where it is.
    """

    profile: str
    identity: Identity | None = None
    keys: tuple[OwnKey, ...] = ()
    error: KeytuiError | None = None
    note: KeytuiError | None = None

    @property
    def owner(self) -> User | None:
        """Whose keys are the caller's own; None for a role or a federated user, who has none."""
        if self.identity is None:
            return None
        if self.identity.is_root:
            return ROOT_USER
        name = self.identity.user_name
        return User(name) if name else None


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all profiles; a key that several profiles show is counted once.

    Attributes:
        answered: How many profiles told all that was asked.
        failed: How many did not.
        keys: How many keys there are.
        stale: How many of them are old or unused.
        failing: How many of them break any rule.
    """

    answered: int
    failed: int
    keys: int
    stale: int
    failing: int


def totals(members: Iterable[Member]) -> Totals:
    """Sum up the profiles that were asked."""
    asked = list(members)
    keys = {own.key.id: own for member in asked for own in member.keys}
    failed = sum(member.error is not None for member in asked)
    return Totals(
        len(asked) - failed,
        failed,
        len(keys),
        sum(own.stale for own in keys.values()),
        sum(own.fails for own in keys.values()),
    )


def survey(
    profiles: Sequence[str],
    connect: Callable[[str], Iam],
    limits: Thresholds,
    now: Callable[[], datetime],
    stopped: Callable[[], bool] = lambda: False,
    seconds: float = PROFILE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Member]:
    """Ask all profiles side by side, and yield each as it answers or its time is over. Blocks.

    Each is asked in a daemon thread of its own: one that hangs holds up neither the others,
    beyond ``SLOW_SECONDS``, nor the end of keytui. What it had told by then is yielded.

    Args:
        profiles: Their names.
        connect: Connects with a profile and asks the user nothing; blocks, raises KeytuiError.
        limits: The thresholds to judge keys by.
        now: The time to judge at.
        stopped: Says that nobody waits any more: it ends soon, and begins no other profile.
        seconds: How long one profile may take.
        clock: Tells seconds.
    """
    waiting = deque(profiles)
    under_way: list[_Asking] = []
    while (waiting or under_way) and not stopped():
        while waiting and _busy(under_way, clock()) < AT_ONCE:
            under_way.append(_Asking(waiting.popleft(), clock(), connect, limits, now))
        wait([one.answer for one in under_way], _LOOK_SECONDS, FIRST_COMPLETED)
        for one in tuple(under_way):
            if one.answer.done():
                under_way.remove(one)
                yield one.answer.result()
            elif clock() - one.began >= seconds:
                under_way.remove(one)
                yield one.given_up(seconds)


class _Asking:
    """A profile that is being asked, in a thread.

    Attributes:
        member: What is known of it by now.
        began: When it began, by the survey's clock.
        answer: All of it.
    """

    def __init__(
        self,
        profile: str,
        began: float,
        connect: Callable[[str], Iam],
        limits: Thresholds,
        now: Callable[[], datetime],
    ) -> None:
        self.member = Member(profile)
        self.began = began
        self._connect, self._limits, self._now = connect, limits, now
        self.answer = in_background(self._ask, "keytui-fleet")

    def given_up(self, seconds: float) -> Member:
        """Return what was found until now, and that no more came in time."""
        error = UnreachableError(
            f"It did not answer within {seconds:.0f} s.",
            next_step="Check its endpoint, proxy and credential_process; r asks again.",
        )
        return replace(self.member, error=error)

    def _ask(self) -> Member:
        try:
            self._ask_all()
        except KeytuiError as error:
            self.member = replace(self.member, error=_among_profiles(error))
        return self.member

    def _ask_all(self) -> None:
        iam = self._connect(self.member.profile)
        self.member = member = replace(self.member, identity=iam.identity())
        if (owner := member.owner) is None:
            return
        keys = iam.keys(owner)
        signing = iam.signing_key_id()
        self.member = replace(member, keys=self._judged(keys, signing))
        try:
            used = tuple(replace(key, last_used=iam.last_used(key.id)) for key in keys)
        except AccessDeniedError as error:
            self.member = replace(self.member, note=error)
        else:
            self.member = replace(member, keys=self._judged(used, signing))

    def _judged(self, keys: tuple[AccessKey, ...], signing: str) -> tuple[OwnKey, ...]:
        at = self._now()
        return tuple(
            OwnKey(key, findings(key, keys, at, self._limits), key.id == signing) for key in keys
        )


def _busy(under_way: Sequence[_Asking], now: float) -> int:
    return sum(now - one.began < SLOW_SECONDS for one in under_way)


def _among_profiles(error: KeytuiError) -> KeytuiError:
    """Return an error in words that suit one profile among many."""
    if isinstance(error, MfaDeclinedError):
        return AwsError(
            "It signs in with an MFA code.",
            next_step="In keytui, P shows the profiles, and enter on this one asks for the code.",
        )
    return error
