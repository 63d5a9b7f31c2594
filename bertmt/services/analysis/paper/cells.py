"""The paper's figures cell by cell: what it reports, our mean over seeds, and where its figure lies among our runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import NamedTuple

import numpy as np

from bertmt.comparison.intervals import of_mean, of_one_more
from bertmt.comparison.verdicts import LEVEL
from bertmt.errors import BertmtError
from bertmt.recipe.reported import Figure, reported_confusion, reported_size
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.confusion import confusion_of
from bertmt.services.analysis.paper.table import AtScale, PaperRow
from bertmt.tasks.builtin import BUILTIN

SCORE_ROUNDING, RATE_ROUNDING = 0.0005, 0.005  # the paper's scores have three digits, its rates two
RATES = ("true positive", "false positive", "true negative", "false negative")  # in the order of Figure 9


class Standing(StrEnum):
    """How a figure of the paper stands to our runs."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    OTHER_SCALE = "other scale"
    OTHER_SPLIT = "other split"
    NO_INTERVAL = "no interval yet"
    NOT_REPORTED = "not reported"
    NO_RUN = "no run yet"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of a figure.

    Attributes:
        model: its preset.
        what: the task, or the rate, whose number it is.
        reported: None where the paper gives none.
        reported_n: of how many examples the paper's is; None where it does not say.
        n: of how many dev examples ours are; None where that is not known.
        seeds: of how many of our runs `mean` is; 0: there is none.
        low, high: between which 95 % of single runs of ours lie, by Student's t over the seeds: the paper's figure is
            one run, and no mean. None with fewer than two seeds.
        mean_low, mean_high: the 95 % interval of the mean itself.
        differences: what of our scale is not the paper's: name to ours and the paper's.
    """

    model: str
    what: str
    standing: Standing
    reported: float | None
    reported_split: str
    reported_n: int | None
    n: int | None = None
    seeds: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    mean_low: float | None = None
    mean_high: float | None = None
    differences: Mapping[str, tuple[object, object]]


def best_known(row: PaperRow) -> AtScale | None:
    """Our runs of a model at one scale: the paper's where there are some, else where most seeds are, else the newest.

    None: there are no finished ones.
    """
    # `measured` has the newest first, which `max` takes of equal ones.
    return max(row.measured, key=lambda each: (not each.scale_differences(row.preset), len(each.by_seed)), default=None)


def score_cells(database: Database, figure: Figure, row: PaperRow, entry: AtScale | None) -> list[Cell]:
    """The cells of a model in a figure of scores, in the order of the figure's tasks.

    Args:
        entry: our runs of it, at the scale that is shown.
    """
    return [score_cell(database, row, task, entry) for task in figure.tasks]


def score_cell(database: Database, row: PaperRow, task: str, entry: AtScale | None) -> Cell:
    """The score of a model in a task, the paper's and ours."""
    value = row.reported.scores.get(task) if row.reported else None
    split = row.reported.split if row.reported else "dev"
    reported = _Reported(value, split, reported_size(task, split) if value is not None else None, SCORE_ROUNDING)
    runs = entry.by_seed if entry is not None else ()
    values = [score for run in runs if (score := run.score(task)) is not None]
    return _cell(row, task, reported, values, dev_size(database, runs[-1], task) if runs else None, entry)


def rate_cells(database: Database, figure: Figure, row: PaperRow, entry: AtScale | None) -> list[Cell]:
    """Figure 9: rates by true class, positive is the second one; ours of the runs whose predictions are stored."""
    paper = reported_confusion()
    reported = (paper.true_positive, paper.false_positive, paper.true_negative, paper.false_negative)
    [task] = figure.tasks
    counts = [found for run in (entry.by_seed if entry else ()) if (found := _counts(database, run, task)) is not None]
    cells = []
    for name, value, (true, predicted) in zip(RATES, reported, ((1, 1), (0, 1), (0, 0), (1, 0)), strict=True):
        shares = [float(each[true, predicted] / each[true].sum()) for each in counts if each[true].any()]
        size = int(counts[-1][true].sum()) if counts else None
        cells.append(_cell(row, name, _Reported(value, "dev", None, RATE_ROUNDING), shares, size, entry))
    return cells


def _counts(database: Database, run: Run, task: str) -> np.ndarray | None:
    """The confusions of two classes, (2, 2); None where no predictions are stored."""
    try:
        return confusion_of(database, run, task).counts
    except BertmtError:
        return None


def dev_size(database: Database, run: Run, task: str) -> int | None:
    """Of how many dev examples a run's score is."""
    mark = stored_predictions.fingerprint_of(database, run.key, task, run.scores.selected_epoch)
    size = stored_predictions.split_size(database, mark)
    if size is not None or run.progress.started is None:
        return size
    told = run.progress.started.split_sizes.get(f"{task}-dev")
    cut = run.submission.shared_recipe.get("evaluate_examples")
    return min(told, cut) if told and cut else told


class _Reported(NamedTuple):
    """What the paper says: `n` examples of a split; `rounding`: half a unit of its last digit."""

    value: float | None
    split: str
    n: int | None
    rounding: float


def _cell(
    row: PaperRow, what: str, reported: _Reported, values: Sequence[float], n: int | None, entry: AtScale | None
) -> Cell:
    mean, one, whole = intervals(values, (-1.0, 1.0) if what in BUILTIN and BUILTIN[what].metric.signed else (0.0, 1.0))
    differences = entry.scale_differences(row.preset) if entry is not None else {}
    return Cell(
        model=row.preset.name, what=what, reported=reported.value, reported_split=reported.split,
        reported_n=reported.n, n=n if values else None, seeds=len(values), mean=mean, low=one[0], high=one[1],
        mean_low=whole[0], mean_high=whole[1], differences=differences,
        standing=_standing(reported, bool(values), one, bool(differences)),
    )  # fmt: skip


Ends = tuple[float | None, float | None]


def intervals(values: Sequence[float], bounds: tuple[float, float]) -> tuple[float | None, Ends, Ends]:
    """The mean of independent runs, between which 95 % of single runs lie, and the 95 % interval of the mean.

    Args:
        bounds: beyond which no score lies.
    """
    if len(values) < 2:
        return (values[0] if values else None), (None, None), (None, None)
    ends = (of_one_more(values).at(LEVEL), of_mean(values).at(LEVEL))
    one, whole = ((max(low, bounds[0]), min(high, bounds[1])) for low, high in ends)
    return fmean(values), one, whole


def _standing(reported: _Reported, has_runs: bool, one: Ends, is_other_scale: bool) -> Standing:
    low, high = one
    if reported.value is None:
        return Standing.NOT_REPORTED
    if not has_runs:
        return Standing.NO_RUN
    if is_other_scale:
        return Standing.OTHER_SCALE
    if reported.split != "dev":  # other examples than ours: a difference may be theirs
        return Standing.OTHER_SPLIT
    if low is None or high is None:
        return Standing.NO_INTERVAL
    is_inside = low - reported.rounding <= reported.value <= high + reported.rounding
    return Standing.INSIDE if is_inside else Standing.OUTSIDE
