"""``keytui credentials``: a secret from the keyring, for AWS's ``credential_process``.

The format is the one that the AWS SDKs ask for in "Sourcing credentials with an external
process": one JSON object with ``Version`` (the number 1), ``AccessKeyId`` and
``SecretAccessKey`` on standard output, and nothing else there.
"""

import json
import sys
from argparse import ArgumentParser

from keytui.cli.arguments import WHAT_IS_ONE
from keytui.cli.parser import EXIT_DONE, EXIT_FAILED, Command
from keytui.cli.streams import write
from keytui.core.errors import KeytuiError, NotStoredError
from keytui.core.gate import LOOKING
from keytui.core.key_ids import key_ids
from keytui.session.context import Context
from keytui.stores.keyring.os_keyring import OsKeyring
from keytui.stores.keyring.process import ask_here

PASS_SECONDS = 60.0
"""How long gpg may take: it may be asking for a passphrase."""
SECONDS = 10.0


def credentials(ctx: Context, key_id: str | None) -> int:
    """Print a key with its secret.

    Args:
        ctx: The parts of this run; ``settings.user`` names the user where no key is named.
        key_id: The access key ID; None for the user's only one.

    Returns:
        0; 1 where standard output did not take it.

    Raises:
        StoreError: The keyring does not have it, is locked, or gives no answer.
        KeytuiError: The user has no key in the keyring, or more than one.
    """
    if key_id is None:
        key_id = _only_key_of(ctx, ctx.settings.user or "")
    kind = ctx.settings.keyring
    seconds = PASS_SECONDS if kind == "pass" else SECONDS
    keyring = OsKeyring(kind=kind, timeout=seconds, ask=ask_here, gate=LOOKING)
    try:
        secret = keyring.get(key_id)
    except NotStoredError:
        if key_ids(key_id) == (key_id,):
            raise
        # It may be a secret, pasted by mistake.
        title = "The keyring holds nothing for that, which is no access key ID."
        raise NotStoredError(title, next_step=WHAT_IS_ONE) from None
    fields = {"Version": 1, "AccessKeyId": key_id, "SecretAccessKey": secret.reveal()}
    return EXIT_DONE if write(f"{json.dumps(fields)}\n", sys.stdout) else EXIT_FAILED


def _only_key_of(ctx: Context, user: str) -> str:
    ids = [one.key_id for one in ctx.vault.held() if one.user == user]
    if not ids:
        raise NotStoredError(
            f"By keytui's record, the keyring holds no secret of {user}.",
            next_step="keytui shows what it holds with V.",
        )
    if len(ids) > 1:
        raise KeytuiError(
            f"The keyring holds {len(ids)} secrets of {user}: {', '.join(ids)}.",
            next_step="Name the access key ID instead of the user.",
        )
    return ids[0]


def _arguments(reader: ArgumentParser) -> None:
    which = reader.add_mutually_exclusive_group(required=True)
    which.add_argument("key_id", nargs="?", metavar="ACCESS_KEY_ID", help="the key")
    which.add_argument("--user", metavar="NAME", help="this user's only key in the keyring")


COMMANDS = {
    "credentials": Command(
        "print a secret from the keyring for credential_process",
        "Print one key with its secret from the keyring as credential_process JSON.",
        _arguments,
        lambda ctx, request: credentials(ctx, request.options["key_id"]),
        unusable=EXIT_FAILED,
        unprinted=EXIT_FAILED,
    )
}
