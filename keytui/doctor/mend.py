"""The commands that mend things on this system."""

import os
import shutil
from collections.abc import Callable

Which = Callable[[str], str | None]

_INSTALL = {
    "apt-get": "apt-get install",
    "dnf": "dnf install",
    "zypper": "zypper install",
    "pacman": "pacman -S",
    "apk": "apk add",
    "brew": "brew install",
}
"""Package manager → how it installs, in the order in which they are looked for."""

_NAMES = {
    ("dnf", "dbus"): "dbus-daemon",
    ("zypper", "dbus"): "dbus-1",
}
"""Where a package is called otherwise than on Debian."""

_PROGRAMS = {"gnome-keyring-daemon": "gnome-keyring", "dbus-daemon": "dbus"}
"""What a keyring without a desktop needs, with its package."""


def install(*packages: str, which: Which = shutil.which, root: bool | None = None) -> str:
    """Return the command that installs packages here; empty where no manager is known.

    Args:
        packages: Their names on Debian.
        which: Finds a program.
        root: Whether this is the root user, who needs no sudo; None to look.
    """
    manager = next((name for name in _INSTALL if which(name)), None)
    if manager is None:
        return ""
    is_root = os.geteuid() == 0 if root is None else root
    sudo = "" if manager == "brew" or is_root else "sudo "
    names = " ".join(_NAMES.get((manager, package), package) for package in packages)
    return f"{sudo}{_INSTALL[manager]} {names}"


def missing_for_keyring(which: Which = shutil.which) -> list[str]:
    """Return the packages that are missing for a Secret Service without a desktop."""
    return sorted(package for program, package in _PROGRAMS.items() if not which(program))
