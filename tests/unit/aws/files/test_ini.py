"""AWS's files changed line by line, with botocore's own reader as the judge."""

import string
from pathlib import Path
from typing import Any

import pytest
from botocore.configloader import load_config, raw_config_parse
from botocore.exceptions import ConfigParseError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keytui.aws.files.ini import (
    CREDENTIAL_SETTINGS,
    KEY_SETTINGS,
    FileKind,
    drop_settings,
    find,
    profile_of,
    rename,
    sections,
    set_process,
    split_lines,
)

COMMAND = "/opt/my\\ tools/keytui credentials AKIAIOSFODNN7EXAMPLE"
LINE = f"credential_process = {COMMAND}"

NAMES = ("dev", "my dev", "prod", "default")
HEADERS = st.sampled_from(
    [
        *(
            "[default]",
            "[profile dev]",
            "[profile 'dev']",
            '[profile "my dev"]',
            "[profile my\\ dev]",
        ),
        *("[profile my dev]", "[profile prod ]", "[ profile dev]", "[profile\tprod]", "[dev]"),
        *("[my dev]", "[prod]", "[sso-session corp]", '[profile "dev]', "[preview] ; x]", "[x"),
    ]
)
SETTING_NAMES = st.sampled_from(
    [
        *("region", "Output", "s3", "role_arn", "aws_access_key_id", "AWS_Secret_Access_Key"),
        *("credential_process", "source_profile", "sso_session", "x y"),
    ]
)
VALUES = st.text(string.ascii_letters + " =:;#[]%é\u2028\x0b", max_size=8)
BLANKS = st.sampled_from(["", "", "", " ", "  ", "\t", "    "])
SETTINGS = st.builds(
    lambda indent, name, mark, value: f"{indent}{name}{mark}{value}",
    BLANKS,
    SETTING_NAMES,
    st.sampled_from([" = ", "=", ": ", " =", "  :"]),
    VALUES,
)
OTHERS = st.builds(
    lambda indent, mark, text: f"{indent}{mark}{text}",
    BLANKS,
    st.sampled_from(["# ", ";", "    nested = ", ""]),
    VALUES,
)


def said_once(line: str) -> str:
    """What may not be said twice in a section; a comment may."""
    name = line.replace(":", "=").partition("=")[0].strip().lower()
    return name if name in CREDENTIAL_SETTINGS | {"region", "output", "s3", "x y"} else line


BODIES = st.lists(st.one_of(SETTINGS, SETTINGS, OTHERS), max_size=6, unique_by=said_once)
FILES = st.builds(
    lambda headers, bodies, end, last: (
        end.join(
            line for header, body in zip(headers, bodies, strict=False) for line in (header, *body)
        )
        + (end if last else "")
    ),
    st.lists(st.builds(str.__add__, BLANKS, HEADERS), max_size=4, unique_by=str.strip),
    st.lists(BODIES, min_size=4, max_size=4),
    st.sampled_from(["\n", "\n", "\r\n", "\r"]),
    st.booleans(),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ini")


def botocore_reads(text: str, folder: Path) -> dict[str, Any] | None:
    """Return what botocore makes of a config file; None where it refuses it."""
    path = folder / "config"
    path.write_bytes(text.encode())
    try:
        return load_config(str(path))
    except ConfigParseError:
        return None


def raw(text: str, folder: Path) -> dict[str, Any] | None:
    """Return what botocore makes of a credentials file; None where it refuses it."""
    path = folder / "credentials"
    path.write_bytes(text.encode())
    try:
        found: dict[str, Any] = raw_config_parse(str(path))
    except ConfigParseError:
        return None
    return found


@settings(max_examples=150, deadline=None)
@given(text=FILES, name=st.sampled_from(NAMES))
def test_botocore_reads_the_command_and_all_else_as_before(
    text: str, name: str, folder: Path
) -> None:
    before = botocore_reads(text, folder)
    assume(before is not None)
    assert before is not None

    new = set_process(text, name, COMMAND)

    after = botocore_reads(new, folder)
    assert after is not None
    had = before["profiles"].pop(name, {})
    has = after["profiles"].pop(name)
    assert has == {k: v for k, v in had.items() if k not in CREDENTIAL_SETTINGS} | {
        "credential_process": COMMAND
    }
    assert after == before
    kept = [line.removeprefix("# set aside by keytui: ") for line in split_lines(new)]
    assert set(split_lines(text)[:-1]) <= set(kept)


@settings(max_examples=70, deadline=None)
@given(text=FILES, name=st.sampled_from(NAMES))
def test_botocore_finds_an_entry_under_its_new_name(text: str, name: str, folder: Path) -> None:
    before = raw(text, folder)
    assume(before is not None)
    assert before is not None

    new_text, new = rename(text, name)

    assert new == (f"{name}-set-aside" if name in before else name)
    after = raw(new_text, folder)
    assert after == {new if section == name else section: v for section, v in before.items()}


@settings(max_examples=70, deadline=None)
@given(text=FILES, name=st.sampled_from(NAMES), kind=st.sampled_from(FileKind))
def test_botocore_finds_a_key_no_more(text: str, name: str, kind: FileKind, folder: Path) -> None:
    before = raw(text, folder)
    assume(before is not None)
    assert before is not None

    after = raw(drop_settings(text, name, kind, KEY_SETTINGS, keep_header=True), folder)

    assert after == {
        section: {
            setting: value
            for setting, value in found.items()
            if profile_of(section, kind) != name or setting not in KEY_SETTINGS
        }
        for section, found in before.items()
    }


@settings(max_examples=70, deadline=None)
@given(text=FILES)
def test_sections_and_settings_are_botocores(text: str, folder: Path) -> None:
    before = raw(text, folder)
    assume(before is not None)
    assert before is not None

    found = {s.name: {one.name for one in s.settings} for s in sections(text)}

    assert found == {name: set(values) for name, values in before.items()}
    assert "".join(split_lines(text)) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"[profile dev]\n{LINE}\n"),
        ("[default]\nregion = x", f"[default]\nregion = x\n\n[profile dev]\n{LINE}\n"),
        ("[default]\r\n", f"[default]\r\n\r\n[profile dev]\r\n{LINE}\r\n"),
        ("[profile dev]", f"[profile dev]\n{LINE}\n"),
        (
            "# mine\n[profile dev]\n  s3 =\n    addressing_style = path\n  region=x\n",
            f"# mine\n[profile dev]\n  {LINE}\n  s3 =\n    addressing_style = path\n  region=x\n",
        ),
        (
            "[profile dev]\nrole_arn = a\n  b\nregion = x\n[profile e]\nrole_arn = c\n",
            f"[profile dev]\n{LINE}\n# set aside by keytui: role_arn = a\n"
            "# set aside by keytui:   b\nregion = x\n[profile e]\nrole_arn = c\n",
        ),
        ("\ufeff[profile dev]\n", f"\ufeff[profile dev]\n\n[profile dev]\n{LINE}\n"),
        (
            "[profile dev]\nregion=1\n[profile dev]\nregion=2\n",
            f"[profile dev]\nregion=1\n[profile dev]\n{LINE}\nregion=2\n",
        ),
        ("no setting\n[profile dev]\n\udcff\n", f"no setting\n[profile dev]\n{LINE}\n\udcff\n"),
    ],
)
def test_what_is_not_asked_for_stays_to_the_byte(before: str, after: str) -> None:
    assert set_process(before, "dev", COMMAND) == after


def test_static_key_is_taken_out_where_that_is_asked_for() -> None:
    text = "[profile dev]\naws_access_key_id = A\naws_secret_access_key = S\nregion = x\n"

    assert set_process(text, "dev", COMMAND, drop_keys=True) == (
        f"[profile dev]\n{LINE}\nregion = x\n"
    )


def test_entry_without_its_key_is_no_entry() -> None:
    key = "aws_access_key_id = A\naws_secret_access_key = S\n"
    text = f"[a]\n{key}[b]\n{key}# mine\nregion = x\n"

    text = drop_settings(text, "a", FileKind.CREDENTIALS, KEY_SETTINGS)
    text = drop_settings(text, "b", FileKind.CREDENTIALS, KEY_SETTINGS)

    assert text == "[b]\n# mine\nregion = x\n"


def test_next_free_name_is_taken_for_an_entry_set_aside() -> None:
    text = "[dev-set-aside]\n[ dev ]\n  [dev] # mine\nx = 1\n"

    assert rename(text, "dev") == (
        text.replace("[dev] # mine", "[dev-set-aside-2] # mine"),
        "dev-set-aside-2",
    )


def test_last_section_that_claims_a_profile_is_it() -> None:
    text = "[profile dev]\nregion = 1\n[profile 'dev']\nregion = 2\n[dev]\nregion = 3\n"

    assert (one := find(text, "dev", FileKind.CONFIG))
    assert one.value("region") == "2"
    assert (one := find(text, "dev", FileKind.CREDENTIALS))
    assert one.value("region") == "3"
    assert find(text, "prod", FileKind.CONFIG) is None
