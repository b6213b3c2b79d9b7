"""``keytui list``: the account's keys with last use and findings, without a screen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keytui.audit.export import day, finding_fields, key_fields, last_use
from keytui.audit.pace import AT_ONCE
from keytui.cli.arguments import Request
from keytui.cli.console import aligned, complain, progress, say, say_json
from keytui.cli.exit_codes import EXIT_DONE, EXIT_FAILED
from keytui.cli.live_keys import Refused, all_users, checked, unread
from keytui.core.errors import AccessDeniedError, AwsError, KeytuiError, NotFoundError
from keytui.core.model import ROOT_ACCOUNT, ROOT_USER, AccessKey, User
from keytui.core.parallel import in_parallel
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
    try:
        return all_users(account)
    except AccessDeniedError as error:
        denied = error
    raise AccessDeniedError(
        denied.action, denied.title, denied.safe, f"{denied.next_step} Or name one: --user NAME."
    )


def _read(account: Account, ctx: Context, users: Sequence[User]) -> tuple[list[Row], bool]:
    """Return the keys of some users, and whether some could not be read, which is said."""
    found: dict[str, tuple[AccessKey, ...]] = {}
    errors: dict[str, list[str]] = {}
    notes: dict[str, None] = {}
    for one in checked(account, ctx, users):
        error = one.error
        # A user named by hand may be a typing error; one of the listing is gone meanwhile.
        if one.gone and ctx.settings.user:
            error = NotFoundError(f"The user {one.user.name} does not exist (any more).")
        if error:
            errors.setdefault(str(error), []).append(one.user.name)
        else:
            found[one.user.name] = one.keys
        if one.note:
            notes[str(one.note)] = None
    owners = [user for user in users if found.get(user.name)]
    descriptions = _descriptions(account, owners, notes)
    for sentence in (*unread(errors), *notes):
        complain(sentence)
    now, limits = ctx.now(), ctx.settings.limits
    rows = []
    for user in owners:
        texts, keys = descriptions.get(user.name, {}), found[user.name]
        keys = tuple(replace(key, description=texts.get(key.id, "")) for key in keys)
        rows += [Row(key, findings(key, keys, now, limits)) for key in keys]
    return rows, bool(errors)


def _descriptions(
    account: Account, users: Sequence[User], notes: dict[str, None]
) -> dict[str, dict[str, str]]:
    """Return user name → access key ID → description; what can't be read is noted."""
    iam, refused = account.iam, Refused()

    def work(user: User) -> dict[str, str] | AwsError:
        try:
            return account.pace.ask(lambda: iam.descriptions(user))
        except AwsError as error:
            return error

    texts: dict[str, dict[str, str]] = {}
    for index, read in in_parallel(users, work, AT_ONCE, refused.all_along):
        if isinstance(read, AwsError):
            refused.note(read)
            notes[str(read)] = None
        else:
            refused.note(None)
            texts[users[index].name] = read
    return texts


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
