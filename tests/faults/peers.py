"""What other tools do, and what keytui does, when one reply to CreateAccessKey is lost.

``python -m tests.faults.peers [PATH-OF-TOOL …]``; by default the aws commands that are found, and
aws_key_rotate, installed by pip for this run. A line a run; ``keys`` are the user's afterwards,
``secrets`` the new ones in the output or files, ``named``: the output has each other new key's ID.
"""

import re
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.conftest import signed_by
from tests.faults.play import ORPHAN, Cell, Goal
from tests.faults.program import Zygote, program, zygote
from tests.faults.proxy import Break, FaultProxy, Kind
from tests.support.moto_server import MotoAccount, moto_account
from tests.support.terminal import clean_env

AWS = (Path("/usr/bin/aws"), Path(sys.executable).with_name("aws"))
ROTATOR = "aws-key-rotate==0.1.2"
LOSSES = (None, *(Break(kind, after=True) for kind in (Kind.RESET, Kind.STATUS_500, Kind.HANG)))
PROFILE = "[default]\naws_access_key_id = {AccessKeyId}\naws_secret_access_key = {SecretAccessKey}"
_FRAMES = re.compile(r"\x1b\[[0-9;]*m|[│╭╮╰╯]")
_KEYTUI_SAYS = re.compile(r"\s*(AWS made|[✓✗] )")

Tool = Callable[[Cell], tuple[int | str, str]]  # what returns an exit status and what was said


def aws(command: Path, cell: Cell) -> tuple[int, str]:
    """``aws iam create-access-key``; it waits 3 s for a reply, so that a hang is a time-out."""
    words = f"--endpoint-url {cell.proxy.url} --cli-read-timeout 3 iam create-access-key"
    return _run([command, *words.split(), "--user-name", cell.user], cell.env)


def rotator(command: Path, cell: Cell) -> tuple[int, str]:
    """aws_key_rotate; each of its questions gets its default answer, yes."""
    env = {name: value for name, value in cell.env.items() if "ACCESS_KEY" not in name}
    return _run([command], env, "\n" * 4)


def keytui(cell: Cell, *, accept: bool) -> tuple[str, str]:
    """keytui, with the secret to go to a CSV file; what it offers is accepted or only read."""
    with program(cell.source, ["--user", cell.user], cell.env) as run:
        run.wait_for(re.compile(rf"{cell.user} has no access keys|AKIA\w{{16}}"))
        cell.ask(run, Goal.CSV)
        screen = cell.rest(run)
        if ORPHAN in screen:  # the dialog may be half drawn
            screen = run.wait_for("enter means yes")
        if ORPHAN in screen and accept:
            run.send("\r")
            screen = run.wait_for("is deleted", 60)
        return "runs", screen


def line(source: Zygote, account: MotoAccount, tool: Tool, keys: int, loss: Break | None) -> str:
    """Run a tool for a new user with so many keys; return what came of it."""
    assert account.options.endpoint_url
    with TemporaryDirectory() as folder, FaultProxy(account.options.endpoint_url) as proxy:
        home, user, iam = Path(folder) / "home", Path(folder).name, account.iam
        iam.create_user(UserName=user)
        signed = signed_by(replace(account.options, endpoint_url=proxy.url))
        env = clean_env(home, AWS_DEFAULT_REGION="us-east-1") | signed
        for _ in range(keys):
            profile = PROFILE.format_map(iam.create_access_key(UserName=user)["AccessKey"])
            (home / ".aws").mkdir()
            (home / ".aws/credentials").write_text(profile)
        if loss:
            proxy.arrange("CreateAccessKey", loss)
        status, said = tool(Cell(source, account, proxy, user, home, env))
        handed = said + "".join(path.read_text() for path in home.rglob("*") if path.is_file())
        left = len(iam.list_access_keys(UserName=user)["AccessKeyMetadata"])
    lost = [key for key in proxy.secrets if key.secret not in handed]
    named = "-" if not lost else "yes" if all(key.key_id in said for key in lost) else "NO"
    made, lines = len(proxy.secrets), [row for row in _FRAMES.sub("\n", said).split("\n") if row]
    last = ([row for row in lines if _KEYTUI_SAYS.match(row)] or lines)[-1].strip()
    counts = f"{proxy.forwards('CreateAccessKey'):>8} {made:>5} {left:>5} {made - len(lost):>8}"
    return f"{keys} {loss or 'none'!s:<12} {counts} {status:>5} {named:>6}  {last}"


def main(paths: list[str]) -> None:
    """Run all tools, for users without keys and with one."""
    with TemporaryDirectory() as folder, zygote(Path(folder)) as source, moto_account() as account:
        tools: list[tuple[str, Tool, tuple[int, ...]]] = []
        for path in map(Path, paths) if paths else _found(Path(folder) / "venv"):
            if path.name == "aws_key_rotate":  # signs in with the user's key: there always is one
                tools.append((ROTATOR, partial(rotator, path), (1,)))
            else:
                version = _run([path, "--version"], clean_env(Path(folder)))[1].split()[0]
                tools.append((version, partial(aws, path), (0, 1)))
        tools.append(("keytui", partial(keytui, accept=False), (0, 1)))
        tools.append(("… accepting its offer", partial(keytui, accept=True), (0, 1)))
        print("tool, keys before     reply lost   requests  made  keys secrets exit named  said")
        for name, tool, rounds in tools:
            for keys, loss in product(rounds, LOSSES):
                print(f"{name:<21} {line(source, account, tool, keys, loss)}", flush=True)


def _run(words: list[str | Path], env: dict[str, str], answers: str = "") -> tuple[int, str]:
    done = subprocess.run(words, env=env, input=answers, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def _found(folder: Path) -> list[Path]:
    venv.create(folder, with_pip=True)
    subprocess.run(
        [folder / "bin/pip", "install", "--quiet", ROTATOR], check=True, capture_output=True
    )
    return [*filter(Path.exists, AWS), folder / "bin/aws_key_rotate"]


if __name__ == "__main__":
    main(sys.argv[1:])
