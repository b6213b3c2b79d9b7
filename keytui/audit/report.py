"""The credential report: fetched, and made anew where it is stale and AWS permits. Blocks."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from keytui.core.credential_report import CredentialReport
from keytui.core.errors import AccessDeniedError, UnreachableError
from keytui.core.iam import Iam

STALE = timedelta(hours=4)
"""AWS makes a new report at most this often."""
PAUSES = (0.5, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 10.0, 10.0)
"""Seconds before AWS is asked again whether the report is made."""


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
    first = iam.credential_report()
    if first is not None:
        yield first
        if now() - first.made_at < STALE:
            return
    try:
        newer = _made_anew(iam, first, wait, left)
    except AccessDeniedError:
        if first is None:
            raise
        return  # The stale one is what there is.
    if newer is not None:
        yield newer
    elif first is None and not left():
        raise UnreachableError(
            "AWS has not made the credential report in time.",
            "Nothing was changed.",
            "Keys are read user by user instead; r asks for the report again.",
        )


def _made_anew(
    iam: Iam,
    first: CredentialReport | None,
    wait: Callable[[float], object],
    left: Callable[[], bool],
) -> CredentialReport | None:
    """Ask for a new report and wait for it; None where none came, or nobody waits any more."""
    ready = iam.make_report()
    for pause in (0.0, *PAUSES):
        if not ready:
            wait(pause)
        if left():
            return None
        report = iam.credential_report()
        if report is not None and (first is None or report.made_at > first.made_at):
            return report
        if ready:  # It says that the one it has is the newest it makes.
            return None
    return None
