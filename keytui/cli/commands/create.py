"""``keytui create``: a new key whose secret goes into a store, without a screen."""

from argparse import ArgumentParser
from collections.abc import Callable

from keytui.cli.console import (
    complain,
    held_back,
    progress,
    say,
    say_json,
    show_secret,
)
from keytui.cli.parser import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_OPEN,
    STATUSES,
    Command,
    Request,
    add_account_flags,
    add_json,
    add_unlock,
    store_name,
)
from keytui.core.errors import KeytuiError, UsageError
from keytui.core.model import KeyStatus, User, description_problem
from keytui.keys.outcomes import Custody, UnansweredError
from keytui.keys.recovery import Finding
from keytui.session.account import Account, open_account
from keytui.session.context import Context
from keytui.stores.base import Receipt, SecretStore

RESCUE_SECONDS = 5.0
"""How long the keyring may take when keytui was told to leave; what told it may soon kill."""


def create_key(ctx: Context, request: Request) -> int:
    """Create a key and keep its secret; print a line, or one JSON object.

    The JSON has ``key_id`` (null where no key is known), ``user``, ``account``, ``action``,
    ``result`` (``done``, ``failed``, or ``open`` where AWS's reply is lost), ``status``
    (``Active``, ``Deleted`` where the key was deleted again, null), ``store`` (``keyring``
    or ``csv``) and ``where`` of the store that has the secret (null), ``reason`` in words,
    ``warnings``: a list of what else went wrong, and ``secret_access_key`` where
    ``--show-secret`` asks for it. Where AWS made no key, nothing is printed but the error.

    Signals wait until the secret is kept: it comes with AWS's reply, and only once.

    Returns:
        0 where the key is made and its secret is in that store; 3 where a key may be there
        whose secret is lost, or keytui could not write down that the secret is stored; else 1;
        128 + a signal that arrived.

    Raises:
        UsageError: The description can't be one.
        KeytuiError: AWS made no key.
    """
    options = request.options
    description = (options["description"] or "").strip()
    if problem := description_problem(description):
        raise UsageError(problem, "No key was made.")
    kind, _, path = options["store"].partition(":")
    store = ctx.csv_file(path) if kind == "csv" else ctx.keyring
    account = open_account(ctx, ctx.settings.profile)
    user = User(str(ctx.settings.user))
    with held_back("Waiting: a new key's secret comes with AWS's reply, and only once.") as stop:
        creation = _Creation(ctx, account, stop, as_json=bool(options["json"]))
        stop.last = creation.see_safe
        try:
            status = creation.run(user, store, description, show=bool(options["show_secret"]))
        except _StoppedError as error:
            complain(str(error))
            status = EXIT_FAILED
    return 128 + stop() if stop() else status


class _StoppedError(KeytuiError):
    """keytui was told to leave before AWS was asked."""


class _Creation:
    """One creation, and its secret until that is kept, printed or given up."""

    def __init__(
        self, ctx: Context, account: Account, stop: Callable[[], int], *, as_json: bool
    ) -> None:
        self._ctx, self._account, self._stop, self._as_json = ctx, account, stop, as_json
        self._custody: Custody | None = None
        self._printed = self._rescued = False

    def run(self, user: User, store: SecretStore, description: str, *, show: bool) -> int:
        """Create the key and say what became of it; return the exit status."""
        lifecycle = self._account.lifecycle
        try:
            custody = lifecycle.create(user, store, description, self._progress, self._take)
            return self._told(custody, show=show)
        except UnansweredError as lost:
            return self._looked_into(lost.attempt, user)
        finally:
            # Whatever failed above: the secret is not let go of.
            if self._custody and (sentence := self._rescue(self._custody)):
                complain(sentence)

    def see_safe(self) -> None:
        """See a secret safe that could not be printed. Any thread."""
        if self._custody:
            self._rescue(self._custody)

    def _progress(self, step: str) -> None:
        if self._stop() and self._custody is None:
            raise _StoppedError("keytui was stopped.", "No key was made.")
        progress(step)

    def _take(self, custody: Custody) -> None:
        self._custody = custody

    def _told(self, custody: Custody, *, show: bool) -> int:
        """Say where the secret is, and print it where that is asked for."""
        reason = self._shown(custody) if show else self._kept(custody)
        for sentence in filter(None, (reason, *map(str, custody.warnings))):
            complain(sentence)
        if reason:
            return EXIT_FAILED
        return EXIT_OPEN if custody.unrecorded else EXIT_DONE

    def _kept(self, custody: Custody) -> str:
        """Say where the secret is; return what went wrong."""
        title = custody.problem.title if custody.problem else ""
        reason = "" if custody.kept else f"{title} {self._rescue(custody)}".strip()
        if self._as_json:
            say_json(self._answer(custody, reason))
        elif custody.kept:
            say(_made(custody))
        return reason

    def _shown(self, custody: Custody) -> str:
        """Print the secret; return what went wrong, with what became of the secret."""
        kept, title = custody.kept, custody.problem.title if custody.problem else ""
        reason = f"{title} The secret was printed and is not stored." if title else ""
        self._account.lifecycle.shown(custody)  # Written first: it may be read at once.
        self._printed = self._print(custody, reason)
        if self._printed:
            if not kept:
                self._account.lifecycle.leave(custody)
            return reason
        where = f"It is in {_place(custody.receipts[-1])}." if kept else self._rescue(custody)
        return f"{title} Standard output did not take the secret. {where}".strip()

    def _print(self, custody: Custody, reason: str) -> bool:
        """Print the key with its secret; return whether it can be read there."""
        secret, only = custody.new.secret.reveal(), not custody.kept
        if self._as_json:
            answer = {**self._answer(custody, reason), "secret_access_key": secret}
            return show_secret(answer, self._stop, only=only)
        say(_made(custody))
        return show_secret(f"Secret access key: {secret}", self._stop, only=only)

    def _answer(self, custody: Custody, reason: str) -> dict[str, object]:
        key, receipt = custody.new.key, custody.receipts[-1] if custody.kept else None
        return {
            **_outcome(key.id, key.user.name, custody.new.account, reason),
            "result": "failed" if reason else "done",
            "status": _status(custody),
            "store": receipt.store if receipt else None,
            "where": receipt.where if receipt else None,
            "warnings": [str(warning) for warning in custody.warnings],
        }

    def _rescue(self, custody: Custody) -> str:
        """Keep a secret that is nowhere, or delete its key; return what became of it."""
        if custody.kept or custody.discarded or self._printed or self._rescued:
            return ""
        self._rescued = True
        keyring = self._ctx.keyring
        if self._stop():
            keyring = keyring.hurried(RESCUE_SECONDS)
        return self._account.lifecycle.rescue(custody, keyring)

    def _looked_into(self, attempt: str, user: User) -> int:
        """Find out what AWS made where its reply is lost."""
        finding: Finding | None = None
        try:
            recovery = self._account.recovery
            finding = recovery.examine(attempt, progress, lambda: self._stop() != 0)
            reason = f"{finding.title} {finding.advice}".strip() if finding else ""
        except KeytuiError as error:
            reason = str(error)
        is_open = finding is None or finding.open
        if is_open:
            reason += " keytui recover goes on from here."
        complain(reason.strip())
        if self._as_json:
            key_id = finding.keys[0].id if finding and len(finding.keys) == 1 else None
            outcome = _outcome(key_id, user.name, self._account.identity.account, reason.strip())
            rest: dict[str, object] = {"status": None, "store": None, "where": None, "warnings": []}
            say_json({**outcome, "result": "open" if is_open else "failed", **rest})
        return EXIT_OPEN if is_open else EXIT_FAILED


def _outcome(key_id: str | None, user: str, account: str, reason: str) -> dict[str, object]:
    named = {"key_id": key_id, "user": user, "account": account}
    return {**named, "action": "create", "reason": reason}


def _status(custody: Custody) -> str | None:
    if custody.discarded:
        return KeyStatus.DELETED.value
    return KeyStatus.ACTIVE.value if custody.kept or custody.shown else None


def _made(custody: Custody) -> str:
    key = custody.new.key
    if not custody.kept:
        return f"{key.id} of {key.user.name} is made. Its secret is not stored anywhere."
    where = _place(custody.receipts[-1])
    return f"{key.id} of {key.user.name} is made. Its secret is in {where}, read back."


def _place(receipt: Receipt) -> str:
    return f"the {receipt.where}" if receipt.store == "keyring" else receipt.where


def _arguments(reader: ArgumentParser) -> None:
    reader.add_argument("--user", metavar="NAME", required=True, help="whose key")
    reader.add_argument(
        "--store",
        metavar="keyring|csv:PATH",
        type=store_name,
        required=True,
        help="where the secret goes",
    )
    reader.add_argument("--description", metavar="TEXT", help="a tag on the user, as the console's")
    reader.add_argument("--show-secret", action="store_true", help="print the secret as well")
    add_account_flags(reader)
    add_unlock(reader)
    add_json(reader)


COMMANDS = {
    "create": Command(
        "create a key and keep its secret",
        "Create an access key and keep its secret. It is not printed. Where the store fails after "
        "AWS has made the key, the secret goes into the keyring, or the key is deleted again. "
        f"{STATUSES}",
        _arguments,
        create_key,
        refused=True,
    )
}
