"""Which listed key is which of the report's, that names no IDs. Pure."""

from collections.abc import Sequence

from keytui.model import AccessKey


def joined(listed: Sequence[AccessKey], reported: Sequence[AccessKey]) -> tuple[AccessKey, ...]:
    """Return the listed keys with the report's last use where it is certain which is which.

    The others' ``last_used`` stays None.
    """
    raise NotImplementedError
