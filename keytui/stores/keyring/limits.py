"""What a profile that takes its key from the keyring needs beside the AWS config file.

``aws`` runs ``keytui credentials`` later, in other shells and from cron: what holds only in this
run is not there then.
"""

from collections.abc import Mapping

from keytui.stores.keyring.named import CRYPTFILE_VARIABLE
from keytui.stores.keyring.session_bus import BusKind, find_bus

BACKEND_VARIABLE = "PYTHON_KEYRING_BACKEND"
"""The keyring library's own: which backend it takes."""


def profile_limits(kind: str, env: Mapping[str, str], *, by_variable: bool) -> tuple[str, ...]:
    """Return where such a profile will not work as things are, a sentence each.

    Args:
        kind: The keyring's kind, such as os or pass.
        env: The environment.
        by_variable: Whether KEYTUI_KEYRING alone names the kind.
    """
    limits = []
    if by_variable:
        limits.append(
            f"It works where KEYTUI_KEYRING={kind} is set; for all else config.toml must name it: "
            f'keyring = "{kind}".'
        )
    if kind == "cryptfile" and not env.get(CRYPTFILE_VARIABLE):
        limits.append(f"It works where {CRYPTFILE_VARIABLE} is set, and here it is not.")
    if kind == "os" and env.get(BACKEND_VARIABLE):
        limits.append(f"It works where {BACKEND_VARIABLE} is set as it is now.")
    bus = find_bus(env) if kind == "os" else None
    if bus and bus.kind is BusKind.PRIVATE:
        limits.append(
            "It works while this keytui runs; later, while a keytui --unlock-keyring does."
        )
    return tuple(limits)
