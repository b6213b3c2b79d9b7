"""Files that hold access keys in plain text: the console's, other tools', AWS's own. Pure."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from keytui.aws.files import ini
from keytui.aws.files.ini import TOKEN_SETTINGS, FileKind, Section
from keytui.core.errors import StoreError
from keytui.core.model import Secret

NOTHING_IMPORTED = "Nothing was imported."

_KEY_ID = re.compile(r"\w{16,128}", re.ASCII)
_SECRET = re.compile(r"[\w/+=.~-]{16,1024}", re.ASCII)
_TEMPORARY = "ASIA"
_ID_COLUMN, _SECRET_COLUMN, _USER_COLUMN = "access key id", "secret access key", "user name"
_OWN_COLUMNS = {_ID_COLUMN, _SECRET_COLUMN, _USER_COLUMN}
_LINKS = {"console login link", "console sign-in url"}
"""Columns that say nothing worth keeping."""
_WORDS = ("AccessKeyId", "SecretAccessKey", "SessionToken", "UserName")
_METADATA = {*_WORDS, "Version", "Status", "CreateDate", "Expiration"}
_RESPONSE = {"RequestId", "HostId", "HTTPStatusCode", "HTTPHeaders", "RetryAttempts"}
"""What JSON of AWS's says of a key, and beside it; all else may be of value."""
_ROOT_LINE = re.compile(r"\s*(AWSAccessKeyId|AWSSecretKey)\s*=\s*(.*?)\s*")


class Form(Enum):
    """What kind of file it is."""

    KEYS = "keys"
    """Nothing but access keys: it can be deleted when they are kept elsewhere."""
    PROFILES = "profiles"
    """An AWS config or credentials file."""


@dataclass(frozen=True, slots=True)
class FoundKey:
    """An access key in a file.

    Attributes:
        key_id: The access key ID.
        secret: The secret access key.
        user: The user name that the file gives; empty where it gives none.
        profile: The profile it was found in; empty where there are no profiles.
        kind: How that profile is named in the file.
    """

    key_id: str
    secret: Secret
    user: str = ""
    profile: str = ""
    kind: FileKind = FileKind.CREDENTIALS


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What was found in a file.

    Attributes:
        form: What kind of file it is.
        keys: The keys, at least one.
        more: What else of value it holds, such as ``Password``.
    """

    form: Form
    keys: tuple[FoundKey, ...]
    more: tuple[str, ...] = ()


def read_keys(content: bytes, name: str, profile: str | None = None) -> KeyFile:
    """Find the access keys in a file.

    Args:
        content: The file's content.
        name: The file, as messages call it.
        profile: The profile wanted of an AWS file; None for the only one.

    Raises:
        StoreError: It has none, or one that can't be understood; names the line and never
            quotes it.
    """
    text = _text(content, name)
    start = text.lstrip()
    if start.startswith("{"):
        found = _from_json(text, name)
    elif _columns(text):
        found = _from_csv(text, name)
    elif _ROOT_LINE.match(start):
        found = KeyFile(Form.KEYS, (_from_root(text, name),))
    elif ini.sections(text):
        return _from_profiles(text, name, profile)
    else:
        raise _problem(
            f"{name} is no file of access keys that keytui knows.",
            "It takes accessKeys.csv and rootkey.csv of the AWS console, and AWS's own files.",
        )
    if profile is not None:
        raise _problem(f"{name} has no profiles.", "Leave out --profile.")
    return found


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
    raise _problem(f"Line {number} of {name} is not UTF-8 text.", "Save it as UTF-8.")


def _columns(text: str) -> list[str]:
    """Return the columns of a CSV file in lower case; none where it is no such file."""
    first = next(iter(ini.split_lines(text)), "")
    columns = [cell.strip().lower() for cell in next(csv.reader([first]), [])]
    return columns if {_ID_COLUMN, _SECRET_COLUMN} <= set(columns) else []


def _from_csv(text: str, name: str) -> KeyFile:
    columns = _columns(text)
    if any(count > 1 for column, count in Counter(columns).items() if column):
        raise _problem(f"Line 1 of {name} names a column twice.", "Give each its own name.")
    keys: dict[str, FoundKey] = {}
    more: list[str] = []
    for number, cells in _rows(text, name):
        if number == 1 or not any(cells):
            continue
        row = _named(columns, cells, name, number)
        key = _key(row.get(_ID_COLUMN, ""), row.get(_SECRET_COLUMN, ""), name, number)
        more += [column for column in row if column not in more]
        known = keys.setdefault(
            key.key_id, FoundKey(key.key_id, key.secret, row.get(_USER_COLUMN, ""))
        )
        if not known.secret.matches(key.secret):
            raise _problem(f"Line {number} of {name} has another secret for a key above.")
    if not keys:
        raise _problem(f"{name} has no access key below its first line.")
    others = tuple(column for column in more if column not in _OWN_COLUMNS | _LINKS)
    return KeyFile(Form.KEYS, tuple(keys.values()), others)


def _named(columns: list[str], cells: list[str], name: str, number: int) -> dict[str, str]:
    """Return a row's filled cells by their columns; refuse one that is in none."""
    filled = [
        (columns[at] if at < len(columns) else "", cell) for at, cell in enumerate(cells) if cell
    ]
    if not all(column for column, _ in filled):
        raise _problem(
            f"Line {number} of {name} has a cell that no column of line 1 names.",
            "Name the column, or put a cell with commas in quotes.",
        )
    return dict(filled)


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows, their cells stripped, with the numbers of their last lines."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            row = next(rows, None)
        except csv.Error:
            row, number = None, rows.line_num
        else:
            number = 0
        if number:
            raise _problem(f"Line {number} of {name} is not CSV.")
        if row is None:
            return
        yield rows.line_num, [cell.strip() for cell in row]


def _from_root(text: str, name: str) -> FoundKey:
    found: dict[str, str] = {}
    for number, line in enumerate(ini.split_lines(text), 1):
        match = _ROOT_LINE.fullmatch(line)
        if match is None and line.strip():
            raise _problem(f"Line {number} of {name} is no line of a rootkey.csv.")
        if match:
            if match[1] in found:
                raise _problem(f"Line {number} of {name} says again what was said before.")
            found[match[1]] = match[2]
    return _key(found.get("AWSAccessKeyId", ""), found.get("AWSSecretKey", ""), name, 1)


def _from_json(text: str, name: str) -> KeyFile:
    """Take what ``aws iam create-access-key`` or a ``credential_process`` prints."""
    outer = _json(text, name)
    wrapped = "AccessKey" in outer
    fields = outer["AccessKey"] if wrapped else outer
    if not isinstance(fields, dict):
        fields = {}
    if fields.get("SessionToken"):
        raise _temporary(f"The key in {name}")
    key_id, secret, _, user = (
        value if isinstance(value := fields.get(word), str) else "" for word in _WORDS
    )
    key = _key(key_id, secret, name, 1)
    more = _more_beside(outer) if wrapped else []
    more += [word for word, value in fields.items() if _of_value(word, value)]
    return KeyFile(Form.KEYS, (FoundKey(key.key_id, key.secret, user),), tuple(more))


def _json(text: str, name: str) -> dict[str, Any]:
    repeated = False

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        fields = dict(pairs)
        repeated = repeated or len(fields) < len(pairs)
        return fields

    try:
        fields: dict[str, Any] = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        number = getattr(error, "lineno", 1)
    else:
        if repeated:
            raise _problem(f"{name} has a name twice in one JSON object.", "Leave one of them.")
        return fields
    raise _problem(f"Line {number} of {name} is not JSON.")


def _more_beside(outer: dict[str, Any]) -> list[str]:
    """Name what stands beside ``AccessKey`` and is not the response's own."""
    more = [word for word in outer if word not in {"AccessKey", "ResponseMetadata"}]
    response = outer.get("ResponseMetadata", {})
    if not isinstance(response, dict) or not set(response) <= _RESPONSE:
        more.append("ResponseMetadata")
    return more


def _of_value(word: str, value: object) -> bool:
    return word not in _METADATA or isinstance(value, dict | list)


def _from_profiles(text: str, name: str, wanted: str | None) -> KeyFile:
    profiles = {
        profile: (section, kind)
        for section in ini.sections(text)
        for profile, kind in [_profile(section)]
        if section.value("aws_access_key_id") is not None
        and section.value("aws_secret_access_key") is not None
    }
    if wanted is None and len(profiles) > 1:
        raise _problem(
            f"{name} has keys in several profiles: {', '.join(profiles)}.",
            "Name one with --profile.",
        )
    chosen = wanted if wanted is not None else next(iter(profiles), "")
    if chosen not in profiles:
        which = f"no profile {chosen} with" if chosen else "no profile with"
        raise _problem(f"{name} has {which} an access key and its secret.")
    section, kind = profiles[chosen]
    if any(section.value(token) for token in TOKEN_SETTINGS):
        raise _temporary(f"The key of the profile {chosen} in {name}")
    number = next(s.lines[0] + 1 for s in section.settings if s.name == "aws_access_key_id")
    key_id, secret = section.value("aws_access_key_id"), section.value("aws_secret_access_key")
    key = _key(key_id or "", secret or "", name, number)
    return KeyFile(Form.PROFILES, (FoundKey(key.key_id, key.secret, "", chosen, kind),))


def _profile(section: Section) -> tuple[str, FileKind]:
    """Return the profile that a section is, in whichever of the two files it stands."""
    if section.name.startswith("profile"):
        profile = ini.profile_of(section.name, FileKind.CONFIG)
        if profile is not None:
            return profile, FileKind.CONFIG
    return section.name, FileKind.CREDENTIALS


def _key(key_id: str, secret: str, name: str, number: int) -> FoundKey:
    if not _KEY_ID.fullmatch(key_id):
        raise _problem(f"Line {number} of {name} has no access key ID where one is due.")
    if key_id.startswith(_TEMPORARY):
        raise _temporary(f"The key in line {number} of {name}")
    if not _SECRET.fullmatch(secret):
        raise _problem(f"Line {number} of {name} has no secret access key where one is due.")
    return FoundKey(key_id, Secret(secret))


def _temporary(what: str) -> StoreError:
    return _problem(
        f"{what} is temporary: it has a session token and expires by itself.",
        "Import the key of an IAM user.",
    )


def _problem(title: str, next_step: str = "") -> StoreError:
    return StoreError(title, NOTHING_IMPORTED, next_step)
