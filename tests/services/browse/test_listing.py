"""Lists of runs: filter, order, and the run that each is compared with."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from call_types import AddRun
from present import present

from bertmt.errors import BusyError, NotFoundError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import bring_back, remove, run_by_key
from bertmt.services.analysis.arms import named_groups
from bertmt.services.analysis.run_predictions import compared_run
from bertmt.services.browse.baseline import Baselines, choose_baseline, missing_baseline
from bertmt.services.browse.listing import list_runs
from bertmt.services.browse.rows import Row


def names(rows: list[Row]) -> list[Any]:
    return [row.run.name for row in rows]


def test_runs_are_listed_oldest_first_and_by_any_field(database: Database, finish: Callable[..., Run]) -> None:
    finish("a", scores=(0.2, None, None), preset_name="sst-only")
    finish("b", scores=(0.4, None, None), preset_name="sst-only")
    finish("c", scores=(None, None, 0.1), preset_name="sts-only")
    assert names(list_runs(database)) == ["a", "b", "c"]
    assert names(list_runs(database, sort="-sst")) == ["b", "a", "c"]
    assert names(list_runs(database, sort="sst")) == ["a", "b", "c"]
    assert names(list_runs(database, sort="sst", limit=2)) == ["a", "b"]
    assert names(list_runs(database, limit=2)) == ["b", "c"]


def test_a_filter_sees_runs_and_recipes(database: Database, finish: Callable[..., Run]) -> None:
    finish("a", **{"lora.rank": 8})
    finish("b", seed=3)
    assert names(list_runs(database, "lora>0")) == ["a"]
    assert names(list_runs(database, "state:finished seed:3")) == ["b"]
    assert names(list_runs(database, "difference<0.5")) == ["a"], "the baseline has no difference from itself"


@pytest.mark.parametrize("arguments", [{"filter_text": "lorra>0"}, {"sort": "lorra"}, {"sort": "-"}])
def test_a_field_that_is_none_is_a_sentence(database: Database, arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"lora|field"):
        list_runs(database, **arguments)


def test_the_baseline_is_the_one_of_equal_scale_that_finished_first(
    database: Database, finish: Callable[..., Run]
) -> None:
    finish("other scale", epochs=3)
    second, first = finish("submitted first"), finish("finished first")
    for run, ended_at in ((second, "2026-01-02T00:00:00Z"), (first, "2026-01-01T00:00:00Z")):
        database.execute("UPDATE runs SET ended_at = ? WHERE key = ?", (ended_at, run.key))
    run = finish("try", preset_name="shared-encoder", **{"lora.rank": 16})
    assert present(Baselines(database).of(run)).key == first.key


def test_a_baseline_with_the_same_seed_is_preferred(database: Database, finish: Callable[..., Run]) -> None:
    paired = finish("one", seed=1)
    finish("two", seed=2)
    assert present(Baselines(database).of(finish("try", preset_name="sst-only", seed=1))).key == paired.key


def test_a_baseline_of_all_tasks_goes_before_one_of_some(database: Database, finish: Callable[..., Run]) -> None:
    of_some = finish("some", tasks="sst", seed=1)
    database.execute("UPDATE runs SET preset = 'baseline' WHERE key = ?", (of_some.key,))
    of_all = finish("all", seed=2)
    assert present(Baselines(database).of(finish("try", preset_name="shared-encoder", seed=1))).key == of_all.key
    one = finish("one", preset_name="sst-only", seed=1)
    assert present(Baselines(database).of(one)).key == of_some.key


def test_without_a_baseline_of_equal_scale_there_is_none(database: Database, finish: Callable[..., Run]) -> None:
    finish("baseline", batch_size=16)
    assert Baselines(database).of(finish("try", preset_name="sst-only")) is None


def test_other_dev_data_is_another_scale(database: Database, finish: Callable[..., Run]) -> None:
    baseline, run = finish("baseline"), finish("try", preset_name="sst-only")
    for each, mark in ((baseline, "a"), (run, "b")):
        database.execute("UPDATE runs SET fingerprints = ? WHERE key = ?", (f'{{"sst-dev": "{mark}"}}', each.key))
    assert Baselines(database).of(run_by_key(database, run.key)) is None


def test_a_chosen_baseline_holds_for_every_run_until_it_is_let_go(
    database: Database, finish: Callable[..., Run]
) -> None:
    finish("baseline")
    chosen, run = finish("chosen", preset_name="sst-only", batch_size=4), finish("try", preset_name="sst-only")
    choose_baseline(database, chosen)
    assert present(Baselines(database).of(run)).key == chosen.key
    choose_baseline(database, None)
    assert present(Baselines(database).of(run)).name == "baseline"


def test_nothing_takes_the_place_of_a_chosen_baseline_that_was_removed(
    database: Database, finish: Callable[..., Run]
) -> None:
    finish("baseline")
    chosen, run = finish("chosen", preset_name="sst-only"), finish("try", preset_name="sst-only", seed=5)
    choose_baseline(database, chosen)
    assert missing_baseline(database) == ""
    remove(database, chosen.key)
    found = Baselines(database)
    assert (found.of(run), found.gone) == (None, chosen.id)
    assert missing_baseline(database) == found.why_gone
    assert f"`bertmt restore {chosen.id}` brings it back" in found.why_gone
    with pytest.raises(NotFoundError, match=f"{chosen.id} was removed"):
        compared_run(database, run)
    with pytest.raises(NotFoundError, match=f"{chosen.id} was removed"):
        named_groups(database, [run.id])
    bring_back(database, chosen.key)
    assert present(Baselines(database).of(run)).key == chosen.key


def test_a_run_without_scores_cannot_be_the_baseline(database: Database, add_run: AddRun) -> None:
    with pytest.raises(BusyError, match="queued"):
        choose_baseline(database, add_run())


def test_the_difference_is_the_mean_over_the_tasks_of_both(database: Database, finish: Callable[..., Run]) -> None:
    finish("baseline", scores=(0.4, 0.7, 0.3))
    finish("try", preset_name="sst-only", scores=(0.5, None, None))
    assert [row.difference for row in list_runs(database)] == [None, pytest.approx(0.1)]


def test_a_difference_from_a_chosen_baseline_leaves_out_tasks_on_other_dev_data(
    database: Database, finish: Callable[..., Run]
) -> None:
    chosen, run = finish("chosen", scores=(0.4, 0.7, 0.3)), finish("try", scores=(0.5, 0.9, 0.9), epochs=3)
    for each, mark in ((chosen, "a"), (run, "b")):
        marks = json.dumps({"sst-dev": "same", "para-dev": mark, "sts-dev": mark})
        database.execute("UPDATE runs SET fingerprints = ? WHERE key = ?", (marks, each.key))
    choose_baseline(database, chosen)
    assert [row.difference for row in list_runs(database)] == [None, pytest.approx(0.1)]


def test_the_difference_over_all_tasks_is_that_of_the_overall_scores(
    database: Database, finish: Callable[..., Run]
) -> None:
    """By hand, with S = (1 + ρ)/2: (0.1 − 0.1 + 0.3) / 3 = 0.1, where the raw ρ would make it 0.2."""
    finish("baseline", scores=(0.4, 0.7, -0.2))
    finish("try", scores=(0.5, 0.6, 0.4), **{"lora.rank": 16})
    assert [row.difference for row in list_runs(database)] == [None, pytest.approx(0.1)]
