"""docs/architecture.md follows key presses through files: they are there."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_files_that_the_journeys_name_are_there() -> None:
    text = (REPOSITORY / "docs/architecture.md").read_text()
    journeys = text.partition("## Three journeys")[2]
    named = re.findall(r"`([\w/]+\.py)`", text)
    missing = [name for name in named if not (REPOSITORY / "keytui" / name).exists()]
    assert [name for name in missing if not (REPOSITORY / name).exists()] == []
    assert len(re.findall(r"`([\w/]+\.py)`", journeys)) > 50


def test_diagram_has_every_package() -> None:
    text = (REPOSITORY / "docs/architecture.md").read_text()
    packages = {
        one.name for one in (REPOSITORY / "keytui").iterdir() if (one / "__init__.py").exists()
    }
    drawn = set(re.findall(r'^  (\w+)\["', text, re.MULTILINE))
    assert drawn == packages
