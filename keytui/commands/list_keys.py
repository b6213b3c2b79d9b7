"""``keytui list``: the account's keys with last use and findings, without a screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keytui.arguments import Request
from keytui.audit.export import day, finding_fields, key_fields, last_use
from keytui.commands.console import complain, progress, say, say_json
from keytui.commands.table import aligned
from keytui.commands.users import all_users
from keytui.errors import AccessDeniedError, AwsError, KeytuiError, NotFoundError
from keytui.exits import EXIT_DONE, EXIT_FAILED
from keytui.findings import Finding, Thresholds, findings
from keytui.inventory import KeyList
from keytui.model import ROOT_ACCOUNT, ROOT_USER, AccessKey, User
from keytui.parts import Parts
from keytui.several import several
from keytui.ui.account import Account, complete_keys, open_account

AT_ONCE = 8
"""How many users' keys are read at the same time, at most."""
COLUMNS = ("User", "Access key ID", "Status", "Created", "Last used", "Findings", "Description")


@dataclass(frozen=True, slots=True)
class Row:
    """A key with what the rules say of it."""

    key: AccessKey
    findings: tuple[Finding, ...]


def list_keys(parts: Parts, request: Request) -> int:
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
    account = open_account(parts, parts.settings.profile)
    users = _users(account, parts.settings.user)
    progress("Reading keys")
    rows, problems = _read(account, parts, users)
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
    if name:
        return (ROOT_USER if name == ROOT_ACCOUNT else User(name),)
    try:
        return all_users(account)
    except AccessDeniedError as error:
        denied = error
    raise AccessDeniedError(
        denied.action, denied.title, denied.safe, f"{denied.next_step} Or name one: --user NAME."
    )


def _read(account: Account, parts: Parts, users: Sequence[User]) -> tuple[list[Row], bool]:
    """Return the keys of some users, and whether some could not be read, which is said."""
    # A user named by hand may be a typing error; one of the listing is gone meanwhile.
    named = bool(parts.settings.user)

    def work(user: User) -> KeyList | KeytuiError:
        try:
            keys = account.iam.keys(user)
        except NotFoundError as error:
            return error if named else KeyList((), parts.now())
        except AwsError as error:
            return error
        known = KeyList(keys, parts.now())
        return complete_keys(account, known, user) if keys else known

    lists: dict[int, KeyList] = {}
    problems: dict[str, list[str]] = {}
    for index, read in several(users, work, AT_ONCE):
        if isinstance(read, KeyList):
            lists[index] = read
        else:
            problems.setdefault(str(read), []).append(users[index].name)
    for sentence, names in problems.items():
        more = f" and {len(names) - 1} other users" if len(names) > 1 else ""
        complain(f"The keys of {names[0]}{more} could not be read. {sentence}")
    # In the users' order, so that one account's notes are told in the same words each time.
    in_order = [lists[index] for index in sorted(lists)]
    for note in dict.fromkeys(str(one.note) for one in in_order if one.note):
        complain(note)
    now, limits = parts.now(), parts.settings.limits
    return [row for one in in_order for row in _rows(one, now, limits)], bool(problems)


def _rows(known: KeyList, now: datetime, limits: Thresholds) -> list[Row]:
    return [Row(key, findings(key, known.keys, now, limits)) for key in known.keys]


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
