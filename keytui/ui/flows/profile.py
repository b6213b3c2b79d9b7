"""Write an AWS profile that takes its credentials from the keyring."""

import os
import shlex
from collections.abc import Callable
from typing import Protocol, TypeVar

from textual.screen import Screen

from keytui.errors import StoreError
from keytui.parts import Parts
from keytui.stores.aws_files.limits import profile_limits
from keytui.stores.aws_files.profile import (
    NOTHING_WRITTEN,
    AwsFiles,
    ProfileState,
    credentials_command,
    default_name,
)
from keytui.ui.screens.profile import ProfileScreen, exists_screen, static_screen
from keytui.ui.threads import in_thread

T = TypeVar("T")


class Ask(Protocol):
    """Opens a dialog and waits for what it returns, such as ``Stage.ask``."""

    async def __call__(self, dialog: Screen[T], /) -> T:
        """Ask."""


async def write_profile(
    ask: Ask,
    parts: Parts,
    key_id: str,
    user_name: str,
    keep: Callable[[], object] = lambda: None,
) -> tuple[str, ...]:
    """Ask for a name and for what stands in its way, then write the profile.

    Args:
        ask: Opens a dialog.
        parts: The parts of this run.
        key_id: The key that the keyring holds.
        user_name: Whose key it is; proposed as the name.
        keep: Puts the secret into the keyring where it is not there yet; blocks, and raises
            ``StoreError`` where it can't.

    Returns:
        What was done, a line each; none where the user left.

    Raises:
        StoreError: Nothing was written, and why.
        ReadOnlyError: In read-only mode, before anything is asked.
    """
    parts.settings.gate.require_writable()
    _refuse_demo(parts)
    files = parts.aws_files()
    config, credentials = files.short(files.config), files.short(files.credentials)
    name = await ask(ProfileScreen(default_name(user_name), key_id, config))
    if not name:
        return ()
    state = await in_thread(lambda: files.look(name))
    if state.exists and not await ask(exists_screen(state, key_id, config)):
        return ()
    if state.static and not await ask(static_screen(state, config, credentials)):
        raise StoreError(f"[{name}] in {credentials} would win over it.", NOTHING_WRITTEN)
    said = await in_thread(lambda: _write(files, state, key_id, keep))
    return (*said, *profile_limits(parts.settings, os.environ))


def _refuse_demo(parts: Parts) -> None:
    if parts.settings.demo:
        raise StoreError(
            "AWS does not know the keys of the demo account.",
            NOTHING_WRITTEN,
            "On an account of AWS's, p writes a profile that takes its key from the keyring.",
        )


def _write(
    files: AwsFiles, state: ProfileState, key_id: str, keep: Callable[[], object]
) -> tuple[str, ...]:
    name, shown = state.name, shlex.quote(state.name)
    _keep_first(keep)
    files.write(name, credentials_command(key_id))
    written = f"Profile {name} in {files.short(files.config)}."
    said = [f"{written} Try: aws --profile {shown} sts get-caller-identity"]
    if state.static:
        said.append(_move_aside(files, name))
    if state.environment:
        variables = " and ".join(state.environment)
        said.append(
            f"{variables} in your environment wins over AWS_PROFILE={shown}, though not over "
            f"--profile: unset it."
        )
    return tuple(said)


def _keep_first(keep: Callable[[], object]) -> None:
    try:
        keep()
    except StoreError as found:
        problem = found
    else:
        return
    raise StoreError(
        problem.title, f"{problem.safe} No profile was written.".strip(), problem.next_step
    )


def _move_aside(files: AwsFiles, name: str) -> str:
    credentials = files.short(files.credentials)
    try:
        new = files.set_aside(name)
    except StoreError as found:
        problem = found
    else:
        return f"The older entry is [{new}] in {credentials} now."
    raise StoreError(
        f"The profile {name} was written, but [{name}] in {credentials} still wins over it: "
        f"{problem.title}",
        next_step=problem.next_step,
    )
