"""Reading files that others made: plain files alone, and never more of one than it may have.

A pipe would be waited for without an end, and a file of gigabytes fill the memory. What is refused is an OSError, like
all else that the system says of a file, so that its reader has one sentence for both.
"""

import errno
import gzip
import io
import json
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

MEBIBYTE = 1 << 20
MOST_JSON = 64 * MEBIBYTE
# Settings and recipes, which people write; tomllib takes about a second for so much.
MOST_TOML = MEBIBYTE
# The largest file of the course has 42 MB.
MOST_DATA = 1024 * MEBIBYTE
_PIECE = MEBIBYTE


def open_plain(path: Path) -> BufferedReader:
    """A file to read from; of a link, what it leads to.

    Raises:
        OSError: it cannot be opened, or is a pipe, a device or a folder.
    """
    _refuse_odd(path, path.stat())  # before it is opened: to open a device can do something
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe since then must not be waited for
    try:
        _refuse_odd(path, os.fstat(handle))
        return os.fdopen(handle, "rb")
    except OSError:
        os.close(handle)
        raise


def _refuse_odd(path: Path, about: os.stat_result) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(about.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, no plain file", str(path))


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a file, as long as it was when it was opened.

    Raises:
        OSError: as `open_plain`, or it has more than `most` bytes.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise too_large(path, most)
        return file.read(size)


def read_text(path: Path, most: int) -> str:
    """A file in UTF-8, every line end as a line feed.

    Raises:
        OSError: as `read_bytes`.
        UnicodeDecodeError: it is no UTF-8.
    """
    return read_bytes(path, most).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: Path) -> Any:
    """A JSON document.

    Raises:
        OSError: as `read_bytes`, beyond 64 MiB.
        ValueError, RecursionError: it is none.
    """
    return json.loads(read_text(path, MOST_JSON))


def inflated(path: Path, content: bytes, most: int) -> bytes:
    """The content of a gzip archive, all of its members.

    Args:
        path: named in what is raised.
        most: bytes of what comes out.

    Raises:
        OSError: there is more in it.
        EOFError, zlib.error: it is damaged or cut off.
    """
    found = bytearray()
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as archive:
        while piece := archive.read(_PIECE):
            found += piece
            if len(found) > most:
                raise too_large(path, most)
    return bytes(found)


def too_large(path: Path, most: int) -> OSError:
    """What is said of a file with more than `most` bytes."""
    return OSError(errno.EFBIG, f"it has more than {most // MEBIBYTE:,} MiB", str(path))
