"""What can go wrong, in words for a tired operator.

Every error says three things: what happened, what is still safe, and what to do next.
Adapters raise these and nothing else; the screens print them as they are.
"""


class KeytuiError(Exception):
    """Something keytui can explain.

    Attributes:
        title: What happened, one plain sentence.
        safe: What is still safe or unchanged; empty where nothing was at stake.
        next_step: What the user can do now; empty where there is nothing to do.
    """

    def __init__(self, title: str, safe: str = "", next_step: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.safe = safe
        self.next_step = next_step

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, self.safe, self.next_step) if part)


class UsageError(KeytuiError):
    """The command line, an environment variable or the config file can't be used."""


class StateError(KeytuiError):
    """keytui's own record (the journal) can't be read or written."""


class ReadOnlyError(KeytuiError):
    """A change was asked for in read-only mode."""


class AwsError(KeytuiError):
    """AWS did not do what was asked."""


class CredentialsError(AwsError):
    """No credentials, expired ones, or ones that AWS refuses."""


class UnknownKeyError(CredentialsError):
    """AWS does not know the access key that signs, or it is inactive or not valid yet."""


class UnreachableError(AwsError):
    """AWS gave no answer: network, endpoint, TLS, proxy or region."""


class AccessDeniedError(AwsError):
    """The caller's policy lacks an action.

    Attributes:
        action: The missing IAM action, such as ``iam:UpdateAccessKey``.
    """

    def __init__(self, action: str, title: str, safe: str = "", next_step: str = "") -> None:
        super().__init__(title, safe, next_step)
        self.action = action


class MfaDeclinedError(CredentialsError):
    """A code was needed, and none was given; nothing was sent."""

    def __init__(self, safe: str = "Nothing was changed.") -> None:
        super().__init__(
            "This profile signs in with an MFA code, and none was given.",
            safe,
            "Try again with the code of your MFA device at hand; without a terminal keytui "
            "can't ask for it.",
        )


class WrongCodeError(AccessDeniedError):
    """AWS did not take an MFA code."""

    def __init__(self, action: str, safe: str = "") -> None:
        super().__init__(
            action,
            "AWS did not take the MFA code.",
            safe,
            "Each code works once: wait for the next one. If none works, check that mfa_serial "
            "names your device and that its clock is right.",
        )


class ThrottledError(AwsError):
    """AWS asked for fewer calls, also after the SDK's own retries."""


class NotFoundError(AwsError):
    """The user or the key is gone (NoSuchEntity)."""


class QuotaError(AwsError):
    """The user has all the access keys that AWS allows (LimitExceeded)."""


class LostReplyError(AwsError):
    """CreateAccessKey was sent and its reply did not arrive or can't be read.

    A key may exist whose secret nobody has. The caller lists the keys to find out.
    """


class StoreError(KeytuiError):
    """A store can't be used, or did not keep what it was given."""


class StoreLockedError(StoreError):
    """The OS keyring is locked."""


class WrongPasswordError(StoreError):
    """The password is not the keyring's."""


class StoreTimeoutError(StoreError):
    """The store gave no answer in time and was stopped."""


class NotStoredError(StoreError):
    """The store has nothing under this access key ID."""
