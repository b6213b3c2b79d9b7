"""The credential report's rows, as AWS writes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from keytui.core.model import AccessKey, KeyStatus, LastUsed, User

_KEY = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
REPORT_COLUMNS = (
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    *(f"access_key_{slot}_{name}" for slot in (1, 2) for name in _KEY),
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
)
"""The heading."""
_NONE = "N/A"


def report_row(
    user: User, keys: Sequence[AccessKey], uses: Mapping[str, LastUsed], mfa: bool
) -> str:
    """Return a user's row; of more than two keys it has the first two."""
    cells = [
        "<root_account>" if user.is_root else user.name,
        f"arn:aws:iam::123456789012:{'root' if user.is_root else f'user/{user.name}'}",
        _time(user.created),
        *(["not_supported"] * 4 if user.is_root else ["false", _NONE, _NONE, _NONE]),
        str(mfa).lower(),
    ]
    for key in keys[:2]:
        cells += _key(key, uses[key.id])
    cells += ["false", _NONE, _NONE, _NONE, _NONE] * (2 - len(keys[:2]))
    return ",".join(map(_quoted, [*cells, "false", _NONE, "false", _NONE]))


def _key(key: AccessKey, used: LastUsed) -> list[str]:
    active = str(key.status is KeyStatus.ACTIVE).lower()
    last = [_time(used.when), used.region or _NONE, used.service or _NONE]
    return [active, _time(key.created), *last]


def _time(when: datetime | None) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S+00:00}" if when else _NONE


def _quoted(cell: str) -> str:
    return f'"{cell}"' if "," in cell else cell
