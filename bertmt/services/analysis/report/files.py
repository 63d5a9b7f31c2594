"""Writing a report: whole or not at all, and over nothing that is not its own unless asked to."""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bertmt import atomic_files, paths
from bertmt.bounded_files import read_bytes
from bertmt.drawing.figures.printing import FORMATS, can_print, printed
from bertmt.drawing.figures.svg import svg_file
from bertmt.errors import BertmtError, UsageError, reason_of
from bertmt.services.analysis.report.document import Report
from bertmt.services.analysis.report.html import to_html
from bertmt.services.analysis.report.latex import to_latex
from bertmt.services.analysis.report.markdown import to_markdown
from bertmt.services.analysis.report.records import to_csv

ENDINGS = {".html": "html", ".htm": "html", ".md": "md", ".markdown": "md", ".tex": "latex", ".csv": "csv"}
KINDS = ("html", "md", "latex", "csv")
# The last line of a report, in a comment of its format, with the digest of all before: so it is known whether the file
# is still as it was written. CSV has no comments.
_SEALS = {"html": "<!-- {} -->", "md": "<!-- {} -->", "latex": "% {}"}
_SEAL = re.compile(rb"(?:<!-- |% )bertmt report sha256:([0-9a-f]{64})(?: -->)?\n\Z")
MOST_REPORT = 256 << 20
MARKER = ".bertmt-figures"  # in a folder of figures: name and digest of each that was written
_WORDS_OF_A_FOLDER = re.compile(r"[\w./ -]+")


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        kind: one of `KINDS`.
        out: the file; None: the text alone.
        figures: a folder for the figures as files.
        force: replace a file that no report wrote, or that was changed since.
    """

    kind: str
    out: Path | None = None
    figures: Path | None = None
    force: bool = False


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        text: of the report.
        figures: how many there are; `files`: of these, how many were written.
        remark: what was left out, a sentence; "": nothing.
    """

    text: str
    figures: int
    files: int = 0
    remark: str = ""


def kind_of(kind: str | None, out: Path | None) -> str:
    """The format that is asked for, or that the name of the file has.

    Raises:
        UsageError: neither says.
    """
    found = kind or ("html" if out is None else ENDINGS.get(out.suffix.lower()))
    if found is None:
        raise UsageError(f"{out} does not tell its format: name one with --format {'|'.join(KINDS)}.")
    return found


def refuse_unless_free(request: Request) -> None:
    """Return if everything may be written, before the work begins.

    Raises:
        UsageError: a file is there that is not ours, or a folder's name cannot stand in LaTeX.
    """
    if request.out is not None:
        _refuse_file(_absolute(request.out), request.force)
    if request.figures is not None:
        folder = _absolute(request.figures)
        if os.path.lexists(folder) and not folder.is_dir():
            raise UsageError(f"{folder} is no folder: name another with --figures.")
        if request.kind in ("latex", "md") and not _WORDS_OF_A_FOLDER.fullmatch(_seen_from(request)):
            raise UsageError(
                "--figures of a text that shows them expects a folder whose path from the text has letters, digits, "
                f"spaces and - . / _ alone, but found {str(request.figures)[:80]!r}."
            )


def write(report: Report, request: Request) -> Written:
    """Write what is asked for.

    Raises:
        UsageError: as `refuse_unless_free`.
        BertmtError: it cannot be written.
    """
    refuse_unless_free(request)
    files, remark = (0, "") if request.figures is None else _write_figures(report, request)
    text = _text(report, request)
    if request.out is not None:
        _write(_absolute(request.out), _sealed(text, request.kind), request.force)
    return Written(text, len(list(report.pictures)), files, remark)


def _text(report: Report, request: Request) -> str:
    folder = "" if request.figures is None else _seen_from(request)
    writers: Mapping[str, Callable[[], str]] = {
        "html": lambda: to_html(report),
        "md": lambda: to_markdown(report, folder),
        "latex": lambda: to_latex(report, folder if can_print() else ""),
        "csv": lambda: to_csv(report),
    }
    return writers[request.kind]()


def _seen_from(request: Request) -> str:
    """The folder of figures as the text names it: from where the text lies."""
    assert request.figures is not None
    there = _absolute(request.figures)
    here = _absolute(request.out).parent if request.out is not None else Path.cwd()
    return Path(os.path.relpath(there, here)).as_posix()


def _sealed(text: str, kind: str) -> bytes:
    content = (f"{text}\n" if kind == "md" else text).encode("utf-8")  # a comment there is a paragraph of its own
    if kind not in _SEALS:
        return content
    mark = _SEALS[kind].format(f"bertmt report sha256:{hashlib.sha256(content).hexdigest()}")
    return content + mark.encode() + b"\n"


def _is_ours(content: bytes) -> bool:
    """Whether a report wrote it, and nobody changed it since."""
    found = _SEAL.search(content[-200:])
    if found is None:
        return False
    body = content[: len(content) - (len(found[0]))]
    return hashlib.sha256(body).hexdigest().encode() == found[1]


def _refuse_file(path: Path, force: bool) -> None:
    if "\0" in str(path):
        raise UsageError("No file can have a name with a NUL: name another.")
    if not os.path.lexists(path):
        return
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise UsageError(f"{path} is no plain file, and is left alone: name another.")
        if force or _is_ours(read_bytes(path, MOST_REPORT)):
            return
    except OSError as problem:
        raise BertmtError(f"{path} cannot be read: {reason_of(problem)}.") from None
    raise UsageError(
        f"{path} is there already, and is not, or not any more, as a report wrote it: name another file, or replace it "
        "with --force."
    )


def _write(path: Path, content: bytes, force: bool) -> None:
    _refuse_file(path, force)  # again: gathering takes a while
    try:
        atomic_files.make_folder(path.parent)
        atomic_files.write_bytes(path, content)
    except OSError as problem:
        raise BertmtError(f"{path} cannot be written: {reason_of(problem)}; name another file.") from None


def _write_figures(report: Report, request: Request) -> tuple[int, str]:
    """Each figure as SVG and, where matplotlib is there, as PDF and PNG; how many files, and what was left out."""
    assert request.figures is not None
    folder = _absolute(request.figures)
    kinds = FORMATS if can_print() else ()
    known = _known_figures(folder)
    made = {
        f"{picture.name}.{kind}": content
        for picture in report.pictures
        for kind, content in (
            ("svg", svg_file(picture.figure).encode("utf-8")),
            *((each, printed(picture.figure, each)) for each in kinds),
        )
    }
    for name in made:
        _refuse_figure(folder / name, known, request.force)
    digests = {**known, **{name: hashlib.sha256(content).hexdigest() for name, content in made.items()}}
    try:
        atomic_files.make_folder(folder)
        atomic_files.write_text(folder / MARKER, "".join(f"{mark}  {name}\n" for name, mark in digests.items()))
        for name, content in made.items():
            atomic_files.write_bytes(folder / name, content)
    except OSError as problem:
        raise BertmtError(f"{folder} cannot be written: {reason_of(problem)}; name another with --figures.") from None
    remark = "" if kinds else 'Figures are SVG alone: PDF and PNG need matplotlib, `pip install "bertmt[figures]"`.'
    return len(made), remark


def _known_figures(folder: Path) -> dict[str, str]:
    """The figures that were written there before: name to digest."""
    try:
        lines = read_bytes(folder / MARKER, 1 << 20).decode("utf-8", "replace").splitlines()
    except OSError:
        return {}
    return {name: mark for mark, _, name in (line.partition("  ") for line in lines) if name}


def _refuse_figure(path: Path, known: Mapping[str, str], force: bool) -> None:
    if not os.path.lexists(path):
        return
    try:
        is_plain = stat.S_ISREG(path.lstat().st_mode)
        digest = hashlib.sha256(read_bytes(path, MOST_REPORT)).hexdigest() if is_plain else ""
    except OSError as problem:
        raise BertmtError(f"{path} cannot be read: {reason_of(problem)}.") from None
    if not is_plain or (known.get(path.name) != digest and not force):
        raise UsageError(f"{path} is there already, and no report wrote it so: name another folder with --figures.")


def _absolute(path: Path) -> Path:
    return paths.expanded(path).absolute()
