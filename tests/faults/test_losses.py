"""What counts as a loss beside a lost secret: a key that was deleted, a dead profile, a hang."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.outside import Scene, losses
from tests.faults.proxy import Break, FaultProxy, Kind
from tests.faults.rotations import PROFILE
from tests.support.moto_server import MotoAccount, bare_client


@pytest.fixture
def scene(account: MotoAccount, user: str, proxy: FaultProxy, home: Path) -> Scene:
    """A scene where nothing has happened."""
    return Scene(account.iam, user, proxy, frozenset(), asked=0, home=home)


@pytest.fixture
def through(account: MotoAccount, proxy: FaultProxy) -> Callable[[str, str], None]:
    """Delete a key as keytui does it: through the proxy."""
    iam = bare_client(replace(account.options, endpoint_url=proxy.url))

    def delete(user: str, key_id: str) -> None:
        iam.delete_access_key(UserName=user, AccessKeyId=key_id)

    return delete


def somebodys(scene: Scene) -> str:
    """Create a key by other means; return its ID."""
    made = scene.iam.create_access_key(UserName=scene.user)["AccessKey"]
    return made["AccessKeyId"]


def test_deleting_a_key_of_others_is_a_loss(
    scene: Scene, through: Callable[[str, str], None]
) -> None:
    key_id = somebodys(scene)
    scene = replace(scene, others=frozenset({key_id}))
    assert losses(scene) == []

    through(scene.user, key_id)

    assert losses(scene) == [
        f"keytui deleted {key_id}, which it did not create.",
        f"{key_id}, which somebody else created, is not active any more.",
    ]


def test_deactivating_a_key_of_others_is_a_loss(scene: Scene) -> None:
    key_id = somebodys(scene)
    scene.iam.update_access_key(UserName=scene.user, AccessKeyId=key_id, Status="Inactive")
    (sentence,) = losses(replace(scene, others=frozenset({key_id})))
    assert "is not active any more" in sentence


def test_deleting_a_key_that_may_be_in_use_is_a_loss(
    scene: Scene, account: MotoAccount, through: Callable[[str, str], None]
) -> None:
    iam = bare_client(replace(account.options, endpoint_url=scene.proxy.url))
    key_id = iam.create_access_key(UserName=scene.user)["AccessKey"]["AccessKeyId"]
    through(scene.user, key_id)
    scene = replace(scene, asked=1)
    assert losses(scene) == []
    found = losses(replace(scene, guarded=frozenset({key_id})))
    assert found == [f"keytui deleted {key_id}, which may be in use."]


def test_profile_whose_key_does_not_work_is_a_loss(scene: Scene) -> None:
    made = scene.iam.create_access_key(UserName=scene.user)["AccessKey"]
    (scene.home / ".aws").mkdir()
    (scene.home / ".aws/credentials").write_text(PROFILE.format_map(made))
    key_id = made["AccessKeyId"]
    scene = replace(scene, before=frozenset({key_id}))
    assert losses(scene) == []

    scene.iam.update_access_key(UserName=scene.user, AccessKeyId=key_id, Status="Inactive")

    assert losses(scene) == [f"credentials names {key_id}, which is not active."]


def test_profile_that_nothing_can_serve_is_a_loss(scene: Scene, account: MotoAccount) -> None:
    iam = bare_client(replace(account.options, endpoint_url=scene.proxy.url))
    key_id = iam.create_access_key(UserName=scene.user)["AccessKey"]["AccessKeyId"]
    (scene.home / ".aws").mkdir()
    line = f"[work]\ncredential_process = keytui credentials {key_id}\n"
    (scene.home / ".aws/config").write_text(line)
    told = f"{key_id}: keytui recover deletes it"
    found = losses(replace(scene, asked=1, recovered=told))
    assert found == [f"config names {key_id}, whose secret is not in the keyring."]


def test_hang_is_a_loss(scene: Scene) -> None:
    assert losses(replace(scene, hung=("SIGTERM",))) == ["keytui did not end: SIGTERM."]


def test_denial_comes_before_the_work() -> None:
    with pytest.raises(ValueError, match="before it does the work"):
        Break(Kind.DENIED, after=True)
