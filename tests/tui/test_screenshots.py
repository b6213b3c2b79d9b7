"""The committed screenshots show the screens as they are."""

from screenshots.make import FOLDER, make


async def test_screenshots_are_up_to_date() -> None:
    made = await make()
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.svg")}
    changed = [name for name in {*made, *kept} if made.get(name) != kept.get(name)]
    assert not changed, "run make screenshots, and look at what has changed"
