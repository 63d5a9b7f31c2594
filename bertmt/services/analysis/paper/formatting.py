"""The paper beside ours in tables, pictures and words, the same in every front end."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell as Text
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from bertmt.drawing.tables import Column, Row, table
from bertmt.recipe.reported import reported_overall
from bertmt.services.analysis.paper.cells import Cell, Standing
from bertmt.services.analysis.paper.figures import FoundFigure
from bertmt.services.analysis.paper.pictures import picture_lines
from bertmt.services.analysis.paper.table import LEAST_COLOURED
from bertmt.services.browse.run_formatting import value_text
from bertmt.tasks.builtin import BUILTIN

STYLES = {Standing.INSIDE: "good", Standing.OUTSIDE: "bad"}
SAID = {Standing.NO_INTERVAL: "", Standing.NOT_REPORTED: "", Standing.NO_RUN: ""}  # what other cells of the row say


def format_figure(
    found: FoundFigure, width: int | None, room: int, ascii_only: bool = False, words: bool = False
) -> list[Line]:
    """A figure: its title, its cells, its picture.

    Args:
        width: what tables fit; None: nothing needs to.
        room: cells that a picture takes.
        words: sentences in the place of pictures.
    """
    figure = found.figure
    lines = [line(Span(f"Figure {figure.number}", "title"), f"  {figure.caption}")]
    if found.cells:
        lines += format_cells(found.cells, width)
    if figure.says:
        lines += dim([f"The paper: {figure.says}"], width)
    lines += picture_lines(found, room, ascii_only, words)
    return [*lines, *dim(_notes(found), width)]


def format_cells(found: Sequence[Cell], width: int | None, with_model: bool = True) -> list[Line]:
    """A row per cell: reported, ours with its interval, how that stands, seeds, examples of ours and of the paper's."""
    columns = [Column("model", elastic=True)] if with_model else []
    whats = {each.what for each in found}
    if len(whats) > 1 or not with_model:
        columns.append(Column("score" if with_model else ""))
    columns += [
        Column("paper", True), Column("ours [one run, 95 %]"), Column(""), Column("seeds", True),
        Column("n", True), Column("paper's n", True),
    ]  # fmt: skip
    rows = []
    for each in found:
        names = [each.model] if with_model else []
        if len(whats) > 1 or not with_model:
            names.append(title_of(each.what))
        standing = SAID.get(each.standing, str(each.standing))
        rows.append(Row([
            *names, numbers.score(each.reported, 2 if each.what not in BUILTIN else 3), ours_of(each),
            Text(standing, _style(each)), numbers.count(each.seeds or None),
            numbers.count(each.n), numbers.count(each.reported_n),
        ]))  # fmt: skip
    return table(columns, rows, width, gap=2 if width is None or width > 100 else 1)


def _style(cell: Cell) -> str:
    """Of how a cell stands; few seeds say too little for a colour."""
    return STYLES.get(cell.standing, "dim") if cell.seeds >= LEAST_COLOURED else "dim"


def title_of(what: str) -> str:
    """A task's score, or a rate, as people call it."""
    return BUILTIN[what].score_title if what in BUILTIN else what


def ours_of(cell: Cell) -> Text:
    """Our mean, and where 95 % of single runs lie; or why there is no such interval."""
    if cell.mean is None:
        return Text(str(Standing.NO_RUN), "dim")
    mean = numbers.score(cell.mean)
    if cell.low is None or cell.high is None:
        return Text(f"{mean} {Standing.NO_INTERVAL}")
    return Text(f"{mean} [{numbers.score(cell.low)}, {numbers.score(cell.high)}]")


def about_scales(found: Iterable[Cell]) -> list[str]:
    """What of our scale is not the paper's, once for all models that have it; not yet safe for a screen."""
    by_text: dict[str, dict[str, None]] = {}
    for each in found:
        if each.differences and each.seeds:
            by_text.setdefault(differences_text(each.differences), {})[each.model] = None
    said = []
    for text, models in by_text.items():
        whose = f" of {numbers.named(list(models), most=6)}" if len(by_text) > 1 else ""
        said.append(f"Other scale (the paper's in brackets){whose}: {text}.")
    return said


def differences_text(differences: Mapping[str, tuple[Any, Any]]) -> str:
    """Settings and sizes with ours and the paper's in brackets; not yet safe for a screen."""
    return ", ".join(f"{name} {value_text(ours)} ({value_text(paper)})" for name, (ours, paper) in differences.items())


def _notes(found: FoundFigure) -> list[str]:
    said = []
    if any(each.reported_split == "test" for each in found.cells):
        overall, note = reported_overall()
        said.append(f"The paper's are of its test set, ours of dev. Overall {overall}, {note}.")
    if found.figure.shows == "rates":
        said.append("By true class; positive is a paraphrase. The paper does not say of how many pairs (decision 16).")
    if found.figure.shows == "ranks":
        said.append("At scale 1 the step grows with the rank, so ranks differ in that, too (decision 9).")
    if any(each.model.endswith("-all") for each in found.cells):
        said.append("-all: the figure read with all tasks (decision 26).")
    return said


def about_cells(found: Iterable[FoundFigure]) -> list[str]:
    """What intervals and standings mean, in sentences; where there is any."""
    every = [cell for figure in found for cell in figure.cells]
    said = []
    if any(each.low is not None for each in every):
        said.append(
            "The interval is where 95 % of single runs of ours lie, by Student's t over the seeds: the paper's figure "
            "is one run."
        )
    if any(each.standing in (Standing.INSIDE, Standing.OUTSIDE, Standing.OTHER_SCALE) for each in every):
        said.append("Inside and outside are said at the paper's encoder, data size and budget alone.")
    if any(each.standing in (Standing.INSIDE, Standing.OUTSIDE) for each in every):
        said.append(
            "Each cell is judged at 95 % by itself: 1 in 20 is outside by chance, and with few seeds nearly all is "
            f"inside, so that fewer than {LEAST_COLOURED} have no colour."
        )
    return [*said, *about_scales(every)]


def dim(sentences: Iterable[str], width: int | None) -> list[Line]:
    """Sentences in lines of a width."""
    return [line(Span(part, "dim")) for each in sentences for part in wrapped(safe_text(each), width)]
