"""The only module that writes to stdout: lines of styled text for people, documents for programs.

Colour is a matter of the terminal alone: a pipe, `NO_COLOR`, `--no-color` or TERM=dumb get plain text, and JSON never
has any.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertmt.cli.documents import check_document
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, ascii_line, plain
from bertmt.errors import BertmtError, reason_of

DEFAULT_SIZE = (80, 24)
LARGEST = 2000  # columns or lines: a drawing is held in memory
_RESET = "\x1b[0m"
# Select Graphic Rendition (ECMA-48, 8.3.117). Series take the eight colours that every terminal has, the legible
# ones first; the shades are the blues of the 256-colour palette, dark enough for light and dark text.
_CODES = {
    "dim": "2", "title": "1", "axis": "2", "grid": "2", "good": "32", "bad": "31", "faint": "2", "cursor": "7",
    "series0": "36", "series1": "33", "series2": "35", "series3": "32",
    "series4": "34", "series5": "31", "series6": "96", "series7": "93",
    "shade0": "", "shade1": "48;5;17;97", "shade2": "48;5;18;97", "shade3": "48;5;19;97", "shade4": "48;5;21;97",
}  # fmt: skip


def is_terminal() -> bool:
    """Whether a person looks at stdout."""
    return sys.stdout.isatty()


def has_colour() -> bool:
    """Whether stdout takes colour; NO_COLOR as no-color.org has it: set and not empty."""
    return is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_ascii() -> bool:
    """Whether stdout can hold nothing but ASCII."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return not encoding.startswith(("utf", "gb18030"))


def size() -> tuple[int, int]:
    """Columns and lines for a drawing: COLUMNS and LINES, else the terminal's, else 80 × 24; no more than 2,000."""
    found = shutil.get_terminal_size(DEFAULT_SIZE)
    return min(found.columns, LARGEST), min(found.lines, LARGEST)


def table_width() -> int | None:
    """Columns that a table must fit; None where nothing does: a pipe without COLUMNS."""
    return size()[0] if is_terminal() or os.environ.get("COLUMNS") else None


def write_lines(lines: Iterable[Line | str]) -> None:
    """Lines for people. Strings are this program's own; what came from outside is in them only as `safe_text`."""
    coloured, only_ascii = has_colour(), is_ascii()
    for each in lines:
        spans = (Span(each),) if isinstance(each, str) else each
        spans = ascii_line(spans) if only_ascii else spans
        _put((_coloured(spans) if coloured else plain(spans)) + "\n")
    end()


def write_document(schema: str, content: Mapping[str, Any]) -> None:
    """One JSON object. Escape sequences and all else that is not ASCII leave as \\uXXXX, so nothing raw gets out."""
    check_document(schema, content)
    _put(json.dumps({"schema": schema, **content}, indent=1, allow_nan=False) + "\n")
    end()


def write_data(pieces: Iterable[str]) -> None:
    """Data to be read by programs, raw into a pipe or a file; on a terminal with control characters replaced."""
    shown = is_terminal()
    for piece in pieces:
        _put(safe_text(piece, keep_newlines=True) if shown else piece)
    end()


def _coloured(spans: Line) -> str:
    return "".join(
        f"\x1b[{_CODES[span.style]}m{span.text}{_RESET}" if _CODES.get(span.style) else span.text for span in spans
    )


def begin() -> None:
    """If the process was started without a stdout (`>&-`), discard what is written to it; called once."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process


def end() -> None:
    """Hand over what is still held back.

    Raises:
        BrokenPipeError: nobody reads.
        BertmtError: a full disk, say.
    """
    with _refused():
        sys.stdout.flush()


def _put(text: str) -> None:
    with _refused():
        sys.stdout.write(text)


@contextmanager
def _refused() -> Iterator[None]:
    """Around writing: what the system says, as a sentence; that the reader has left is another matter."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as problem:
        abandon()
        raise BertmtError(f"The output cannot be written: {reason_of(problem)}.") from None


def abandon() -> None:
    """Let nothing more be written, not even at the exit: nobody reads it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
