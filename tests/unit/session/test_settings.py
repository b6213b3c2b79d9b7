"""flag > environment > config.toml > default."""

from pathlib import Path
from typing import Any

import pytest

from keytui.core.errors import UsageError
from keytui.core.rules import Thresholds
from keytui.session.settings import DEMO_USERS, Settings, config_file, load

NO_FLAGS: dict[str, Any] = {
    "profile": None,
    "region": None,
    "endpoint_url": None,
    "user": None,
    "read_only": None,
    "demo": None,
    "demo_users": None,
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def write_config(folder: Path, text: str) -> Path:
    path = folder / "keytui" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def defaults(home: Path) -> Settings:
    return Settings(state_folder=home / ".local/state/keytui", cache_folder=home / ".cache/keytui")


def test_defaults(home: Path) -> None:
    assert load(NO_FLAGS, {}, home) == defaults(home)
    assert load({}, {}, home).demo_users == DEMO_USERS
    assert load({}, {}, home).limits == Thresholds(old_days=90, unused_days=45)
    assert load({}, {}, home).cache


def test_thresholds_and_the_cache_are_set_in_the_config_file(home: Path) -> None:
    write_config(home / ".config", "old_days = 36500\nunused_days = 1\ncache = false\n")

    settings = load(NO_FLAGS, {}, home)

    assert settings.limits == Thresholds(old_days=36500, unused_days=1)
    assert not settings.cache


def test_config_file(home: Path) -> None:
    write_config(
        home / ".config",
        'profile = "prod"\nregion = "eu-west-1"\n'
        'endpoint_url = "http://127.0.0.1:1"\nread_only = true\n',
    )

    settings = load(NO_FLAGS, {}, home)

    assert settings.profile == "prod"
    assert settings.region == "eu-west-1"
    assert settings.endpoint_url == "http://127.0.0.1:1"
    assert settings.read_only


@pytest.mark.parametrize(
    ("flag", "env", "config", "read_only"),
    [
        (None, "", "", False),
        (None, "", "read_only = true", True),
        (None, "0", "read_only = true", False),
        (None, "1", "read_only = false", True),
        (True, "0", "read_only = false", True),
        (True, "", "", True),
    ],
)
def test_order_of_sources(
    home: Path, flag: bool | None, env: str, config: str, read_only: bool
) -> None:
    write_config(home / ".config", config)

    settings = load({"read_only": flag}, {"KEYTUI_READ_ONLY": env}, home)

    assert settings.read_only is read_only


def test_flags_go_before_the_config_file(home: Path) -> None:
    write_config(home / ".config", 'profile = "prod"\nregion = "eu-west-1"\n')

    settings = load({"profile": "dev", "region": None, "user": "alice"}, {}, home)

    assert (settings.profile, settings.region, settings.user) == ("dev", "eu-west-1", "alice")


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("AWS_PROFILE", "profile"),
        ("AWS_DEFAULT_PROFILE", "profile"),
        ("AWS_DEFAULT_REGION", "region"),
        ("AWS_ENDPOINT_URL", "endpoint_url"),
        ("AWS_ENDPOINT_URL_IAM", "endpoint_url"),
    ],
)
def test_aws_variables_go_before_the_config_file(home: Path, variable: str, name: str) -> None:
    """None leaves the choice to the SDK, which reads the variable itself."""
    write_config(home / ".config", f'{name} = "from-the-file"\n')

    settings = load(NO_FLAGS, {variable: "from-the-environment"}, home)

    assert getattr(settings, name) in {None, "from-the-environment"}


@pytest.mark.parametrize("word", ["1", "true", "TRUE", " yes ", "on"])
def test_read_only_is_switched_on(home: Path, word: str) -> None:
    assert load({}, {"KEYTUI_READ_ONLY": word}, home).read_only


@pytest.mark.parametrize("word", ["0", "false", "No", "off", ""])
def test_read_only_is_switched_off(home: Path, word: str) -> None:
    assert not load({}, {"KEYTUI_READ_ONLY": word}, home).read_only


@pytest.mark.parametrize("word", ["2", "ja", "readonly", " "])
def test_read_only_that_can_not_be_understood_stops_keytui(home: Path, word: str) -> None:
    """A guess could leave writable what somebody meant to lock."""
    with pytest.raises(UsageError, match="KEYTUI_READ_ONLY"):
        load({}, {"KEYTUI_READ_ONLY": word}, home)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("profile = ", "not TOML"),
        ('profle = "x"', "profle"),
        ("profile = 1", "profile takes a text in quotes"),
        ('read_only = "yes"', "read_only takes true or false, without quotes"),
        ("read_only = 1", "read_only takes true or false"),
        ("[profile]\nname = 'x'", "profile takes a text in quotes"),
        ("old_days = 0", "old_days takes a whole number of days from 1 to 36500"),
        ("old_days = -90", "old_days takes a whole number of days"),
        ("old_days = 36501", "old_days takes a whole number of days"),
        ("unused_days = 1e9", "unused_days takes a whole number of days"),
        ("unused_days = 45.0", "unused_days takes a whole number of days"),
        ('unused_days = "90"', "unused_days takes a whole number of days from 1 to 36500, without"),
        ("old_days = true", "old_days takes a whole number of days"),
        ('old_days = "90d"', "old_days takes a whole number of days"),
        ("cache = 0", "cache takes true or false"),
        ("demo = true", "demo"),
        ("state_folder = '/tmp'", "state_folder"),
    ],
)
def test_config_file_that_can_not_be_used(home: Path, text: str, says: str) -> None:
    path = write_config(home / ".config", text)

    with pytest.raises(UsageError) as caught:
        load(NO_FLAGS, {}, home)

    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_config_file_that_can_not_be_read(home: Path) -> None:
    (home / ".config/keytui/config.toml").mkdir(parents=True)

    with pytest.raises(UsageError, match="can't be read"):
        load(NO_FLAGS, {}, home)


def test_config_file_that_is_no_text(home: Path) -> None:
    write_config(home / ".config", "").write_bytes(b"profile = '\xff'")

    with pytest.raises(UsageError, match="can't be read"):
        load(NO_FLAGS, {}, home)


def test_file_in_the_place_of_the_config_folder(home: Path) -> None:
    """Neither readable nor missing: it must end in a sentence or in the defaults."""
    (home / ".config").mkdir(parents=True)
    (home / ".config/keytui").write_text("")

    try:
        settings = load(NO_FLAGS, {}, home)
    except UsageError:
        return
    assert settings == defaults(home)


def test_xdg_folders(home: Path, tmp_path: Path) -> None:
    write_config(tmp_path / "cfg", 'profile = "xdg"')
    env = {
        "XDG_CONFIG_HOME": str(tmp_path / "cfg"),
        "XDG_STATE_HOME": str(tmp_path / "st"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }

    settings = load(NO_FLAGS, env, home)

    assert settings.profile == "xdg"
    assert settings.state_folder == tmp_path / "st/keytui"
    assert settings.cache_folder == tmp_path / "cache/keytui"


@pytest.mark.parametrize("value", ["", ".", "relative/folder", "~/state"])
def test_relative_xdg_folder_is_ignored(
    home: Path, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path / value.replace("~", "tilde"), 'profile = "planted"')

    folders = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), value)
    settings = load(NO_FLAGS, folders, home)

    assert settings == defaults(home)


def test_number_of_demo_users_means_the_demo(home: Path) -> None:
    settings = load({"demo_users": 5000, "demo": None}, {}, home)

    assert settings.demo
    assert settings.demo_users == 5000


@pytest.mark.parametrize("kind", ["os", "pass", "cryptfile"])
def test_keyring_is_named_in_the_file_or_the_environment(tmp_path: Path, kind: str) -> None:
    config = tmp_path / ".config/keytui/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'keyring = "{kind}"\n')
    assert load({}, {}, tmp_path).keyring == kind
    assert load({}, {"KEYTUI_KEYRING": "pass"}, tmp_path).keyring == "pass"


def test_keyring_of_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^KEYTUI_KEYRING names no .* os, pass or cryptfile"):
        load({}, {"KEYTUI_KEYRING": "plain"}, tmp_path)
    config = tmp_path / ".config/keytui/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('keyring = "plain"\n')
    with pytest.raises(UsageError, match=r"config\.toml, keyring names no keyring"):
        load({}, {}, tmp_path)


def test_config_file_is_where_xdg_says(home: Path) -> None:
    assert config_file({}, home) == home / ".config/keytui/config.toml"
    assert config_file({"XDG_CONFIG_HOME": "relative"}, home).is_relative_to(home)
    assert config_file({"XDG_CONFIG_HOME": "/x"}, home) == Path("/x/keytui/config.toml")
