"""Find an access key by its ID, whoever owns it, without reading the account."""

from dataclasses import dataclass, replace

from keytui.errors import AccessDeniedError, AwsError, KeytuiError, NotFoundError
from keytui.key_ids import is_temporary
from keytui.model import AccessKey
from keytui.ports import Iam


@dataclass(frozen=True, slots=True)
class Found:
    """A key that was found.

    Attributes:
        key: The key, with its last use.
        keys: All keys of its owner, the key among them, without last use.
    """

    key: AccessKey
    keys: tuple[AccessKey, ...]


def find(iam: Iam, key_id: str) -> Found:
    """Return a key and its owner's others, in two calls. Blocks.

    Raises:
        NotFoundError: This account has no such key; says where it belongs, if AWS tells.
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
        keys = iam.keys(user)
    except (NotFoundError, AccessDeniedError) as error:
        unseen = error
    else:
        for key in keys:
            if key.id == key_id:
                return Found(replace(key, last_used=last_used), keys)
        raise _deleted(key_id)
    raise _elsewhere(iam, key_id, unseen)


def described(iam: Iam, key: AccessKey) -> AccessKey:
    """Return a key with its description, as far as that may be read. Blocks."""
    try:
        return replace(key, description=iam.descriptions(key.user).get(key.id, ""))
    except AwsError:
        return key


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
        f"{key_id} was a key of this account and is deleted.", "Nothing can use it any more."
    )
