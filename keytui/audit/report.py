"""The credential report: fetched, and made again where it is stale and AWS permits."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from keytui.audit.rows import Audit
from keytui.core.credential_report import CredentialReport
from keytui.core.errors import AccessDeniedError, KeytuiError, UnreachableError
from keytui.core.iam import Iam

STALE = timedelta(hours=4)
"""AWS makes a new report at most this often."""
PAUSES = (0.5, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 10.0, 10.0)
"""Seconds before AWS is asked again whether the report is made."""

T = TypeVar("T")


class ReportPort(Protocol):
    """What the reading of a report needs of the command line or the screen."""

    async def work(self, call: Callable[[], T]) -> T:
        """Run a blocking call and return its result, or raise its error."""

    def report_read(self) -> None:
        """A report was taken in, or it is known why there is none."""


async def read_report(
    iam: Iam,
    audit: Audit,
    port: ReportPort,
    now: Callable[[], datetime],
    wait: Callable[[float], object],
    *,
    newest: bool = True,
) -> None:
    """Take AWS's report into an audit; why there is none, or no newer one, is remembered there.

    Args:
        iam: The account.
        audit: The account's audit.
        port: Who asks.
        now: The clock, aware.
        wait: Waits so many seconds before AWS is asked again.
        newest: Whether a newer one is made where the first is stale.
    """
    audit.report_error = None
    found = reports(iam, now, wait)
    try:
        while (report := await port.work(lambda: next(found, None))) is not None:
            audit.take_prepared(await port.work(partial(audit.prepared, report)))
            port.report_read()
            if not newest:
                return
    except KeytuiError as error:
        audit.report_error = error
        port.report_read()


def reports(
    iam: Iam, now: Callable[[], datetime], wait: Callable[[float], object]
) -> Iterator[CredentialReport]:
    """Yield the report that AWS has, if any, and a newer one where that is stale or missing.

    Blocks.

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
        newer = _made_again(iam, first, wait)
    except AccessDeniedError:
        if first is None:
            raise
        return  # The stale one is what there is.
    if newer is not None:
        yield newer
    elif first is None:
        raise UnreachableError(
            "AWS has not made the credential report in time.",
            "Nothing was changed.",
            "Keys are read user by user instead; r asks for the report again.",
        )


def _made_again(
    iam: Iam, first: CredentialReport | None, wait: Callable[[float], object]
) -> CredentialReport | None:
    """Ask for a new report and wait for it; None where none came."""
    ready = iam.make_report()
    for pause in (0.0, *PAUSES):
        if not ready:
            wait(pause)
        report = iam.credential_report()
        if report is not None and (first is None or report.made_at > first.made_at):
            return report
        if ready:  # It says that the one it has is the newest it makes.
            return None
    return None
