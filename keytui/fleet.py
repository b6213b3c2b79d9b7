"""All profiles of the AWS config side by side: who each one is, and the caller's own keys."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from keytui.errors import KeytuiError
from keytui.findings import Finding, Thresholds
from keytui.model import AccessKey, Identity
from keytui.ports import Iam

PROFILE_SECONDS = 10.0
"""How long one profile may take."""


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


@dataclass(frozen=True, slots=True)
class Member:
    """What was found of one profile.

    Attributes:
        profile: Its name.
        identity: Who it is; None where that could not be asked.
        keys: The caller's own keys; empty for a role.
        error: Why it, or its keys, could not be read; None where all was.
    """

    profile: str
    identity: Identity | None = None
    keys: tuple[OwnKey, ...] = ()
    error: KeytuiError | None = None


def survey(
    profiles: Sequence[str],
    connect: Callable[[str], Iam],
    limits: Thresholds,
    now: Callable[[], datetime],
    left: Callable[[], bool] = lambda: False,
    seconds: float = PROFILE_SECONDS,
) -> Iterator[Member]:
    """Ask all profiles side by side, and yield each as it answers or its time is over. Blocks."""
    raise NotImplementedError
