"""Print how keytui is built: entries, files, lines, imports, circles and imports upwards.

usage: .venv/bin/python scripts/structure.py
"""

import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1] / "keytui"
LAYERS = ("cli", "tui", "session", "aws rotation response", "keys", "stores", "audit journal")
"""From the top down, as pyproject.toml has them; below them is core."""


def imports() -> Mapping[str, set[str]]:
    """Return module → what it imports of keytui, imports for type checking too."""
    graph = grimp.build_graph("keytui", cache_dir=None)
    return {one: graph.find_modules_directly_imported_by(one) for one in graph.modules}


def upwards(found: Mapping[str, set[str]]) -> list[str]:
    """Return the imports of a layer above, or of a package beside."""
    level = {name: n for n, names in enumerate(LAYERS) for name in names.split()}
    level["core"] = len(LAYERS)
    wrong = []
    for one, others in found.items():
        for other in others:
            ours, theirs = (name.split(".")[1:2] for name in (one, other))
            if ours != theirs and {*ours, *theirs} <= level.keys() and ours and theirs:
                wrong += [f"{one} -> {other}"] * (level[theirs[0]] <= level[ours[0]])
    return sorted(wrong)


def circle(found: Mapping[str, set[str]]) -> list[str]:
    """Return the files of a circle of imports; empty where there is none."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        members: list[str] = error.args[1]
        return members
    return []


def main() -> int:
    """Print the figures; the exit status is 1 where there is a circle or an import upwards."""
    found = imports()
    files = sorted(ROOT.rglob("*.py"))
    lines = {path: len(path.read_text().splitlines()) for path in files}
    entries = [one for one in ROOT.iterdir() if one.name != "__pycache__"]
    largest = max(lines, key=lambda path: lines[path])
    around, up = circle(found), upwards(found)
    print(f"{len(entries)} entries in keytui/")
    print(f"{len(files)} files, {sum(lines.values()):,} lines")
    print(f"{lines[largest]} lines in the longest, {largest.relative_to(ROOT)}")
    print(f"{sum(map(len, found.values()))} imports between them")
    print("circle:", " → ".join(around) or "none")
    print("upwards:", ", ".join(up) or "none")
    return 1 if around or up else 0


if __name__ == "__main__":
    sys.exit(main())
