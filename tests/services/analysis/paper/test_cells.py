"""The paper's figures cell by cell: intervals against scipy, and when a figure of the paper is inside."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from call_types import AddRun
from changed_run import changed
from present import present
from registry_builder import RegistryBuilder
from scipy import stats

from bertmt.comparison.intervals import of_one_more
from bertmt.recipe.reported import figures
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.analysis.paper.cells import Cell, Standing, best_known, intervals, rate_cells, score_cell
from bertmt.services.analysis.paper.figures import FoundFigure
from bertmt.services.analysis.paper.formatting import about_cells, format_cells
from bertmt.services.analysis.paper.table import PaperRow, paper_table

# The course's files, as readers found them; the paper's own counts are those of docs/paper.md.
SIZES = {
    "sst-train": 8544, "sst-dev": 1101, "para-train": 283_010, "para-dev": 40_429, "sts-train": 6040, "sts-dev": 863,
}  # fmt: skip
FIGURE_2, FIGURE_9 = (next(each for each in figures() if each.number == number) for number in (2, 9))


@pytest.fixture
def full_size(add_run: AddRun) -> Callable[..., Run]:
    """A finished run at the paper's encoder, data and budget."""

    def make(preset_name: str = "baseline", scores: Any = None, sizes: Any = None, **values: Any) -> Run:
        own = {"encoder": "bert-base-uncased", **values}
        queued = add_run(preset_name=preset_name, **own)
        started = {"event": "started", "at": "2026-01-01T00:00:00+00:00", "attempt": 1, "pid": 1}
        started |= {"split_sizes": {**SIZES, **(sizes or {})}}
        return changed(
            queued, state=State.FINISHED, data="/course", started_json=json.dumps(started), overall=None,
            **(scores or {}),
        )  # fmt: skip

    return make


def row_of(runs: list[Run], name: str) -> PaperRow:
    return next(row for row in paper_table(runs) if row.preset.name == name)


def cell_of(database: Database, runs: list[Run], name: str, task: str) -> Cell:
    row = row_of(runs, name)
    return score_cell(database, row, task, best_known(row))


SCORES = (0.0, 1.0)


def test_intervals_are_scipys() -> None:
    values = [0.47, 0.49, 0.455, 0.48, 0.462]
    mean, one, of_mean = intervals(values, SCORES)
    assert mean == pytest.approx(np.mean(values))
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert of_mean == (pytest.approx(low), pytest.approx(high))
    # One more run: mean ∓ t₄(0.975) s √(1 + 1/5).
    reach = stats.t.ppf(0.975, 4) * np.std(values, ddof=1) * np.sqrt(1.2)
    assert one == (pytest.approx(np.mean(values) - reach), pytest.approx(np.mean(values) + reach))
    assert intervals([0.5], SCORES) == (0.5, (None, None), (None, None))
    assert intervals([], SCORES)[0] is None
    assert intervals([0.2, 0.9], SCORES)[1] == SCORES, "no score lies beyond"


def test_of_equal_runs_one_more_lies_in_its_interval_in_95_percent() -> None:
    inside = 0
    for *known, other in np.random.default_rng(3).normal(size=(4000, 6)).tolist():
        low, high = of_one_more(known).at(0.05)
        inside += low <= other <= high
    assert abs(inside / 4000 - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 4000)


def test_at_the_papers_scale_its_figure_is_inside_or_outside(database: Database, full_size: Callable[..., Run]) -> None:
    runs = [full_size(seed=seed, scores={"sst": sst, "para": 0.7 + sst / 100, "sts": 0.35})
            for seed, sst in enumerate((0.478, 0.490, 0.484))]  # fmt: skip
    sst = cell_of(database, runs, "baseline", "sst")
    assert (sst.standing, sst.reported, sst.reported_n, sst.n, sst.seeds) == (Standing.INSIDE, 0.483, 1101, 1101, 3)
    para = cell_of(database, runs, "baseline", "para")
    assert para.standing is Standing.OUTSIDE and present(para.high) < 0.782
    # All three seeds have 0.35, the paper 0.352: nothing but rounding is allowed, which is half of its last digit.
    assert cell_of(database, runs, "baseline", "sts").standing is Standing.OUTSIDE


@pytest.mark.parametrize(("seeds", "style"), [(4, "dim"), (5, "good")])
def test_few_seeds_have_no_colour_and_it_is_said_that_each_cell_is_judged_by_itself(
    database: Database, full_size: Callable[..., Run], seeds: int, style: str
) -> None:
    runs = [full_size(seed=seed, scores={"sst": 0.483 + seed / 1000}) for seed in range(seeds)]
    cell = cell_of(database, runs, "baseline", "sst")
    spans = [span for line in format_cells([cell], 120) for span in line]
    assert [span.style for span in spans if span.text.strip() == "inside"] == [style]
    said = " ".join(about_cells([FoundFigure(FIGURE_2, (cell,), None)]))
    assert "by itself: 1 in 20 is outside by chance, and with few seeds nearly all is inside" in said


def test_one_seed_has_no_interval_and_no_standing(database: Database, full_size: Callable[..., Run]) -> None:
    found = cell_of(database, [full_size(scores={"sst": 0.483})], "baseline", "sst")
    assert (found.standing, found.low, found.mean) == (Standing.NO_INTERVAL, None, 0.483)


@pytest.mark.parametrize(
    ("values", "sizes", "what"),
    [
        ({"encoder": "minilm"}, {}, "encoder"),
        ({"epochs": 3}, {}, "epochs"),
        ({"learning_rate": 1e-4}, {}, "learning_rate"),
        ({}, {"para-train": 14_214}, "para-train"),
        ({}, {"para-dev": 3000}, "para-dev"),
        ({}, {"sst-train": 0}, "sst-train"),
    ],
)
def test_at_another_encoder_budget_or_size_nothing_is_inside_or_outside(
    database: Database, full_size: Callable[..., Run], values: Any, sizes: Any, what: str
) -> None:
    runs = [full_size(seed=seed, scores={"sst": sst}, sizes=sizes, **values)
            for seed, sst in enumerate((0.478, 0.490))]  # fmt: skip
    found = cell_of(database, runs, "baseline", "sst")
    assert found.standing is Standing.OTHER_SCALE and what in found.differences


def test_data_whose_size_nobody_told_is_not_the_papers(database: Database, full_size: Callable[..., Run]) -> None:
    runs = [changed(full_size(seed=seed, scores={"sst": 0.48}), started_json=None) for seed in (0, 1)]
    found = cell_of(database, runs, "baseline", "sst")
    assert found.standing is Standing.OTHER_SCALE and found.differences["sst-train"] == ("unknown", "8,544")


def test_a_few_rows_that_readers_skip_are_no_other_scale(database: Database, full_size: Callable[..., Run]) -> None:
    runs = [full_size(seed=seed, scores={"sst": 0.483}, sizes={"para-train": 283_003}) for seed in (0, 1)]
    assert cell_of(database, runs, "baseline", "sst").standing is Standing.INSIDE


def test_extra_pairs_count_where_the_model_takes_them(database: Database, full_size: Callable[..., Run]) -> None:
    def big(size: int) -> Standing:
        runs = [full_size("big-data", seed=seed, scores={"para": 0.86 + seed / 100}, sizes={"para-train": size})
                for seed in (0, 1)]  # fmt: skip
        return cell_of(database, runs, "big-data", "para").standing

    assert (big(333_010), big(283_010)) == (Standing.INSIDE, Standing.OTHER_SCALE)


def test_the_test_set_of_the_paper_is_another_split(database: Database, full_size: Callable[..., Run]) -> None:
    runs = [full_size("final", seed=seed, scores={"sst": 0.53 + seed / 100, "para": 0.8, "sts": 0.8},
                      sizes={"para-train": 333_010}) for seed in (0, 1)]  # fmt: skip
    found = cell_of(database, runs, "final", "sst")
    assert (found.standing, found.reported_n) == (Standing.OTHER_SPLIT, 2210)


def test_the_papers_scale_goes_before_another_with_more_seeds(
    database: Database, full_size: Callable[..., Run]
) -> None:
    runs = [full_size(scores={"sst": 0.48}), *(full_size(seed=seed, epochs=2, scores={"sst": 0.4}) for seed in (1, 2))]
    assert cell_of(database, runs, "baseline", "sst").mean == 0.48
    assert cell_of(database, runs[1:], "baseline", "sst").seeds == 2


def test_without_runs_or_reported_scores_that_is_said(database: Database, full_size: Callable[..., Run]) -> None:
    assert cell_of(database, [], "baseline", "sst").standing is Standing.NO_RUN
    runs = [full_size("lora-r20", seed=seed, scores={"sts": 0.3 + seed / 10}) for seed in (0, 1)]
    assert cell_of(database, runs, "lora-r20", "sts").standing is Standing.NOT_REPORTED


def test_a_run_is_of_a_preset_that_came_later(full_size: Callable[..., Run]) -> None:
    older = changed(full_size("pearson-all", scores={"sts": 0.8}), preset=None)
    assert row_of([older], "pearson-all").measured[0].scores["sts"].mean == 0.8
    assert not row_of([older], "pearson").measured


def test_figure_9_has_the_rates_by_true_class(tmp_path: Any) -> None:
    builder = RegistryBuilder(tmp_path / "runs.db")
    runs = [builder.finished("final", "final", right=right, seed=seed) for seed, right in enumerate((0.8, 0.6))]
    row = row_of(runs, "final")
    found = rate_cells(builder.database, FIGURE_9, row, best_known(row))
    # Of 60 pairs, labels 0 1 0 1 …, the first 48 and 36 are right: of each class 24 and 18 of 30.
    means = {each.what: each.mean for each in found}
    expected = {"true positive": 0.7, "false positive": 0.3, "true negative": 0.7, "false negative": 0.3}
    assert means == pytest.approx(expected)
    assert [each.reported for each in found] == [0.83, 0.15, 0.85, 0.17]
    assert {each.n for each in found} == {30} and {each.seeds for each in found} == {2}
    builder.database.close()
