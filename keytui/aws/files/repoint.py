"""The local AWS profiles that use a key, given another one, and back."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from keytui.aws.files.atomic_file import read
from keytui.aws.files.ini import FileKind, decoded, names, parsed
from keytui.aws.files.profiles import AwsFiles, credentials_command, holds_profiles
from keytui.aws.files.repoint_text import (
    ID,
    PROCESS,
    SECRET,
    AwsText,
    How,
    RepointChange,
    RepointOptions,
    is_static,
    plan,
    repointed,
    restored,
    settings_after,
    sources,
    uses_key,
)
from keytui.core.errors import StoreError
from keytui.core.gate import Gate
from keytui.core.model import Secret
from keytui.core.new_files import create, remove

__all__ = ["How", "LocalProfiles", "RepointChange", "Repointed"]

_MOST_BACKUPS = 99


@dataclass(frozen=True, slots=True)
class Repointed:
    """What the way back from a change needs. It has no secret.

    Attributes:
        path: The file.
        section: The name in the section's header.
        how: What was done.
        old_id: The key that went.
        new_id: The key that came.
        stamp: Names the backups of this rotation.
    """

    path: str
    section: str
    how: How
    old_id: str
    new_id: str
    stamp: str

    @property
    def backup(self) -> Path:
        """The file's copy from before the rotation."""
        return next(backup_paths(Path(self.path), self.stamp))

    def to_text(self) -> str:
        """Return it as a line of text."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> "Repointed":
        """Return it from its text. Raises ``StoreError`` where that is damaged."""
        try:
            fields = json.loads(text)
            return cls(**{**fields, "how": How(fields["how"])})
        except (ValueError, TypeError, KeyError):
            pass
        raise StoreError(
            "keytui's record of a profile that it changed is damaged.",
            "The profile was left as it is.",
            "See ~/.aws for a backup, a file that ends in .bak.",
        )


def backup_paths(path: Path, stamp: str) -> Iterator[Path]:
    """Yield where the backups of a file are: one, and more where the file had new keys since."""
    yield path.with_name(f"{path.name}.keytui-{stamp}.bak")
    for number in range(2, _MOST_BACKUPS):
        yield path.with_name(f"{path.name}.keytui-{stamp}-{number}.bak")


def _backups(path: Path, stamp: str) -> Iterator[tuple[Path, str]]:
    """Yield the backups with their texts. Raises ``StoreError``."""
    for backup in backup_paths(path, stamp):
        content = read(backup)
        if content is None:
            return
        yield backup, decoded(content)


def keep_backup(path: Path, stamp: str, text: str, section: str, gate: Gate) -> Path | None:
    """See that a backup holds a section's key as a file's text has it.

    Returns:
        The backup that was made for it; None where one held it already.

    Raises:
        StoreError: None could be made; nothing is left of it.
    """
    now = sources(parsed(path, text)[section])
    for backup in backup_paths(path, stamp):
        content = read(backup)
        if content is None:
            create(backup, Secret(text), gate)
            return backup
        if sources(parsed(backup, decoded(content)).get(section, {})) == now:
            return None
    raise StoreError(
        f"There are too many backups of {path}.", next_step="Delete those you do not need."
    )


def drop_backups(
    path: Path, stamp: str, gate: Gate, needed: Callable[[str], bool] = lambda _: False
) -> None:
    """Delete the backups, but for those of which ``needed`` says so by their text.

    Raises:
        StoreError: One is still there.
    """
    for backup, text in list(_backups(path, stamp)):
        if not needed(text):
            remove(backup, gate)


class LocalProfiles:
    """The profiles in AWS's two files, as a rotation changes them. Methods block."""

    def __init__(
        self,
        files: AwsFiles,
        how: How = How.PROCESS,
        *,
        in_keyring: bool = True,
        command: Callable[[str], str] = credentials_command,
        gives_key: Callable[[str, str, Secret], bool] = lambda *_: True,
    ) -> None:
        """Take what the changes depend on; see ``RepointOptions``.

        Args:
            files: AWS's files.
            how: What to do with a static key.
            in_keyring: Whether the keyring has the new secret.
            command: Makes the command that prints a key from the keyring.
            gives_key: Whether a command prints a key in a process that has nothing of this run.
        """
        self._files = files
        self._how = how
        self._in_keyring = in_keyring
        self._command = command
        self._gives_key = gives_key

    def plan(self, old_id: str, new_id: str) -> tuple[RepointChange, ...]:
        """Return what would be changed for the new key.

        A profile with a session token is not among it: that is no long-lived key.

        Raises:
            StoreError: A file that may name the old key can't be read, or the AWS SDK could not.
        """
        options = RepointOptions(old_id, new_id, self._how, self._in_keyring, self._command)
        return plan(self._texts(old_id), options)

    def record(self, change: RepointChange, stamp: str) -> str:
        """Return what ``put_back`` will need of a change, without a secret.

        Args:
            change: The change; it may be made later.
            stamp: Names the backups, as letters and digits: the rotation's own.
        """
        ids = change.old_id, change.new_id
        return Repointed(str(change.path), change.section, change.how, *ids, stamp).to_text()

    def repoint(self, change: RepointChange, secret: Secret, stamp: str) -> None:
        """Make a change, with a backup of the file; one that is made already stays as it is.

        Raises:
            StoreError: Nothing was changed.
        """
        made: list[Path] = []
        gate = self._files.gate

        def edit(text: str) -> str:
            before = parsed(change.path, text)
            settings = before.get(change.section, {})
            if uses_key(settings, change.new_id) and not uses_key(settings, change.old_id):
                return text
            if not _is_as_planned(settings, change):
                raise StoreError(
                    f"[{change.section}] of {change.path} was changed meanwhile.",
                    next_step="Look at what would be changed again.",
                )
            what = change.how, change.old_id, change.new_id, change.command, secret.reveal()
            new = repointed(text, change.section, *what)
            after = before | {change.section: settings_after(settings, *what)}
            _check(change.path, change.section, new, after)
            if backup := keep_backup(change.path, stamp, text, change.section, gate):
                made.append(backup)
            return new

        try:
            self._files.edit(change.path, edit)
        except StoreError:
            for backup in made:
                with suppress(StoreError):
                    remove(backup, gate)
            raise

    def put_back(self, change: str) -> bool:
        """Let a profile use the old key again, by the backup; the rest of the file stays.

        Backups that have no key any more which is not in the file are deleted.

        Args:
            change: What ``record`` returned.

        Returns:
            Whether the profile uses the old key; False where somebody has changed it since, and
            it was left alone.

        Raises:
            StoreError: Nothing was changed.
        """
        done = Repointed.from_text(change)
        path = Path(done.path)
        if not holds_profiles(path):
            return False
        put_back = False

        def edit(text: str) -> str:
            nonlocal put_back
            new, put_back = _put_back(done, path, text)
            return new

        self._files.edit(path, edit)
        if put_back:
            with suppress(StoreError):
                self._drop_needless(done)
        return put_back

    def secret(self, key_id: str) -> Secret | None:
        """Return the secret of a key that a profile holds; None where none does.

        Raises:
            StoreError: A file that may hold it can't be read.
        """
        for file in self._texts(key_id):
            for settings in file.sections.values():
                if is_static(settings, key_id):
                    return Secret(settings[SECRET])
        return None

    def unusable(self, change: str, secret: Secret) -> str:
        """Return the profile of a change where it would not work without this run; else empty.

        Raises:
            StoreError: Its file can't be read.
        """
        done = Repointed.from_text(change)
        path = Path(done.path)
        settings = parsed(path, self._files.text(path)).get(done.section, {})
        command = settings.get(PROCESS, "")
        if not names(command, done.new_id) or self._gives_key(command, done.new_id, secret):
            return ""
        return f"[{done.section}] in {self._files.short(path)}"

    def backup(self, change: str) -> str:
        """Return where a change's backup is, as the user writes it; empty where there is none."""
        path = Repointed.from_text(change).backup
        return self._files.short(path) if path.exists() else ""

    def drop_backup(self, change: str) -> None:
        """Delete the backups of a change's file: with the old key gone, nothing needs them.

        Args:
            change: What ``record`` returned.

        Raises:
            StoreError: One is still there.
        """
        done = Repointed.from_text(change)
        try:
            drop_backups(Path(done.path), done.stamp, self._files.gate)
        except StoreError as found:
            problem = found
        else:
            return
        raise StoreError(
            f"The backup {self._files.short(done.backup)} was not deleted. {problem.title}",
            "The profiles are as they were.",
            "Delete it by hand: it holds secrets.",
        )

    def _texts(self, key_id: str) -> Iterator[AwsText]:
        """Yield the files; not one that the AWS SDK refuses if it does not name the key."""
        for path, kind in (
            (self._files.credentials, FileKind.CREDENTIALS),
            (self._files.config, FileKind.CONFIG),
        ):
            if holds_profiles(path):
                try:
                    text = self._files.text(path)
                except StoreError:
                    if _may_name(path, key_id):
                        raise
                else:
                    where = self._files.short(path)
                    yield AwsText(path, where, kind, text, parsed(path, text))

    def _drop_needless(self, done: Repointed) -> None:
        path = Path(done.path)
        here = parsed(path, self._files.text(path))

        def needed(backup: str) -> bool:
            return any(
                uses_key(settings, done.old_id) and sources(here.get(name, {})) != sources(settings)
                for name, settings in parsed(path, backup).items()
            )

        drop_backups(path, done.stamp, self._files.gate, needed)


def _may_name(path: Path, key_id: str) -> bool:
    try:
        return names(decoded(read(path) or b""), key_id)
    except StoreError:
        return True


def _is_as_planned(settings: dict[str, str], change: RepointChange) -> bool:
    if change.how is How.NAME:
        return names(settings.get(PROCESS, ""), change.old_id)
    free = change.how is How.REWRITE or PROCESS not in settings
    return free and is_static(settings, change.old_id)


def _put_back(done: Repointed, path: Path, text: str) -> tuple[str, bool]:
    """Return a file's text with the profile put back, and whether that uses the old key."""
    before = parsed(path, text)
    settings = before.get(done.section, {})
    if not uses_key(settings, done.new_id):
        return text, uses_key(settings, done.old_id)
    backup, old = _backup(done)
    if not _is_as_made(settings, old, done):
        return text, False
    rest = {name: settings[name] for name in settings if name not in sources(settings)}
    new = restored(text, backup, done.section)
    _check(path, done.section, new, before | {done.section: rest | sources(old)})
    return new, True


def _is_as_made(settings: dict[str, str], old: dict[str, str], done: Repointed) -> bool:
    """Return whether a section's key is as the change had left it."""
    made = settings_after(old, done.how, done.old_id, done.new_id, done.new_id, "")
    commands = settings.get(PROCESS, ""), made.get(PROCESS, "")
    return settings.get(ID) == made.get(ID) and len({names(c, done.new_id) for c in commands}) == 1


def _backup(done: Repointed) -> tuple[str, dict[str, str]]:
    """Return the backup that has a section with the old key, and the section's settings."""
    path = Path(done.path)
    for backup, text in _backups(path, done.stamp):
        settings = parsed(backup, text).get(done.section, {})
        if uses_key(settings, done.old_id):
            return text, settings
    raise StoreError(
        f"There is no backup {done.backup} with the old key of [{done.section}].",
        next_step=f"Let the profile use {done.old_id} by hand.",
    )


def _check(path: Path, section: str, text: str, expected: dict[str, dict[str, str]]) -> None:
    """See that the AWS SDK will read what it should, and all else as before."""
    if parsed(path, text) != expected:
        raise StoreError(
            f"keytui can't change [{section}] of {path} so that the AWS tools read it.",
            next_step="Change it by hand.",
        )
