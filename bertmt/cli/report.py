"""`bertmt report`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import completion, diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text

if TYPE_CHECKING:
    from bertmt.services.analysis.report.files import Request, Written


class Format(StrEnum):
    """How it is written."""

    HTML = "html"
    MARKDOWN = "md"
    LATEX = "latex"
    CSV = "csv"


Words = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...", help="As for `bertmt compare`: the first is the reference; of one run alone, its baseline "
        "is. A name that seeds share stands for all of them.", autocompletion=completion.runs,
    ),
]  # fmt: skip
Out = Annotated[
    str | None,
    typer.Option("--out", "-o", metavar="FILE", help="The file that is written; by default it goes to stdout."),
]
Kind = Annotated[
    Format | None,
    typer.Option("--format", help="By default what the name of the file says (.html, .md, .tex, .csv), else html."),
]
Figures = Annotated[
    str | None,
    typer.Option(
        "--figures", metavar="DIR", help="Write the figures there too, as SVG and, with matplotlib, as PDF and PNG for "
        "print; Markdown and LaTeX then show them.",
    ),
]  # fmt: skip
Force = Annotated[bool, typer.Option("--force", help="Replace a file that no report wrote, or that was changed since.")]


def report(
    context: typer.Context, words: Words, out: Out = None, kind: Kind = None, figures: Figures = None,
    force: Force = False,
) -> None:  # fmt: skip
    """Write all about runs as one page, to print or pass on.

    Verdicts, scores with intervals, curves, confusion matrices, similarity, examples that were fixed and broken, scores
    by slice, recipes, training, data, encoders, code and environment, and the commands that do it again. HTML is one
    file that fetches nothing. CSV has the numbers alone, in full precision.
    """
    from bertmt.services.analysis.arms import named_groups
    from bertmt.services.analysis.report.files import Request, kind_of, refuse_unless_free, write
    from bertmt.services.analysis.report.gathering import report_of

    database = existing_registry(context)
    file, folder = (None if each is None else Path(each) for each in (out, figures))
    request = Request(kind_of(None if kind is None else kind.value, file), file, folder, force)
    _refuse_page_on_screen(request)
    refuse_unless_free(request)
    written = write(report_of(database, named_groups(database, words)), request)
    if file is None:
        output.write_data([written.text])
    _tell(request, written)


def _refuse_page_on_screen(request: "Request") -> None:
    from bertmt.errors import UsageError

    if request.out is None and request.kind == "html" and output.is_terminal():
        raise UsageError("A page of HTML is for a browser: write it into a file with -o report.html.")


def _tell(request: "Request", written: "Written") -> None:
    """What was written and where; beside a report on stdout, on stderr."""
    said = []
    if request.out is not None:
        size = numbers.size_words(len(written.text.encode("utf-8")))
        drawn = f", {numbers.counted(written.figures, 'figure')}" if request.kind == "html" else ""
        said.append(safe_text(f"{request.out}: {size}{drawn}."))
    if request.figures is not None:
        said.append(safe_text(f"{request.figures}: {numbers.counted(written.files, 'file')}."))
    if request.out is None:
        diagnostics.note(*said)
    else:
        output.write_lines(said)
    diagnostics.note(*([written.remark] if written.remark else []))
