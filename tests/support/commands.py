"""The commands without a screen, on a desk of fakes, in this process."""

from typing import Any

from keytui.cli.arguments import parse
from keytui.cli.commands.audit import audit
from keytui.cli.commands.change import VERBS, change_keys
from keytui.cli.commands.create import create_key
from keytui.cli.commands.fleet import fleet
from keytui.cli.commands.list_keys import list_keys
from keytui.cli.commands.rotate import rotate_key
from keytui.session.settings import Settings
from tests.support.app import Desk, parts_of


def run_command(desk: Desk, *argv: str, **config: Any) -> int:
    """Run a command as the command line does; return its exit status.

    Args:
        desk: What stands behind it.
        argv: The arguments.
        config: Settings of the config file.
    """
    request = parse(argv)
    given = {name: value for name, value in request.flags.items() if value is not None}
    ctx = parts_of(desk, Settings(**(config | given)))
    if request.command in VERBS:
        return change_keys(ctx, request)
    commands = {"audit": audit, "list": list_keys, "create": create_key, "rotate": rotate_key}
    commands["fleet"] = fleet
    return commands[str(request.command)](ctx, request)
