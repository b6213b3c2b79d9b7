"""An IAM in memory: the model that the contract suite holds against the real protocol."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from keytui.core.credential_report import CredentialReport, parse
from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    KeytuiError,
    LostReplyError,
    NotFoundError,
    QuotaError,
)
from keytui.core.model import (
    ROOT_USER,
    AccessKey,
    Identity,
    KeyStatus,
    LastUsed,
    NewAccessKey,
    Secret,
    User,
)
from tests.support.report_rows import REPORT_COLUMNS, report_row

ACCOUNT = "123456789012"
START = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


@dataclass(slots=True)
class _Holder:
    """A user with what AWS has and what it shows: a change shows some reads later."""

    user: User
    keys: dict[str, AccessKey] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    shown: tuple[AccessKey, ...] = ()
    stale_reads: int = 0

    def changed(self, lag: int) -> None:
        self.stale_reads = lag

    def read(self) -> tuple[AccessKey, ...]:
        if self.stale_reads > 0:
            self.stale_reads -= 1
        else:
            self.shown = tuple(self.keys.values())
        return self.shown


class FakeIam:
    """Implements ``ports.Iam`` on a dict; safe to use from any thread.

    Attributes:
        clock: Gives the creation time of new keys; may be replaced.
        quota: How many keys a user may have, inactive ones counted.
        deny: Actions that are refused, such as ``iam:UpdateAccessKey``.
        errors: Action → an error raised instead of an answer, until taken out.
        lose_reply: Whether CreateAccessKey makes a key and then loses its reply.
        lag: How many reads of a user's keys still show the state before a change.
        page_size: How many users a page holds.
        caller: Who signs the calls.
        calls: The actions asked for, in order, as ``iam:ListUsers`` or
            ``iam:UpdateAccessKey AKIA… Inactive``.
        secrets: Key ID → the secret given out.
        next_secret: The text of the next secret; empty for one of the fake's own.
        custom_endpoint: As ``ports.Iam`` has it.
        elsewhere: Key ID → the other account that it belongs to.
        mfa: The names of the users who have an MFA device.
        report: The credential report that AWS has, and when it was made; None for none.
        report_polls: How many more times a report that was asked for is not ready.
    """

    def __init__(
        self,
        *,
        caller: str = "admin",
        root: bool = False,
        quota: int = 2,
        clock: Callable[[], datetime] = lambda: START,
    ) -> None:
        self.clock = clock
        self.quota = quota
        self.deny: set[str] = set()
        self.errors: dict[str, KeytuiError] = {}
        self.lose_reply = False
        self.lag = 0
        self.page_size = 100
        self.calls: list[str] = []
        self.secrets: dict[str, Secret] = {}
        self.next_secret = ""
        self.custom_endpoint: str | None = None
        self.elsewhere: dict[str, str] = {}
        self.mfa: set[str] = set()
        self.report: tuple[bytes, datetime] | None = None
        self.report_polls = 0
        self._asked_at: datetime | None = None
        self._uses: dict[str, LastUsed] = {}
        self._holders: dict[str | None, _Holder] = {None: _Holder(ROOT_USER)}
        self._identity: Identity | None = None
        self.last_number = 0
        self._lock = threading.RLock()
        self.caller = ROOT_USER if root else self.add_user(caller)
        self._signed_before: set[str] = set()
        self._signing_key_id = self.add_key(self.caller, "AKIAFAKECALLER000001").id

    # Setting the stage.

    def add_user(self, name: str, created: datetime | None = None) -> User:
        """Add a user, made at ``created`` (a year before START unless told)."""
        user = User(name, created or START - timedelta(days=365))
        with self._lock:
            self._holders[name] = _Holder(user)
        return user

    def remove_user(self, name: str) -> None:
        """Take a user away with all its keys."""
        with self._lock:
            del self._holders[name]

    def add_key(
        self,
        user: User,
        key_id: str | None = None,
        *,
        status: KeyStatus = KeyStatus.ACTIVE,
        created: datetime | None = None,
        last_used: LastUsed | None = None,
        description: str = "",
    ) -> AccessKey:
        """Add a key, whatever the quota says; made a day before START unless told."""
        with self._lock:
            holder = self._holders[user.api_name]
            made = created or START - timedelta(days=1)
            key = AccessKey(key_id or self._new_id(), holder.user, status, made)
            holder.keys[key.id] = key
            self._uses[key.id] = last_used or LastUsed()
            if description:
                holder.tags[key.id] = description
            self.secrets[key.id] = self._new_secret()
            holder.read()
        return key

    def remove_key(self, key: AccessKey) -> None:
        """Take a key away, as somebody else would."""
        with self._lock:
            del self._holders[key.user.api_name].keys[key.id]

    def held(self, user: User) -> tuple[AccessKey, ...]:
        """Return what AWS has by now, without lag and without a call in the log."""
        with self._lock:
            return tuple(self._holders[user.api_name].keys.values())

    def find(self, name: str) -> User:
        """Return a user by name without a call in the log. Raises ``NotFoundError``."""
        with self._lock:
            return self._holder(name).user

    def owner_of(self, key_id: str) -> User:
        """Return who has a key, without a call in the log. Raises ``NotFoundError``."""
        with self._lock:
            for holder in self._holders.values():
                if key_id in holder.keys:
                    return holder.user
        raise _gone(f"The access key {key_id}")

    # ports.Iam.

    def identity(self) -> Identity:
        with self._lock:
            if self._identity is None:
                self._identity = self._ask_identity()
            return self._identity

    def signing_key_id(self) -> str:
        return self._signing_key_id

    def sign_with(self, key_id: str, secret: Secret) -> None:
        self._signed_before.add(self._signing_key_id)
        self._signing_key_id = key_id

    def sign_as_before(self, key_id: str) -> bool:
        if key_id in self._signed_before:
            self._signing_key_id = key_id
        return key_id in self._signed_before

    def users(self) -> Iterator[list[User]]:
        with self._call("iam:ListUsers"):
            everyone = [h.user for name, h in self._holders.items() if name is not None]
        for start in range(0, max(len(everyone), 1), self.page_size):
            yield everyone[start : start + self.page_size]

    def user(self, name: str) -> User:
        with self._call("iam:GetUser"):
            return self._holder(name).user

    def keys(self, user: User) -> tuple[AccessKey, ...]:
        with self._call("iam:ListAccessKeys", user.name):
            keys = self._holder(user.api_name).read()
            return tuple(sorted(keys, key=lambda key: (key.created or START, key.id)))

    def last_used(self, key_id: str) -> LastUsed:
        with self._call("iam:GetAccessKeyLastUsed", key_id):
            if key_id not in self._uses:
                raise _gone(f"The access key {key_id}")
            return self._uses[key_id]

    def owner(self, key_id: str) -> tuple[User, LastUsed]:
        with self._call("iam:GetAccessKeyLastUsed", key_id):
            return self.owner_of(key_id), self._uses[key_id]

    def account_of(self, key_id: str) -> str:
        with self._call("sts:GetAccessKeyInfo", key_id):
            if key_id in self._uses:
                return ACCOUNT
            if key_id in self.elsewhere:
                return self.elsewhere[key_id]
            raise _gone(f"The access key {key_id}")

    def descriptions(self, user: User) -> dict[str, str]:
        if user.is_root:
            return {}
        with self._call("iam:ListUserTags", user.name):
            return dict(self._holder(user.api_name).tags)

    def has_mfa(self, user: User) -> bool:
        with self._call("iam:ListMFADevices", user.name):
            return self._holder(user.api_name).user.name in self.mfa

    def credential_report(self) -> CredentialReport | None:
        with self._call("iam:GetCredentialReport"):
            if self.report_polls:
                self.report_polls -= 1
                return None
            if self._asked_at is not None:
                self.report = (self.report_csv(), self._asked_at)
                self._asked_at = None
            return parse(*self.report) if self.report else None

    def make_report(self) -> bool:
        with self._call("iam:GenerateCredentialReport"):
            fresh = self.report and self.clock() - self.report[1] < timedelta(hours=4)
            if not fresh and self._asked_at is None:
                self._asked_at = self.clock()
            return bool(fresh)

    def sending_once(self) -> "FakeIam":
        return self

    def report_csv(self) -> bytes:
        """Return the credential report as AWS would write it now, without a call in the log."""
        with self._lock:
            rows = [
                report_row(h.user, tuple(h.keys.values()), self._uses, h.user.name in self.mfa)
                for h in self._holders.values()
            ]
        return "\n".join([",".join(REPORT_COLUMNS), *rows]).encode(errors="replace")

    def set_status(self, key: AccessKey, status: KeyStatus) -> None:
        with self._call("iam:UpdateAccessKey", key.id, status.value):
            holder = self._holder(key.user.api_name)
            if key.id not in holder.keys:
                raise _gone(f"The access key {key.id}")
            holder.keys[key.id] = replace(holder.keys[key.id], status=status)
            holder.changed(self.lag)

    def delete_key(self, key: AccessKey) -> None:
        with self._call("iam:DeleteAccessKey", key.id):
            holder = self._holders.get(key.user.api_name)
            if holder is not None and holder.keys.pop(key.id, None) is not None:
                self._uses.pop(key.id, None)
                holder.changed(self.lag)

    def create_key(self, user: User) -> NewAccessKey:
        with self._call("iam:CreateAccessKey", user.name):
            holder = self._holder(user.api_name)
            if len(holder.keys) >= self.quota:
                raise QuotaError(
                    f"The user {user.name} already has all the access keys that AWS allows.",
                    "No key was made.",
                )
            key = AccessKey(self._new_id(), holder.user, KeyStatus.ACTIVE, self.clock())
            holder.keys[key.id] = key
            holder.changed(self.lag)
            self._uses[key.id] = LastUsed()
            self.secrets[key.id] = self._new_secret()
            if self.lose_reply:
                raise LostReplyError("The reply is lost.", "A key may exist.", "List the keys.")
            return NewAccessKey(key, ACCOUNT, self.secrets[key.id])

    def set_description(self, user: User, key_id: str, text: str) -> None:
        if user.is_root:
            raise AwsError("The root user's keys can't have a description.")
        with self._call("iam:TagUser", user.name):
            self._holder(user.api_name).tags[key_id] = text

    def remove_description(self, user: User, key_id: str) -> None:
        if user.is_root:
            return
        with self._call("iam:UntagUser", user.name):
            if user.api_name in self._holders:
                self._holders[user.api_name].tags.pop(key_id, None)

    def _ask_identity(self) -> Identity:
        with self._call("sts:GetCallerIdentity"):
            who = "root" if self.caller.is_root else f"user/{self.caller.name}"
            return Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:{who}")

    def _call(self, action: str, *details: str) -> threading.RLock:
        """Log a call, raise what was arranged for it, and return the lock to work under."""
        with self._lock:
            self.calls.append(" ".join((action, *details)))
            if action in self.errors:
                raise self.errors[action]
            if action in self.deny:
                raise AccessDeniedError(
                    action,
                    f"You may not do this: {action} is denied.",
                    "Nothing was changed.",
                    f"Ask for {action}, or use a profile that has it.",
                )
        return self._lock

    def _holder(self, name: str | None) -> _Holder:
        if name not in self._holders:
            raise _gone(f"The user {name}")
        return self._holders[name]

    def _new_id(self) -> str:
        self.last_number += 1
        return f"AKIAFAKE{self.last_number:012d}"

    def _new_secret(self) -> Secret:
        self.last_number += 1
        text, self.next_secret = self.next_secret or f"fake+secret/{self.last_number:028d}", ""
        return Secret(text)


def _gone(what: str) -> NotFoundError:
    return NotFoundError(f"{what} does not exist (any more).", "Nothing was changed.")
