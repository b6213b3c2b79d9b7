"""Who is in the demo account: made-up users with a believable mix of access keys."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

DEMO_KEY_ID = "AKIADEMOADMIN0000001"
"""The demo administrator's access key ID, which signs keytui's calls."""

DEMO_SECRET = "demo/made-up/secret/of/the/administrator"  # noqa: S105 - made up, opens nothing

_FIRST_NAMES = (
    "adam amina anna arjun bella ben carla cem chloe daniel diana diego elif emma eric fatima "
    "felix fiona george grace hana hugo ida igor ines ivan jack jana joao julia kai karim kate "
    "kofi lars laura leo lin lucas maja marco maria max mei milan mina nadia nils nina noah nora "
    "olga omar oscar paul petra pia quinn rafael rania rosa sam sara simon sofia tariq tess tim "
    "uma vera victor wei will yara yusuf zoe"
)
_LAST_NAMES = (
    "abbott adeyemi ahmed almeida andersen baker bauer becker bennett brandt brown carter castro "
    "chen clark costa cruz dahl davis diaz dubois ekberg evans fischer flores foster garcia gomez "
    "gray gupta haddad hansen harris hill ito jansen jensen jones kaya keller khan kim klein kovac "
    "kumar lang larsen lee lewis lopez martin mason meyer moore mori murphy nguyen novak okafor "
    "olsen ortiz park patel perez petrov price quist ramos reed rossi roy ruiz sato schmidt silva "
    "singh smith stein suzuki tanaka taylor torres turner vargas vogel wagner walsh weber wong "
    "wright yamada yilmaz young zhang ziegler"
)
_FIRST, _LAST = _FIRST_NAMES.split(), _LAST_NAMES.split()
_USES = (
    "s3 us-east-1",
    "s3 eu-west-1",
    "ec2 eu-central-1",
    "sts us-east-1",
    "dynamodb us-west-2",
    "lambda eu-west-1",
    "iam us-east-1",
)
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_WITH_MFA = frozenset({"alice", "bob", "dave"})
_WITHOUT_MFA = ("contractor", "n", "s")
_SEED = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """A made-up access key; ages count back from the account's clock.

    Attributes:
        id: The access key ID.
        age: How long ago it was made.
        used: How long ago it was last used; None for never.
        service: Where it was last used.
        region: Where it was last used.
        status: ``Active`` or ``Inactive``.
        description: The console's description tag; empty for none.
    """

    id: str
    age: timedelta
    used: timedelta | None = None
    service: str = ""
    region: str = ""
    status: str = "Active"
    description: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up user, with the time since it was made and its keys, oldest first."""

    name: str
    age: timedelta
    keys: tuple[Sample, ...] = ()

    @property
    def mfa(self) -> bool:
        """Whether the user has an MFA device: people mostly have, services don't."""
        return self.name in _WITH_MFA or ("." in self.name and not self.name.endswith(_WITHOUT_MFA))


def people(count: int) -> list[Person]:
    """Return that many users, sorted by name; the same ones for the same count."""
    random = Random(_SEED)  # noqa: S311 - nothing here is secret
    chosen = [*_CAST[:count], *(_passer_by(random, n) for n in range(count - len(_CAST)))]
    return sorted(chosen, key=lambda person: person.name.lower())


def _person(name: str, days: float, *keys: Sample) -> Person:
    return Person(name, days * _DAY, keys)


def _key(
    ending: str,
    days: float,
    used: timedelta | None = None,
    where: str = "",
    *,
    status: str = "Active",
    description: str = "",
) -> Sample:
    service, _, region = where.partition(" ")
    return Sample(f"AKIADEMO{ending}", days * _DAY, used, service, region, status, description)


# The leading users, the caller first, each showing something else.
_CAST = (
    _person("admin", 900, _key("ADMIN0000001", 41, 2 * _MINUTE, "iam us-east-1")),
    _person(
        "alice",
        760,
        _key("ALICE0000001", 730, status="Inactive"),
        _key("ALICE0000002", 115, 3 * _HOUR, "s3 eu-west-1", description="laptop"),
    ),
    _person("bob", 320, _key("BOB000000001", 6, 26 * _HOUR, "ec2 eu-central-1")),
    _person("carol", 210),
    _person(
        "ci-deploy",
        610,
        _key(
            "CIDEPLOY0001", 72, 9 * _MINUTE, "s3 eu-west-1", description="GitHub Actions production"
        ),
    ),
    _person(
        "dave",
        540,
        _key("DAVE00000001", 203, 5 * _HOUR, "lambda us-west-2"),
        _key("DAVE00000002", 12, 40 * _MINUTE, "lambda us-west-2", description="new laptop"),
    ),
    _person("erin", 64, _key("ERIN00000001", 63)),
    _person(
        "svc-backup",
        480,
        _key("SVCBACKUP001", 86, 58 * _DAY, "s3 us-east-1", description="nightly backup"),
    ),
    _person(
        "svc+reports=eu,prod.batch@acme-corp",
        430,
        _key("SVCREPORTS01", 33, 14 * _HOUR, "dynamodb eu-west-1"),
    ),
    _person(
        "old-jenkins",
        1900,
        _key("JENKINS00001", 1890, 412 * _DAY, "ec2 us-east-1", status="Inactive"),
    ),
    _person(
        "terraform",
        690,
        _key("TERRAFORM001", 401, 95 * _DAY, "sts us-east-1"),
        _key("TERRAFORM002", 94, 50 * _MINUTE, "sts us-east-1"),
    ),
    _person("zoe.contractor", 3, _key("ZOE000000001", 5 / 24)),
)


def _passer_by(random: Random, number: int) -> Person:
    # Steps that share no factor with the lists' lengths mix the names before any repeats.
    round_, place = divmod(number, len(_FIRST) * len(_LAST))
    name = f"{_FIRST[place % len(_FIRST)]}.{_LAST[(place // len(_FIRST) + place * 7) % len(_LAST)]}"
    if round_:
        name += str(round_ + 1)
    days = random.randint(30, 2000)
    keys = [
        _any_key(random, number * 2 + slot, days)
        for slot in range(random.choices((0, 1, 2), weights=(3, 5, 2))[0])
    ]
    return _person(name, days, *sorted(keys, key=lambda key: -key.age))


def _any_key(random: Random, number: int, user_days: int) -> Sample:
    days = random.uniform(0.1, user_days)
    where = random.choice(_USES)
    used = None if random.random() < 0.2 else min(days, 10 ** random.uniform(-2, 2.5)) * _DAY
    status = "Inactive" if random.random() < 0.2 else "Active"
    return _key(f"{number:012d}", days, used, where, status=status)
