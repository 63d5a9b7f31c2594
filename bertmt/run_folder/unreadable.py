"""What the system says while a run's file is read, as a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bertmt.errors import DataError, reason_of

LONGEST_SHOWN = 300  # characters of a path; its end tells more than its beginning


@contextmanager
def unreadable_as_sentence(path: Path) -> Iterator[None]:
    """Around reading one file; that it is not there is the reader's own matter.

    Raises:
        DataError: no permission, a folder in its place, a disk that fails.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as problem:
        # A damaged registry may name any file.
        shown = str(path) if str(path).isprintable() else ascii(str(path))
        shown = shown if len(shown) <= LONGEST_SHOWN else f"…{shown[-LONGEST_SHOWN:]}"
        raise DataError(
            f"{shown} cannot be read ({reason_of(problem)}): fix that, or remove the run with `bertmt rm`."
        ) from None
