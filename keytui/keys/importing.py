"""Import the keys of a plaintext file: keep each in the keyring, test it, clear the plaintext.

The order of steps, the rules and the sentences for the command line and the screens. A file
loses nothing before AWS has accepted each of its keys with the secret from the keyring.
"""

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from keytui.core.errors import KeytuiError, NotStoredError, StoreError
from keytui.core.gate import Gate
from keytui.core.model import ROOT_USER, AccessKey, Identity, KeyStatus, NewAccessKey, Secret, User
from keytui.core.port import Port
from keytui.stores.base import SecretStore
from keytui.stores.vault import Vault

COPIES = "Copies in backups, and what a disk keeps of deleted files, are beyond keytui's reach."


class Credential(Protocol):
    """A key found in a file; ``user`` is empty where the file names none."""

    @property
    def key_id(self) -> str: ...
    @property
    def secret(self) -> Secret: ...
    @property
    def user(self) -> str: ...


class StaticProfile(Protocol):
    """The profile that a key was found in."""

    @property
    def name(self) -> str: ...
    @property
    def config(self) -> str:
        """The AWS config file, as a sentence shows it."""

    @property
    def at_home(self) -> bool:
        """Whether the file is one that the AWS tools read, so that the profile is in use."""

    @property
    def in_config(self) -> bool:
        """Whether the file is the AWS config file."""

    def obstacle(self) -> str:
        """Return why the profile can't take its key from the keyring; empty where it can."""

    def limits(self) -> Sequence[str]:
        """Return where it will not work with the keyring, a sentence each."""

    def use_keyring(self) -> None:
        """Let the profile in the config file take its key from the keyring.

        A static key in the config file is removed by that.
        """

    def drop_key(self) -> None:
        """Remove the static key from the file."""


class PlainFile(Protocol):
    """A file with keys in plain text. Methods block and raise ``StoreError``.

    Attributes:
        keys: At least one; exactly one of a profile.
        more: What else of value a file of keys holds, which keeps it from being deleted.
        profile: The profile it was found in; None for a file of nothing but keys.
    """

    @property
    def path(self) -> Path: ...
    @property
    def keys(self) -> Sequence[Credential]: ...
    @property
    def more(self) -> Sequence[str]: ...
    @property
    def profile(self) -> StaticProfile | None: ...

    def changed(self) -> bool:
        """Return whether its content is another than when it was read."""

    def delete(self) -> None:
        """Delete it."""


@dataclass(frozen=True, slots=True)
class Importer:
    """What an import works with.

    Attributes:
        gate: What changes pass.
        vault: Keeps the secrets and remembers that.
        keyring: Where the vault keeps them.
        who: Asks AWS whose an access key is, with its ID and secret; blocks.
    """

    gate: Gate
    vault: Vault
    keyring: SecretStore
    who: Callable[[str, Secret], Identity]


class ImportPort(Port, Protocol):
    """What importing keys needs of the face that started it."""

    async def agree(self, question: str) -> bool:
        """Ask a yes-or-no question; no where nobody can be asked."""


async def import_keys(
    importer: Importer, read: Callable[[], PlainFile], port: ImportPort, *, sure: bool = False
) -> bool:
    """Keep the keys of a file in the keyring, test them, and offer to clear the plaintext.

    Args:
        importer: What it works with.
        read: Reads the file; blocks.
        port: The face.
        sure: The questions are answered with yes in advance. Where clearing could break a
            profile, the secret stays and that counts as failed.

    Returns:
        Whether nothing failed; plaintext that the user keeps is no failure.

    Raises:
        KeytuiError: The file can't be used; nothing was imported.
        ReadOnlyError: In read-only mode, before the file is read.
    """
    importer.gate.require_writable()
    file = await port.work(read)
    good = [await _kept(importer, key, port) for key in file.keys]
    if not all(good):
        port.tell(f"{file.path} stays as it is.", good=False)
        return False
    ask = _Asking(port, sure=sure)
    try:
        if file.profile:
            return await _clear_profile(file, file.profile, ask)
        return await _delete(file, ask)
    except StoreError as error:
        port.tell(str(error), good=False)
        return False


async def _kept(importer: Importer, key: Credential, port: ImportPort) -> bool:
    """Keep a key and test it; return whether it works with the secret from the keyring."""
    key_id = key.key_id
    identity, refusal = await port.work(lambda: _who(importer, key_id, key.secret))
    try:
        # A secret that AWS does not confirm must not overwrite one that may be good.
        if refusal and (known := await port.work(lambda: _known(importer, key_id))):
            what = "it" if known.matches(key.secret) else "another secret for it"
            said = f"{key_id}: the keyring has {what} already, which stays. {refusal}"
            port.tell(said, good=False)
            return False
        new, caller = _new_key(key, identity), identity.arn if identity else ""
        receipt = await port.work(lambda: importer.vault.take(new, caller))
        kept = await port.work(lambda: importer.keyring.get(key_id))
    except KeytuiError as error:
        port.tell(f"{key_id} could not be kept. {error.title} {error.next_step}", good=False)
        return False
    port.tell(f"{key_id} is in the {receipt.where}, read back.")
    if identity is None:
        port.tell(f"It could not be tested, and its user is not known. {refusal}", good=False)
        return False
    again, refusal = await port.work(lambda: _who(importer, key_id, kept))
    if again is None:
        said = f"It could not be tested with the secret from the keyring. {refusal}"
        port.tell(said, good=False)
        return False
    port.tell(f"It works: AWS knows it as {again.label} in the account {again.account}.")
    return True


def _who(
    importer: Importer, key_id: str, secret: Secret
) -> tuple[Identity, None] | tuple[None, KeytuiError]:
    try:
        return importer.who(key_id, secret), None
    except KeytuiError as error:
        return None, error


def _known(importer: Importer, key_id: str) -> Secret | None:
    """Return what the keyring has for a key; None where it has nothing."""
    try:
        return importer.keyring.get(key_id)
    except NotStoredError:
        return None


def _new_key(found: Credential, identity: Identity | None) -> NewAccessKey:
    name = (identity.user_name if identity else None) or found.user
    user = ROOT_USER if identity and identity.is_root else User(name)
    key = AccessKey(found.key_id, user, KeyStatus.ACTIVE, created=None)
    return NewAccessKey(key, identity.account if identity else "", found.secret)


class _Asking:
    """The questions about the plaintext."""

    def __init__(self, port: ImportPort, *, sure: bool) -> None:
        self.port, self.sure = port, sure

    async def __call__(self, question: str) -> bool:
        return self.sure or await self.port.agree(question)


async def _delete(file: PlainFile, ask: _Asking) -> bool:
    """Offer to delete a file that holds nothing but keys."""
    path, port = file.path, ask.port
    if file.more:
        port.tell(f"{path} stays: it also holds {', '.join(file.more)}.")
        return True
    if not await ask(f"Delete {path}?"):
        port.tell(f"{path} stays, with the secret in plain text.")
        return True
    port.committed()
    links = await port.work(lambda: _deleted(file))
    gone = f"The name {path} is removed." if links else f"{path} is deleted."
    return _told_gone(gone, links, port)


def _deleted(file: PlainFile) -> str:
    """Delete a file; return what ``_other_links`` says of it."""
    links = _unchanged(file)
    file.delete()
    return links


def _unchanged(file: PlainFile) -> str:
    """Return what ``_other_links`` says of a file. Raises ``StoreError`` where it was changed."""
    if file.changed():
        raise StoreError(f"{file.path} was changed meanwhile and stays.")
    try:
        return _other_links(file.path)
    except OSError as error:
        raise StoreError(f"{file.path} can't be read: {error.strerror}.") from None


async def _clear_profile(file: PlainFile, profile: StaticProfile, ask: _Asking) -> bool:
    """Offer to remove a static key from an AWS file, and to let its profile use the keyring."""
    path, name, port = file.path, profile.name, ask.port
    if profile.at_home:
        if obstacle := await port.work(profile.obstacle):
            port.tell(f"The secret stays in {path}: {obstacle}", good=not ask.sure)
            return not ask.sure
        if limits := await port.work(profile.limits):
            limited = f"With the key in the keyring, the profile {name} is limited."
            port.tell(f"{limited} {' '.join(limits)}")
            if ask.sure:
                port.tell(f"The secret stays in {path}. Without --yes you are asked.", good=False)
                return False
    if not await ask(f"Take the secret of {name} out of {path}?"):
        port.tell(f"{path} stays, with the secret in plain text.")
        return True
    needs = f"aws --profile {shlex.quote(name)} needs that."
    question = f"Let {name} in {profile.config} take it from the keyring? {needs}"
    switches = profile.at_home and await ask(question)
    links = await port.work(lambda: _unchanged(file))
    port.committed()
    if switches:
        await port.work(profile.use_keyring)
        port.tell(f"Profile {name} in {profile.config} takes its key from the keyring.")
        if profile.in_config:
            return _told_gone(f"Its secret is no more in {path}.", links, port)
    await port.work(profile.drop_key)
    return _told_gone(f"The secret of {name} is no more in {path}.", links, port)


def _other_links(path: Path) -> str:
    """Say that a file has other names, which keep its content; empty where it has none."""
    status = path.stat()
    if status.st_nlink < 2:
        return ""
    number = status.st_nlink - 1
    names = "another name" if number == 1 else f"{number} other names"
    disk = next(folder for folder in path.parents if os.path.ismount(folder))
    return (
        f"The file has {names} (hard links), and there the secret is still in plain text. Find "
        f"and delete it: find {shlex.quote(str(disk))} -xdev -inum {status.st_ino}"
    )


def _told_gone(sentence: str, links: str, port: ImportPort) -> bool:
    """Say that a secret is out of a file; return whether it is under no other name either."""
    port.tell(f"{sentence} {links or COPIES}", good=not links)
    return not links
