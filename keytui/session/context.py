"""What the command line joins and the screens work with."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keytui.core.errors import KeytuiError
from keytui.core.gate import LOOKING, Gate
from keytui.core.iam import Iam
from keytui.core.mfa import MfaDesk
from keytui.core.model import Identity, Secret, User
from keytui.core.waiting import Wait
from keytui.journal.log import Journal
from keytui.keys.local_use import LocalUse
from keytui.keys.operations import Lifecycle
from keytui.session.settings import Settings
from keytui.session.users_cache import UsersCache
from keytui.stores.base import Keyring, SecretStore
from keytui.stores.vault import Vault, held

if TYPE_CHECKING:
    from keytui.aws.files.profiles import AwsFiles
    from keytui.aws.files.repoint import RepointChange
    from keytui.journal.rotations import Rotation
    from keytui.keys.importing import Importer
    from keytui.rotation.profiles import Plans
    from keytui.rotation.rotator import Rotator


def own_aws_files(gate: Gate) -> "AwsFiles":
    """Return the user's own AWS files."""
    from keytui.aws.files.profiles import AwsFiles

    return AwsFiles(os.environ, Path.home(), gate)


def _in_new_process() -> Callable[[str, str, Secret], bool]:
    """Return what runs a command as later processes will: with the environment of now."""
    env = dict(os.environ)

    def gives_key(command: str, key_id: str, secret: Secret) -> bool:
        from keytui.aws.files.credential_process import gives_key

        return gives_key(command, key_id, secret, env)

    return gives_key


def _no_profile(name: str) -> Iam:
    raise KeytuiError(f"There is no profile {name}.")


def own_uses(journal: Journal) -> Callable[[str], tuple[LocalUse, ...]]:
    """Return what tells where this machine names an access key, by the user's own files."""

    def uses_here(key_id: str) -> tuple[LocalUse, ...]:
        from keytui.aws.files.profiles import uses_here

        return uses_here(key_id, own_aws_files(LOOKING), lambda: held(journal.entries()))

    return uses_here


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of one run.

    Attributes:
        settings: What the user asked for.
        connect: Connects with a profile (None: the SDK's choice); blocks, raises KeytuiError.
        profiles: Names the AWS config's profiles; blocks.
        journal: keytui's record.
        keyring: The OS keyring.
        csv_file: Makes the store for a CSV file of that path.
        store_at: Opens the store of a journal's locator; None for one that is unknown.
        csv_path: Proposes a path for a user's CSV file that is free now.
        who: Asks AWS whose an access key is, with its ID and secret (GetCallerIdentity);
            blocks, raises KeytuiError.
        now: The clock, aware.
        aws_files: The AWS config and credentials files.
        wait: How IAM is waited for.
        uses_here: Where this machine names an access key; blocks, raises nothing.
        mfa: Where MFA codes are asked for.
        peek: Connects with a profile and asks the user nothing; blocks, raises KeytuiError.
        cache: The users that were last seen.
        gives_key: Whether a ``credential_process`` prints a key in a process that has nothing of
            this run: no private D-Bus session, no password; blocks.
    """

    settings: Settings
    connect: Callable[[str | None], Iam]
    profiles: Callable[[], list[str]]
    journal: Journal
    keyring: Keyring
    csv_file: Callable[[str], SecretStore]
    store_at: Callable[[str], SecretStore | None]
    csv_path: Callable[[User], Path]
    who: Callable[[str, Secret], Identity]
    now: Callable[[], datetime]
    aws_files: "Callable[[], AwsFiles]"
    wait: Wait = field(default_factory=Wait)
    uses_here: Callable[[str], tuple[LocalUse, ...]] = lambda _: ()
    mfa: MfaDesk = field(default_factory=MfaDesk)
    peek: Callable[[str], Iam] = _no_profile
    cache: UsersCache = field(default_factory=lambda: UsersCache(None))
    # Made with the parts: before this run adds anything to its environment.
    gives_key: Callable[[str, str, Secret], bool] = field(default_factory=_in_new_process)

    def profile_limits(self) -> tuple[str, ...]:
        """Return where a profile that asks keytui for its key will not work, a sentence each."""
        from keytui.stores.keyring.limits import profile_limits

        settings = self.settings
        by_variable = settings.keyring_by_variable
        return profile_limits(settings.keyring, os.environ, by_variable=by_variable)

    @property
    def vault(self) -> Vault:
        """The secrets that the keyring holds."""
        return Vault(self.journal, self.keyring, self.store_at, self.now)

    @property
    def importer(self) -> "Importer":
        """Return what imports keys from files."""
        from keytui.keys.importing import Importer

        return Importer(self.settings.gate, self.vault, self.keyring, self.who)

    def rotator(self, iam: Iam, lifecycle: Lifecycle) -> "Rotator[RepointChange]":
        """Return the verbs of a rotation in an account."""
        from keytui.aws.files.repoint import LocalProfiles
        from keytui.rotation.rotator import Rotator

        return Rotator(
            iam,
            self.journal,
            lifecycle,
            self.vault,
            self.store_at,
            self.who,
            LocalProfiles(self.aws_files(), gives_key=self.gives_key),
            self.uses_here,
            plans=self._plans,
            now=self.now,
            wait=self.wait,
        )

    def _plans(self, rotation: "Rotation") -> "Plans[RepointChange]":
        """Return how local profiles could be given a new key; the demo account has none."""
        from keytui.aws.files.repoint import How, LocalProfiles
        from keytui.rotation.profiles import Plans

        if self.settings.demo:
            return Plans()
        kept, files = rotation.store == self.keyring.locator, self.aws_files()

        def plan(how: How) -> "tuple[RepointChange, ...]":
            profiles = LocalProfiles(files, how, in_keyring=kept)
            return profiles.plan(rotation.old_id, rotation.new_id)

        by_process, rewritten = plan(How.PROCESS) if kept else (), plan(How.REWRITE)
        limited = any(change.runs_keytui for change in (*by_process, *rewritten))
        return Plans(by_process, rewritten, self.profile_limits() if limited else ())
