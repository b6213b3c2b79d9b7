"""Whether the user agrees to a change of keys: by options, or asked on a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from keytui.batch import Planned, Verb
from keytui.commands.console import agreed, answer, say
from keytui.outcomes import Concern


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
