"""Write an AWS profile that takes its credentials from the keyring."""

import shlex
from collections.abc import Callable
from typing import ClassVar, Protocol, TypeVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static
from typing_extensions import override

from keytui.aws.files.profiles import (
    NOTHING_WRITTEN,
    AwsFiles,
    ProfileState,
    credentials_command,
    default_name,
    name_problem,
)
from keytui.core.errors import StoreError
from keytui.core.text import plain
from keytui.session.context import Context
from keytui.tui.dialogs.dialogs import ConfirmScreen, Dialog, Note
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.lines import LineInput
from keytui.tui.widgets.text import DIM, fit

NAME_LENGTH = 128
SHOWN, WIDTH = 5, 50
"""How many settings are shown, and how much of each; a small terminal has room for no more."""


class ProfileScreen(Dialog[str | None]):
    """Asks for a profile's name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Write"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, name: str, key_id: str, path: str) -> None:
        super().__init__("Write an AWS profile")
        self._name, self._key_id, self._path = name, key_id, path

    @override
    def content(self) -> ComposeResult:
        what = f"It goes into {self._path}; with it, the AWS command line and the SDKs"
        yield Static(Text(plain(f"{what} take {self._key_id} from the keyring through keytui.")))
        yield Static(Text("Name of the profile", style=DIM), classes="label")
        yield LineInput(self._name, max_length=NAME_LENGTH)
        yield Note(classes="wrong")

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        name = self.query_one(LineInput).value.strip()
        if problem := name_problem(name):
            self.query_one(Note).say(Text(problem))
        else:
            self.dismiss(name)


def exists_screen(state: ProfileState, key_id: str, path: str) -> ConfirmScreen:
    """Return the question whether a profile that exists is to take the key."""
    stays = fit(f"Stays: {', '.join(state.stays)}", WIDTH) if state.stays else ""
    aside = "Becomes a comment, so that nothing is lost:" if state.aside else ""
    return ConfirmScreen(
        f"The profile {state.name} exists",
        f"It is in {path}.",
        stays,
        aside,
        *_some(state.aside),
        f"All that uses this profile signs with {key_id} from then on.",
        "Write it?",
    )


def static_screen(state: ProfileState, config: str, credentials: str) -> ConfirmScreen:
    """Return the question whether an entry that would win is to be moved aside."""
    return ConfirmScreen(
        f"An older entry {state.name} would win",
        f"{credentials} has [{state.name}]:",
        *_some(state.static),
        f"The AWS tools take it before a profile in {config}.",
        f"Moved aside it stays there, as [{state.name}-set-aside].",
        "Move it aside?",
    )


def _some(settings: tuple[str, ...]) -> list[str]:
    more = len(settings) - SHOWN
    return [f"  {fit(one, WIDTH)}" for one in settings[:SHOWN]] + (
        [f"  and {more} more"] if more > 0 else []
    )


T = TypeVar("T")


class Ask(Protocol):
    """Opens a dialog and waits for what it returns, such as ``Stage.ask``."""

    async def __call__(self, dialog: Screen[T], /) -> T:
        """Ask."""


async def write_profile(
    ask: Ask,
    ctx: Context,
    key_id: str,
    user_name: str,
    keep: Callable[[], object] = lambda: None,
) -> tuple[str, ...]:
    """Ask for a name and for what stands in its way, then write the profile.

    Args:
        ask: Opens a dialog.
        ctx: The parts of this run.
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
    ctx.settings.gate.require_writable()
    _refuse_demo(ctx)
    files = ctx.aws_files()
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
    return (*said, *ctx.profile_limits())


def _refuse_demo(ctx: Context) -> None:
    if ctx.settings.demo:
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
