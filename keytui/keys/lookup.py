"""Find an access key by its ID, whoever owns it, without reading the account."""

from dataclasses import dataclass, replace

from keytui.core.errors import AccessDeniedError, AwsError, KeytuiError, NotFoundError
from keytui.core.iam import Iam
from keytui.core.key_ids import is_temporary
from keytui.core.model import AccessKey, User
from keytui.core.waiting import Keys, Wait

LAG_SECONDS = 4.0
"""How long to wait until AWS lists a key whose owner it has told already."""


@dataclass(frozen=True, slots=True)
class Found:
    """A key that was found.

    Attributes:
        key: The key, with its last use.
        keys: All keys of its owner, the key among them, without last use.
    """

    key: AccessKey
    keys: tuple[AccessKey, ...]


def find(iam: Iam, key_id: str, wait: Wait | None = None) -> Found:
    """Return a key and its owner's others, in two calls; more where the listing lags. Blocks.

    Args:
        iam: Who is asked.
        key_id: The key.
        wait: How waiting is done; None for really.

    Raises:
        NotFoundError: This account has no such key, or does not list it yet; says where it
            belongs, if AWS tells.
        AccessDeniedError: The caller may not ask.
        AwsError: AWS can't be asked.
    """
    if is_temporary(key_id):
        raise NotFoundError(
            f"{key_id} is of temporary credentials: IAM lists no such keys.",
            next_step="They end by themselves; what they may do until then is up to the policies "
            "of the role or user that they were made for.",
        )
    unseen: AwsError
    try:
        user, last_used = iam.owner(key_id)
    except (NotFoundError, AccessDeniedError) as error:
        unseen = error
    else:
        keys = _listing(iam, user, key_id, wait or Wait())
        key = next(key for key in keys if key.id == key_id)
        return Found(replace(key, last_used=last_used), keys)
    raise _elsewhere(iam, key_id, unseen)


def described(iam: Iam, key: AccessKey) -> AccessKey:
    """Return a key with its description, as far as that may be read. Blocks."""
    try:
        return replace(key, description=iam.descriptions(key.user).get(key.id, ""))
    except AwsError:
        return key


def _listing(iam: Iam, user: User, key_id: str, wait: Wait) -> Keys:
    """Return the owner's keys with the key among them: a new one is listed some seconds later.

    Raises:
        NotFoundError: It is not listed. AWS knows it, so nothing says that it is deleted.
        AwsError: The keys can't be read.
    """
    seen: Keys = ()

    def listed(keys: Keys) -> bool:
        nonlocal seen
        seen = keys
        return any(key.id == key_id for key in keys)

    try:
        if listed(iam.keys(user)) or wait.until(iam, user, listed, LAG_SECONDS):
            return seen
    except NotFoundError:
        pass  # A user made just now, or deleted just now: the listing can't tell.
    raise NotFoundError(
        f"AWS knows {key_id} as a key of {user.name}, but does not list it now.",
        "It may be active.",
        "Try again in some seconds.",
    )


def _elsewhere(iam: Iam, key_id: str, unseen: AwsError) -> KeytuiError:
    """Say why a key was not found: another account's, gone, or not to be seen."""
    try:
        account = iam.account_of(key_id)
    except AwsError:
        # AWS answers for another account's keys as if the action were denied.
        if isinstance(unseen, AccessDeniedError):
            return unseen
        return NotFoundError(
            f"AWS knows no access key {key_id}.",
            next_step="Check that its ID was copied whole.",
        )
    own = iam.identity().account
    if account != own:
        return NotFoundError(
            f"{key_id} belongs to the account {account}, and this is {own}.",
            "Nothing was changed.",
            "Use a profile of that account (--profile, or P).",
        )
    return unseen if isinstance(unseen, AccessDeniedError) else _deleted(key_id)


def _deleted(key_id: str) -> NotFoundError:
    return NotFoundError(
        f"{key_id} was a key of this account and is deleted.",
        next_step="Only one made a moment ago may not be known yet: then try again.",
    )
