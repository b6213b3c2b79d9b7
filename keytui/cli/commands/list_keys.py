"""``keytui list``: the account's keys with last use and findings, without a screen."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, replace

from keytui.audit.export import day, finding_fields, key_fields, last_use
from keytui.audit.live import all_users
from keytui.audit.rows import UserKeys
from keytui.cli.console import aligned, complain, progress, say, say_json
from keytui.cli.live_keys import Unread, live_keys
from keytui.cli.parser import (
    EXIT_DONE,
    EXIT_FAILED,
    STATUSES,
    Command,
    Request,
    add_account_flags,
    add_json,
)
from keytui.core.errors import AccessDeniedError, KeytuiError, NotFoundError
from keytui.core.model import ROOT_ACCOUNT, ROOT_USER, AccessKey, User
from keytui.core.rules import Finding, findings
from keytui.session.account import Account, open_account
from keytui.session.context import Context

COLUMNS = ("User", "Access key ID", "Status", "Created", "Last used", "Findings", "Description")


@dataclass(frozen=True, slots=True)
class Row:
    """A key with what the rules say of it."""

    key: AccessKey
    findings: tuple[Finding, ...]


def list_keys(ctx: Context, request: Request) -> int:
    """List keys by user, as an aligned table in UTC or as one JSON array.

    The JSON has an object for each key: ``key_id``, ``user``, ``account``, ``status``,
    ``created`` (ISO 8601), ``last_used`` (ISO 8601, ``never``, or null where it may not be
    read), ``last_used_service``, ``last_used_region``, ``description``, and ``findings``: a
    list of objects with ``rule`` (its word), ``cis`` (its number) and ``fails``.

    Returns:
        0 where all was read, also where no key is listed; 1 where a user's keys could not be.

    Raises:
        KeytuiError: The account or its users can't be read.
    """
    account = open_account(ctx, ctx.settings.profile)
    users = _users(account, ctx.settings.user)
    progress("Reading keys")
    rows, problems = _read(account, ctx, users)
    if request.options["findings"]:
        rows = [row for row in rows if any(one.fails for one in row.findings)]
    if request.options["json"]:
        say_json([_as_json(row, account) for row in rows])
    elif rows:
        for line in aligned([COLUMNS, *map(_cells, rows)]):
            say(line)
    else:
        progress("No access keys to list")
    return EXIT_FAILED if problems else EXIT_DONE


def _users(account: Account, name: str | None) -> Sequence[User]:
    if name == ROOT_ACCOUNT:
        if account.identity.is_root:
            return (ROOT_USER,)
        raise KeytuiError(
            "Only the root user may list the root user's keys.",
            next_step="keytui audit tells whether there are any.",
        )
    if name:
        return (User(name),)
    progress("Reading users")
    try:
        return all_users(account.iam)
    except AccessDeniedError as error:
        denied = error
    raise AccessDeniedError(
        denied.action, denied.title, denied.safe, f"{denied.next_step} Or name one: --user NAME."
    )


def _read(account: Account, ctx: Context, users: Sequence[User]) -> tuple[list[Row], bool]:
    """Return the keys of some users, and whether some could not be read, which is said."""
    found: dict[str, tuple[AccessKey, ...]] = {}
    unread = Unread()
    for one in live_keys(account, ctx, users, descriptions=True):
        found[one.user.name] = one.keys
        # A user named by hand may be a typing error; one of the listing is gone meanwhile.
        unread.note(_missing(one) if one.gone and ctx.settings.user else one)
    for sentence in unread.sentences():
        complain(sentence)
    now, limits = ctx.now(), ctx.settings.limits
    owned = [found.get(user.name, ()) for user in users]
    rows = [Row(key, findings(key, keys, now, limits)) for keys in owned for key in keys]
    return rows, bool(unread.users)


def _missing(one: UserKeys) -> UserKeys:
    gone = NotFoundError(f"The user {one.user.name} does not exist (any more).")
    return replace(one, error=gone)


def _cells(row: Row) -> tuple[str, ...]:
    key = row.key
    return (
        key.user.name,
        key.id,
        key.status.value,
        day(key.created),
        last_use(key),
        ", ".join(one.rule.word for one in row.findings if one.fails),
        key.description,
    )


def _as_json(row: Row, account: Account) -> dict[str, object]:
    fields = key_fields(row.key, account.identity.account)
    return fields | {"findings": finding_fields(row.findings)}


def _arguments(reader: ArgumentParser) -> None:
    reader.add_argument("--user", metavar="NAME", help="this user's keys only")
    reader.add_argument("--findings", action="store_true", help="only keys that break a rule")
    add_account_flags(reader)
    add_json(reader)


COMMANDS = {
    "list": Command(
        "list keys with their last use and findings",
        f"List the account's access keys, with last use and findings. {STATUSES}",
        _arguments,
        list_keys,
        unprinted=EXIT_FAILED,
    )
}
