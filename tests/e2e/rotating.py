"""Where a rotation is tried: somebody whose AWS profile has a key, and all the real parts."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import Desk, on_bus, signed_by, statuses
from tests.support.gate import Gate
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.sentinel import files_that_hold
from tests.support.terminal import KEYTUI, PATIENCE, Terminal, clean_env

PROFILE = """# by hand, do not touch
[other]
aws_access_key_id=AKIAOTHEROTHEROTHER1
aws_secret_access_key=other/other/other

[{name}]   ; the one that goes
aws_access_key_id     =  {key_id}

aws_secret_access_key =  {secret}
region=eu-west-1
"""
"""With odd spacing: it is to come back byte for byte."""

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Person:
    """An IAM user whose key is rotated, and the machine on which that is done.

    Attributes:
        name: The user, and the AWS profile.
        old_id: The key that goes.
        old_secret: Its secret.
        desk: Where terminals are opened.
        home: The home folder.
        env: The environment in which keytui runs.
        gate: What keytui and the aws command line take for AWS.
        account: The account itself.
        service: The keyring.
        aws: The aws command line.
    """

    name: str
    old_id: str
    old_secret: str
    desk: Desk
    home: Path
    env: dict[str, str]
    gate: Gate
    account: MotoAccount
    service: SecretService
    aws: str

    @property
    def credentials(self) -> Path:
        """The AWS credentials file."""
        return self.home / ".aws/credentials"

    @property
    def keys(self) -> dict[str, str]:
        """What AWS has: access key ID → status."""
        return statuses(self.account, self.name)

    @property
    def made(self) -> list[str]:
        """All keys that keytui made for the user, also those that are gone."""
        return [key_id for key_id, user in self.gate.made.items() if user == self.name]

    @property
    def new_id(self) -> str:
        """The key that comes, while there are two."""
        (new,) = self.keys.keys() - {self.old_id}
        return new

    def whoami(self) -> str:
        """Ask the aws command line as whom the profile signs; return which key did."""
        profile = "--profile", self.name, "--endpoint-url", self.gate.url
        done = subprocess.run(
            [self.aws, *profile, "sts", "get-caller-identity"],
            env=clean_env(self.home) | on_bus(self.service),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["Arn"].endswith(f":user/{self.name}")
        return self.gate.signer({self.old_id, *self.made})

    def screen(self, *flags: str, size: tuple[int, int] = (120, 40)) -> Terminal:
        """Start keytui at the user."""
        return self.desk.keytui("--user", self.name, *flags, env=self.env, size=size)

    def rotate(self, *flags: str) -> Done:
        """Rotate without a screen; ``--yes``, as a script does."""
        return subprocess.run(
            self._rotate(*flags),
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )

    def rotate_killed(self, arrange: Callable[[Callable[[], None]], None], *flags: str) -> None:
        """Rotate; ``arrange`` says at which call keytui is killed outright."""
        runs: list[subprocess.Popen[bytes]] = []
        arrange(lambda: runs[0].kill())
        quiet = subprocess.DEVNULL
        runs.append(
            subprocess.Popen(
                self._rotate(*flags), env=self.env, stdin=quiet, stdout=quiet, stderr=quiet
            )
        )
        assert runs[0].wait(2 * PATIENCE) == -signal.SIGKILL
        self.gate.trials[self.name].clear()

    def _rotate(self, *flags: str) -> list[str | Path]:
        return [KEYTUI, "rotate", self.old_id, "--yes", *flags]

    def kept(self, key_id: str) -> str:
        """Return the secret that the keyring has for a key; empty for none."""
        found = self.service.lookup(key_id)
        return str(json.loads(found)["SecretAccessKey"]) if found else ""

    def forget(self, key_id: str) -> None:
        """Take a key's secret from the keyring behind keytui's back."""
        words = ["secret-tool", "clear", "service", f"keytui:{key_id}", "username", key_id]
        subprocess.run(words, env=self.service.env, timeout=PATIENCE, check=True)

    def secret_of(self, key_id: str) -> str:
        """Return the secret with which AWS made a key."""
        return next(made.secret for made in self.gate.secrets if made.key_id == key_id)

    def leaks(self, *runs: Terminal) -> list[object]:
        """Return what holds the secret of a key that was made here, and should not."""
        found: list[object] = []
        for secret in map(self.secret_of, self.made):
            found += files_that_hold(secret, self.home)
            found += [run.raw for run in runs if secret.encode() in run.written()]
        return found


Hire = Callable[..., Person]


@pytest.fixture
def gate(moto: MotoAccount) -> Iterator[Gate]:
    """The account behind a gate."""
    assert moto.options.endpoint_url
    with Gate(moto.options.endpoint_url) as gate:
        yield gate


@pytest.fixture
def hire(
    desk: Desk, moto: MotoAccount, gate: Gate, keyring_service: SecretService, aws: str
) -> Iterator[Hire]:
    """Make a person with one key, and a home whose AWS profile has it."""
    with ExitStack() as stack:

        def new(
            name: str, *, own: bool = False, service: SecretService = keyring_service
        ) -> Person:
            moto.iam.create_user(UserName=name)
            stack.callback(_remove, moto, name)
            key = moto.iam.create_access_key(UserName=name)["AccessKey"]
            key_id, secret = key["AccessKeyId"], key["SecretAccessKey"]
            home = desk.home / name
            (home / ".aws").mkdir(parents=True)
            profile = PROFILE.format(name=name, key_id=key_id, secret=secret)
            (home / ".aws/credentials").write_text(profile)
            signer = {"AWS_PROFILE": name} if own else signed_by(moto.options)
            env = clean_env(home) | on_bus(service) | signer | {"AWS_ENDPOINT_URL": gate.url}
            parts = (desk, home, env, gate, moto, service, aws)
            return Person(name, key_id, secret, *parts)

        yield new


def _remove(moto: MotoAccount, name: str) -> None:
    for key_id in statuses(moto, name):
        moto.iam.delete_access_key(UserName=name, AccessKeyId=key_id)
    moto.iam.delete_user(UserName=name)
