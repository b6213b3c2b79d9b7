"""``keytui import``: take the secrets of a file into the keyring, and the file out of the way."""

import os
import shlex
from argparse import ArgumentParser
from pathlib import Path

from keytui.aws.files.atomic_file import read
from keytui.aws.files.ini import KEY_SETTINGS, FileKind
from keytui.aws.files.key_files import NOTHING_IMPORTED, Form, FoundKey, KeyFile, read_keys
from keytui.aws.files.profiles import AwsFiles, credentials_command, name_problem
from keytui.cli.console import agreed, on_terminal, say
from keytui.cli.parser import EXIT_FAILED, Command, Request, add_read_only
from keytui.core.errors import KeytuiError, NotStoredError, StoreError
from keytui.core.gate import Gate
from keytui.core.model import ROOT_USER, AccessKey, Identity, KeyStatus, NewAccessKey, Secret, User
from keytui.core.new_files import remove
from keytui.session.context import Context
from keytui.stores.csv_file import expand

COPIES = "Copies in backups, and what a disk keeps of deleted files, are beyond keytui's reach."


def import_secret(ctx: Context, file: str, *, section: str | None, yes: bool) -> int:
    """Take the secrets of a file into the keyring, test them, and offer to remove the plaintext.

    Args:
        ctx: The parts of this run.
        file: The file's path as typed.
        section: The profile wanted of an AWS config or credentials file; None for the only one.
        yes: Remove the plaintext without asking. Otherwise that is asked about on a terminal,
            and elsewhere not done.

    Returns:
        0 where all was done, 1 where something failed.

    Raises:
        KeytuiError: The file can't be used; nothing was imported.
        ReadOnlyError: In read-only mode, before the file is looked at.
    """
    ctx.settings.gate.require_writable()
    path = _real(expand(file))
    content = _content(path)
    found = read_keys(content.reveal().encode(errors="surrogateescape"), str(path), section)
    good = [_import(ctx, key) for key in found.keys]
    if not all(good):
        say(f"{path} stays as it is.")
        return 1
    try:
        if found.form is Form.PROFILES:
            limits = ctx.profile_limits()
            return _clear_profile(ctx.aws_files(), path, found.keys[0], limits, yes)
        return _delete(ctx.settings.gate, path, content, found, yes)
    except StoreError as error:
        say(str(error))
        return 1


def _content(path: Path) -> Secret:
    content = read(path, NOTHING_IMPORTED)
    if content is None:
        raise StoreError(f"There is no file {path}.", NOTHING_IMPORTED)
    return Secret(content.decode(errors="surrogateescape"))


def _import(ctx: Context, found: FoundKey) -> bool:
    """Keep one key and test it; return whether it works with the secret from the keyring."""
    key_id = found.key_id
    identity, refusal = _who(ctx, key_id, found.secret)
    try:
        # What AWS does not vouch for takes the place of nothing.
        if refusal and (known := _known(ctx, key_id)):
            what = "it" if known.matches(found.secret) else "another secret for it"
            say(f"{key_id}: the keyring has {what} already, which stays. {refusal}")
            return False
        receipt = ctx.vault.take(_new_key(found, identity), identity.arn if identity else "")
        kept = ctx.keyring.get(key_id)
    except KeytuiError as error:
        say(f"{key_id} could not be kept. {error.title} {error.next_step}")
        return False
    say(f"{key_id} is in the {receipt.where}, read back.")
    if identity is None:
        say(f"It could not be tested, and its user is not known. {refusal}")
        return False
    again, refusal = _who(ctx, key_id, kept)
    if again is None:
        say(f"It could not be tested with the secret from the keyring. {refusal}")
        return False
    say(f"It works: AWS knows it as {again.label} in the account {again.account}.")
    return True


def _who(
    ctx: Context, key_id: str, secret: Secret
) -> tuple[Identity, None] | tuple[None, KeytuiError]:
    try:
        return ctx.who(key_id, secret), None
    except KeytuiError as error:
        return None, error


def _known(ctx: Context, key_id: str) -> Secret | None:
    """Return what the keyring has for a key; None where it has nothing."""
    try:
        return ctx.keyring.get(key_id)
    except NotStoredError:
        return None


def _new_key(found: FoundKey, identity: Identity | None) -> NewAccessKey:
    name = (identity.user_name if identity else None) or found.user
    user = ROOT_USER if identity and identity.is_root else User(name)
    key = AccessKey(found.key_id, user, KeyStatus.ACTIVE, created=None)
    return NewAccessKey(key, identity.account if identity else "", found.secret)


def _delete(gate: Gate, path: Path, content: Secret, found: KeyFile, yes: bool) -> int:
    """Offer to delete a file that holds nothing but keys."""
    if found.more:
        say(f"{path} stays: it also holds {', '.join(found.more)}.")
        return 0
    if not _agreed(f"Delete {path}?", yes):
        say(f"{path} stays, with the secret in plain text.")
        return 0
    if not _content(path).matches(content):
        raise StoreError(f"{path} was changed meanwhile and stays.")
    links = _other_links(path)
    remove(path, gate)
    return _said_gone(f"The name {path} is removed." if links else f"{path} is deleted.", links)


def _clear_profile(
    files: AwsFiles, path: Path, found: FoundKey, limits: tuple[str, ...], yes: bool
) -> int:
    """Offer to take a static key out of an AWS file, and to let its profile use the keyring."""
    name, kind = found.profile, found.kind
    if name == "default" and path == _real(files.config):
        kind = FileKind.CONFIG
    own = files.config if kind is FileKind.CONFIG else files.credentials
    at_home = path == _real(own) and not name_problem(name)
    if at_home and (obstacle := _obstacle(files, name)):
        say(f"The secret stays in {path}: {obstacle}")
        return 1 if yes else 0
    if at_home and limits:
        say(f"With the key in the keyring, the profile {name} is limited. {' '.join(limits)}")
        if yes:
            say(f"The secret stays in {path}. Without --yes you are asked.")
            return 1
    if not _agreed(f"Take the secret of {name} out of {path}?", yes):
        say(f"{path} stays, with the secret in plain text.")
        return 0
    config, shown = files.short(files.config), shlex.quote(name)
    links = _other_links(path)
    question = f"Let {name} in {config} take it from the keyring? aws --profile {shown} needs that."
    if at_home and _agreed(question, yes):
        in_config = kind is FileKind.CONFIG
        files.write(name, credentials_command(found.key_id), drop_keys=in_config)
        say(f"Profile {name} in {config} takes its key from the keyring.")
        if in_config:
            return _said_gone(f"Its secret is no more in {path}.", links)
    files.drop_key(path, name, kind)
    return _said_gone(f"The secret of {name} is no more in {path}.", links)


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


def _said_gone(sentence: str, links: str) -> int:
    """Say that a secret is out of a file; return the exit status, 1 where other names keep it."""
    say(f"{sentence} {links or COPIES}")
    return 1 if links else 0


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _obstacle(files: AwsFiles, name: str) -> str:
    """Return why a profile can't simply go over to the keyring; empty where it can."""
    state = files.look(name)
    others = [
        line
        for line in (*state.aside, *state.static)
        if line.partition(" =")[0] not in KEY_SETTINGS
    ]
    if not others:
        return ""
    return f"the profile {name} also has {', '.join(others)}, and keytui can't tell which is meant."


def _agreed(question: str, yes: bool) -> bool:
    """Ask on a terminal; elsewhere the answer is no, unless it was given in advance."""
    if yes:
        return True
    if not on_terminal():
        say(f"{question} There is nobody to ask here; --yes answers yes.")
        return False
    return agreed(question)


def _run(ctx: Context, request: Request) -> int:
    options = request.options
    return import_secret(ctx, options["file"], section=options["section"], yes=bool(options["yes"]))


def _arguments(reader: ArgumentParser) -> None:
    reader.add_argument("file", metavar="FILE")
    reader.add_argument("--profile", dest="section", metavar="NAME", help="of that file")
    reader.add_argument("--region", metavar="NAME", help="the region; picks the partition")
    reader.add_argument("--endpoint-url", metavar="URL", help="ask STS here, not at AWS")
    add_read_only(reader)
    reader.add_argument("--yes", action="store_true", help="accept what is offered")


COMMANDS = {
    "import": Command(
        "take a secret from a file into the keyring",
        "Take the secrets of a console CSV file (accessKeys.csv, rootkey.csv) or of a profile of "
        "an AWS credentials file into the keyring, test them, and offer to remove the plaintext.",
        _arguments,
        _run,
        refused=True,
        unusable=EXIT_FAILED,
    )
}
