"""The users last seen with a profile: shown at the start, and kept for the next one."""

from datetime import datetime, timedelta

from keytui.inventory import Inventory
from keytui.parts import Parts
from keytui.ui.account import Account
from keytui.ui.text import ago
from keytui.users_cache import KnownUsers


def last_seen(parts: Parts, profile: str | None) -> tuple[Inventory, str] | None:
    """Return the users last seen with a profile and their account; None where none are kept."""
    known = parts.cache.load(profile)
    if known is None or not known.names:
        return None
    return Inventory.last_seen(known.names, known.key_ids, known.read_at), known.account


def standing(inventory: Inventory, now: datetime) -> str:
    """Return how far the users are known, as it stands behind their number."""
    if seen := inventory.last_seen_at:
        since = ago(seen, now) if now - seen >= timedelta(minutes=1) else "a moment ago"
        return f" as of {since}, " + ("not confirmed" if inventory.stopped else "asking AWS…")
    if inventory.all_read:
        return ""
    if inventory.stopped:
        return ", not all read"
    return ", reading…" if inventory.asked else ", r reads all"


def keep(parts: Parts, profile: str | None, account: Account) -> None:
    """Keep the users of an account that were read whole, with the key IDs seen. Blocks."""
    inventory = account.inventory
    if not inventory.all_read or inventory.last_seen_at:
        return
    names = [user.name for user in inventory.users if not user.is_root]
    found = {name: _ids(account, name) for name in names}
    key_ids = {name: ids for name, ids in found.items() if ids}
    known = KnownUsers(account.identity.account, parts.now(), names, key_ids)
    parts.cache.save(profile, known)


def _ids(account: Account, name: str) -> tuple[str, ...]:
    """Return a user's key IDs as they were read last: here, by the audit, or in an earlier run."""
    if known := account.inventory.keys.get(name):
        return tuple(key.id for key in known.keys)
    if account.audit.is_live(name):
        return tuple(row.key.id for row in account.audit.of_user(name))
    return account.inventory.key_ids.get(name, ())
