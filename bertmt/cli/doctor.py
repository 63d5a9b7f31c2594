"""`bertmt doctor`."""

from typing import Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.exit_codes import ExitCode
from bertmt.cli.invocation import registry_path
from bertmt.cli.parameters import AsJson
from bertmt.drawing.facts import Cell, wrapped
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, pad

STYLES = {"ok": "good", "warning": "title", "problem": "bad"}
MARKS = {"ok": "ok", "warning": "warning", "problem": "PROBLEM"}
MARK_WIDTH, NAME_WIDTH = 9, 26


Launcher = Annotated[
    str,
    typer.Option("--launcher", metavar="NAME", help="Try that one too, slurm: submit a job that looks around."),
]


def doctor(context: typer.Context, launcher: Launcher = "", as_json: AsJson = False) -> None:
    """Check what works here and what does not.

    Versions, devices, SQLite, encoders, data, registry, disk; exit code 1 if there is a problem.
    """
    from bertmt.services.upkeep.doctor import examine

    checks = examine(registry_path(context), launcher)
    if as_json:
        listed = [
            {"name": each.name, "state": str(each.state), "found": each.found, "advice": each.advice} for each in checks
        ]
        output.write_document("bertmt.doctor/1", {"checks": listed})
    else:
        for each in checks:
            output.write_lines(_lines(Cell(each.name, str(each.state)), each.found, each.advice))
    problems = sum(each.state == "problem" for each in checks)
    if problems:
        diagnostics.report(counted(problems, "problem was found", "problems were found"))
        raise typer.Exit(ExitCode.FAILED)


def _lines(check: Cell, found: str, advice: str) -> list[Line]:
    """A check: its state, its name, what was found, and below that what to do."""
    indent = MARK_WIDTH + NAME_WIDTH
    width = output.table_width()
    room = width - indent if width and width > indent + 20 else None
    texts = [
        *((part, "") for part in wrapped(safe_text(found), room)),
        *((part, "dim") for part in (wrapped(safe_text(f"→ {advice}"), room) if advice else ())),
    ]
    lines: list[Line] = []
    for index, (text, style) in enumerate(texts):
        head = [
            Span(pad(MARKS[check.style], MARK_WIDTH), STYLES[check.style]),
            Span(pad(safe_text(check.text), NAME_WIDTH)),
        ]
        lines.append((*(head if index == 0 else [Span(" " * indent)]), Span(text, style)))
    return lines
