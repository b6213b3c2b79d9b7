"""What programs hold in memory."""

from bench.accounts import Account
from bench.bare import READY
from bench.screens import confirmed, is_complete
from bench.setting import Bench
from bench.terminal import Memory


def keytui(bench: Bench, account: Account) -> Memory:
    """Return what keytui holds once all users stand, the first one's keys, and the markers."""
    with bench.open(account) as terminal:
        terminal.wait(confirmed(account.users), timeout=60)
        terminal.wait(is_complete, timeout=60)
        terminal.settle(0.5)
        return terminal.memory()


def bare(bench: Bench, *options: str) -> Memory:
    """Return what a bare Textual application holds."""
    with bench.bare(*options) as terminal:
        terminal.wait(lambda lines: lines[0].startswith(READY))
        terminal.settle()
        return terminal.memory()
