"""New files for their user alone."""

import os
from pathlib import Path
from typing import IO

from bertmt.atomic_files import PRIVATE_FILE


def new_file(path: Path) -> IO[bytes]:
    """A file to write, which must not be there yet."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE), "wb")
