"""The words that cross the border between keytui and its keyring child process.

Both sides import this module; it imports nothing that is slow or that could fail.
"""

from enum import StrEnum

READY = b"ready\n"
"""What the child says once no other process can look into its memory."""

SERVICE_PREFIX = "keytui:"
"""Service name of an item: this, then the access key ID. One service for each key."""

PROBE_SERVICE = "keytui:probe"
"""Service name of the made-up value that proves a keyring can be written."""

SECRET_SERVICE = "keyring.backends.SecretService"  # noqa: S105 - a module
PASS = "keyring_pass"  # noqa: S105 - a module
CRYPTFILE = "keyrings.cryptfile"

LABELS = {
    SECRET_SERVICE: "OS keyring (Secret Service)",
    "keyring.backends.libsecret": "OS keyring (libsecret)",
    "keyring.backends.kwallet": "OS keyring (KWallet)",
    "keyring.backends.macOS": "OS keyring (macOS Keychain)",
    "keyring.backends.Windows": "OS keyring (Windows Credential Manager)",
}
"""The backends that keytui trusts, by the module of their class, with their names."""

NAMED = {PASS: "Password store (pass)", CRYPTFILE: "Encrypted file (cryptfile)"}
"""Those that are used only when asked for by name."""


class Op(StrEnum):
    """What the child is asked to do; the last word of its command line."""

    STATE = "state"
    """Say which keyring would be used and whether it is open; write nothing."""
    CANARY = "canary"
    """As STATE, then write, read and delete a made-up value."""
    PUT = "put"
    """Keep a value and answer with what reads back."""
    GET = "get"
    """Answer with a kept value."""
    DELETE = "delete"
    """Forget a value and see that it is gone."""
    UNLOCK = "unlock"
    """Unlock the keyring with the password, or make it where there is none yet."""


class Trouble(StrEnum):
    """Why the keyring did not do it."""

    NO_BUS = "no-bus"
    NO_SERVICE = "no-service"
    NO_COLLECTION = "no-collection"
    LOCKED = "locked"
    REFUSED = "refused"
    BAD_SETTING = "bad-setting"
    DIFFERS = "differs"
    STILL_THERE = "still-there"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a name, no password
    FOREIGN = "foreign"
    NO_PACKAGE = "no-package"
    NO_PASS = "no-pass"  # noqa: S105 - a name, no password
    PASS_FAILED = "pass-failed"  # noqa: S105 - a name, no password
    NOT_STORED = "not-stored"
    UNREADABLE = "unreadable"
    NO_LIBRARY = "no-library"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CRASHED = "crashed"


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """The keyring can't or must not be used.

    Attributes:
        trouble: Why.
        detail: A name to show with it: a backend, a setting or an exception type.
        backend: The module of the backend, where it is a trusted one.
    """

    def __init__(self, trouble: Trouble, detail: str = "", backend: str = "") -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.detail = detail
        self.backend = backend
