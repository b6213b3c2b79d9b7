"""The command that mends a keyring, on each kind of system."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from keytui.cli.doctor.checks import Status
from keytui.cli.doctor.keyring import _bus, _keyring, install, mend, missing_for_keyring
from keytui.stores.base import Mend, Probe
from keytui.stores.keyring.session_bus import Bus, BusKind

UNLOCK = "keytui --unlock-keyring"
LOCKED = Probe("OS keyring", False, "The OS keyring is locked.", "Unlock it.", Mend.UNLOCK)
BROKEN = Probe("OS keyring", False, "It failed.", "Try again, or choose the CSV file.")
TO_UNLOCK = replace(BROKEN, next_step=f"{UNLOCK} makes one with a new password.")
NO_BUS = replace(BROKEN, mend=Mend.START)
COMPLETE = ("gnome-keyring-daemon", "dbus-daemon", "apt-get")


def having(*programs: str) -> Callable[[str], str | None]:
    return lambda name: f"/usr/bin/{name}" if name in programs else None


@pytest.fixture
def bus(tmp_path: Path) -> dict[str, str]:
    return {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x", "HOME": str(tmp_path)}


@pytest.fixture
def no_bus(tmp_path: Path) -> dict[str, str]:
    return {"XDG_RUNTIME_DIR": str(tmp_path / "none"), "HOME": str(tmp_path)}


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "sudo apt-get install dbus gnome-keyring"),
        ("dnf", "sudo dnf install dbus-daemon gnome-keyring"),
        ("zypper", "sudo zypper install dbus-1 gnome-keyring"),
        ("pacman", "sudo pacman -S dbus gnome-keyring"),
        ("apk", "sudo apk add dbus gnome-keyring"),
        ("brew", "brew install dbus gnome-keyring"),
    ],
)
def test_what_installs_packages(manager: str, command: str) -> None:
    packages = missing_for_keyring(having(manager))

    assert install(*packages, which=having(manager), root=False) == command
    assert install(*packages, which=having(manager), root=True) == command.removeprefix("sudo ")


def test_system_without_a_package_manager_that_keytui_knows() -> None:
    assert install("dbus", which=having()) == ""


def test_only_what_is_missing_is_installed() -> None:
    assert missing_for_keyring(having(*COMPLETE)) == []
    assert missing_for_keyring(having("dbus-daemon")) == ["gnome-keyring"]


def test_locked_keyring_is_unlocked(bus: dict[str, str]) -> None:
    assert mend(LOCKED, "os", bus, having(*COMPLETE)) == ("", UNLOCK)
    assert mend(LOCKED, "cryptfile", bus, having()) == ("", UNLOCK)


def test_no_bus_and_nothing_installed(no_bus: dict[str, str]) -> None:
    advice, command = mend(NO_BUS, "os", no_bus, having("apt-get", "dbus-daemon"))

    assert advice
    assert command.endswith(f"apt-get install gnome-keyring && {UNLOCK}")


def test_no_bus_but_all_installed(no_bus: dict[str, str]) -> None:
    assert mend(NO_BUS, "os", no_bus, having(*COMPLETE)) == ("", UNLOCK)


def test_no_known_package_manager_is_told_in_words(no_bus: dict[str, str]) -> None:
    advice, command = mend(NO_BUS, "os", no_bus, having())

    assert advice == f"Install dbus and gnome-keyring, then run {UNLOCK}."
    assert command == ""


def test_bus_without_a_keyring(bus: dict[str, str]) -> None:
    assert mend(TO_UNLOCK, "os", bus, having(*COMPLETE)) == ("", UNLOCK)


def test_backend_named_in_the_environment(bus: dict[str, str]) -> None:
    env = bus | {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}

    assert mend(BROKEN, "os", env, having(*COMPLETE))[1] == "unset PYTHON_KEYRING_BACKEND"


def test_what_only_the_keyring_knows_is_passed_on(bus: dict[str, str]) -> None:
    assert mend(BROKEN, "os", bus, having(*COMPLETE)) == (BROKEN.next_step, "")


def test_pass_is_installed(no_bus: dict[str, str]) -> None:
    assert mend(BROKEN, "pass", no_bus, having("dnf"))[1].endswith("dnf install pass")
    empty = replace(BROKEN, next_step="Make one with: pass init YOUR-GPG-KEY.")
    assert mend(empty, "pass", no_bus, having("pass")) == ("", "pass init YOUR-GPG-KEY")
    missing = replace(BROKEN, next_step="Install it with: pip install 'keytui[pass]'.")
    assert mend(missing, "pass", no_bus, having("pass"))[1] == (
        f"{sys.executable} -m pip install 'keytui[pass]'"
    )


def test_rows_of_a_keyring_that_works(bus: dict[str, str]) -> None:
    probe = Probe("OS keyring (Secret Service)", True, chosen="the best of those that work here")
    backend, writable, locked = _keyring(probe, "os", bus, read_only=False)

    assert backend.text == "OS keyring (Secret Service): the best of those that work here."
    assert [row.status for row in (backend, writable, locked)] == [Status.OK] * 3
    assert (backend.value, writable.value, locked.value) == (probe.label, True, False)


def test_rows_of_a_locked_keyring(bus: dict[str, str]) -> None:
    backend, writable, locked = _keyring(LOCKED, "os", bus, read_only=False)

    assert (writable.status, writable.text) == (Status.FAIL, "The OS keyring is locked.")
    assert locked.value is True
    assert backend.status is Status.UNKNOWN


@pytest.mark.parametrize("kind", list(BusKind))
def test_row_of_each_bus(kind: BusKind) -> None:
    row = _bus(Bus("unix:path=/x", kind), "os")

    assert (row.status, row.value) == (Status.OK, "unix:path=/x")


def test_no_bus_matters_only_to_a_keyring_that_needs_one() -> None:
    assert _bus(None, "os").status is Status.WARN
    assert _bus(None, "pass").status is Status.UNKNOWN
