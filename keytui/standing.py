"""Whether IAM still has the key of a secret that is kept. Pure but for ``listed``."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from keytui.errors import AwsError, NotFoundError
from keytui.model import ROOT_ACCOUNT, ROOT_USER, AccessKey, Identity, KeyStatus, User
from keytui.ports import Iam
from keytui.vault import Held

LISTED_AFTER = timedelta(minutes=1)
"""How long IAM may take to list a new key."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What IAM says of a key.

    Attributes:
        status: Its status; Deleted where IAM lists it no more, None where that is not known.
        why: Why it is not known, a sentence; empty while AWS is being asked.
    """

    status: KeyStatus | None = None
    why: str = ""

    @property
    def asking(self) -> bool:
        """Whether AWS is being asked."""
        return self.status is None and not self.why

    @property
    def gone(self) -> bool:
        """Whether IAM certainly has it no more."""
        return self.status is KeyStatus.DELETED


ASKING = Standing()
NOT_CONNECTED = Standing(why="keytui is not connected to AWS.")


def unasked(one: Held, identity: Identity | None) -> Standing | None:
    """Return why AWS can't be asked about a key; None where it can."""
    if identity is None:
        return NOT_CONNECTED
    if not one.account or not one.user:
        return Standing(why="keytui's record does not say whose key it is.")
    if one.account != identity.account:
        return Standing(why=f"it is of the account {one.account}; P switches to a profile of it.")
    if one.user == ROOT_ACCOUNT and not identity.is_root:
        return Standing(why="only the root user can list its own keys.")
    return None


def listed(iam: Iam, name: str) -> tuple[AccessKey, ...] | AwsError:
    """Return a user's keys, or why they can't be listed. Blocks."""
    try:
        return iam.keys(ROOT_USER if name == ROOT_ACCOUNT else User(name))
    except AwsError as error:
        return error


def standing(one: Held, answer: tuple[AccessKey, ...] | AwsError, now: datetime) -> Standing:
    """Return what a listing of a user's keys says of one."""
    if isinstance(answer, NotFoundError):
        return Standing(why=f"AWS has no user {one.user} now: deleted, or renamed.")
    if isinstance(answer, AwsError):
        return Standing(why=answer.title)
    for key in answer:
        if key.id == one.key_id:
            return Standing(key.status)
    if one.stored_at and now - one.stored_at < LISTED_AFTER:
        return Standing(why="it was stored just now, and AWS does not list it yet.")
    return Standing(KeyStatus.DELETED)
