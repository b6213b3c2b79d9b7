"""What the command line joins and the screens work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from keytui.journal import Journal
from keytui.model import User
from keytui.ports import Iam
from keytui.settings import Settings
from keytui.settle import Wait
from keytui.stores.base import SecretStore


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one run.

    Attributes:
        settings: What the user asked for.
        connect: Connects with a profile (None: the SDK's choice); blocks, raises KeytuiError.
        profiles: Names the AWS config's profiles; blocks.
        journal: keytui's record.
        keyring: The OS keyring.
        csv_file: Makes the store for a CSV file of that path.
        store_at: Opens the store of a journal's locator; None for one that is unknown.
        csv_path: Proposes a path for a user's CSV file that is free now.
        now: The clock, aware.
        wait: How IAM is waited for.
    """

    settings: Settings
    connect: Callable[[str | None], Iam]
    profiles: Callable[[], list[str]]
    journal: Journal
    keyring: SecretStore
    csv_file: Callable[[str], SecretStore]
    store_at: Callable[[str], SecretStore | None]
    csv_path: Callable[[User], Path]
    now: Callable[[], datetime]
    wait: Wait = field(default_factory=Wait)
