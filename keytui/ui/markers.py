"""What stands behind a user in the list: how many keys, and the worst that the rules say."""

from collections.abc import Callable, Sequence

from rich.text import Text

from keytui.findings import Finding, findings
from keytui.model import User
from keytui.parts import Parts
from keytui.ui.account import Account
from keytui.ui.text import DIM, FAILS

Marker = Callable[[User, int], Text | None]
"""Takes a user and how many cells are left beside the name; None where nothing is known."""


def marker(account: Account, parts: Parts) -> Marker:
    """Return what marks the users of an account.

    The keys as they were read last count, else the credential report's.
    """

    def mark(user: User, room: int) -> Text | None:
        known = account.inventory.keys_of(user)
        if known is not None and known.complete:
            now, limits = parts.now(), parts.settings.limits
            return _mark([findings(key, known.keys, now, limits) for key in known.keys], room)
        if account.audit.knows(user.name):
            return _mark([row.findings for row in account.audit.of_user(user.name)], room)
        return None

    return mark


def _mark(found: Sequence[tuple[Finding, ...]], room: int) -> Text:
    """Return the number of keys, and the gravest rule that one breaks: in a word, or as ``!``.

    Where there is no room beside the name, the number leaves before the ``!``.
    """
    failing = [one.rule for its in found for one in its if one.fails]
    number = str(len(found))
    if not failing:
        return Text(number if len(number) <= room else "", DIM)
    word = min(failing, key=lambda rule: rule.rank).word
    for told in (f"{number} {word}", f"{number} !"):
        if len(told) <= room:
            return Text.assemble((number, DIM), (told.removeprefix(number), FAILS))
    return Text("!", FAILS)
