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
    ("s3", "us-east-1"),
    ("s3", "eu-west-1"),
    ("ec2", "eu-central-1"),
    ("sts", "us-east-1"),
    ("dynamodb", "us-west-2"),
    ("lambda", "eu-west-1"),
    ("iam", "us-east-1"),
)
_WITH_MFA = frozenset({"alice", "bob", "dave"})
_WITHOUT = ("contractor", "n", "s")
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
        return self.name in _WITH_MFA or ("." in self.name and not self.name.endswith(_WITHOUT))


def people(count: int) -> list[Person]:
    """Return that many users, sorted by name; the same ones for the same count."""
    chosen = _cast()[:count]
    chosen += _crowd(count - len(chosen))
    return sorted(chosen, key=lambda person: person.name.lower())


def _days(days: float) -> timedelta:
    return timedelta(days=days)


def _cast() -> list[Person]:
    """Return the leading users, the caller first, each showing something else."""
    minutes, hours = timedelta(minutes=1), timedelta(hours=1)
    return [
        Person(
            "admin",
            _days(900),
            (Sample(DEMO_KEY_ID, _days(41), 2 * minutes, "iam", "us-east-1"),),
        ),
        Person(
            "alice",
            _days(760),
            (
                Sample("AKIADEMOALICE0000001", _days(730), status="Inactive"),
                Sample(
                    "AKIADEMOALICE0000002",
                    _days(115),
                    3 * hours,
                    "s3",
                    "eu-west-1",
                    description="laptop",
                ),
            ),
        ),
        Person(
            "bob",
            _days(320),
            (Sample("AKIADEMOBOB000000001", _days(6), 26 * hours, "ec2", "eu-central-1"),),
        ),
        Person("carol", _days(210)),
        Person(
            "ci-deploy",
            _days(610),
            (
                Sample(
                    "AKIADEMOCIDEPLOY0001",
                    _days(72),
                    9 * minutes,
                    "s3",
                    "eu-west-1",
                    description="GitHub Actions production",
                ),
            ),
        ),
        Person(
            "dave",
            _days(540),
            (
                Sample("AKIADEMODAVE00000001", _days(203), 5 * hours, "lambda", "us-west-2"),
                Sample(
                    "AKIADEMODAVE00000002",
                    _days(12),
                    40 * minutes,
                    "lambda",
                    "us-west-2",
                    description="new laptop",
                ),
            ),
        ),
        Person("erin", _days(64), (Sample("AKIADEMOERIN00000001", _days(63)),)),
        Person(
            "svc-backup",
            _days(480),
            (
                Sample(
                    "AKIADEMOSVCBACKUP001",
                    _days(86),
                    _days(58),
                    "s3",
                    "us-east-1",
                    description="nightly backup",
                ),
            ),
        ),
        Person(
            "svc+reports=eu,prod.batch@acme-corp",
            _days(430),
            (Sample("AKIADEMOSVCREPORTS01", _days(33), 14 * hours, "dynamodb", "eu-west-1"),),
        ),
        Person(
            "old-jenkins",
            _days(1900),
            (
                Sample(
                    "AKIADEMOJENKINS00001",
                    _days(1890),
                    _days(412),
                    "ec2",
                    "us-east-1",
                    status="Inactive",
                ),
            ),
        ),
        Person(
            "terraform",
            _days(690),
            (
                Sample("AKIADEMOTERRAFORM001", _days(401), _days(95), "sts", "us-east-1"),
                Sample("AKIADEMOTERRAFORM002", _days(94), 50 * minutes, "sts", "us-east-1"),
            ),
        ),
        Person("zoe.contractor", _days(3), (Sample("AKIADEMOZOE000000001", 5 * hours),)),
    ]


def _crowd(count: int) -> list[Person]:
    random = Random(_SEED)  # noqa: S311 - nothing here is secret
    return [_passer_by(random, number) for number in range(count)]


def _passer_by(random: Random, number: int) -> Person:
    # Steps that share no factor with the lists' lengths mix the names before any repeats.
    round_, place = divmod(number, len(_FIRST) * len(_LAST))
    name = f"{_FIRST[place % len(_FIRST)]}.{_LAST[(place // len(_FIRST) + place * 7) % len(_LAST)]}"
    if round_:
        name += str(round_ + 1)
    age = random.randint(30, 2000)
    keys = tuple(
        _any_key(random, number * 2 + slot, age)
        for slot in range(random.choices((0, 1, 2), weights=(3, 5, 2))[0])
    )
    return Person(name, _days(age), tuple(sorted(keys, key=lambda key: -key.age)))


def _any_key(random: Random, number: int, user_age: int) -> Sample:
    age = random.uniform(0.1, user_age)
    service, region = random.choice(_USES)
    used = None if random.random() < 0.2 else _days(min(age, 10 ** random.uniform(-2, 2.5)))
    return Sample(
        f"AKIADEMO{number:012d}",
        _days(age),
        used,
        service,
        region,
        status="Inactive" if random.random() < 0.2 else "Active",
    )
