"""What we have of each of the paper's figures: its cells beside ours, and ours of the pictures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from bertmt.errors import BertmtError
from bertmt.recipe.reported import Figure
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.confusion import confusion_of
from bertmt.services.analysis.examples import Similarity, similarity_of
from bertmt.services.analysis.paper.cells import Cell, best_known, rate_cells, score_cells
from bertmt.services.analysis.paper.table import AtScale, PaperRow, paper_table
from bertmt.services.analysis.run_predictions import epochs_of

PARTS = 5  # of the range of labels, by which Figure 10's distances from the line are told


@dataclass(frozen=True, eq=False)
class Matrix:
    """Figure 8 of one run of ours: counts, (k, k), rows true."""

    run: Run
    counts: np.ndarray
    classes: tuple[str, ...]

    @property
    def involved(self) -> list[tuple[int, int]]:
        """In how many mistakes each class is the true or the predicted one, (class, mistakes), the most first."""
        beside = self.counts * ~np.eye(len(self.counts), dtype=bool)
        found = beside.sum(axis=0) + beside.sum(axis=1)
        return sorted(((place, int(count)) for place, count in enumerate(found)), key=lambda each: -each[1])


@dataclass(frozen=True, eq=False)
class Scatter:
    """Figure 10 of one run of ours: predictions against labels, and the range of the labels."""

    similarity: Similarity
    scale: tuple[float, float]

    @property
    def run(self) -> Run:
        """Whose predictions they are."""
        return self.similarity.run

    @property
    def distances(self) -> list[tuple[float, float, float]]:
        """Between two labels the mean distance of predictions from the line of best fit; parts without a label are
        left out."""
        found = self.similarity
        if found.fit is None:
            return []
        slope, intercept = found.fit
        away = np.abs(found.predicted - (slope * found.labels + intercept))
        ends = np.linspace(*self.scale, PARTS + 1)
        place = np.clip(np.searchsorted(ends, found.labels, side="right") - 1, 0, PARTS - 1)
        return [(float(ends[each]), float(ends[each + 1]), float(away[place == each].mean()))
                for each in range(PARTS) if (place == each).any()]  # fmt: skip


@dataclass(frozen=True)
class FoundFigure:
    """A figure of the paper and ours.

    Attributes:
        cells: of figures of numbers, a model after the other.
        picture: of one run, that whose score is nearest the mean of all seeds: no choice of the best.
        why_none: why there is no picture where the figure is one; a sentence.
    """

    figure: Figure
    cells: tuple[Cell, ...]
    picture: Matrix | Scatter | None = None
    why_none: str = ""


def found_figures(database: Database, runs: Iterable[Run], chosen: Sequence[Figure]) -> list[FoundFigure]:
    """What we have of these figures, of each model the runs at its best known scale."""
    rows = {row.preset.name: row for row in paper_table(runs)}
    entries = {name: best_known(row) for name, row in rows.items()}
    return [found_figure(database, figure, rows, entries) for figure in chosen]


def found_figure(
    database: Database, figure: Figure, rows: Mapping[str, PaperRow], entries: Mapping[str, AtScale | None]
) -> FoundFigure:
    """What we have of one figure.

    Args:
        rows, entries: by preset, the figure's models among them.
    """
    if figure.shows in ("matrix", "scatter"):
        [model], [task] = figure.models, figure.tasks
        try:
            return FoundFigure(figure, (), picture_of(database, figure, entries[model], task))
        except BertmtError as problem:
            return FoundFigure(figure, (), why_none=str(problem))
    make = rate_cells if figure.shows == "rates" else score_cells
    cells = [cell for name in figure.models for cell in make(database, figure, rows[name], entries[name])]
    return FoundFigure(figure, tuple(cells))


def picture_of(database: Database, figure: Figure, entry: AtScale | None, task: str) -> Matrix | Scatter | None:
    """The picture of a typical run; None where there is no run.

    Raises:
        NotFoundError: its predictions are not there.
    """
    if entry is None:
        return None
    run = _typical(database, entry, task)
    if figure.shows == "matrix":
        found = confusion_of(database, run, task)
        return Matrix(run, found.counts, found.classes)
    about = run.tasks[task]
    return Scatter(similarity_of(database, run, task), (about.minimum, about.maximum))


def _typical(database: Database, entry: AtScale, task: str) -> Run:
    """The run whose score is nearest the mean, of those whose predictions are there."""
    scored = [(run, score) for run in entry.by_seed if (score := run.score(task)) is not None]
    if not scored:
        return entry.runs[-1]
    mean = fmean(score for _, score in scored)
    has_predictions = [each for each in scored if epochs_of(database, each[0], task)] or scored
    return min(has_predictions, key=lambda each: abs(each[1] - mean))[0]
