"""The credential report: fetched, and made anew where it is stale and AWS permits. Blocks."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from keytui.credential_report import CredentialReport
from keytui.ports import Iam

STALE = timedelta(hours=4)
"""AWS makes a new report at most this often."""


def reports(
    iam: Iam,
    now: Callable[[], datetime],
    wait: Callable[[float], object],
    left: Callable[[], bool] = lambda: False,
) -> Iterator[CredentialReport]:
    """Yield the report that AWS has, if any, and a newer one where that is stale or missing.

    Args:
        iam: The account.
        now: The clock, aware.
        wait: Waits so many seconds before AWS is asked again.
        left: Says that nobody waits any more.

    Raises:
        AccessDeniedError: It may not be read, or there is none and none may be asked for.
        AwsError: It can't be had.
    """
    raise NotImplementedError
