"""``--unlock-keyring``: have an open keyring before the screen opens, also without a desktop."""

import getpass
import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from keytui.cli.console import leave_in_order, note
from keytui.core.errors import NotStoredError, StoreError, WrongPasswordError
from keytui.core.model import Secret
from keytui.session.context import Context
from keytui.stores.base import Ask, Mend, Probe, new_password_problem, what_to_ask
from keytui.stores.keyring.os_keyring import OsKeyring

TRIES = 3
_ANOTHER = (
    "Maybe a GNOME Keyring of yours runs on another D-Bus session, and two can't share one file: "
    "end it with pkill gnome-keyring-daemon, or use its session."
)
PASS_SECONDS = 120.0
"""How long gpg may take to ask for a passphrase."""


def unlock_keyring(ctx: Context, stack: ExitStack) -> None:
    """Unlock the keyring, make it where there is none yet, start a D-Bus where that is missing.

    Args:
        ctx: The parts of this run.
        stack: Ends a private D-Bus session with the run.

    Raises:
        StoreError: The keyring can't be unlocked, with why.
        ReadOnlyError: There is none yet, and in read-only mode none is made.
    """
    leave_in_order()  # Also at the prompt; the screen heeds signals itself.
    if ctx.settings.keyring == "pass":
        _let_gpg_ask(ctx)
        return
    own = False
    probe = ctx.keyring.probe(canary=False)
    if probe.mend is Mend.START:
        from keytui.stores.keyring.session_bus import private_bus

        own = stack.enter_context(private_bus(os.environ, ctx.settings.gate))
        note(
            "No D-Bus session here: keytui made one that lasts for this run."
            if own
            else "No D-Bus session here: another keytui's is used. It ends with that one."
        )
        probe = ctx.keyring.probe(canary=False)
    ask = what_to_ask(probe, ctx.settings.gate)
    if ask is Ask.PASSWORD:
        _unlock(ctx, probe)
    elif ask is Ask.NEW_PASSWORD:
        _make(ctx, probe)
    elif not probe.writable:
        raise StoreError(probe.reason, next_step=_ANOTHER if own else probe.next_step)


def _unlock(ctx: Context, probe: Probe) -> None:
    for left in reversed(range(TRIES)):
        try:
            ctx.keyring.unlock(_asked(f"Password of the {_name(probe)}: "))
        except WrongPasswordError as error:
            if not left:
                raise
            note(error.title)
        else:
            return


def _make(ctx: Context, probe: Probe) -> None:
    note(f"There is no {_name(probe)} yet.")
    note("Choose its password; nobody can recover it.")
    for left in reversed(range(TRIES)):
        password = _asked("New password: ")
        problem = new_password_problem(password)
        problem = problem or new_password_problem(password, _asked("The same again: "))
        if not problem:
            ctx.keyring.unlock(password)
            return
        if left:
            note(problem)
    raise StoreError("No keyring was made.", next_step="Start again with --unlock-keyring.")


def _let_gpg_ask(ctx: Context) -> None:
    """Read and write a made-up secret with pass, on the terminal: gpg keeps the passphrase.

    In read-only mode a secret that is there is read instead.
    """
    from keytui.stores.keyring.process import ask_here

    if "GPG_TTY" not in os.environ and sys.stdin.isatty():
        os.environ["GPG_TTY"] = os.ttyname(sys.stdin.fileno())
    gate = ctx.settings.gate
    keyring = OsKeyring(kind="pass", timeout=PASS_SECONDS, ask=ask_here, gate=gate)
    probe = keyring.probe(canary=True)
    if not probe.writable:
        raise StoreError(probe.reason, next_step=probe.next_step)
    if gate.read_only:
        held = (one for one in ctx.vault.held() if one.locator == keyring.locator)
        if one := next(held, None):
            with suppress(NotStoredError):
                keyring.get(one.key_id)


def _asked(prompt: str) -> Secret:
    """Ask without an echo. Raises ``StoreError`` where nobody answers."""
    # OSError: the terminal can't be read.
    with _hidden_after_a_stop(prompt), suppress(EOFError, OSError):
        return Secret(getpass.getpass(prompt))
    raise StoreError("No password was given.", "The keyring stays as it is.")


@contextmanager
def _hidden_after_a_stop(prompt: str) -> Iterator[None]:
    """Turn the echo off again whenever keytui is continued: the shell has turned it on.

    Main thread only.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        before_it = termios.tcgetattr(terminal)
    except (OSError, termios.error):  # There is no job control without it.
        yield
        return

    def hide(_number: int, _frame: object) -> None:
        # In the background this stops keytui; the next continuation is handled anew.
        with suppress(termios.error, OSError):
            modes = termios.tcgetattr(terminal)
            modes[3] &= ~termios.ECHO
            termios.tcsetattr(terminal, termios.TCSANOW, modes)
            os.write(terminal, prompt.encode(errors="replace"))

    handler = signal.signal(signal.SIGCONT, hide)
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, handler)
        # One that came right before or after the prompt would leave the echo off.
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSANOW, before_it)
        os.close(terminal)


def _name(probe: Probe) -> str:
    label = probe.label
    return label[0].lower() + label[1:] if not label.startswith("OS") else label
