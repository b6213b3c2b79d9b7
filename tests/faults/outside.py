"""keytui's promises, looked at from outside: the account, the stores, the screen, the files.

Nothing here asks keytui itself, or imports anything of it.
"""

import base64
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.faults.proxy import FaultProxy
from tests.support.secret_service import SecretService
from tests.support.sentinel import files_that_hold, processes_that_show

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

NEAR = 300
"""Characters between an access key ID and the word ``delete`` that belongs to it."""

HTTP_OK = 200
_KEY_ID = re.compile(r"AKIA\w{12,}")
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""What moves the cursor and colours: a text may be written a few characters at a time."""
_FRAMES = dict.fromkeys(map(ord, "│┃╭╮╰╯─┏┓┗┛━║═▏▕"), " ")


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is left when keytui has ended.

    Attributes:
        iam: A client that asks the server itself, not through the proxy.
        user: Whose keys.
        proxy: What keytui asked through; it knows the true secrets.
        before: The keys that were there before.
        others: The keys that somebody else made; keytui is to leave them as they are.
        guarded: The keys that keytui made and nobody agreed to delete: they sign, are named on
            this machine, were used, or their use is unknown.
        asked: How many creations the user asked for.
        home: The home folder, with keytui's record and its temporary files below it.
        service: The keyring, mended where it was broken; None for none.
        csv: The CSV files asked for.
        screen: What was on the screen that the user could act on, after all is over too.
        recovered: What ``keytui recover`` said; empty where it was not run.
        written: All bytes written to the terminal.
        revealed: Whether the user had the secret shown on the screen.
        folders: Further folders that keytui wrote to.
        hung: What keytui was told when it did not end in time, a word each.
    """

    iam: "IAMClient"
    user: str
    proxy: FaultProxy
    before: frozenset[str]
    asked: int
    home: Path
    service: SecretService | None = None
    csv: tuple[Path, ...] = ()
    screen: str = ""
    recovered: str = ""
    written: bytes = b""
    revealed: bool = False
    folders: tuple[Path, ...] = field(default=())
    others: frozenset[str] = frozenset()
    guarded: frozenset[str] = frozenset()
    hung: tuple[str, ...] = ()


def losses(scene: Scene) -> list[str]:
    """Return a sentence for each promise that was broken; none where all is well."""
    return [
        *_lost_secrets(scene),
        *_surplus_keys(scene),
        *_lost_keys(scene),
        *_dead_profiles(scene),
        *_leaks(scene),
        *(f"keytui did not end: {how}." for how in scene.hung),
    ]


def key_ids(iam: "IAMClient", user: str) -> frozenset[str]:
    """Return the access key IDs that the server lists for a user."""
    listed = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    return frozenset(key["AccessKeyId"] for key in listed)


def active_key_ids(iam: "IAMClient", user: str) -> frozenset[str]:
    """Return those of them that are active."""
    listed = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    return frozenset(key["AccessKeyId"] for key in listed if key["Status"] == "Active")


def kept_in_keyring(service: SecretService, key_id: str) -> str | None:
    """Return the secret that the keyring holds for a key; None where it holds none."""
    assert not service.is_locked(), "a locked keyring can't be asked: unlock it first"
    value = service.lookup(key_id)
    return _secret_in(value) if value else None


def kept_in_csv(path: Path, key_id: str) -> str | None:
    """Return the secret that a CSV file holds for a key; None where it holds none."""
    if not path.is_file():
        return None
    rows = (line.split(",") for line in path.read_text().splitlines())
    return next((row[2] for row in rows if len(row) == 3 and row[1] == key_id), None)


def offers_to_delete(text: str, key_id: str) -> bool:
    """Return whether a text names a key and speaks of deleting it nearby."""
    joined = " ".join(text.translate(_FRAMES).split())
    near = (
        joined[max(found.start() - NEAR, 0) : found.end() + NEAR]
        for found in re.finditer(re.escape(key_id), joined)
    )
    return any(re.search(r"\bdelet", part, re.IGNORECASE) for part in near)


def _lost_secrets(scene: Scene) -> Iterator[str]:
    secrets = dict(scene.proxy.secrets)
    for key_id in sorted(key_ids(scene.iam, scene.user) - scene.before - scene.others):
        kept = [kept_in_csv(path, key_id) for path in scene.csv]
        if scene.service:
            kept.append(kept_in_keyring(scene.service, key_id))
        true = secrets.get(key_id)
        if true is not None and true in kept:
            continue
        if any(kept):
            yield f"{key_id} is kept with another secret than AWS gave it."
        elif not any(offers_to_delete(text, key_id) for text in (scene.screen, scene.recovered)):
            yield f"{key_id} exists, its secret is kept nowhere, and nobody offers to delete it."


def _surplus_keys(scene: Scene) -> Iterator[str]:
    sent = scene.proxy.forwards("CreateAccessKey")
    if sent > scene.asked:
        yield f"{scene.asked} creations were asked for, and AWS was asked for {sent} keys."
    made = len(scene.proxy.secrets)
    if made > scene.asked:
        yield f"{scene.asked} creations were asked for, and {made} keys were made."


def _lost_keys(scene: Scene) -> Iterator[str]:
    """The keys that keytui deleted, or shut off, without anybody's word."""
    made = {key_id for key_id, _ in scene.proxy.secrets}
    for call in scene.proxy.log:
        if call.action == "DeleteAccessKey" and call.status == HTTP_OK:
            if call.key_id not in made:
                yield f"keytui deleted {call.key_id}, which it did not create."
            elif call.key_id in scene.guarded:
                yield f"keytui deleted {call.key_id}, which may be in use."
    for key_id in sorted(scene.others - active_key_ids(scene.iam, scene.user)):
        yield f"{key_id}, which somebody else created, is not active any more."


def _dead_profiles(scene: Scene) -> Iterator[str]:
    """The AWS profiles that name a key of the user which does not work."""
    secrets = dict(scene.proxy.secrets)
    working = active_key_ids(scene.iam, scene.user)
    for path in (scene.home / ".aws/credentials", scene.home / ".aws/config"):
        text = path.read_text() if path.is_file() else ""
        for key_id in sorted((secrets.keys() | scene.before) & set(_KEY_ID.findall(text))):
            if key_id not in working:
                yield f"{path.name} names {key_id}, which is not active."
            elif secrets.get(key_id, "") not in text and _kept(scene, key_id) != secrets[key_id]:
                yield f"{path.name} names {key_id}, whose secret is not in the keyring."


def _kept(scene: Scene, key_id: str) -> str | None:
    return kept_in_keyring(scene.service, key_id) if scene.service else None


def _leaks(scene: Scene) -> Iterator[str]:
    asked_for = {os.path.realpath(path) for path in scene.csv}
    written = scene.written.decode(errors="replace")
    drawn = _unwrapped(_ESCAPES.sub("", written))
    for key_id, secret in scene.proxy.secrets:
        for form in _forms(secret):
            if (form in written or form in drawn) and not scene.revealed:
                yield f"The secret of {key_id} was written to the terminal."
            if form in _unwrapped(scene.screen) and not scene.revealed:
                yield f"The secret of {key_id} was on the screen."
            if form in _unwrapped(scene.recovered):
                yield f"The secret of {key_id} is in what recover says."
            for folder in (scene.home, *scene.folders):
                for path in files_that_hold(form, folder):
                    if os.path.realpath(path) not in asked_for:
                        yield f"The secret of {key_id} is in the file {path.relative_to(folder)}."
        yield from (
            f"The secret of {key_id} is in /proc/{place}." for place in processes_that_show(secret)
        )


def _forms(secret: str) -> list[str]:
    """Return how a secret may be written: as it is, in a URL, in base64 at any offset."""
    forms = {secret, quote(secret, safe="")}
    for skip in range(3):
        # Only the characters that no neighbour has a part in.
        whole = base64.b64encode(b"\0" * skip + secret.encode()).decode()
        forms.add(whole[(0, 2, 3)[skip] : len(secret) // 3 * 4].rstrip("="))
    return sorted(forms)


def _unwrapped(text: str) -> str:
    return "".join(text.translate(_FRAMES).split())


def _secret_in(value: str) -> str:
    """Return the secret in a keyring item; the whole item where it is not keytui's."""
    try:
        return str(json.loads(value)["SecretAccessKey"])
    except (ValueError, KeyError, TypeError):
        return value
