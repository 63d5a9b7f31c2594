"""The list that is kept up to date: what it says is what a new one would say, whatever happened meanwhile."""

import random
from collections.abc import Callable, Sequence
from statistics import mean, stdev
from typing import Any

import pytest
from call_types import AddRun
from present import present

from bertmt.errors import UsageError
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import forget, remove
from bertmt.services.browse.baseline import choose_baseline
from bertmt.services.browse.rows import FIELDS, Row
from bertmt.services.browse.run_list import STANDING, RunList, check_filter
from bertmt.services.lifecycle.control import annotate, cancel, tag


@pytest.fixture
def runs(database: Database) -> RunList:
    return RunList(database)


def names(rows: list[Row] | Sequence[Row]) -> list[Any]:
    return [row.run.name for row in rows]


def shown(rows: list[Row]) -> list[Any]:
    return [(row.run, row.baseline and row.baseline.id, row.difference) for row in rows]


def test_a_list_is_empty_until_it_is_read_and_says_whether_anything_changed(
    runs: RunList, finish: Callable[..., Run]
) -> None:
    assert (runs.refresh(), runs.rows()) == (False, [])
    finish("a")
    assert runs.rows() == []
    assert [runs.refresh(), runs.refresh()] == [True, False]
    assert names(runs.rows()) == ["a"]


def test_what_another_connection_writes_is_read(database: Database, runs: RunList, finish: Callable[..., Run]) -> None:
    run = finish("a")
    runs.refresh()
    with open_registry(database.path) as other:
        annotate(other, run, "seen")
    assert runs.refresh()
    assert present(runs.row(run.id)).run.annotations.note == "seen"


def test_only_the_rows_that_changed_are_made_anew(
    database: Database, runs: RunList, finish: Callable[..., Run]
) -> None:
    finish("baseline")
    kept, changed = finish("kept", "sst-only"), finish("changed", "sst-only")
    runs.refresh()
    before = runs.row(kept.id), runs.row(changed.id)
    annotate(database, changed, "seen")
    runs.refresh()
    assert runs.row(kept.id) is before[0]
    assert runs.row(changed.id) is not before[1]


def test_a_removed_run_is_gone_and_its_key_may_come_back(
    database: Database, runs: RunList, finish: Callable[..., Run]
) -> None:
    finish("a")
    gone = finish("b")
    runs.refresh()
    forget(database, gone.key)
    assert runs.refresh()
    assert (names(runs.rows()), runs.row(gone.id)) == (["a"], None)
    again = finish("c")
    assert again.key == gone.key
    runs.refresh()
    assert (names(runs.rows()), runs.row(gone.id), present(runs.row(again.id)).run) == (["a", "c"], None, again)


def test_a_key_that_came_back_between_two_looks_is_the_new_run(
    database: Database, runs: RunList, finish: Callable[..., Run]
) -> None:
    gone = finish("old")
    runs.refresh()
    remove(database, gone.key)
    again = finish("new")
    runs.refresh()
    assert (names(runs.rows()), runs.row(gone.id), present(runs.row(again.id)).run) == (["new"], None, again)


def test_another_baseline_changes_every_difference(
    database: Database, runs: RunList, finish: Callable[..., Run]
) -> None:
    finish("baseline", scores=(0.4, 0.7, 0.3))
    run = finish("try", "sst-only", scores=(0.5, None, None))
    runs.refresh()
    assert present(runs.row(run.id)).difference == pytest.approx(0.1)
    second = finish("baseline", scores=(0.45, 0.7, 0.3))
    runs.refresh()
    assert present(runs.row(run.id)).difference == pytest.approx(0.1), "one that finishes later takes no place"
    choose_baseline(database, second)
    assert runs.refresh(), "the choice alone is a change"
    assert present(runs.row(run.id)).difference == pytest.approx(0.05)
    remove(database, second.key)
    runs.refresh()
    assert present(runs.row(run.id)).difference is None, "nothing takes the place of what a person chose"


def test_a_baseline_that_takes_anothers_place_by_itself_is_told_of_once(
    database: Database, runs: RunList, finish: Callable[..., Run]
) -> None:
    first, tried = finish("baseline"), [finish("try", "sst-only", seed=1) for _ in range(2)]
    runs.refresh()
    runs.rows()
    finish("baseline")
    runs.refresh()
    assert runs.told_of_baselines() == "", "those of another seed keep theirs"
    runs.rows()
    own = finish("baseline", seed=1)
    runs.refresh()
    said = runs.told_of_baselines()
    assert said.startswith(f"2 runs are compared with {own.id} (baseline, seed 1) now, no longer with {first.id};")
    assert runs.told_of_baselines() == ""
    runs.rows()
    remove(database, own.key)
    runs.refresh()
    assert f"no longer with {own.id}" in runs.told_of_baselines()
    runs.rows()
    choose_baseline(database, tried[0])
    runs.refresh()
    assert runs.told_of_baselines() == "", "whoever chose it knows"


def test_in_standing_order_what_runs_goes_before_the_queue_in_its_order_and_that_before_the_newest(
    database: Database, runs: RunList, finish: Callable[..., Run], add_run: AddRun
) -> None:
    finish("base", "baseline")
    old, new = finish("old", "sst-only"), finish("new", "sst-only")
    late, soon = add_run("late"), add_run("soon")
    running = add_run("runs")
    database.execute("UPDATE runs SET state = 'running' WHERE key = ?", (running.key,))
    database.execute("UPDATE runs SET priority = 3 WHERE key = ?", (soon.key,))
    for run, day in ((old, 1), (new, 2)):
        database.execute("UPDATE runs SET submitted_at = ? WHERE key = ?", (f"2026-01-0{day}", run.key))
    runs.refresh()
    found = names(runs.rows(sort=STANDING))
    assert found == ["base", "runs", "soon", "late", "new", "old"], "the baseline is above all"
    assert names(runs.rows("try | old | new", STANDING)) == ["new", "old"], "the filter holds for the baseline too"
    assert late.key < soon.key
    choose_baseline(database, old)
    runs.refresh()
    assert names(runs.rows(sort=STANDING))[:3] == ["old", "runs", "soon"], "or the run that was chosen"
    assert names(runs.rows(sort=STANDING, limit=2)) == ["old", "runs"]
    assert names([row for group in runs.groups(sort=STANDING) for row in group.rows])[0] == "old"


@pytest.mark.parametrize("seed", range(5))
def test_a_list_kept_up_to_date_is_the_one_read_anew(
    database: Database, runs: RunList, finish: Callable[..., Run], add_run: AddRun, seed: int
) -> None:
    chance = random.Random(seed)
    known = []

    def add() -> None:
        preset = chance.choice(["baseline", "sst-only", "sts-only"])
        scores = tuple(chance.random() for _ in range(3))
        known.append(finish(preset, preset, scores=scores, seed=chance.randrange(3), epochs=chance.choice([1, 2])))

    deeds: list[Callable[[], object]] = [
        add,
        add,
        lambda: known.append(add_run("waits", seed=chance.randrange(3))),
        lambda: remove(database, known.pop(chance.randrange(len(known))).key),
        lambda: annotate(database, chance.choice(known), str(chance.random())),
        lambda: tag(database, chance.choice(known), chance.choice("xyz")),
        lambda: choose_baseline(database, chance.choice([None, *(run for run in known if run.state == "finished")])),
    ]
    for _ in range(40):
        (chance.choice(deeds) if known else add)()
        if chance.random() < 0.5:
            runs.refresh()
            runs.rows()
    runs.refresh()
    anew = RunList(database)
    anew.refresh()
    for arguments in ({}, {"sort": "-difference"}, {"filter_text": "tag:x | difference>0"}, {"limit": 3}):
        assert shown(runs.rows(**arguments)) == shown(anew.rows(**arguments))
    assert [run.key for run in known] == [row.run.key for row in runs.rows()]
    assert runs.tags() == sorted({each for row in anew.rows() for each in row.run.annotations.tags})


def test_every_field_can_be_asked_of_a_row(database: Database, runs: RunList, finish: Callable[..., Run]) -> None:
    run = finish("a", seed=4, **{"lora.rank": 8})
    runs.refresh()
    row = runs.row(run.id)
    settings = {name: present(row).get(name) for name in run.recipe if name not in ("seed", "epoch")}
    assert settings == {name: value for name, value in run.recipe.items() if name not in ("seed", "epoch")}
    assert (present(row).get("seed"), present(row).get("epoch"), present(row).get("recipe.epoch")) == (
        4,
        None,
        run.recipe["epoch"],
    )
    assert [name for name in FIELDS if name.startswith("recipe.")] == ["recipe.epoch"]


def test_the_filter_of_the_issue_finds_the_run_it_describes(
    database: Database, runs: RunList, finish: Callable[..., Run], add_run: AddRun
) -> None:
    run = finish("a", seed=1, scores=(0.6, 0.7, 0.3), **{"lora.rank": 8})
    finish("b", seed=1, scores=(0.6, 0.7, 0.3), **{"lora.rank": 8})
    database.execute("UPDATE runs SET state = 'running'")
    tag(database, run, "x")
    runs.refresh()
    assert names(runs.rows("state:running lora>0 sst>0.5 tag:x -tag:y seed:1")) == ["a"]


def test_a_filter_that_is_being_typed_is_judged_with_its_place() -> None:
    assert [check_filter(text) for text in ("", "state:running", "lora>0 | -tag:x")] == [None] * 3
    assert "did you mean `finished`?" in str(check_filter("state:finishd"))
    assert "did you mean `bf16`?" in str(check_filter("precision:bf61"))
    assert check_filter("seed:1 lorra>0") == (
        "Filter 'seed:1 lorra>0', character 8: `lorra` is not a field of a run; did you mean `lora`?"
    )


def test_runs_of_equal_recipe_but_the_seed_are_one_group(
    database: Database, runs: RunList, finish: Callable[..., Run], add_run: AddRun
) -> None:
    scores = [0.31, 0.35, 0.42]
    for seed, score in enumerate(scores):
        finish(f"three {seed}", "sst-only", scores=(score, None, None), seed=seed)
    finish("alone", "sst-only", scores=(0.5, None, None), epochs=3)
    add_run("waits", "sst-only", seed=7)
    runs.refresh()
    three, alone = runs.groups()
    assert names(three.rows) == ["three 0", "three 1", "three 2", "waits"]
    assert set(three.spreads) == {"sst"}, "what has no score has no spread"
    assert three.spreads["sst"].mean == pytest.approx(mean(scores))
    assert three.spreads["sst"].deviation == pytest.approx(stdev(scores))
    assert three.spreads["sst"].count == 3, "the run that waits has no score yet"
    assert (alone.spreads["sst"].deviation, alone.spreads["sst"].count) == (None, 1)


def test_groups_stand_where_their_first_run_stands(
    database: Database, runs: RunList, finish: Callable[..., Run]
) -> None:
    finish("low", "sst-only", scores=(0.1, None, None), seed=1)
    finish("high", "sst-only", scores=(0.9, None, None), epochs=3)
    finish("middle", "sst-only", scores=(0.5, None, None), seed=2)
    runs.refresh()
    assert [names(group.rows) for group in runs.groups(sort="-sst")] == [["high"], ["middle", "low"]]
    assert [names(group.rows) for group in runs.groups("sst<0.6")] == [["low", "middle"]]


def test_other_data_is_another_group_and_another_place_of_the_data_is_not(
    database: Database, runs: RunList, finish: Callable[..., Run]
) -> None:
    for seed in range(3):
        finish(f"{seed}", "sst-only", seed=seed)
    database.execute("""UPDATE runs SET recipe = replace(recipe, '"data": "toy"', '"data": "/moved"') WHERE seed = 1""")
    database.execute("""UPDATE runs SET fingerprints = '{"sst-dev": "other"}' WHERE seed = 2""")
    runs.refresh()
    assert [names(group.rows) for group in runs.groups()] == [["0", "1"], ["2"]]


def test_groups_refuse_a_filter_that_cannot_be_understood(runs: RunList) -> None:
    with pytest.raises(UsageError):
        runs.groups("lorra>0")


def test_a_queued_run_that_is_cancelled_is_listed_as_cancelled(
    database: Database, runs: RunList, add_run: AddRun
) -> None:
    run = add_run("a")
    runs.refresh()
    cancel(database, run)
    runs.refresh()
    assert present(runs.row(run.id)).run.state == "cancelled"


def test_a_seed_that_was_trained_twice_is_no_second_sample(
    database: Database, runs: RunList, finish: Callable[..., Run]
) -> None:
    finish("base", scores=(0.40, 0.70, 0.30))
    finish("try", preset_name="shared-encoder", scores=(0.10, 0.70, 0.30), **{"lora.rank": 16})
    finish("try", preset_name="shared-encoder", scores=(0.50, 0.70, 0.30), **{"lora.rank": 16})
    finish("try", preset_name="shared-encoder", scores=(0.60, 0.70, 0.30), seed=1, **{"lora.rank": 16})
    runs.refresh()
    group = next(each for each in runs.groups("lora>0"))
    assert group.spreads["sst"].count == 2
    assert group.spreads["sst"].mean == pytest.approx((0.5 + 0.6) / 2), "the newer run of seed 0"
    assert group.difference == pytest.approx((0.1 / 3 + 0.2 / 3) / 2), "of the same two runs, SST alone differs"
