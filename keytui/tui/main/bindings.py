"""The keys of the main screen, and when each does something."""

from dataclasses import dataclass
from typing import Self

from textual.binding import Binding, BindingType

from keytui.core.model import AccessKey, KeyStatus
from keytui.session.settings import Settings
from keytui.tui.services.state import AccountState

BINDINGS: list[BindingType] = [
    Binding("c", "create", "Create", tooltip="Create an access key"),
    Binding("d", "deactivate", "Make inactive", tooltip="Make the key inactive"),
    Binding("a", "activate", "Make active", tooltip="Make the key active"),
    Binding("x", "delete", "Delete", tooltip="Delete the key, an inactive one"),
    Binding("R", "rotate", "Rotate", tooltip="Rotate the key, or take its rotation up"),
    Binding("u", "undo", "Undo", tooltip="Undo the last change of status"),
    Binding("K", "unlock", "Unlock", tooltip="Unlock the keyring, or make one"),
    # Priority, so that what is typed right after it goes into the filter.
    Binding(
        "slash", "filter", "Filter", key_display="/", tooltip="Filter the users", priority=True
    ),
    Binding("enter", "detail", "Detail", tooltip="Show all that is known of the key"),
    Binding("f", "find", "Find", tooltip="Find an access key by its ID, also in a pasted text"),
    Binding("space", "mark", "Mark", tooltip="Mark the key; d, a and x act on all marked"),
    Binding("y", "copy", "Copy ID", tooltip="Send the access key ID to the clipboard"),
    Binding("r", "refresh", "Refresh", tooltip="Read users and keys again"),
    Binding("A", "audit", "Audit", tooltip="Show every key of the account, worst first"),
    Binding("H", "history", "History", tooltip="Show what keytui did, unfinished first"),
    Binding("V", "vault", "Vault", tooltip="Show the secrets that the keyring holds"),
    Binding("P", "profile", "Profiles", tooltip="See all AWS profiles, and switch to one"),
    Binding(
        "full_stop", "deleted", "Deleted", key_display=".", tooltip="Hide or show deleted keys"
    ),
    Binding("question_mark", "help", "Help", key_display="?", tooltip="List the keys"),
    Binding("q", "quit", "Quit", tooltip="Leave keytui"),
    Binding("tab", "switch_pane", show=False),
    Binding("right,l", "to_keys", show=False),
    Binding("left,h", "to_users", show=False),
    Binding("escape", "back", show=False),
]
"""The most needed first, help and quit last: so they leave the footer."""


@dataclass(frozen=True, slots=True)
class Now:
    """What the main screen is at.

    Attributes:
        key: The key under the cursor.
        marked: The marked keys: what changes a key acts on them instead.
        user: Whether there is a user under the cursor.
        rotates: Whether the key can be rotated, or is part of a rotation.
        changes: Whether there is a change of status to undo.
        locked: Whether the keyring can be unlocked.
        demo: Whether this is the demo account.
        read_only: Whether every change is refused.
    """

    key: AccessKey | None
    marked: tuple[AccessKey, ...]
    user: bool
    rotates: bool
    changes: bool
    locked: bool
    demo: bool
    read_only: bool

    @classmethod
    def of(
        cls,
        settings: Settings,
        account: AccountState | None,
        key: AccessKey | None,
        *,
        user: bool,
        locked: bool,
    ) -> Self:
        return cls(
            key=key,
            marked=account.marked if account else (),
            user=user,
            rotates=bool(key and account and account.rotates(key)),
            changes=bool(account and account.changes),
            locked=locked,
            demo=settings.demo,
            read_only=settings.read_only,
        )


def works(action: str, now: Now) -> bool:
    """Return whether a key does something now; read-only mode itself is in lifecycle."""
    statuses = {key.status for key in now.marked or (now.key,) if key}
    changing = {
        "create": now.user,
        "deactivate": KeyStatus.ACTIVE in statuses,
        "activate": KeyStatus.INACTIVE in statuses,
        "delete": bool(statuses - {KeyStatus.DELETED}),
        "undo": now.changes,
        "rotate": now.rotates,
    }
    if action in changing:
        return changing[action] and not now.read_only
    key = now.key is not None
    others = {"profile": not now.demo, "copy": key, "detail": key, "unlock": now.locked}
    others["mark"] = now.key is not None and now.key.status is not KeyStatus.DELETED
    return others.get(action, True)
