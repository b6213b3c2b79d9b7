"""The account that the bench's server tells of: users, keys and the credential report.

All is made once and kept as the bytes that go into replies: the server is to cost nothing.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from xml.sax.saxutils import escape

from keytui.aws.demo.people import DEMO_KEY_ID, people

ACCOUNT = "123456789012"
CALLER = "admin"
_SEED = 6
_HEADING = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)
_ROOT = (
    "<root_account>,arn:aws:iam::{account}:root,{made},not_supported,no_information,"
    "not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,"
    "false,N/A,false,N/A"
)
_NO_KEY = "false,N/A,N/A,N/A,N/A"
_KEYS_REPORTED = 2
_USES = ("s3,us-east-1", "s3,eu-west-1", "ec2,eu-central-1", "sts,us-east-1", "lambda,eu-west-1")


@dataclass(frozen=True, slots=True)
class MadeUpKey:
    """A key; ``used`` is ``when,service,region``, empty for a key never used."""

    id: str
    active: bool
    made: str
    used: str

    @property
    def member(self) -> str:
        """What ListAccessKeys says of it, without whose it is."""
        status = "Active" if self.active else "Inactive"
        return (
            f"<AccessKeyId>{self.id}</AccessKeyId><Status>{status}</Status>"
            f"<CreateDate>{self.made}Z</CreateDate>"
        )

    @property
    def last_used(self) -> str:
        """What GetAccessKeyLastUsed says of it."""
        when, service, region = self.used.split(",") if self.used else ("", "N/A", "N/A")
        date = f"<LastUsedDate>{when}Z</LastUsedDate>" if when else ""
        return (
            f"<AccessKeyLastUsed>{date}<ServiceName>{service}</ServiceName>"
            f"<Region>{region}</Region></AccessKeyLastUsed>"
        )

    @property
    def reported(self) -> str:
        """Its five columns of the report."""
        when, service, region = self.used.split(",") if self.used else ("N/A",) * 3
        date = f"{when}+00:00" if self.used else when
        return f"{str(self.active).lower()},{self.made}+00:00,{date},{region},{service}"


class MadeUpAccount:
    """Users by name, as AWS sorts them, with as many keys each as asked for.

    Attributes:
        users: User name → what ListUsers says of them.
        keys: User name → their keys.
        owners: Access key ID → the user name and the key.
        with_mfa: The names of the users who have an MFA device.
    """

    def __init__(self, count: int, keys_each: int, now: datetime) -> None:
        """Make up that many users, the same ones each time; the caller is among them."""
        random = Random(_SEED)  # noqa: S311 - nothing here is secret
        self._now = now
        self._made: dict[str, str] = {}
        self.users: dict[str, str] = {}
        self.keys: dict[str, list[MadeUpKey]] = {}
        self.with_mfa: set[str] = set()
        for number, person in enumerate(people(count)):
            age = person.age.days
            self._made[person.name] = self._ago(age)
            self.users[person.name] = self._user(person.name, number)
            if random.random() < 0.7:
                self.with_mfa.add(person.name)
            self.keys[person.name] = [
                self._key(random, f"AKIABENCH{number:08d}{place:03d}", age)
                for place in range(keys_each)
            ]
        own = self.keys[CALLER]
        own[:1] = [MadeUpKey(DEMO_KEY_ID, True, self._ago(41), f"{self._ago(0.01)},iam,us-east-1")]
        self.owners = {key.id: (name, key) for name, keys in self.keys.items() for key in keys}

    def report(self) -> str:
        """Return the credential report as GetCredentialReport has it, in base64."""
        return base64.b64encode("\n".join(self._lines()).encode()).decode()

    def _lines(self) -> Iterator[str]:
        yield _HEADING
        yield _ROOT.format(account=ACCOUNT, made=f"{self._ago(3000)}+00:00")
        for name, keys in self.keys.items():
            told = [key.reported for key in keys[:_KEYS_REPORTED]]
            told += [_NO_KEY] * (_KEYS_REPORTED - len(told))
            mfa = str(name in self.with_mfa).lower()
            yield (
                f"{_quoted(name)},{_quoted(arn(name))},"
                f"{self._made[name]}+00:00,false,N/A,N/A,N/A,{mfa},{','.join(told)},"
                "false,N/A,false,N/A"
            )

    def _user(self, name: str, number: int) -> str:
        return (
            f"<Path>/</Path><UserName>{escape(name)}</UserName>"
            f"<UserId>AIDABENCH{number:012d}</UserId><Arn>{escape(arn(name))}</Arn>"
            f"<CreateDate>{self._made[name]}Z</CreateDate>"
        )

    def _key(self, random: Random, key_id: str, user_age: int) -> MadeUpKey:
        age = random.uniform(0.1, max(user_age, 1))
        used = random.choice(_USES) if random.random() < 0.8 else ""
        when = self._ago(min(age, 10 ** random.uniform(-2, 2.5)))
        return MadeUpKey(
            key_id, random.random() < 0.8, self._ago(age), f"{when},{used}" if used else ""
        )

    def _ago(self, days: float) -> str:
        return f"{self._now - timedelta(days=days):%Y-%m-%dT%H:%M:%S}"


def arn(name: str) -> str:
    """Return a user's ARN."""
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def utc_now() -> datetime:
    """Return the time now, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text else text
