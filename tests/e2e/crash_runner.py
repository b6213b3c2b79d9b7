"""keytui on a made-up account, with a fault of its own to set off while the reveal is open.

``python -m tests.e2e.crash_runner FOLDER SECRET``: ``f`` in the reveal runs into the fault,
in a frame whose local variables and whose error's text hold the secret.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from keytui.aws.files.profiles import AwsFiles
from keytui.cli.commands.tui import show
from keytui.core.model import Identity, NewAccessKey, User
from keytui.journal.log import Journal
from keytui.session.context import Context
from keytui.session.settings import Settings
from keytui.stores.base import Probe
from tests.support.fake_iam import FakeIam
from tests.support.fake_store import FakeStore
from tests.support.gates import WRITABLE


class FaultyStore(FakeStore):
    """A store with a bug: it raises what no store may raise."""

    def put(self, new: NewAccessKey) -> NoReturn:
        secret = new.secret.reveal()
        raise RuntimeError(f"could not keep {secret}")

    def probe(self, *, canary: bool = True) -> Probe:
        return Probe("Faulty store", writable=True)


def csv_path(_: User) -> Path:
    return Path("keys.csv")


def main() -> None:
    folder, secret = sys.argv[1:]
    iam = FakeIam()
    iam.add_user("alice")
    iam.next_secret = secret
    ctx = Context(
        settings=Settings(user="alice"),
        connect=lambda _: iam,
        profiles=list,
        journal=Journal(Path(folder), WRITABLE),
        keyring=FakeStore(),
        csv_file=lambda _: FaultyStore(),
        store_at=lambda _: None,
        who=lambda *_: Identity("123456789012", "arn:aws:iam::123456789012:user/admin"),
        csv_path=csv_path,
        now=lambda: datetime.now(UTC),
        aws_files=lambda: AwsFiles({}, Path(folder), WRITABLE),
    )
    sys.exit(show(ctx))


if __name__ == "__main__":
    main()
