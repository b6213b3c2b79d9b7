"""What stands behind a user in the list: how many keys, and the worst that the rules say."""

from collections.abc import Callable, Sequence

from keytui.findings import Finding, findings
from keytui.model import User
from keytui.parts import Parts
from keytui.ui.account import Account
from keytui.ui.text import DIM, FAILS

Mark = tuple[tuple[str, str], ...]
"""Texts with their styles."""
Marker = Callable[[User, int], Mark]
"""Takes a user and how many cells are left beside the name; empty where nothing is known."""


def marker(account: Account, parts: Parts) -> Marker:
    """Return what marks the users of an account.

    The keys as they were read last count, else the credential report's.
    """

    def mark(user: User, room: int) -> Mark:
        known, audited_at = account.inventory.keys_of(user), account.audit.read_at(user.name)
        if known and known.complete and not (audited_at and known.read_at < audited_at):
            now, limits = parts.now(), parts.settings.limits
            return _mark([findings(key, known.keys, now, limits) for key in known.keys], room)
        if account.audit.knows(user.name):
            return _mark([row.findings for row in account.audit.of_user(user.name)], room)
        return ()

    return mark


def _mark(found: Sequence[tuple[Finding, ...]], room: int) -> Mark:
    """Return the number of keys, and the gravest rule that one breaks: in a word, or as ``!``.

    Where there is no room beside the name, the number leaves before the ``!``.
    """
    failing = [one.rule for its in found for one in its if one.fails]
    number = str(len(found))
    if not failing:
        return ((number, DIM),) if len(number) <= room else ()
    word = min(failing, key=lambda rule: rule.rank).word
    for told in (f"{number} {word}", f"{number} !"):
        if len(told) <= room:
            return (number, DIM), (told.removeprefix(number), FAILS)
    return (("!", FAILS),)
