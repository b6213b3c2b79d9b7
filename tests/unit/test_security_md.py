"""SECURITY.md names the tests that hold its promises: they are there."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PROMISE = re.compile(r"^\| (?P<promise>[^|]+) \| (?P<tests>`[^|]+) \|$", re.MULTILINE)


def test_each_promise_names_tests_that_are_there() -> None:
    text = (REPOSITORY / "SECURITY.md").read_text()
    promises = list(PROMISE.finditer(text))
    for promise in promises:
        folder = REPOSITORY
        for name in re.findall(r"`([\w/]+(?:\.py)?)`", promise["tests"]):
            path = REPOSITORY / name if "/" in name else folder / name
            assert path.exists(), name
            folder = path.parent

    assert len(promises) > 10
    assert len(text.splitlines()) < 100
