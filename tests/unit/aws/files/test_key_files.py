"""Keys in the files of the console, of other tools and of AWS; what can't be read is not quoted."""

import pytest

from keytui.aws.files.ini import FileKind
from keytui.aws.files.key_files import Form, KeyFile, read_keys
from keytui.core.errors import StoreError
from keytui.core.model import ROOT_USER
from keytui.stores.csv_file import _content
from tests.support.sentinel import KEY_ID, SENTINEL, full_text, new_key

OTHER_ID = "AKIAI44QH8DHBEXAMPLE"
STATIC = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SENTINEL}\n"


def read(text: str | bytes, profile: str | None = None) -> KeyFile:
    return read_keys(text if isinstance(text, bytes) else text.encode(), "FILE", profile)


def refused(text: str | bytes, profile: str | None = None) -> str:
    with pytest.raises(StoreError) as caught:
        read(text, profile)
    assert caught.value.safe == "Nothing was imported."
    assert SENTINEL not in str(caught.value)
    assert caught.value.__context__ is None
    shown = full_text(caught.value)
    assert "Traceback" in shown
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "users"),
    [
        (f"\ufeffAccess key ID,Secret access key\r\n{KEY_ID},{SENTINEL}\r\n", [""]),
        (f"Access key ID,Secret access key\n{KEY_ID},{SENTINEL}", [""]),
        (f'User Name,Access Key Id,Secret Access Key\n"a,b",{KEY_ID},{SENTINEL}\n', ["a,b"]),
        (f"User name,Access key ID,Secret access key\na, {KEY_ID} ,{SENTINEL}\n\n", ["a"]),
        (_content(new_key("bob")).reveal(), ["bob"]),
        (_content(new_key(ROOT_USER.name)).reveal(), [""]),
        (f"\ufeffAWSAccessKeyId={KEY_ID}\r\nAWSSecretKey={SENTINEL}\r\n", [""]),
        (f'{{"AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{SENTINEL}"}}', [""]),
        (
            f'{{"AccessKey": {{"UserName": "bob", "AccessKeyId": "{KEY_ID}", "Status": "Active",'
            f'\n"SecretAccessKey": "{SENTINEL}"}}}}\n',
            ["bob"],
        ),
    ],
)
def test_files_of_keys(text: str, users: list[str]) -> None:
    found = read(text)

    assert (found.form, found.more) == (Form.KEYS, ())
    assert [(key.key_id, key.secret.reveal()) for key in found.keys] == [(KEY_ID, SENTINEL)]
    assert [key.user for key in found.keys] == users


def test_all_rows_of_a_csv_file() -> None:
    header = "User Name,Access key ID,Secret access key\n"
    rows = f"a,{KEY_ID},{SENTINEL}\nb,{OTHER_ID},{SENTINEL}\na,{KEY_ID},{SENTINEL}\n"

    found = read(header + rows)

    assert [(key.user, key.key_id) for key in found.keys] == [("a", KEY_ID), ("b", OTHER_ID)]


def test_what_else_a_csv_file_holds_is_named() -> None:
    header = "User name,Password,Access key ID,Secret access key,Console login link,Notes\n"

    assert read(f"{header}a,hunter2,{KEY_ID},{SENTINEL},https://x,\n").more == ("password",)
    assert read(f"{header}a,,{KEY_ID},{SENTINEL},https://x,\n").more == ()


KEY = f'"AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{SENTINEL}"'


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (f'{{{KEY}, "DbPassword": "x"}}', ("DbPassword",)),
        (f'{{{KEY}, "DbPassword": ""}}', ("DbPassword",)),
        (f'{{{KEY}, "secretAccessKey": "x"}}', ("secretAccessKey",)),
        (f'{{{KEY}, "Version": {{"DbPassword": "x"}}}}', ("Version",)),
        (f'{{{KEY}, "UserName": ["x"]}}', ("UserName",)),
        (f'{{{KEY}, "ResponseMetadata": {{}}}}', ("ResponseMetadata",)),
        (f'{{{KEY}, "Version": 1, "SessionToken": "", "Expiration": "2026-01-01"}}', ()),
        (f'{{"AccessKey": {{{KEY}, "a": 1}}, "b": 2}}', ("b", "a")),
        (f'{{"AccessKey": {{{KEY}}}, "SecretAccessKey": "x"}}', ("SecretAccessKey",)),
        (f'{{"AccessKey": {{{KEY}}}, "ResponseMetadata": {{"a": 1}}}}', ("ResponseMetadata",)),
        (f'{{"AccessKey": {{{KEY}}}, "ResponseMetadata": "x"}}', ("ResponseMetadata",)),
        (
            f'{{"AccessKey": {{{KEY}, "CreateDate": "x", "Status": "Active"}},'
            f'"ResponseMetadata": {{"RequestId": "x", "HTTPHeaders": {{"date": "x"}}}}}}',
            (),
        ),
    ],
)
def test_what_else_a_json_file_holds_is_named(text: str, more: tuple[str, ...]) -> None:
    assert read(text).more == more


def test_empty_cells_that_no_column_names_are_nothing() -> None:
    text = f"Access key ID,Secret access key,,\n{KEY_ID},{SENTINEL},,, \n"
    assert read(text).more == ()


@pytest.mark.parametrize(
    ("text", "profile", "name", "kind"),
    [
        (f"[dev]\n{STATIC}", None, "dev", FileKind.CREDENTIALS),
        (f"[dev]\n{STATIC}[prod]\n{STATIC}", "prod", "prod", FileKind.CREDENTIALS),
        (f"# x\n[a]\nregion = x\n[dev]\n{STATIC}", None, "dev", FileKind.CREDENTIALS),
        (f"[default]\nregion = x\n[profile 'my dev']\n{STATIC}", None, "my dev", FileKind.CONFIG),
        (f"[default]\r\n{STATIC}", "default", "default", FileKind.CREDENTIALS),
    ],
)
def test_profile_of_awss_files(text: str, profile: str | None, name: str, kind: FileKind) -> None:
    found = read(text, profile)

    assert found.form is Form.PROFILES
    (key,) = found.keys
    assert (key.profile, key.kind, key.key_id) == (name, kind, KEY_ID)
    assert key.secret.reveal() == SENTINEL


@pytest.mark.parametrize(
    ("text", "profile", "said"),
    [
        ("", None, "FILE is no file of access keys"),
        (SENTINEL, None, "FILE is no file of access keys"),
        ("Access key ID,Secret access key\n", None, "no access key below its first line"),
        (f"Access key ID,Secret access key\n\n{KEY_ID}\n", None, "Line 3 of FILE has no secret"),
        (f"Access key ID,Secret access key\n{SENTINEL},x\n", None, "Line 2 of FILE has no access"),
        (
            f'Access key ID,Secret access key\n{KEY_ID},"{SENTINEL}',
            None,
            "Line 2 of FILE is not CSV",
        ),
        (
            f"Access key ID,Secret access key\n{KEY_ID},{SENTINEL}\n{KEY_ID},{SENTINEL}x\n",
            None,
            "Line 3 of FILE has another secret",
        ),
        (
            f"Access key ID,Secret access key\nASIAIOSFODNN7EXAMPLE,{SENTINEL}\n",
            None,
            "line 2 of FILE is temporary",
        ),
        (f"Access key ID,Secret access key\n{KEY_ID},{SENTINEL}\n", "dev", "FILE has no profiles"),
        (f"AWSAccessKeyId={KEY_ID}\n{SENTINEL}\n", None, "Line 2 of FILE is no line of a rootkey"),
        (f"AWSAccessKeyId={KEY_ID}\n", None, "no secret access key"),
        (f"AWSAccessKeyId={KEY_ID}\nAWSAccessKeyId={KEY_ID}\n", None, "Line 2 of FILE says again"),
        (f'{{\n"{SENTINEL}"', None, "Line 2 of FILE is not JSON"),
        (f'{{{KEY}, "a": {{"b": "{SENTINEL}", "b": 2}}}}', None, "FILE has a name twice in one"),
        (f"{{{KEY}, {KEY}}}", None, "FILE has a name twice in one JSON object"),
        ('{"a":' * 100_000, None, "Line 1 of FILE is not JSON"),
        (
            f"Access key ID,Secret access key\n\n{KEY_ID},{SENTINEL},{SENTINEL}\n",
            None,
            "Line 3 of FILE has a cell that no column of line 1 names",
        ),
        (
            f"Access key ID,,Secret access key\n{KEY_ID},{SENTINEL},{SENTINEL}\n",
            None,
            "Line 2 of FILE has a cell that no column",
        ),
        (
            f"Access key ID,Secret access key,Note,note \n{KEY_ID},{SENTINEL},{SENTINEL},\n",
            None,
            "Line 1 of FILE names a column twice",
        ),
        ('{"AccessKey": 1}', None, "no access key ID"),
        (f'{{"AccessKeyId":"{KEY_ID}","SessionToken":"{SENTINEL}"}}', None, "temporary"),
        (
            f"[dev]\n{STATIC}aws_session_token = {SENTINEL}\n",
            None,
            "profile dev in FILE is temporary",
        ),
        (f"[a]\n{STATIC}[b]\n{STATIC}", None, "several profiles: a, b. Nothing was imported. Name"),
        (f"[a]\n{STATIC}", "b", "no profile b with"),
        ("[a]\nregion = x\n", None, "no profile with"),
        (
            f"[a]\nregion = x\naws_access_key_id = {SENTINEL}!\naws_secret_access_key = x",
            None,
            "Line 3",
        ),
        (b"Access key ID,Secret access key\n\xff\xfe", None, "Line 2 of FILE is not UTF-8"),
    ],
)
def test_what_can_not_be_read(text: str | bytes, profile: str | None, said: str) -> None:
    assert said in refused(text, profile)
