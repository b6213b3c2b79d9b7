"""No module writes, removes or links a file past the gate, nor reaches AWS past it. By its AST."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "keytui"
GATED = {
    "journal/locks.py",
    "journal/log.py",
    "aws/files/atomic_file.py",
    "stores/keyring/named.py",
    "stores/keyring/session_bus.py",
    "core/new_files.py",
}
"""The modules at the edge that change files, and ask the gate first."""
NO_CHANGE = {
    "session/wiring.py": "the demo's folder, which ends with it",
    "cli/doctor/state.py": "a file beside the record, removed at once; not in read-only mode",
    "tui/terminal/device.py": "the terminal",
    "session/users_cache.py": "the users last seen",
    "cli/commands/unlock.py": "the terminal",
    "core/private_files.py": "for those who asked the gate, and the users last seen",
    "cli/streams.py": "standard output and error, /dev/null and the terminal",
    "cli/doctor/clipboard.py": "the terminal",
    "stores/keyring/child.py": "/dev/null and the reply",
    "stores/keyring/process.py": "/dev/null",
}
"""The others that write, and what."""
PRIVATE_FILES = {"append_line", "make_closed", "make_private", "open_lock", "replace_whole"}
"""The functions of ``core.private_files`` that change something: who calls one, changes it."""
METHODS = {
    *("unlink", "rename", "write_text", "write_bytes", "touch", "mkdir", "rmdir"),
    *("symlink_to", "hardlink_to", "chmod", "lchmod"),
}
FUNCTIONS = {
    "os": {"unlink", "remove", "rename", "renames", "replace", "link", "symlink", "mkdir"}
    | {"makedirs", "rmdir", "removedirs", "chmod", "fchmod", "lchmod", "chown", "fchown", "lchown"}
    | {"truncate", "ftruncate", "utime", "mkfifo", "mknod", "setxattr", "removexattr"},
    "shutil": {"move", "copy", "copy2", "copyfile", "copytree", "copymode", "rmtree", "chown"},
}
TEMPORARY = {"TemporaryDirectory", "NamedTemporaryFile", "TemporaryFile", "mkstemp", "mkdtemp"}
WRITING_FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND", "O_TRUNC", "_NAMELESS", "NEW"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text())


def calls(tree: ast.Module) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield the calls with what they are called on, and by which name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            on = node.func.value
            yield on.id if isinstance(on, ast.Name) else "?", node.func.attr, node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield "", node.func.id, node


def writes(on: str, name: str, call: ast.Call) -> bool:
    """Return whether a call may change a file."""
    if on in FUNCTIONS:
        if on == "os" and name in {"open", "fdopen"}:
            return opens_for_writing(name, call)
        return name in FUNCTIONS[on]
    if name in PRIVATE_FILES:
        return True
    if name in TEMPORARY or (name == "open" and on != "webbrowser"):
        return name in TEMPORARY or opens_for_writing(name, call)
    # Of two words in a text, str.replace; of one path, Path.replace.
    return on not in {"", "ini"} and (
        name in METHODS or (name == "replace" and len(call.args) == 1)
    )


def opens_for_writing(name: str, call: ast.Call) -> bool:
    words = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
    words |= {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
    modes = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant)]
    named = any(isinstance(mode, str) and set(mode) & set("wax+") for mode in modes)
    # Flags that come from elsewhere may be any.
    return bool(words & WRITING_FLAGS) or "flags" in words or (named and name != "fdopen")


def test_only_the_edge_changes_files() -> None:
    found = {name for name, tree in modules() if any(writes(*call) for call in calls(tree))}
    assert found == GATED | set(NO_CHANGE)


@pytest.mark.parametrize("name", sorted(GATED))
def test_edge_asks_the_gate(name: str) -> None:
    text = (PACKAGE / name).read_text()
    assert "gate.require_writable()" in text or "gate.read_only" in text


def test_gates_are_made_of_the_settings_alone() -> None:
    made = {name for name, tree in modules() for on, word, _ in calls(tree) if word == "Gate"}
    assert made == {"core/gate.py", "session/settings.py", "stores/keyring/child.py"}


def test_only_exports_pass_in_read_only_mode() -> None:
    users = {
        name
        for name, tree in modules()
        if any(isinstance(node, ast.Name) and node.id == "EXPORTING" for node in ast.walk(tree))
    }
    assert users == {"core/gate.py", "tui/audit/flow.py", "tui/history/screen.py"}


def test_sdks_clients_are_made_in_one_place_behind_the_gate() -> None:
    makers = {"create_client", "client", "resource"}
    made = {name for name, tree in modules() for _, word, _ in calls(tree) if word in makers}
    # boto3's way to make one is by way of ``bounds``, which only sets limits.
    assert made == {"aws/bounds.py", "aws/clients.py"}
    assert "require_writable()" in (PACKAGE / "aws/clients.py").read_text()


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text('x')",
        "os.open(path, os.O_WRONLY)",
        "os.open(path, flags, 0o600)",
        "open(path, 'a')",
        "path.open('w')",
        "path.replace(other)",
        "Path(x).unlink(missing_ok=True)",
        "os.replace(a, b)",
        "shutil.rmtree(a)",
        "tempfile.mkstemp()",
        "os.open(name, NEW, MODE)",
        "replace_whole(path, content)",
    ],
)
def test_it_sees_each_kind_of_change(line: str) -> None:
    assert any(writes(*call) for call in calls(ast.parse(line)))


@pytest.mark.parametrize(
    "line", ["text.replace('a', 'b')", "open(path)", "os.open(path, os.O_RDONLY)", "path.open()"]
)
def test_it_takes_nothing_else_for_one(line: str) -> None:
    assert not any(writes(*call) for call in calls(ast.parse(line)))
