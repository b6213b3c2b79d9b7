"""Whether a key works, and calls that are signed by one that AWS may not know everywhere yet."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    KeytuiError,
    NotFoundError,
    UnknownKeyError,
)
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, Identity, Secret, User
from keytui.core.waiting import Keys, Wait

IN_A_ROW = 3
"""How often AWS has to accept a new key, one time after the other: it may flap."""
VERIFY_SECONDS = 120.0
"""How long a new key may take to be accepted; 8 to 15 s are common."""
STEADY_SECONDS = 30.0
"""How long a call is tried again that a new key signs and AWS does not know yet."""
BETWEEN_SECONDS = 1.0
LISTED_SECONDS = 15.0
"""How long AWS may take to list a new key, or its new status."""

T = TypeVar("T")


class Proof:
    """Asks AWS about keys, until what it says is steady."""

    def __init__(self, iam: Iam, who: Callable[[str, Secret], Identity], wait: Wait) -> None:
        """Take the account, what asks whose a key is, and how IAM is waited for."""
        self._iam, self._who, self._wait = iam, who, wait

    def accepted(
        self,
        key_id: str,
        secret: Secret,
        *,
        in_a_row: int = 1,
        seconds: float = STEADY_SECONDS,
        progress: Callable[[str], None] = lambda _: None,
        left: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait until AWS accepts a key of this account some times in a row.

        Raises:
            KeytuiError: It does not, or not in time, or nobody waits any more.
        """
        deadline, seen = self._wait.clock() + seconds, 0
        error: AwsError | None = None
        for _ in range(int(seconds / BETWEEN_SECONDS) + in_a_row):
            progress(f"Asking AWS whether it accepts {key_id}: {seen} of {in_a_row}")
            error = self._ask(key_id, secret)
            seen = 0 if error else seen + 1
            if seen == in_a_row:
                return
            if left() or self._wait.clock() >= deadline:
                break
            self._wait.sleep(BETWEEN_SECONDS)
            if left():
                break
        why = "" if error is None or isinstance(error, UnknownKeyError) else error.title
        raise KeytuiError(
            f"AWS does not accept {key_id} reliably yet. {why}".strip(),
            "Both keys are as they were, and the new secret is kept.",
            "A new key may take some seconds: try again.",
        )

    def steady(self, call: Callable[[], T]) -> T:
        """Make a call, again while AWS does not know the key that signs it; it changed nothing."""
        deadline = self._wait.clock() + STEADY_SECONDS
        for _ in range(int(STEADY_SECONDS / BETWEEN_SECONDS)):
            try:
                return call()
            except UnknownKeyError:
                if self._wait.clock() >= deadline:
                    raise
            self._wait.sleep(BETWEEN_SECONDS)
        return call()

    def listed(
        self, owner: User, key_id: str, so: Callable[[AccessKey], bool] = lambda _: True
    ) -> AccessKey | None:
        """Wait until AWS lists a key, and it is so; return it, None where it isn't."""
        seen: list[AccessKey] = []

        def reached(keys: Keys) -> bool:
            seen[:] = [key for key in keys if key.id == key_id and so(key)]
            return bool(seen)

        self._wait.until(self._iam, owner, reached, LISTED_SECONDS)
        return seen[0] if seen else None

    def gone(self, key_id: str, owners: Iterable[User], seconds: float = LISTED_SECONDS) -> bool:
        """Wait until AWS has a key no more; return whether that is so.

        Where AWS can't say, it is not.

        Args:
            key_id: The key.
            owners: Whose it may have been.
            seconds: How long AWS may take; at least one look is taken.
        """
        whose, deadline = tuple(owners), self._wait.clock() + seconds
        for _ in range(int(seconds / BETWEEN_SECONDS)):
            if self._is_gone(key_id, whose):
                return True
            if self._wait.clock() >= deadline:
                return False
            self._wait.sleep(BETWEEN_SECONDS)
        return self._is_gone(key_id, whose)

    def _is_gone(self, key_id: str, owners: tuple[User, ...]) -> bool:
        try:
            self._iam.owner(key_id)
        except (NotFoundError, AccessDeniedError):
            pass  # AWS answers either for a key that is deleted; the listings decide.
        except AwsError:
            return False
        else:
            return False
        return all(self._lists_no(key_id, owner) for owner in owners)

    def _lists_no(self, key_id: str, owner: User) -> bool:
        try:
            return all(key.id != key_id for key in self._iam.keys(owner))
        except NotFoundError:
            return True
        except AwsError:
            return False

    def _ask(self, key_id: str, secret: Secret) -> AwsError | None:
        """Ask AWS once whose a key is; return why it could not say.

        Raises:
            KeytuiError: The secret is not the key's, or the key is another account's.
        """
        try:
            identity = self._who(key_id, secret)
        except UnknownKeyError as error:
            return error  # Not valid yet, which is common for some seconds.
        except CredentialsError:
            raise
        except AwsError as error:
            return error
        account = self._iam.identity().account
        if identity.account != account:
            raise KeytuiError(
                f"{key_id} is of the account {identity.account}, not {account}.",
                "Both keys are as they were.",
            )
        return None
