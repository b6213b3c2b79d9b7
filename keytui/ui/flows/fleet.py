"""All profiles side by side: look at them, and switch to one."""

from keytui.ui.flows.stage import Stage


async def choose_profile(stage: Stage) -> str | None:
    """Show all profiles and return the one to switch to; None where none was chosen."""
    raise NotImplementedError
