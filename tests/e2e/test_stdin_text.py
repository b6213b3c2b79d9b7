"""A text with access key IDs on standard input, and the endpoint named beside the result."""

import subprocess
from collections.abc import Mapping

from tests.e2e.conftest import Desk, signed_by, statuses
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer
from tests.support.moto_server import MotoAccount
from tests.support.sentinel import processes_that_show
from tests.support.terminal import KEYTUI, PATIENCE, clean_env

BOB_ID = "AKIADEMOBOB000000001"
PASTED = "made-up/secret/of/a/pasted/diff/01234567"
"""In no other test: those beside this one may show theirs."""
DIFF = f"-aws_access_key_id = {BOB_ID}\n-aws_secret_access_key = {PASTED}\n"


def keytui(
    desk: Desk, env: Mapping[str, str], *argv: str, text: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run keytui with a text on its standard input."""
    return subprocess.run(
        [KEYTUI, *argv],
        env=clean_env(desk.home) | dict(env),
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_diff_on_standard_input_shuts_off_its_key(desk: Desk, moto: MotoAccount) -> None:
    env = signed_by(moto.options)

    cut = keytui(desk, env, "deactivate", "-", text=f"{DIFF} AKIADEMOALICE00000\n")
    assert cut.returncode == 2
    assert "cut short or mistyped" in cut.stderr
    assert PASTED not in cut.stderr
    assert statuses(moto, "bob") == {BOB_ID: "Active"}

    done = keytui(desk, env, "deactivate", text=DIFF)
    assert (done.returncode, done.stdout) == (0, f"{BOB_ID} of bob is inactive.\n"), done.stderr
    assert statuses(moto, "bob") == {BOB_ID: "Inactive"}


def test_guard_asks_nothing_of_the_input(desk: Desk, moto: MotoAccount) -> None:
    used = "AKIADEMOALICE0000002"
    run = desk.run(
        ["bash", "-c", f"echo '{used}' | {KEYTUI} deactivate -"], env=signed_by(moto.options)
    )
    assert run.wait_exit() == 3
    assert "--yes makes it inactive all the same" in " ".join(run.text().split())
    assert statuses(moto, "alice")[used] == "Active"


def test_what_is_typed_after_the_text_answers_nothing(desk: Desk, moto: MotoAccount) -> None:
    used = "AKIADEMOALICE0000002"
    run = desk.keytui("deactivate", "-", env=signed_by(moto.options))
    run.wait_for("Paste the text, then press Enter and Ctrl+D.")
    run.send(used, "Enter", "C-d", "y", "Enter")
    assert run.wait_exit() == 3
    assert statuses(moto, "alice")[used] == "Active"


def test_screen_opens_at_the_key_of_a_piped_text(desk: Desk, moto: MotoAccount) -> None:
    diff = desk.home / "diff"
    desk.home.mkdir(exist_ok=True)
    diff.write_text(DIFF)
    run = desk.run(["bash", "-c", f"cat {diff} | {KEYTUI} -"], env=signed_by(moto.options))
    run.wait_for("1 user, r reads all")
    assert BOB_ID in run.text()
    assert processes_that_show(PASTED) == []
    run.send("q")
    assert run.wait_exit() == 0


def test_each_command_names_an_endpoint_that_is_not_awss_once(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    key = iam.add_key(iam.add_user("carol"))
    env = signed_by(server.options)
    url = env["AWS_ENDPOINT_URL"]
    said = f"keytui: Using {url} instead of AWS.\n"
    for argv in (
        ["list"],
        ["list", "--json"],
        ["audit", "--live", "--json"],
        ["deactivate", key.id],
        ["recover"],
        ["create", "--user", "carol", "--store", "csv:/nowhere/a.csv"],
        ["rotate", "AKIAIOSFODNN7EXAMPLE"],
    ):
        done = keytui(desk, env, *argv)
        assert done.stderr.count(said) == 1, (argv, done.stderr)
        assert said not in done.stdout


def test_endpoint_notice_for_profile_or_sts_omits_the_password(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    url = signed_by(server.options)["AWS_ENDPOINT_URL"]
    folder = desk.home / ".aws"
    folder.mkdir(parents=True)
    (folder / "config").write_text(
        f"[profile dev]\nregion = us-east-1\nendpoint_url = {url}\n"
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"
    )
    said = f"keytui: Using {url} instead of AWS.\n"
    for argv in (["fleet"], ["list", "--profile", "dev"]):
        assert keytui(desk, {}, *argv).stderr.count(said) == 1, argv
    signed = signed_by(server.options)
    signed.pop("AWS_ENDPOINT_URL")
    private = url.replace("http://", f"http://me:{PASTED[:5]}@")
    done = keytui(
        desk, signed | {"AWS_ENDPOINT_URL_IAM": private, "AWS_ENDPOINT_URL_STS": private}, "list"
    )
    assert said in done.stderr
    assert PASTED[:5] not in done.stderr
