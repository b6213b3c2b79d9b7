"""The audit: every key of the account, worst first; from there to one key, or many at once."""

from keytui.ui.flows.stage import Stage


async def show_audit(stage: Stage) -> None:
    """Show the audit until it is left."""
    raise NotImplementedError


async def look_at_report(stage: Stage) -> None:
    """Read the credential report in the background, where that is allowed."""
    raise NotImplementedError
