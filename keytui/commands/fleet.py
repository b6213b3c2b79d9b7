"""``keytui fleet``: all my keys in all my accounts, and which are stale."""

from keytui.arguments import Request
from keytui.parts import Parts


def fleet(parts: Parts, request: Request) -> int:
    """Ask all profiles side by side.

    Returns:
        0 where all profiles answered; 1 where one did not.

    Raises:
        KeytuiError: There are no profiles.
    """
    raise NotImplementedError
