"""All profiles side by side: look at them, and switch to one."""

from keytui.ui.flows.stage import Stage
from keytui.ui.screens.profiles import ProfilesScreen
from keytui.ui.threads import in_thread


async def choose_profile(stage: Stage) -> str | None:
    """Show all profiles and return the one to switch to; None where none was chosen."""
    if stage.parts.settings.demo:
        stage.say("The demo account has no other profiles.", good=False)
        return None
    names = await in_thread(stage.parts.profiles)
    if not names:
        stage.say("The AWS config has no profiles.", good=False)
        return None
    return await stage.ask(ProfilesScreen(names, stage.profile or "", stage.parts))
