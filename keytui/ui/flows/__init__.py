"""What a key press sets going, told from first to last: dialogs, work, and what came of it.

``flows.create`` and the like are imported when they are first needed: none is on the way to the
first frame.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keytui.ui.flows import (
        audit,
        bulk,
        create,
        delete,
        find,
        fleet,
        history,
        key,
        read,
        recover,
        rotate,
        status,
        unlock,
        vault,
    )

__all__ = [
    "audit",
    "bulk",
    "create",
    "delete",
    "find",
    "fleet",
    "history",
    "key",
    "read",
    "recover",
    "rotate",
    "status",
    "unlock",
    "vault",
]


def __getattr__(name: str) -> ModuleType:
    """Import a flow."""
    if name not in __all__:
        raise AttributeError(name)
    return import_module(f"{__name__}.{name}")
