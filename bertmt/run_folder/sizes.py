"""How much files take, whatever lies among them; a link counts as itself and is never followed."""

import os
import stat
from pathlib import Path


def size_bytes(path: Path) -> int:
    """The size of a file or of all files under a folder; 0 where it is gone."""
    try:
        about = path.lstat()
    except OSError:
        return 0
    if not stat.S_ISDIR(about.st_mode):
        return about.st_size
    return sum(
        size_bytes(Path(folder, name)) for folder, _, names in os.walk(path, followlinks=False) for name in names
    )


def newest_change(path: Path) -> float:
    """When anything under a folder, or the file, was last written: seconds since the epoch; 0 where it is gone."""
    times = [0.0]
    for each in (path, *(path.rglob("*") if path.is_dir() and not path.is_symlink() else ())):
        try:
            times.append(each.lstat().st_mtime)
        except OSError:
            continue
    return max(times)
