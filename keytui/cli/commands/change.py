"""``keytui deactivate``, ``activate`` and ``delete``: the verbs on keys, without a screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from keytui.cli.arguments import Request, ids_in
from keytui.cli.console import (
    agreed,
    answer,
    complain,
    held_back,
    on_terminal,
    progress,
    say,
    say_json,
)
from keytui.cli.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_OPEN
from keytui.core.errors import KeytuiError
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, KeyStatus
from keytui.core.parallel import in_parallel
from keytui.keys.batch import AT_ONCE, Planned, Result, Verb, carry_out, plan
from keytui.keys.lookup import described, find
from keytui.keys.outcomes import Concern
from keytui.session.account import Account, open_account
from keytui.session.context import Context


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the user agreed to.

    Attributes:
        agreed: What may be done.
        left: Access key ID → why it stays as it is, and what would change that.
    """

    agreed: tuple[Planned, ...] = ()
    left: dict[str, str] = field(default_factory=dict)


def agree(
    verb: Verb,
    planned: Sequence[Planned],
    account: str,
    *,
    yes: bool,
    own_key: bool,
    asks: bool,
) -> Agreement:
    """Find out which of some keys the user agrees to.

    One's own key takes more than any other: ``own_key`` beside ``yes``, or its last four
    characters typed.

    Args:
        verb: What would be done.
        planned: The keys that it can be done to, with their guards' answers.
        account: The account ID, as it is shown.
        yes: All but the own key are agreed to.
        own_key: With ``yes``, the own key too.
        asks: Whether somebody is there to be asked.
    """
    if asks and not yes:
        return _asked(verb, planned, account)
    sure, left = [], {}
    for one in planned:
        own = one.concern is Concern.OWN_KEY
        if (yes and (own_key or not own)) or not (one.concern or verb is Verb.DELETE):
            sure.append(one)
        else:
            option = "--yes with --own-key" if own else "--yes"
            why = _reasons(one) or "A deleted key can't be had again."
            left[one.key.id] = f"{_stays(one)}: {why} {option} {_does(verb)} all the same."
    return Agreement(tuple(sure), left)


def _asked(verb: Verb, planned: Sequence[Planned], account: str) -> Agreement:
    """Ask on a terminal: once for all, and once more for the own key.

    A single key that nothing speaks against is not asked about, as on the screen: that can
    be undone.
    """
    own = [one for one in planned if one.concern is Concern.OWN_KEY]
    others = [one for one in planned if one.concern is not Concern.OWN_KEY]
    if len(planned) == 1 and not (planned[0].concern or verb is Verb.DELETE):
        return Agreement(tuple(planned))
    if planned:
        say(f"In the account {account}, to be {_done(verb)}:")
    for one in planned:
        say(f"  {one.key.id} of {one.key.user.name}  {_reasons(one)}".rstrip())
    sure = others if others and _sure(verb, others) else []
    # Its own answer, for each by itself: nobody agrees to it along with others.
    sure += [one for one in own if _typed(verb, one)]
    ids = {one.key.id for one in sure}
    left = {one.key.id: f"{_stays(one)}." for one in planned if one.key.id not in ids}
    return Agreement(tuple(sure), left)


def _sure(verb: Verb, some: Sequence[Planned]) -> bool:
    if verb is not Verb.DELETE:
        what = "it" if len(some) == 1 else f"these {len(some)} keys"
        return agreed(f"{_ask(verb, what)}?")
    if len(some) == 1:
        return _typed(verb, some[0])
    question = f"They can't be had again. How many keys are to be deleted? Type {len(some)}:"
    return answer(question) == str(len(some))


def _typed(verb: Verb, one: Planned) -> bool:
    key_id = one.key.id
    question = f"{_ask(verb, key_id)}? Type the last four characters of its ID:"
    return answer(question).upper() == key_id[-4:]


def _reasons(one: Planned) -> str:
    return " ".join(filter(None, one.dependence.reasons)) if one.dependence else ""


def _stays(one: Planned) -> str:
    return f"{one.key.id} of {one.key.user.name} stays {one.key.status.value.lower()}"


def _ask(verb: Verb, what: str) -> str:
    return f"Delete {what}" if verb is Verb.DELETE else f"Make {what} {verb.value.value.lower()}"


def _done(verb: Verb) -> str:
    return "deleted" if verb is Verb.DELETE else f"made {verb.value.value.lower()}"


def _does(verb: Verb) -> str:
    return "deletes it" if verb is Verb.DELETE else f"makes it {verb.value.value.lower()}"


VERBS = {"deactivate": Verb.DEACTIVATE, "activate": Verb.ACTIVATE, "delete": Verb.DELETE}


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
        key_id: Its ID.
        end: What became of it.
        planned: The key and its guards; None where it was not found.
        status: Its status now; None where that is not known.
        reason: What is to be said of it, sentences; may be empty.
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
    (``done``, ``unchanged``, ``failed`` or ``left``), ``status`` now (null where it is not
    known), ``concern`` (why a guard asked, such as ``used_recently``; null where none did)
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
    run = _Run(account, verb, as_json=as_json)
    asks = on_terminal() and not as_json
    run.decide(ids, yes=bool(options["yes"]), own_key=bool(options["own_key"]), asks=asks)
    with held_back("Stopping before the next key.") as stopped:
        run.carry_out(lambda: stopped() != 0)
        if verb is Verb.DELETE:
            # A rotation whose old key this was has come to its end.
            for problem in ctx.rotator(account.iam, account.lifecycle).tidy():
                complain(str(problem))
    outcomes = [run.ended[key_id] for key_id in ids]
    if as_json:
        say_json([_as_json(one, account, str(request.command)) for one in outcomes])
    elif asks:
        _say_what_undoes(verb, outcomes)
    if number := stopped():
        return 128 + number
    ends = {one.end for one in outcomes}
    return EXIT_FAILED if End.FAILED in ends else max(STATUS_OF[end] for end in ends)


class _Run:
    """One run: what is to be done, and what became of each key so far."""

    def __init__(self, account: Account, verb: Verb, *, as_json: bool) -> None:
        self._account, self._verb, self._as_json = account, verb, as_json
        self._todo: list[Planned] = []
        self.ended: dict[str, Outcome] = {}

    def decide(self, ids: Sequence[str], *, yes: bool, own_key: bool, asks: bool) -> None:
        """Find the keys, ask the guards, and ask the user where that is needed."""
        progress(f"Looking for {ids[0] if len(ids) == 1 else f'{len(ids)} keys'}")
        keys = self._found(ids)
        progress("Checking what depends on " + ("it" if len(keys) == 1 else "them"))
        planned = plan(self._account.lifecycle, self._verb, keys)
        for one in planned:
            if one.refusal:
                self._end(_refused(self._verb, one))
            else:
                self._todo.append(one)
        account = self._account.identity.account
        agreement: Agreement = agree(
            self._verb, self._todo, account, yes=yes, own_key=own_key, asks=asks
        )
        for one in self._todo:
            if reason := agreement.left.get(one.key.id):
                self._end(Outcome(one.key.id, End.LEFT, one, one.key.status, reason))
        self._todo = list(agreement.agreed)

    def carry_out(self, left: Callable[[], bool]) -> None:
        """Do what was agreed to."""
        planned = {one.key.id: one for one in self._todo}

        def told(result: Result) -> None:
            self._end(_outcome(self._verb, planned[result.key.id], result))

        carry_out(self._account.lifecycle, self._verb, self._todo, told, left)
        for key_id, one in planned.items():
            if key_id not in self.ended:
                reason = f"{key_id} stays {_word(one.key.status)}: keytui was stopped before it."
                self._end(Outcome(key_id, End.LEFT, one, one.key.status, reason))

    def _found(self, ids: Sequence[str]) -> list[AccessKey]:
        """Return the keys; note what can't be found."""
        iam, keys = self._account.iam, []

        def look(key_id: str) -> AccessKey | KeytuiError:
            try:
                return _described(iam, find(iam, key_id).key, self._verb)
            except KeytuiError as error:
                return error

        found = dict(in_parallel(ids, look, AT_ONCE))
        for index, key_id in enumerate(ids):
            key = found[index]
            if isinstance(key, AccessKey):
                keys.append(key)
            else:
                self._end(Outcome(key_id, End.FAILED, reason=str(key)))
        return keys

    def _end(self, outcome: Outcome) -> None:
        self.ended[outcome.key_id] = outcome
        if STATUS_OF.get(outcome.end) != EXIT_DONE:
            complain(outcome.reason)
        elif not self._as_json:
            say(outcome.reason)


def _described(iam: Iam, key: AccessKey, verb: Verb) -> AccessKey:
    """Add a key's description where it goes with the key."""
    return described(iam, key) if verb is Verb.DELETE else key


def _refused(verb: Verb, one: Planned) -> Outcome:
    key = one.key
    off = (KeyStatus.INACTIVE, KeyStatus.EXPIRED)
    if key.status is verb.value or (verb is Verb.DEACTIVATE and key.status in off):
        reason = f"{key.id} of {key.user.name} is {_word(key.status)} already."
        return Outcome(key.id, End.UNCHANGED, one, key.status, reason)
    advice = " keytui deactivate makes it inactive." if verb is Verb.DELETE else ""
    return Outcome(key.id, End.FAILED, one, key.status, one.refusal + advice)


def _outcome(verb: Verb, one: Planned, result: Result) -> Outcome:
    key = one.key
    if result.change is None:
        reason = f"{key.id} of {key.user.name}: {result.error}"
        return Outcome(key.id, End.FAILED, one, None, reason)
    if not result.change.made:
        said = f"{key.id} of {key.user.name} was {_word(verb.value)} already."
        return Outcome(key.id, End.UNCHANGED, one, verb.value, said)
    said = f"{key.id} of {key.user.name} is {_word(verb.value)}."
    if one.concern is Concern.OWN_KEY:
        said += " keytui's own calls stop now."
    if not result.change.listed:
        said += " AWS took the change, but does not list it so yet."
    if result.change.problem:
        complain(f"{result.change.problem} The change to {key.id} itself was made.")
    return Outcome(key.id, End.DONE, one, verb.value, said)


def _word(status: KeyStatus) -> str:
    return status.value.lower()


def _say_what_undoes(verb: Verb, outcomes: Sequence[Outcome]) -> None:
    done = " ".join(one.key_id for one in outcomes if one.end is End.DONE and not _is_own(one))
    if done and verb is not Verb.DELETE:
        back = "activate" if verb is Verb.DEACTIVATE else "deactivate"
        say(f"keytui {back} {done} undoes it.")


def _is_own(one: Outcome) -> bool:
    return one.planned is not None and one.planned.concern is Concern.OWN_KEY


def _as_json(one: Outcome, account: Account, action: str) -> dict[str, str | None]:
    planned = one.planned
    concern = planned.concern if planned else None
    return {
        "key_id": one.key_id,
        "user": planned.key.user.name if planned else None,
        "account": account.identity.account if planned else None,
        "action": action,
        "result": one.end.value,
        "status": one.status.value if one.status else None,
        "concern": concern.name.lower() if concern else None,
        "reason": one.reason,
    }
