"""What the verbs need of IAM, in words that every adapter keeps.

``aws.gateway`` speaks to AWS; ``tests.support.fake_iam`` is the model for unit tests. One
contract suite runs against both. Every method blocks, may be called from any thread, and
raises only ``KeytuiError``.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from keytui.core.credential_report import CredentialReport
from keytui.core.model import AccessKey, Identity, KeyStatus, LastUsed, NewAccessKey, Secret, User


class Iam(Protocol):
    """The account's users and access keys, as the caller may see them."""

    @property
    def custom_endpoint(self) -> str | None:
        """Where IAM and STS are asked instead of at AWS; None for AWS."""

    def identity(self) -> Identity:
        """Return who signs the calls; asked once, then remembered."""

    def signing_key_id(self) -> str:
        """Return the access key ID that signs the calls, without a network call."""

    def sign_with(self, key_id: str, secret: Secret) -> None:
        """Sign all calls with this key from now on, in place of what signed them before."""

    def sign_as_before(self, key_id: str) -> bool:
        """Sign with a key that ``sign_with`` replaced; False where it replaced no such key."""

    def clock(self) -> datetime:
        """Return AWS's own time now, as its last reply told it; to the second.

        Where none has told it yet, this machine's.
        """

    def users(self) -> Iterator[list[User]]:
        """Yield the account's users page by page, in AWS's order."""

    def user(self, name: str) -> User:
        """Return one user by name. Raises ``NotFoundError``."""

    def keys(self, user: User) -> tuple[AccessKey, ...]:
        """Return all keys of a user, oldest first, without last use and description.

        Raises:
            NotFoundError: The user is gone.
        """

    def last_used(self, key_id: str) -> LastUsed:
        """Return a key's last use; ``LastUsed()`` for a key never used."""

    def owner(self, key_id: str) -> tuple[User, LastUsed]:
        """Return whose key it is and its last use, in one call.

        Raises:
            NotFoundError: This account has no such key.
            AccessDeniedError: The caller may not ask, or the key is another account's.
        """

    def account_of(self, key_id: str) -> str:
        """Return the ID of the account that a key belongs to, or belonged to.

        Raises:
            NotFoundError: AWS knows no such key.
        """

    def descriptions(self, user: User) -> dict[str, str]:
        """Return access key ID → description, from the user's tags; empty for root."""

    def has_mfa(self, user: User) -> bool:
        """Return whether a user has an MFA device. Raises ``NotFoundError``."""

    def credential_report(self) -> CredentialReport | None:
        """Return the credential report that AWS has; None where it has none, or makes one now."""

    def make_report(self) -> bool:
        """Ask AWS for a new credential report; return whether it is ready to be read.

        AWS makes one at most every four hours; asked sooner it says that the one it has is ready.
        """

    def sending_once(self) -> "Iam":
        """Return the same account, each of whose calls is sent once.

        For whoever repeats calls at a pace of their own; otherwise a call that AWS has no time
        for is repeated some times before ``ThrottledError`` is raised.
        """

    def set_status(self, key: AccessKey, status: KeyStatus) -> None:
        """Make a key Active or Inactive. Raises ``NotFoundError``.

        After any other ``AwsError`` than a refusal the status may have changed.
        """

    def delete_key(self, key: AccessKey) -> None:
        """Delete a key. A key that is gone already counts as deleted."""

    def create_key(self, user: User) -> NewAccessKey:
        """Create a key with exactly one request.

        Raises:
            QuotaError: The user has all the keys that AWS allows; none was made.
            LostReplyError: The request may have made a key, but its reply is lost.
            AwsError: Anything else; no key was made.
        """

    def set_description(self, user: User, key_id: str, text: str) -> None:
        """Keep a description the way the console does: a tag, key ID → text, on the user."""

    def remove_description(self, user: User, key_id: str) -> None:
        """Remove a description; no error where there is none."""
