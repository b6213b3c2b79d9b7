"""All that a folder holds: to see that nothing of it was changed."""

import stat
from pathlib import Path


def snapshot(*folders: Path, but: tuple[Path, ...] = ()) -> dict[str, tuple[int, str, bytes]]:
    """Return each name below some folders with its mode, what it links to, and its content.

    Args:
        folders: The folders; one that is missing has nothing.
        but: Folders that may be written to, and are left out.
    """
    found = {}
    for folder in folders:
        for path in (folder, *sorted(folder.rglob("*"))):
            if any(path == one or one in path.parents for one in but) or not path.exists():
                continue
            mode = path.lstat().st_mode
            link = str(path.readlink()) if stat.S_ISLNK(mode) else ""
            content = path.read_bytes() if stat.S_ISREG(mode) else b""
            found[str(path)] = (mode, link, content)
    return found
