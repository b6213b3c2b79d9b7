"""The rules for a keyring's password, once for the command line and the screen."""

from enum import Enum

from keytui.core.gate import Gate
from keytui.core.model import Secret
from keytui.stores.base import Mend, Probe


class Ask(Enum):
    """Which password to ask for."""

    PASSWORD = "the keyring's own, once"  # noqa: S105 - a description
    NEW_PASSWORD = "one for a new keyring, twice"  # noqa: S105 - a description


def what_to_ask(probe: Probe, gate: Gate) -> Ask | None:
    """Return which password opens a keyring; None where no password does.

    Raises:
        ReadOnlyError: There is no keyring yet, and read-only mode creates none.
    """
    if probe.mend is Mend.MAKE:
        gate.require_writable()
        return Ask.NEW_PASSWORD
    return Ask.PASSWORD if probe.mend is Mend.UNLOCK else None


def new_password_problem(password: Secret, again: Secret | None = None) -> str:
    """Return why a new keyring can't have this password; empty where it can.

    An existing keyring may have an empty password, so only the keyring itself can refuse one.

    Args:
        password: What was typed.
        again: What was typed the second time; None before that.
    """
    if not password.reveal().strip():
        return "An empty password protects nothing."
    if again is not None and not again.matches(password):
        return "The two differ."
    return ""
