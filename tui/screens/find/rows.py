"""What was found as lines of a table: a run, and below it the lines that were found in it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from bertmt.drawing.facts import wrapped
from bertmt.drawing.numbers import count, counted
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from bertmt.registry.records import Run
from bertmt.services.browse.find.found import Found, Where
from bertmt.services.browse.find.search import by_run
from tui.formatting.run_signs import state_sign
from tui.widgets.tables.columns import Column, Spanning

COLUMNS = (
    Column("sign", "", 1, rank=1, words=9),
    Column("where", "", 8, rank=2),
    Column("place", "", 12, rank=3),
    Column("text", "", 20, rank=1, elastic=True),
)


@dataclass(frozen=True)
class FoundRow:
    """A line of the table.

    Attributes:
        found: what was found; None: the line of the run itself.
        number: the place of the line below its run, or how many lines stand there.
    """

    run: Run
    found: Found | None
    number: int

    @property
    def key(self) -> Hashable:
        """What tells it from others, also when more is found."""
        return self.run.id if self.found is None else (self.run.id, self.number)


def rows_of(found: Sequence[Found]) -> list[FoundRow]:
    """All that was found, run by run."""
    rows: list[FoundRow] = []
    for group in by_run(found):
        rows.append(FoundRow(group[0].run, None, len(group)))
        rows += [FoundRow(each.run, each, number) for number, each in enumerate(group)]
    return rows


def cell(row: FoundRow, column: Column) -> Span:
    """The cell of a column of a line."""
    if column.key == "sign":
        return state_sign(row.run) if row.found is None else Span("")
    if row.found is None:
        run = row.run
        name = f"{safe_text(run.name)}  {run.id}  seed {run.seed}  {run.state}  {counted(row.number, 'line')}"
        return Spanning(name, "title")
    match column.key:
        case "where":
            return Span(row.found.where, "accent")
        case "place":
            return Span(safe_text(place_of(row.found)), "dim")
        case _:
            return Span(safe_text(row.found.text.strip()))


def place_of(found: Found) -> str:
    """Where a line stands, in a few cells; "" where that goes without saying."""
    if found.where is Where.LOG:
        line_number = f"line {count(found.line)}" if found.line else ""
        return line_number if found.run.attempt == found.attempt else f"{found.attempt}: {line_number}"
    if found.where is Where.SENTENCE:
        return f"{found.task} {count(found.example + 1)}"
    return ""


def in_full(found: Found, wanted: str, width: int) -> list[Line]:
    """A line that was found, wrapped, with what was looked for in another style; below it where it stands."""
    lines = [_marked(part, wanted) for part in wrapped(safe_text(found.text.strip()), width)]
    about = {
        Where.LOG: f"log of attempt {found.attempt}" + (f", line {count(found.line)}" if found.line else ""),
        Where.SENTENCE: f"dev example {count(found.example + 1)} of {safe_text(found.task)}"
        + (f"; {counted(found.others, 'other run')} predicted it too" if found.others else ""),
    }.get(found.where, str(found.where))
    return [*lines, line(Span(about, "dim"))]


def _marked(text: str, wanted: str) -> Line:
    begin = text.casefold().find(wanted.casefold())
    if begin < 0:
        return line(text)
    end = begin + len(wanted)
    return line(text[:begin], Span(text[begin:end], "mark"), text[end:])
