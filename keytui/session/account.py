"""An open account: its gateway, who signs the calls, the verbs."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from keytui.audit.pace import Pace
from keytui.audit.rows import Audit
from keytui.core.errors import AwsError, StateError
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, Identity, User
from keytui.keys.operations import Lifecycle
from keytui.keys.recovery import Recovery
from keytui.session.context import Context
from keytui.session.inventory import KeyList


@dataclass(slots=True)
class Account:
    """An account that is open.

    Attributes:
        iam: The account's gateway.
        identity: Who signs the calls.
        lifecycle: The verbs.
        recovery: Looks into creations that were cut short.
        audit: All keys of the account, as the credential report or a live reading has them.
        pace: How fast AWS is asked for an audit.
    """

    iam: Iam
    identity: Identity
    lifecycle: Lifecycle
    recovery: Recovery
    audit: Audit
    pace: Pace = field(default_factory=Pace)


A = TypeVar("A", bound=Account)


def open_account(ctx: Context, profile: str | None) -> Account:
    """Connect and ask who the caller is. Blocks; raises KeytuiError."""
    return account_of(ctx, ctx.connect(profile), Account)


def account_of(ctx: Context, iam: Iam, kind: type[A]) -> A:
    """Ask who the caller is on a connection. Blocks; raises KeytuiError."""
    lifecycle = Lifecycle(
        iam,
        ctx.journal,
        gate=ctx.settings.gate,
        uses_here=ctx.uses_here,
        now=ctx.now,
        wait=ctx.wait,
    )
    recovery = Recovery(iam, ctx.journal, lifecycle, ctx.store_at, now=ctx.now, wait=ctx.wait)
    audit = Audit(ctx.settings.limits, ctx.now)
    return kind(iam, iam.identity(), lifecycle, recovery, audit)


def read_keys(account: Account, ctx: Context, user: User) -> KeyList:
    """Read a user's keys: what a responder needs first, in one call. Blocks."""
    return listed_keys(account, ctx, user, account.iam.keys(user))


def listed_keys(account: Account, ctx: Context, user: User, keys: tuple[AccessKey, ...]) -> KeyList:
    """Join the keys that AWS lists with those that keytui remembers as deleted. Blocks."""
    known = KeyList(keys, ctx.now())
    try:
        deleted = ctx.journal.deleted_keys(account.identity.account, user)
    except StateError as error:
        return replace(known, note=error)
    ids = {key.id for key in keys}
    return replace(known, deleted=tuple(key for key in deleted if key.id not in ids))


def complete_keys(account: Account, known: KeyList, user: User) -> KeyList:
    """Add last use and descriptions to a user's keys; what may not be read is noted. Blocks.

    A last use that is known already is not asked for again.
    """
    note = known.note
    descriptions: dict[str, str] = {}
    try:
        descriptions = account.iam.descriptions(user)
    except AwsError as error:
        note = error
    keys = known.keys
    try:
        keys = tuple(
            key if key.last_used else replace(key, last_used=account.iam.last_used(key.id))
            for key in keys
        )
    except AwsError as error:
        note = error
    keys = tuple(replace(key, description=descriptions.get(key.id, "")) for key in keys)
    return replace(known, keys=keys, complete=True, note=note)
