"""The keyring: which, why that one, on which D-Bus, locked or not, writable or not."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from keytui.cli.doctor.checks import Group, Probe, Row, Status, blank
from keytui.session.context import Context
from keytui.stores.base import Mend
from keytui.stores.base import Probe as StoreProbe
from keytui.stores.keyring.session_bus import Bus, BusKind, find_bus

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


SECONDS = 12.0
"""The keyring's own limit is 10 s; this one is for what is around it."""
_UNLOCK_FLAG = "--unlock-keyring"
_UNLOCK = f"keytui {_UNLOCK_FLAG}"
_SETTING = "PYTHON_KEYRING_BACKEND"
_KINDS = {
    BusKind.SESSION: "from DBUS_SESSION_BUS_ADDRESS",
    BusKind.USER: "the user's own bus",
    BusKind.PRIVATE: "the private bus of a running keytui --unlock-keyring",
}

_BACKEND = blank(Group.KEYRING, "backend", "Keyring")
_WRITABLE = blank(Group.KEYRING, "writable", "Writable")
_LOCKED = blank(Group.KEYRING, "locked", "Locked")
_BUS = blank(Group.KEYRING, "bus", "D-Bus")


def probes(ctx: Context, env: Mapping[str, str]) -> list[Probe]:
    """Return the looks at the keyring."""
    kind, read_only = ctx.settings.keyring, ctx.settings.read_only
    return [
        Probe(
            "The keyring",
            (_BACKEND, _WRITABLE, _LOCKED),
            SECONDS,
            lambda: _keyring(ctx.keyring.probe(canary=True), kind, env, read_only=read_only),
        ),
        Probe("D-Bus", (_BUS,), 2.0, lambda: [_bus(find_bus(env), kind)]),
    ]


def _keyring(
    probe: StoreProbe, kind: str, env: Mapping[str, str], *, read_only: bool
) -> Iterable[Row]:
    chosen = f": {probe.chosen}" if probe.chosen else ""
    status = Status.OK if probe.writable else Status.UNKNOWN
    text = f"{probe.label}{chosen}."
    yield replace(_BACKEND, status=status, text=text, value=probe.label)
    yield _writable(probe, kind, env, read_only=read_only)
    if probe.locked:
        yield replace(_LOCKED, status=Status.WARN, text="Yes.", value=True)
    elif probe.writable:
        yield replace(_LOCKED, status=Status.OK, text="No.", value=False)
    else:
        yield _LOCKED


def _writable(probe: StoreProbe, kind: str, env: Mapping[str, str], *, read_only: bool) -> Row:
    if probe.writable and read_only:
        return replace(_WRITABLE, text="Open; not tested in read-only mode.")
    if probe.writable:
        text = "Yes: a made-up value was written, read back and deleted."
        return replace(_WRITABLE, status=Status.OK, text=text, value=True)
    advice, command = mend(probe, kind, env)
    told = replace(_WRITABLE, status=Status.FAIL, text=probe.reason, value=False)
    return replace(told, advice=advice, command=command)


def mend(
    probe: StoreProbe, kind: str, env: Mapping[str, str], which: Which = shutil.which
) -> tuple[str, str]:
    """Return what mends a keyring that can't be written: a sentence, and the command for it."""
    if kind == "pass" and not which("pass"):
        return "", install("pass", which=which)
    if "pip install" in probe.next_step:
        return "", f"{sys.executable} -m pip install 'keytui[{kind}]'"
    if kind == "pass" and "pass init" in probe.next_step:
        return "", "pass init YOUR-GPG-KEY"
    if probe.mend is not Mend.NOTHING or _UNLOCK_FLAG in probe.next_step:
        return _start(missing_for_keyring(which) if kind == "os" else [], which)
    if kind == "os" and _SETTING in env:
        return f"{_SETTING} names it.", f"unset {_SETTING}"
    return probe.next_step, ""


def _start(missing: list[str], which: Which) -> tuple[str, str]:
    """Return how the keyring is started or unlocked, or what has to be installed first."""
    if not missing:
        return "", _UNLOCK
    command = install(*missing, which=which)
    if not command:
        return f"Install {' and '.join(missing)}, then run {_UNLOCK}.", ""
    return "First install what is missing.", f"{command} && {_UNLOCK}"


def _bus(bus: Bus | None, kind: str) -> Row:
    if bus is not None:
        text = f"{bus.address} ({_KINDS[bus.kind]})."
        return replace(_BUS, status=Status.OK, text=text, value=bus.address)
    if kind != "os" or sys.platform == "darwin":
        return replace(_BUS, text="None, and this keyring needs none.")
    text = "None, so no Secret Service can be reached."
    return replace(_BUS, status=Status.WARN, text=text)
