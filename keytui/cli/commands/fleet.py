"""``keytui fleet``: all my keys in all my accounts, and which are stale."""

from argparse import ArgumentParser
from collections.abc import Sequence

from keytui.audit.export import broken_rules, day, finding_fields, key_fields, last_use
from keytui.audit.fleet import Member, OwnKey, survey, totals
from keytui.cli.console import Meter, aligned, complain, leave_in_order, note, say, say_json
from keytui.cli.parser import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    STATUSES,
    Command,
    Request,
    add_json,
)
from keytui.core.errors import KeytuiError
from keytui.core.text import plain
from keytui.session.context import Context

COLUMNS = (
    "Profile",
    "Account",
    "Caller",
    "Access key ID",
    "Status",
    "Created",
    "Last used",
    "Findings",
)


def fleet(ctx: Context, request: Request) -> int:
    """Ask all profiles side by side; print a table or JSON, in the order of their names.

    The JSON is an array with an object for each profile that was asked: ``profile``;
    ``account``, ``arn`` and ``caller``, null where they are not known; ``keys``, the caller's
    own: the fields of ``keytui list --json`` with ``signs``, whether it signs this profile's
    calls; and ``error``, null where all was read. ``--findings`` leaves out the keys that
    break no rule. Told to stop, it prints what is known.

    Returns:
        0 where all profiles answered; 1 where one did not; 130 where it was told to stop.

    Raises:
        KeytuiError: There are no profiles.
    """
    leave_in_order()  # A credential_process that hangs outlives no terminal.
    names = ctx.profiles()
    if not names:
        raise KeytuiError(
            "The AWS config has no profiles.", next_step="aws configure --profile NAME makes one."
        )
    found: dict[str, Member] = {}
    stopped = False
    try:
        _ask(ctx, names, found)
    except KeyboardInterrupt:
        stopped = True
    members = [found[name] for name in names if name in found]
    for member in members:
        _tell_problems(member)
    if stopped:
        complain("Stopped before all had answered: this is what is known.")
    broken = bool(request.options["findings"])
    shown = {member.profile: _shown(member, broken=broken) for member in members}
    if request.options["json"]:
        say_json([_as_json(member, shown[member.profile]) for member in members])
        note(_sum(members, len(names)))
    else:
        _print_table(members, shown, len(names), broken=broken)
    if stopped:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if any(member.error for member in members) else EXIT_DONE


def _ask(ctx: Context, names: Sequence[str], found: dict[str, Member]) -> None:
    with Meter("profiles", len(names), ctx.wait.clock) as meter:
        for member in survey(names, ctx.peek, ctx.settings.limits, ctx.now):
            found[member.profile] = member
            meter.went_on("")


def _tell_problems(member: Member) -> None:
    if (error := member.error) is not None:
        complain(f"{member.profile}: {' '.join(filter(None, (error.title, error.next_step)))}")
    if member.note:
        complain(f"{member.profile}: {member.note.title} The last use of its keys is not known.")


def _shown(member: Member, *, broken: bool) -> Sequence[OwnKey]:
    return [own for own in member.keys if own.fails or not broken]


def _print_table(
    members: Sequence[Member], shown: dict[str, Sequence[OwnKey]], number: int, *, broken: bool
) -> None:
    rows = []
    for member in members:
        rows += [_cells(member, own) for own in shown[member.profile]]
        if member.identity and not member.keys and not member.error and not broken:
            rows.append(_cells(member, None))
    if rows:
        for line in (*aligned([COLUMNS, *rows]), ""):
            say(line)
    say(_sum(members, number))


def _cells(member: Member, own: OwnKey | None) -> tuple[str, ...]:
    account = member.identity.account if member.identity else ""
    caller = member.identity.label if member.identity else ""
    # So that columns stand under each other whatever a name holds.
    who = tuple(map(plain, (member.profile, account, caller)))
    if own is None:
        return (*who, "-", "", "", "", "no keys" if member.owner else "no keys of its own")
    key = own.key
    return (
        *who,
        key.id,
        key.status.value,
        day(key.created),
        last_use(key),
        broken_rules(own.findings),
    )


def _sum(members: Sequence[Member], number: int) -> str:
    sums = totals(members)
    profiles = "1 profile" if number == 1 else f"{number:,} profiles"
    keys = "1 key" if sums.keys == 1 else f"{sums.keys:,} keys"
    more = sums.failing - sums.stale
    others = f", {more:,} more break{'s' if more == 1 else ''} a rule" if more else ""
    return f"{sums.answered:,} of {profiles} answered: {keys}, {sums.stale:,} stale{others}."


def _as_json(member: Member, shown: Sequence[OwnKey]) -> dict[str, object]:
    identity, error = member.identity, member.error
    account = identity.account if identity else ""
    return {
        "profile": member.profile,
        "account": identity.account if identity else None,
        "arn": identity.arn if identity else None,
        "caller": identity.label if identity else None,
        "keys": [
            key_fields(own.key, account)
            | {"description": None, "signs": own.signs, "findings": finding_fields(own.findings)}
            for own in shown
        ],
        "error": " ".join(filter(None, (error.title, error.next_step))) if error else None,
    }


def _arguments(reader: ArgumentParser) -> None:
    reader.add_argument("--findings", action="store_true", help="only keys that break a rule")
    reader.add_argument("--region", metavar="NAME", help="the region; picks the partition")
    reader.add_argument("--endpoint-url", metavar="URL", help="ask IAM and STS here, not at AWS")
    add_json(reader)


COMMANDS = {
    "fleet": Command(
        "say of all profiles who they are and how old their keys are",
        "Ask all profiles of the AWS config side by side: the account, the caller, and the "
        f"caller's own keys with their findings. {STATUSES}",
        _arguments,
        fleet,
        unprinted=EXIT_FAILED,
    )
}
