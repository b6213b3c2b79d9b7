"""The commands, one a module, which declares its arguments and runs.

Each is imported only when it is the one to run, or when its help is asked for.
"""

from importlib import import_module

from keytui.cli.parser import Command

MODULES = {
    "find": "tui",
    "deactivate": "change",
    "activate": "change",
    "delete": "change",
    "list": "list_keys",
    "audit": "audit",
    "fleet": "fleet",
    "create": "create",
    "rotate": "rotate",
    "credentials": "credentials",
    "doctor": "doctor",
    "import": "import_secret",
    "recover": "recover",
}
"""Command → its module; in the order of the help."""


def command(name: str) -> Command:
    """Return a command, by its name."""
    found: Command = import_module(f"{__name__}.{MODULES[name]}").COMMANDS[name]
    return found
