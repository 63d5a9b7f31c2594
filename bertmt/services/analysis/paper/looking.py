"""The paper beside the runs of a registry: figures and claims, and what of them is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt.recipe.reported import Figure, figures
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.analysis.paper.cells import Cell, score_cell
from bertmt.services.analysis.paper.claims import JudgedClaim, judged_claims
from bertmt.services.analysis.paper.figures import FoundFigure, found_figure, found_figures
from bertmt.services.analysis.paper.missing import SEEDS_WANTED, Missing, arms_of, claims_of, missing
from bertmt.services.analysis.paper.runs import PaperRuns
from bertmt.services.analysis.paper.table import SCORES, AtScale, PaperRow
from bertmt.services.browse.listing import list_runs


@dataclass(frozen=True)
class Paper:
    """What our runs say of figures, and of the claims about them."""

    figures: tuple[FoundFigure, ...]
    claims: tuple[JudgedClaim, ...]


def paper_of(database: Database, chosen: Sequence[Figure], query: str = "") -> Paper:
    """The paper beside our runs.

    Args:
        query: only runs that match, as in `bertmt runs --filter`; "": all.

    Raises:
        UsageError: the query is not understood.
    """
    runs = [row.run for row in list_runs(database, query)] if query else all_runs(database)
    judged = judged_claims(database, PaperRuns(runs), claims_of(chosen))
    return Paper(tuple(found_figures(database, runs, chosen)), judged)


@dataclass(frozen=True)
class JudgedRows:
    """What is said of rows of the paper's table.

    Attributes:
        cells: by preset, of each score that the paper or we have, of the entry that is shown.
        pictures: by number, the figures that are more than scores: 6, 8, 9 and 10.
    """

    claims: tuple[JudgedClaim, ...]
    cells: Mapping[str, tuple[Cell, ...]]
    pictures: Mapping[int, FoundFigure]


def judged_rows(
    database: Database, runs: Iterable[Run], shown: Sequence[tuple[PaperRow, AtScale | None]]
) -> JudgedRows:
    """What takes longer than a blink of the table: intervals, verdicts and pictures.

    Args:
        shown: every row, and which of its scales is shown.
    """
    rows = {row.preset.name: row for row, _ in shown}
    entries = {row.preset.name: entry for row, entry in shown}
    cells = {}
    for row, entry in shown:
        ours, paper = entry.scores if entry else {}, row.reported.scores if row.reported else {}
        names = [name for name in SCORES if name in ours or paper.get(name) is not None]
        cells[row.preset.name] = tuple(score_cell(database, row, name, entry) for name in names)
    drawn = [each for each in figures() if each.shows != "scores"]
    pictures = {each.number: found_figure(database, each, rows, entries) for each in drawn}
    return JudgedRows(judged_claims(database, PaperRuns(runs)), cells, pictures)


def missing_of(
    database: Database | None, chosen: Sequence[Figure], seeds: int | None, values: Mapping[str, Any], folder: Path
) -> Missing:
    """As `missing`, of figures and of the claims about them.

    Args:
        database: None: there is none yet.
        seeds: how many each recipe should have; None: as many as the claims can be decided with.
    """
    number = SEEDS_WANTED if seeds is None else seeds
    runs = all_runs(database) if database is not None else ()
    return missing(runs, arms_of(chosen), number, values, folder)
