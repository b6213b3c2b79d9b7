"""``keytui deactivate``, ``activate`` and ``delete``: the verbs on keys, without a screen."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from keytui.cli.arguments import ids_in
from keytui.cli.console import (
    ConsolePort,
    agreed,
    answer,
    complain,
    held_back,
    on_terminal,
    say_json,
    typed_last_four,
)
from keytui.cli.parser import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_OPEN,
    FROM_INPUT,
    STATUSES,
    Command,
    Request,
    add_account_flags,
    add_json,
)
from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, KeyStatus
from keytui.core.parallel import in_parallel
from keytui.core.port import run_now
from keytui.keys.change import AT_ONCE, Assent, Look, Plan, Planned, Result, Work, change
from keytui.keys.lookup import find
from keytui.keys.outcomes import Verb
from keytui.session.account import Account, open_account
from keytui.session.context import Context

VERBS = {verb.name.lower(): verb for verb in Verb}


class End(StrEnum):
    """What became of one key."""

    DONE = "done"
    UNCHANGED = "unchanged"
    """It was so already."""
    FAILED = "failed"
    LEFT = "left"
    """A guard asked and nobody agreed, or keytui was told to stop before it."""


STATUS_OF = {End.DONE: EXIT_DONE, End.UNCHANGED: EXIT_DONE, End.LEFT: EXIT_OPEN}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one key.

    Attributes:
        planned: The key and its guards; None where it was not found.
        status: Its status now; None where that is unknown.
    """

    key_id: str
    end: End
    planned: Planned | None = None
    status: KeyStatus | None = None
    reason: str = ""


def change_keys(ctx: Context, request: Request) -> int:
    """Change the status of keys, or delete them; print a line for each, or one JSON array.

    The JSON has an object for each key, in the order asked for: ``key_id``, ``user`` and
    ``account`` (null where the key was not found), ``action`` (the command), ``result``
    (``done``, ``unchanged``, ``failed`` or ``left``), ``status`` now (null where it is
    unknown), ``concern`` (why a guard asked, such as ``used_recently``; null where none did)
    and ``reason`` in words.

    Returns:
        0 where all are as asked for, 1 where one failed, else 3 where one was left as it is
        since nobody agreed; 128 + a signal that stopped it.

    Raises:
        UsageError: The text has no access key ID.
        KeytuiError: The account can't be opened, or nothing may be changed.
    """
    verb, options = VERBS[str(request.command)], request.options
    ids, as_json = ids_in(options["text"]), bool(options["json"])
    account = open_account(ctx, ctx.settings.profile)
    account.lifecycle.require_writable()
    name = account.identity.account
    agreed_to = {option: bool(options[option]) for option in ("yes", "own_key")}
    asks = on_terminal() and not as_json
    port = ConsoleChange(name, quiet=as_json, asks=asks, **agreed_to)
    keys = port.found(ctx, account, ids)
    run_now(change(account.lifecycle, verb, keys, port, just_asked=True))
    if verb is Verb.DELETE:
        with held_back("Stopping before the next key.") as stopped:
            # A rotation whose old key this was has come to its end.
            for problem in ctx.rotator(account.iam, account.lifecycle).tidy():
                complain(str(problem))
        port.stopped = port.stopped or stopped()
    outcomes = [port.ended[key_id] for key_id in ids]
    if as_json:
        say_json([_as_json(one, name, str(request.command)) for one in outcomes])
    elif undoable := [key_id for key_id in ids if asks and key_id in port.undoable]:
        back = "activate" if verb is Verb.DEACTIVATE else "deactivate"
        port.tell(f"keytui {back} {' '.join(undoable)} undoes it.")
    if port.stopped:
        return 128 + port.stopped
    ends = {one.end for one in outcomes}
    return EXIT_FAILED if End.FAILED in ends else max(STATUS_OF[end] for end in ends)


class ConsoleChange(ConsolePort):
    """Asks on a terminal or goes by the options, and prints a line for each key.

    Attributes:
        ended: Access key ID → what became of it.
        undoable: The IDs of the keys whose change can be undone.
        stopped: The number of the signal that stopped it; 0 for none.
    """

    def __init__(self, account: str, *, quiet: bool, asks: bool, yes: bool, own_key: bool) -> None:
        """``yes`` agrees to all but your own key; ``own_key``, beside it, to that too."""
        super().__init__(quiet=quiet)
        self._account, self._asks, self._yes, self._own_key = account, asks, yes, own_key
        self.ended: dict[str, Outcome] = {}
        self.undoable: set[str] = set()
        self.stopped = 0

    def found(self, ctx: Context, account: Account, ids: Sequence[str]) -> list[AccessKey]:
        """Return the keys; note what can't be found."""
        self.progress(f"Looking for {ids[0] if len(ids) == 1 else f'{len(ids)} keys'}")

        def look(key_id: str) -> AccessKey | KeytuiError:
            try:
                return find(account.iam, key_id, ctx.wait).key
            except KeytuiError as error:
                return error

        found = dict(in_parallel(ids, look, AT_ONCE))
        for index, key_id in enumerate(ids):
            if isinstance(error := found[index], KeytuiError):
                self._end(Outcome(key_id, End.FAILED, reason=str(error)))
        return [key for _, key in sorted(found.items()) if isinstance(key, AccessKey)]

    async def check(self, verb: Verb, keys: Sequence[AccessKey], look: Look) -> Plan:
        del verb
        self.progress("Checking what depends on " + ("it" if len(keys) == 1 else "them"))
        return look(lambda _: None, lambda: False)

    async def agree(self, plan: Plan) -> Sequence[Planned]:
        for one in plan.refused:
            self._end(_refused(plan.verb, one))
        return self._asked(plan) if self._asks and not self._yes else self._by_options(plan)

    def _by_options(self, plan: Plan) -> Sequence[Planned]:
        sure = () if plan.verb is Verb.DELETE else plan.free
        if self._yes:
            sure = plan.possible if self._own_key else plan.others
        for one in plan.possible:
            if one not in sure:
                option = "--yes with --own-key" if one in plan.own else "--yes"
                why = " ".join(one.reasons) or "A deleted key can't be had again."
                done = "deletes it" if plan.verb is Verb.DELETE else f"makes it {plan.verb.word}"
                self._leave(one, f"{_stays(one)}: {why} {option} {done} all the same.")
        return sure

    def _asked(self, plan: Plan) -> Sequence[Planned]:
        """Ask on a terminal: once for all, and once more for your own key."""
        if plan.assent is Assent.NOT_ASKED:
            return plan.possible
        if plan.possible:
            done = "deleted" if plan.verb is Verb.DELETE else f"made {plan.verb.word}"
            self.tell(f"In the account {self._account}, to be {done}:")
        for one in plan.possible:
            reasons = " ".join(one.reasons)
            self.tell(f"  {one.key.id} of {one.key.user.name}  {reasons}".rstrip())
        sure = plan.others if plan.others and _sure(plan) else ()
        sure += tuple(one for one in plan.own if _typed(plan.verb, one))
        for one in plan.possible:
            if one not in sure:
                self._leave(one, f"{_stays(one)}.")
        return sure

    async def carry_out(self, plan: Plan, work: Work) -> tuple[Result, ...]:
        with held_back("Stopping before the next key.") as stopped:
            results = work(lambda result: self._told(plan, result), lambda: stopped() != 0)
        self.stopped = stopped()
        for one in plan.keys:
            if one.key.id not in self.ended:
                word = one.key.status.value.lower()
                self._leave(one, f"{one.key.id} stays {word}: keytui was stopped before it.")
        return results

    def _told(self, plan: Plan, result: Result) -> None:
        key, made = result.key, result.change
        one = next(one for one in plan.keys if one.key.id == key.id)
        said = result.sentence(f"{key.id} of {key.user.name}", own=one in plan.own)
        if made is None:
            self._end(Outcome(key.id, End.FAILED, one, None, said))
            return
        if made.warning:
            complain(f"{key.id}: {made.warning}")
        if made.undoable and one not in plan.own:
            self.undoable.add(key.id)
        end = End.DONE if made.made else End.UNCHANGED
        self._end(Outcome(key.id, end, one, made.status, said))

    def _leave(self, one: Planned, reason: str) -> None:
        self._end(Outcome(one.key.id, End.LEFT, one, one.key.status, reason))

    def _end(self, outcome: Outcome) -> None:
        self.ended[outcome.key_id] = outcome
        self.tell(outcome.reason, good=outcome.end in {End.DONE, End.UNCHANGED})


def _sure(plan: Plan) -> bool:
    number = len(plan.others)
    match plan.assent:
        case Assent.LAST_FOUR:
            return _typed(plan.verb, plan.others[0])
        case Assent.NUMBER:
            ask = f"They can't be had again. How many keys are to be deleted? Type {number}:"
            return answer(ask) == str(number)
        case _:
            return agreed(f"{plan.verb.does('it' if number == 1 else f'these {number} keys')}?")


def _typed(verb: Verb, one: Planned) -> bool:
    return typed_last_four(f"{verb.does(one.key.id)}?", one.key.id)


def _stays(one: Planned) -> str:
    return f"{one.key.id} of {one.key.user.name} stays {one.key.status.value.lower()}"


def _refused(verb: Verb, one: Planned) -> Outcome:
    key = one.key
    if one.already:
        reason = f"{key.id} of {key.user.name} is {key.status.value.lower()} already."
        return Outcome(key.id, End.UNCHANGED, one, key.status, reason)
    advice = " keytui deactivate makes it inactive." if verb is Verb.DELETE else ""
    return Outcome(key.id, End.FAILED, one, key.status, one.refusal + advice)


def _as_json(one: Outcome, account: str, action: str) -> dict[str, str | None]:
    planned = one.planned
    concern = planned.concern if planned else None
    return {
        "key_id": one.key_id,
        "user": planned.key.user.name if planned else None,
        "account": account if planned else None,
        "action": action,
        "result": one.end.value,
        "status": one.status.value if one.status else None,
        "concern": concern.name.lower() if concern else None,
        "reason": one.reason,
    }


def _arguments(reader: ArgumentParser, *, own_key: bool) -> None:
    reader.add_argument(
        "text",
        nargs="*",
        metavar="ID",
        help=f"an access key ID, or a text with IDs in it; {FROM_INPUT}",
    )
    add_account_flags(reader)
    reader.add_argument("--yes", action="store_true", help="agree to all but the own key")
    if own_key:
        reader.add_argument(
            "--own-key",
            action="store_true",
            help="with --yes: also the key that signs keytui's own calls",
        )
    add_json(reader)


def _command(brief: str, more: str, *, own_key: bool = True) -> Command:
    return Command(
        brief,
        f"{brief[0].upper()}{brief[1:]}, whoever owns them, and say of each what became of it. "
        f"{more} {STATUSES}",
        partial(_arguments, own_key=own_key),
        change_keys,
        takes_text=True,
        refused=True,
    )


COMMANDS = {
    "deactivate": _command(
        "make keys inactive",
        "It asks first about a key that something depends on; where nobody can be asked, such a "
        "key stays as it is, and the exit status is 3.",
    ),
    "activate": _command("make keys active", "", own_key=False),
    "delete": _command("delete inactive keys", "Where nobody can be asked, it takes --yes."),
}
