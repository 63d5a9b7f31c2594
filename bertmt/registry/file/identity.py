"""Which file a path leads to: the same after a move, another after a copy."""

from pathlib import Path

NOBODY_MAY_LOOK = ""


def file_identity(path: Path) -> str | None:
    """Device and inode; None where there is no file, `NOBODY_MAY_LOOK` where that cannot be known."""
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return NOBODY_MAY_LOOK
    return f"{about.st_dev}:{about.st_ino}"
