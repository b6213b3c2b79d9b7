"""Look at what keytui did, look into what is open, and export it."""

from keytui.errors import KeytuiError, StateError
from keytui.gate import EXPORTING
from keytui.history import Matter, history, json_lines
from keytui.model import Secret
from keytui.stores.csv_file import expand
from keytui.stores.private_file import FileProblem, create
from keytui.ui.flows import recover
from keytui.ui.flows.stage import Stage
from keytui.ui.screens.dialogs import PathScreen
from keytui.ui.screens.history import Export, HistoryScreen
from keytui.ui.text import count
from keytui.ui.threads import in_thread

EXPORT = "~/keytui-history.jsonl"


async def show_history(stage: Stage) -> None:
    """Show the history until it is left."""
    matters = history(await in_thread(stage.parts.journal.entries))
    match await stage.ask(HistoryScreen(matters)):
        case Export(matters=shown):
            await _export(stage, list(shown))
        case Matter() as matter:
            await _look_into(stage, matter)
        case None:
            return


async def _look_into(stage: Stage, matter: Matter) -> None:
    own = stage.account.identity.account
    if matter.account != own:
        raise KeytuiError(
            f"That key was asked for in the account {matter.account}; this is {own}.",
            "Nothing was changed.",
            "P switches to a profile of that account.",
        )
    await recover.look_into(stage, matter.attempt)


async def _export(stage: Stage, matters: list[Matter]) -> None:
    path = await stage.ask(PathScreen("Export the history as JSON lines", EXPORT))
    if not path:
        return
    stage.no_more_questions()
    file, text = expand(path), json_lines(matters)
    try:
        await in_thread(lambda: create(file, Secret(text), EXPORTING))
    except FileProblem as found:
        problem = StateError(found.reason, "Nothing was written.", found.next_step)
    else:
        stage.say(f"The history is in {file}: {count(len(text.splitlines()), 'line')}.")
        return
    raise problem
