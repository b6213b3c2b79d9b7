"""``keytui audit``: every key of the account with findings, for people and for CI jobs."""

from keytui.arguments import Request
from keytui.parts import Parts


def audit(parts: Parts, request: Request) -> int:
    """Audit the account.

    Returns:
        0 where no key breaks a rule, 1 where one does, 2 where not all could be read.

    Raises:
        KeytuiError: The account can't be read.
    """
    raise NotImplementedError
