"""The OS keyring: Secret Service, KWallet, macOS Keychain, Windows Credential Manager.

Or one that was asked for by name: ``pass``, or an encrypted file.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from keytui.core.errors import (
    NotStoredError,
    StoreError,
    StoreLockedError,
    StoreTimeoutError,
    WrongPasswordError,
)
from keytui.core.gate import Gate
from keytui.core.model import NewAccessKey, Secret
from keytui.stores.base import Mend, Probe, Receipt
from keytui.stores.helpers import CRYPTFILE_SECRETS, without_secrets
from keytui.stores.keyring.codes import (
    CRYPTFILE,
    LABELS,
    NAMED,
    PASS,
    SERVICE_PREFIX,
    Op,
    Trouble,
)
from keytui.stores.keyring.messages import words
from keytui.stores.keyring.process import Reply, ask

CHILD_COMMAND = (sys.executable, "-P", "-m", "keytui.stores.keyring.child")
"""The child's command line; the operation's name is added to it."""

_LABEL = "OS keyring"
_STILL_HELD = "The secret is not lost: keytui still holds it."
_ERRORS: dict[Trouble, type[StoreError]] = {
    Trouble.LOCKED: StoreLockedError,
    Trouble.WRONG_PASSWORD: WrongPasswordError,
    Trouble.TIMEOUT: StoreTimeoutError,
    Trouble.NOT_STORED: NotStoredError,
}


_SECONDS = {"os": 10.0, "pass": 10.0, "cryptfile": 30.0}
"""How long a call may take. The encrypted file's password is meant to be slow to try."""

_CHANGING = frozenset({Op.CANARY, Op.PUT, Op.DELETE})
_MEND = {
    Trouble.LOCKED: Mend.UNLOCK,
    Trouble.WRONG_PASSWORD: Mend.UNLOCK,
    Trouble.NO_COLLECTION: Mend.MAKE,
    Trouble.NO_BUS: Mend.START,
}


class OsKeyring:
    """A ``SecretStore`` in the operating system's keyring.

    Each call runs the ``keyring`` library in a child process that is killed when the time is
    up. A secret goes to the child through a socket that no other process can open, once the
    child's memory is closed to them; never by argument or environment. A key is
    kept under the service ``keytui:`` + access key ID, with the access key ID as user name;
    the value is one line of JSON with AccessKeyId, SecretAccessKey, UserName, AccountId and
    CreateDate (ISO 8601 or null), so other tools can read it.
    """

    name = "keyring"

    def __init__(
        self,
        command: Sequence[str] = CHILD_COMMAND,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
        kind: str = "os",
        ask: Callable[..., Reply] = ask,
        *,
        gate: Gate,
    ) -> None:
        """Set how the child is run.

        Args:
            command: The child's command line, to which the operation is added.
            timeout: Seconds that a call may take; None for what is usual.
            env: The child's environment; None for keytui's own at the time of the call.
            kind: ``os``, or the keyring asked for by name: ``pass`` or ``cryptfile``.
            ask: How the request is put: to a child, or in this process.
            gate: What changes pass. In read-only mode a keyring is read and unlocked, never made.
        """
        self._command = tuple(command)
        self._timeout = _SECONDS[kind] if timeout is None else timeout
        self._env = env
        self._ask_child = ask
        self._gate = gate
        self.kind = kind
        """``os``, ``pass`` or ``cryptfile``."""
        self._password = Secret("")

    @property
    def locator(self) -> str:
        """How a later run finds it again."""
        return "keyring" if self.kind == "os" else f"keyring:{self.kind}"

    def probe(self, *, canary: bool = True) -> Probe:
        """Say whether a secret can be kept in the keyring now; see ``SecretStore``."""
        proves = canary and not self._gate.read_only
        reply = self._ask(Op.CANARY if proves else Op.STATE)
        chosen = reply.chosen if self.kind == "os" else "asked for by name"
        if reply.trouble is None:
            return Probe(self._label(reply), writable=True, chosen=chosen)
        title, next_step = self._words(reply)
        mend = _MEND.get(reply.trouble, Mend.NOTHING)
        if self.kind == "pass":
            mend = Mend.NOTHING  # gpg asks for the passphrase itself, on a terminal
        return Probe(self._label(reply), False, title, next_step, mend, chosen)

    def hurried(self, seconds: float) -> "OsKeyring":
        """Return the same keyring with less patience."""
        how = self._command, seconds, self._env, self.kind, self._ask_child
        other = OsKeyring(*how, gate=self._gate)
        other._password = self._password
        return other

    def unlock(self, password: Secret) -> None:
        """Unlock the keyring, or make it with this password where there is none yet.

        The password of an encrypted file stays in this object, which needs it for each call.

        Raises:
            WrongPasswordError: It is not the keyring's password.
            StoreError: The keyring can't be unlocked from here.
            ReadOnlyError: There is none yet, and in read-only mode none is made.
        """
        before, self._password = self._password, password
        reply = self._ask(Op.UNLOCK)
        if self.kind != "cryptfile" or reply.trouble is not None:
            self._password = before
        if reply.trouble is Trouble.NO_COLLECTION:
            self._gate.require_writable()
        if reply.trouble is not None:
            self._fail(reply, "")

    def put(self, new: NewAccessKey) -> Receipt:
        """Keep a secret and read it back; see ``SecretStore``.

        Raises:
            StoreLockedError: The keyring is locked.
            StoreTimeoutError: It gave no answer in time; it may or may not hold the secret.
            StoreError: Anything else.
        """
        value = _value(new)
        reply = self._ask(Op.PUT, new.key.id, value)
        kept = reply.value is not None and reply.value.matches(value)
        if reply.trouble is Trouble.NOT_STORED or (reply.trouble is None and not kept):
            reply = Reply(Trouble.DIFFERS)
        if reply.trouble is not None:
            self._fail(reply, new.key.id, safe=_STILL_HELD)
        return Receipt(store=self.name, where=self._label(reply))

    def get(self, key_id: str) -> Secret:
        """Return a kept secret.

        Raises:
            NotStoredError: The keyring holds none for this access key ID.
            StoreError: As ``put``.
        """
        reply = self._ask(Op.GET, key_id)
        if reply.trouble is not None:
            self._fail(reply, key_id)
        secret = _secret(reply.value, key_id)
        if secret is None:
            self._fail(Reply(Trouble.UNREADABLE), key_id)
        return secret

    def delete(self, key_id: str) -> None:
        """Forget a kept secret and see that it is gone.

        Raises:
            NotStoredError: The keyring holds none for this access key ID.
            StoreError: As ``put``; the secret may still be there.
        """
        reply = self._ask(Op.DELETE, key_id)
        if reply.trouble is not None:
            self._fail(reply, key_id)

    def _ask(self, op: Op, key_id: str = "", value: Secret | None = None) -> Reply:
        if op in _CHANGING:
            self._gate.require_writable()
        request = {
            "kind": self.kind,
            "read_only": self._gate.read_only,
            "password": self._password.reveal(),
            "service": SERVICE_PREFIX + key_id,
            "username": key_id,
            "value": value.reveal() if value else "",
            "limit": self._timeout,
        }
        sealed = Secret(json.dumps(request))
        del request
        env = os.environ if self._env is None else self._env
        needed = CRYPTFILE_SECRETS if self.kind == "cryptfile" else ()
        env = without_secrets(env, needed)
        return self._ask_child((*self._command, op), sealed, self._timeout, env)

    def _words(self, reply: Reply, key_id: str = "", *, new: bool = True) -> tuple[str, str]:
        """Return what happened and the next step."""
        trouble, label = reply.trouble or Trouble.FAILED, self._label(reply)
        names = {"detail": reply.detail, "key_id": key_id, "timeout": self._timeout}
        return words(self.kind, trouble, label, for_a_new_secret=new, **names)

    def _label(self, reply: Reply) -> str:
        if self.kind != "os":
            return {"pass": NAMED[PASS], "cryptfile": NAMED[CRYPTFILE]}[self.kind]
        return LABELS.get(reply.backend, _LABEL)

    def _fail(self, reply: Reply, key_id: str, safe: str = "") -> NoReturn:
        title, next_step = self._words(reply, key_id, new=bool(safe))
        error = _ERRORS.get(reply.trouble or Trouble.FAILED, StoreError)
        raise error(title, safe, next_step)


def _value(new: NewAccessKey) -> Secret:
    """Return the line that the keyring keeps for a key."""
    created = new.key.created
    fields = {
        "AccessKeyId": new.key.id,
        "SecretAccessKey": new.secret.reveal(),
        "UserName": new.key.user.name,
        "AccountId": new.account,
        "CreateDate": created.isoformat() if created else None,
    }
    return Secret(json.dumps(fields, separators=(",", ":")))


def _secret(value: Secret | None, key_id: str) -> Secret | None:
    """Return the secret in a kept line; None where it isn't one for this key."""
    if value is None:
        return None
    try:
        fields = json.loads(value.reveal())
        text = fields["SecretAccessKey"]
        # Any program may write into the keyring: what is no such text signs and shows nothing.
        if fields["AccessKeyId"] == key_id and text.isascii() and text.isprintable():
            return Secret(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return None
