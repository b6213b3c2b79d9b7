"""What the arguments mean: commands, texts with an access key ID, slips."""

import pytest

from keytui.cli.arguments import _wanted, ids_in, parse
from keytui.cli.commands import MODULES
from keytui.cli.parser import Reader
from keytui.core.errors import UsageError
from tests.support.sentinel import SENTINEL

ID = "AKIAIOSFODNN7EXAMPLE"
OTHER = "AKIAI44QH8DHBEXAMPLE"
LINE = f'2026-01-15 ERROR denied {{"accessKeyId":"{ID}"}}'


@pytest.mark.parametrize(
    "argv",
    [
        [ID],
        ["find", ID],
        [LINE],
        LINE.split(),
        ["--profile", "acme", "--read-only", ID],
        ["--profile=acme", ID, "--read-only"],
        [f"-aws_access_key_id={ID}"],
        [f"-\taws_access_key_id = {ID}"],
        [f"-aws_access_key_id={ID}", f"-aws_secret_access_key={SENTINEL}"],
        ["find", f"-aws_secret_access_key={SENTINEL}", "--- a/creds", ID, "--read-only"],
        ["--", ID],
        ["find", ID, "--demo-users", "3"],
    ],
)
def test_text_with_an_id_opens_the_screen_there(argv: list[str]) -> None:
    request = parse(argv)
    assert request.command is None
    assert request.flags["key_ids"] == (ID,)


def test_settings_stand_before_and_after_the_text() -> None:
    flags = parse(["--profile", "acme", ID, OTHER, "--read-only"]).flags
    assert (flags["profile"], flags["read_only"]) == ("acme", True)
    assert flags["key_ids"] == (ID, OTHER)


@pytest.mark.parametrize("argv", [[], ["--user", "find"], ["--profile", ID]])
def test_what_follows_an_option_is_its_value(argv: list[str]) -> None:
    request = parse(argv)
    assert request.command is None
    assert "key_ids" not in request.flags


@pytest.mark.parametrize("argv", [["delte"], ["delte", ID], ["deactivat", ID], ["lst"]])
def test_misspelt_command_is_no_text(argv: list[str]) -> None:
    with pytest.raises(UsageError, match=r"There is no command \w+; did you mean"):
        parse(argv)


def test_unknown_word_is_answered_with_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"^There is no command bogus\. keytui --help names"):
        parse(["bogus"])


@pytest.mark.parametrize("text", ["AKIA12", ID.lower(), "no ID here", f"{ID}X"])
def test_text_without_an_id_is_told_what_one_is(text: str) -> None:
    with pytest.raises(UsageError, match="AKIA and 16 more capital letters or digits"):
        parse([text])


def test_secret_pasted_by_mistake_is_not_repeated() -> None:
    for argv in ([SENTINEL], ["find", SENTINEL], [f"secret = {SENTINEL}"]):
        with pytest.raises(UsageError) as caught:
            parse(argv)
        assert SENTINEL not in str(caught.value)
    with pytest.raises(UsageError) as caught:
        ids_in([SENTINEL])
    assert SENTINEL not in str(caught.value)


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["list", SENTINEL], "unrecognized arguments: 1, not repeated"),
        (["list", f"--secret={SENTINEL}", "\x1b[31mred"], "unrecognized arguments: --secret\n"),
        (["list", f"-aws_secret_access_key={SENTINEL}"], "unrecognized arguments: 1, not"),
        (["find", ID, "-p", SENTINEL], "unrecognized arguments: 2, not repeated"),
        (["find", ID, "-read-only"], "unrecognized arguments: 1, not repeated"),
        (["list", f"--findings={SENTINEL}"], "--findings: ignored explicit argument\n"),
        (["audit", "--fail-on", SENTINEL], "--fail-on: takes a list of root, old"),
        (["audit", f"--fail-on=old,{SENTINEL}"], "--fail-on: takes a list of root, old"),
        (["create", "--user", "a", "--store", SENTINEL], "--store: takes keyring, or csv:"),
        (["rotate", ID, "--profiles", SENTINEL], "--profiles: invalid choice (choose from"),
        ([f"--demo-users={SENTINEL}"], "--demo-users: takes a number"),
        ([f"-h{SENTINEL}"], "ignored explicit argument"),
        (["rotate", ID, "--to", f"{SENTINEL} (\x1b[31m"], "--to: invalid choice (choose from"),
    ],
)
def test_slip_is_not_repeated(
    argv: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(argv)
    told = capsys.readouterr().err
    assert named in told
    assert SENTINEL[:8] not in told
    assert "\x1b" not in told


def test_error_of_any_wording_repeats_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Another Python's argparse may say it in other words."""
    reader = Reader(prog="keytui")
    reader.add_argument("--store")
    reader.parse_known_args(["--store", SENTINEL, f"--key={SENTINEL[::-1]}"])
    with pytest.raises(SystemExit):
        reader.error(f"argument --store: bad {SENTINEL!r}, or {SENTINEL} or {SENTINEL[::-1]}")
    told = capsys.readouterr().err
    assert "argument --store: bad" in told
    assert SENTINEL[:8] not in told
    assert SENTINEL[::-1][:8] not in told


def test_long_word_of_letters_is_not_repeated() -> None:
    for word in ("correcthorsebatterystaple", "CorrectHorse", "passwörter"):
        with pytest.raises(UsageError) as caught:
            parse([word])
        assert word not in str(caught.value)


def test_ids_of_a_text_come_once_and_in_order() -> None:
    assert ids_in([OTHER, LINE, f"{ID},{OTHER}"]) == (OTHER, ID)


@pytest.mark.parametrize(
    "texts",
    [[ID, OTHER[:-1]], [f"{ID} {OTHER[:-1]}"], [f"{OTHER[:-1]},{ID}"], [f'"{ID}","{OTHER}X"']],
)
def test_id_cut_short_refuses_them_all_and_is_not_repeated(texts: list[str]) -> None:
    with pytest.raises(UsageError, match="cut short or mistyped") as caught:
        ids_in(texts)
    assert f"Complete: {ID}. Nothing was changed." in str(caught.value)
    assert OTHER[:-1] not in str(caught.value)


@pytest.mark.parametrize("command", ["find", "deactivate", "activate", "delete", "rotate", ""])
@pytest.mark.parametrize(
    "option",
    [
        # As word processors, chats and web pages write it; with _ or in capitals.
        *("\u2014read-only", "\u2013read-only", "\u2013-read-only", "\u2212\u2212demo"),
        *("\u2010\u2010roll-back", "\uff0d\uff0ddemo", "\u2014profile=acme", "\u2015yes"),
        *("--read_only", "--READ-ONLY", "--Read-Only", "--read-only1", "--Profile=acme"),
        *("--endpoint_url", " --read-only"),
    ],
)
def test_mistyped_option_is_no_text(command: str, option: str) -> None:
    for argv in ([ID, option], [option, ID]):
        with pytest.raises(UsageError, match="An option is mistyped") as caught:
            parse([command, *argv] if command else argv)
        assert "Nothing was changed." in str(caught.value)
        assert option.strip() not in str(caught.value)


@pytest.mark.parametrize(
    "word", ["-", "--", "---", "\u2014", "--- a/creds", "-aws_region=us", "a-b"]
)
def test_dash_in_a_pasted_text_is_no_option(word: str) -> None:
    assert ids_in(parse(["deactivate", ID, word]).options["text"]) == (ID,)


def test_text_with_an_id_cut_short_still_opens_the_screen() -> None:
    flags = parse([f"{OTHER[:-1]} {ID}"]).flags
    assert (flags["key_ids"], flags["broken_ids"]) == ((ID,), 1)


@pytest.mark.parametrize(
    "argv", [["-"], ["find"], ["find", "-"], ["--demo", "-", "--read-only"], ["-", "--demo"]]
)
def test_screen_takes_a_text_from_standard_input(argv: list[str]) -> None:
    request = parse(argv, lambda: f"+aws_access_key_id={ID}\n+secret={SENTINEL}\n")
    assert (request.command, request.from_input) == (None, True)
    assert request.flags["key_ids"] == (ID,)


@pytest.mark.parametrize("command", ["deactivate", "activate", "delete", "rotate"])
@pytest.mark.parametrize("argv", [[], ["-"], ["--json", "-"], ["--yes"]])
def test_change_takes_a_text_from_standard_input(command: str, argv: list[str]) -> None:
    request = parse([command, *argv], lambda: LINE)
    assert request.from_input
    assert ids_in(request.options["text"]) == (ID,)


@pytest.mark.parametrize("argv", [[], ["deactivate", ID], ["-", ID], [ID], ["list"], ["recover"]])
def test_standard_input_is_left_alone_otherwise(argv: list[str]) -> None:
    assert not parse(argv, lambda: pytest.fail("read")).from_input


@pytest.mark.parametrize("text", ["", "no ID here", SENTINEL, f"{SENTINEL} {ID[:-2]}"])
def test_input_without_an_id_is_not_repeated(text: str) -> None:
    for argv in (["-"], ["find", "-"]):
        with pytest.raises(UsageError, match="AKIA and 16 more") as caught:
            parse(argv, lambda: text)
        assert SENTINEL not in str(caught.value)


@pytest.mark.parametrize("argv", [["-h"], ["--help"], ["--help", "list"]])
def test_help_names_every_command(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse(argv)
    told = capsys.readouterr().out
    assert all(f"    {command} " in told for command in MODULES)


def test_only_the_command_asked_for_is_described() -> None:
    """All of them would take several milliseconds of the way to the first frame."""
    assert _wanted([]) == ()
    assert _wanted(["--profile", "list"]) == ()
    assert _wanted(["--demo", "list", "-h"]) == ("list",)


@pytest.mark.parametrize("store", ["csv", "csv:", "file:/a", "", "Keyring"])
def test_store_that_keytui_does_not_know(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(["create", "--user", "alice", "--store", store])
    assert "takes keyring, or csv: and a path" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["deactivate", "activate", "delete", "list", "create"])
def test_exit_statuses_are_in_the_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse([command, "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "Exit status: 0 done" in told
    for flag in ("--profile", "--region", "--endpoint-url", "--read-only", "--demo", "--json"):
        assert flag in told


@pytest.mark.parametrize(
    ("argv", "rules"),
    [
        ([], None),
        (["--fail-on", "none"], ()),
        (["--fail-on", "old"], ("old",)),
        (["--fail-on", "old, never-used"], ("old", "never-used")),
        (["--fail-on=root,two-active,unused"], ("root", "two-active", "unused")),
    ],
)
def test_rules_that_an_audit_fails_on(argv: list[str], rules: tuple[str, ...] | None) -> None:
    assert parse(["audit", *argv]).options["fail_on"] == rules


@pytest.mark.parametrize("words", ["", "inactive", "old,none", "never used", "old,,unused", "OLD"])
def test_unknown_rule_is_answered_with_those_there_are(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["audit", "--fail-on", words])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert "root, old, unused, never-used, two-active" in " ".join(said.split())


@pytest.mark.parametrize(
    "argv", [["--json", "--csv"], ["--csv", "--markdown"], ["--live", "--report-only"]]
)
def test_audit_has_one_shape_and_one_way(argv: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["audit", *argv])


def test_options_of_an_audit_are_no_settings() -> None:
    request = parse(["audit", "--json", "--live", "--findings", "--profile", "acme"])
    assert request.command == "audit"
    assert request.flags["profile"] == "acme"
    assert not {"json", "live", "findings", "report_only"} & request.flags.keys()
    assert all(request.options[name] is True for name in ("json", "live", "findings"))
