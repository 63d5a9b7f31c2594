"""A run of a task that a person defined, from its submission to every list and document."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_tasks import COLA, WITH_COLA
from msgspec.structs import force_setattr, replace
from registry_builder import EXAMPLES, RegistryBuilder, evaluate
from stored_scores import store_scores

import bertmt
from bertmt.cli.records import details_record, run_record
from bertmt.errors import DataError, UsageError
from bertmt.filters.fields import RESERVED_TASK_NAMES
from bertmt.recipe.loading import from_json
from bertmt.recipe.recipe import SETTINGS
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, all_tasks, evaluations, run_by_key, store_tasks
from bertmt.run_folder.events import Evaluated, PredictionFile, now
from bertmt.run_folder.predictions import Predictions, write_predictions
from bertmt.services.browse.curves import OWNERS, place_of
from bertmt.services.browse.details import details_of
from bertmt.services.browse.listing import list_runs
from bertmt.services.browse.rows import FIELDS
from bertmt.services.browse.run_list import check_filter
from bertmt.services.browse.score_columns import tasks_of
from bertmt.services.ingest.import_run import import_run
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.lifecycle import control
from bertmt.services.plan.submit import Plan, PlannedRun, Request, submit
from bertmt.services.upkeep.damage import damage_of
from bertmt.tasks.builtin import BUILTIN

FOUR: dict[str, Any] = {"tasks": ["sst", "para", "sts", "cola"]}


@pytest.fixture
def builder(tmp_path: Path) -> RegistryBuilder:
    return RegistryBuilder(tmp_path / "runs.db", WITH_COLA)


@pytest.fixture
def four(builder: RegistryBuilder) -> Run:
    """A finished run of four tasks, after the baseline of three."""
    builder.finished("base", right=0.3)
    return builder.finished("four", right=0.6, **FOUR)


def test_a_run_keeps_the_definitions_that_it_was_submitted_with(builder: RegistryBuilder) -> None:
    recipe = resolved(recipe_from({"data": "toy", "encoder": "tiny", "tasks": ["sst", "cola"]}, known=WITH_COLA))
    planned = PlannedRun(
        name="two", preset=None, recipe=recipe, data="toy", extra_data_file="", fingerprints={}, overlaps={}
    )
    [run] = submit(builder.database, Plan(Request(preset="baseline"), (planned,), ()))
    assert dict(run.tasks) == {"sst": BUILTIN["sst"], "cola": COLA}
    assert from_json(run.submission.recipe_json, run.known).flat() == recipe.flat()
    [other] = submit(builder.database, Plan(Request(preset="baseline"), (planned,), ()))
    count = "SELECT count(*), count(DISTINCT task_set) FROM task_sets, runs"
    assert builder.database.execute(count).fetchone() == (2, 1) and other.tasks is run.tasks


def test_definitions_that_could_not_be_read_again_are_not_stored(builder: RegistryBuilder) -> None:
    odd = replace(COLA, classes=(), metrics=("pearson",))
    force_setattr(odd, "range", (0.0, math.inf))
    with pytest.raises(DataError, match="Definitions of tasks cannot be read"), builder.database.immediate():
        store_tasks(builder.database, {"cola": odd})
    assert builder.database.execute("SELECT count(*) FROM task_sets").fetchone() == (0,)


def test_a_run_of_built_in_tasks_stores_no_definitions(builder: RegistryBuilder) -> None:
    run = builder.add("plain", "sst-only")
    assert builder.database.execute("SELECT count(*) FROM task_sets").fetchone() == (0,)
    assert (run.known, list(run.tasks)) == (BUILTIN, ["sst"])


def test_all_metrics_are_stored_and_the_first_is_the_score(builder: RegistryBuilder, four: Run) -> None:
    before, _, after = evaluations(builder.database, four)
    assert after.metrics["cola"].keys() == {"matthews", "accuracy"} and after.metrics["sts"].keys() == {
        "pearson", "spearman", "mse",
    }  # fmt: skip
    assert after.scores["cola"] == after.metrics["cola"]["matthews"] == four.score("cola")
    parts = [COLA.unit(four.score("cola") or 0), *(BUILTIN[name].unit(four.score(name) or 0) for name in BUILTIN)]
    assert four.score("overall") == pytest.approx(sum(parts) / 4)
    assert before.epoch == 0 and builder.database.execute("SELECT count(*) FROM predictions").fetchone() == (21,)


def test_an_event_of_an_older_version_tells_the_score_alone(builder: RegistryBuilder) -> None:
    run, _, events = builder.started("older")
    told = {"sst": 0.5, "para": None, "sts": 0.25, "nothing": 1.0}
    events.write(Evaluated(at=now(), epoch=0, step=0, scores=told, metrics={"sst": {"speed": 3}}))
    found = ingest(builder.database, run)
    [only] = evaluations(builder.database, found)
    assert only.metrics == {"sst": {"accuracy": 0.5}, "para": {"accuracy": None}, "sts": {"pearson": 0.25}}
    assert dict(found.scores.by_task) == {"sst": 0.5, "para": None, "sts": 0.25}


def test_it_is_filtered_and_sorted_by(builder: RegistryBuilder, four: Run) -> None:
    database = builder.database
    assert [row.run.name for row in list_runs(database, f"cola>{(four.score('cola') or 0) - 0.01}")] == ["four"]
    assert [row.run.name for row in list_runs(database, "cola:none")] == ["base"]
    assert [row.run.name for row in list_runs(database, "", "-cola")] == ["four", "base"]
    assert [row.run.name for row in list_runs(database, "head.cola.layers:1")] == ["four"]
    assert [task.name for task in all_tasks(database)] == ["sst", "para", "sts", "cola"]
    with pytest.raises(UsageError, match="`colla` is not a field of a run; did you mean `cola`"):
        list_runs(database, "colla>0")
    assert check_filter("cola>0") is not None and check_filter("cola>0", {**FIELDS, "cola": "float"}) is None


def test_columns_are_those_of_the_runs_that_are_shown(builder: RegistryBuilder, four: Run) -> None:
    runs = all_runs(builder.database)
    assert list(tasks_of(runs)) == ["sst", "para", "sts", "cola"] and list(tasks_of(runs[:1])) == list(BUILTIN)
    assert list(tasks_of([builder.add("alone", tasks=["cola"])])) == ["cola"] and tasks_of([]) == BUILTIN


def test_documents_have_its_scores_behind_those_of_the_built_in_tasks(builder: RegistryBuilder, four: Run) -> None:
    base, row = list_runs(builder.database)
    record = run_record(row.run, row.baseline, row.difference)
    assert list(record["scores"]) == ["sst", "para", "sts", "cola", "overall"]
    assert list(run_record(base.run)["scores"]) == ["sst", "para", "sts", "overall"]
    epoch = details_record(details_of(builder.database, four))["epochs"][-1]
    assert list(epoch)[:7] == ["epoch", "step", "sst", "para", "sts", "overall", "seconds"]
    assert epoch["scores"] == record["scores"] and epoch["metrics"]["cola"]["accuracy"] > 0
    assert epoch["similarity"] == pytest.approx((1 + epoch["sts"]) / 2)
    assert len(json.dumps(record)) > 100


def test_a_notebook_reads_it(builder: RegistryBuilder, four: Run) -> None:
    registry = bertmt.open(builder.database.path)
    assert registry.runs()["cola"] == [None, four.score("cola")] and registry.runs()["head.cola.layers"] == [None, 1]
    scores = registry.scores("four")
    last = {
        task: score
        for task, score, is_last in zip(scores["task"], scores["score"], scores["selected"], strict=True)
        if is_last
    }
    assert last == {name: four.score(name) for name in (*WITH_COLA, "overall")}


def test_a_difference_is_over_the_tasks_of_both_and_judged_alike(builder: RegistryBuilder, four: Run) -> None:
    base, row = list_runs(builder.database)
    assert row.baseline is not None and row.baseline.key == base.run.key
    gains = [
        BUILTIN[name].unit(four.score(name) or 0) - BUILTIN[name].unit(base.run.score(name) or 0) for name in BUILTIN
    ]
    assert row.difference == pytest.approx(sum(gains) / 3)
    builder.known = {**WITH_COLA, "sst": replace(BUILTIN["sst"], metrics=("macro_f1", "accuracy"))}
    other = builder.finished("judged otherwise", right=0.9, tasks=["sst", "cola"])
    control_run = run_by_key(builder.database, base.run.key)
    from bertmt.services.browse.rows import mean_difference  # noqa: PLC0415

    assert mean_difference(other, control_run) is None
    builder.known = {**WITH_COLA, "cola": replace(COLA, classes=("acceptable", "unacceptable"))}
    assert mean_difference(builder.finished("the other way round", right=0.9, tasks=["cola"]), four) is None
    assert mean_difference(other, four) == pytest.approx(
        COLA.unit(other.score("cola") or 0) - COLA.unit(four.score("cola") or 0)
    )


@pytest.mark.parametrize("values", [np.ones((60, 2)), np.ones((60, 1))])
def test_predictions_of_another_shape_than_the_task_has_are_not_stored(builder: RegistryBuilder, values: Any) -> None:
    run, folder, events = builder.started("wide", **FOUR)
    evaluate(folder, events, ["cola"], 0, 0.5)
    path = folder.predictions(0, "cola", "dev")
    mark = run.submission.fingerprints["cola-dev"]
    write_predictions(path, Predictions("cola", "dev", 0, mark, values))
    ingest(builder.database, run)
    assert stored_predictions.epochs(builder.database, run.key, "cola") == []


def test_predictions_of_a_task_that_is_not_trained_are_not_stored(builder: RegistryBuilder) -> None:
    run, folder, events = builder.started("sst alone", "sst-only")
    evaluate(folder, events, ["sst", "cola"], 0, 0.5)
    found = ingest(builder.database, run)
    tasks = [task for task, *_ in stored_predictions.stored_bytes(builder.database, run.key)]
    assert tasks == ["sst"] and list(found.scores.by_task) == ["sst"]
    assert PredictionFile.__struct_fields__[0] == "task" and len(EXAMPLES["cola"]) == 60


def test_a_folder_brings_its_tasks_along(builder: RegistryBuilder, four: Run, tmp_path: Path) -> None:
    elsewhere = RegistryBuilder(tmp_path / "elsewhere" / "runs.db", WITH_COLA)
    elsewhere.add("its definitions have the first key there", tasks=["cola"])
    code = folder_of(builder.database, four).code
    code.mkdir()
    (code / "0123.py").write_text("print('never run here')")
    run = import_run(elsewhere.database, folder_of(builder.database, four).path)
    assert dict(run.tasks) == WITH_COLA and run.scores == four.scores
    copy = folder_of(elsewhere.database, run)
    assert dict(copy.read_tasks()) == WITH_COLA, "it can be repaired and predicted from its folder alone"
    assert not copy.code.exists()
    assert evaluations(elsewhere.database, run) == evaluations(builder.database, four)
    assert damage_of(elsewhere.database) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "loss"}, "no task can be called 'loss'"),
        ({"name": "../x"}, "must be a word of at most 32 small letters.*but is '../x'"),
        ({"classes": [f"class {number}" for number in range(20_000)], "metrics": ["accuracy"]}, "20,000 classes"),
        ({"title": "\x1b[2J"}, "must be a printable text"),
        ({"title": "x" * 500}, "must be a printable text"),
        ({"metrics": ["speed"]}, "cannot be read"),
        ({"sudo": 1}, "cannot be read"),
        ({"classes": 3}, "cannot be read"),
    ],
)  # fmt: skip
def test_a_hostile_definition_is_a_sentence(
    builder: RegistryBuilder, four: Run, tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    folder = folder_of(builder.database, four)
    told = json.loads(folder.tasks.read_text(encoding="utf-8"))
    folder.tasks.write_text(json.dumps([{**told[0], **change}, *told[1:]]), encoding="utf-8")
    elsewhere = RegistryBuilder(tmp_path / "elsewhere" / "runs.db")
    with pytest.raises(DataError, match=expected) as problem:
        import_run(elsewhere.database, folder.path)
    assert len(str(problem.value)) < 500
    assert all_runs(elsewhere.database) == []


def test_damaged_definitions_are_named(builder: RegistryBuilder, four: Run) -> None:
    assert damage_of(builder.database) is None
    builder.database.execute("UPDATE task_sets SET definitions = '[1]'")
    assert damage_of(builder.database) == "what the tasks of a run are is no list of definitions"


def test_an_edited_run_keeps_its_tasks_and_may_leave_its_own_for_built_in_ones(builder: RegistryBuilder) -> None:
    run = builder.add("waits", **FOUR)
    assert list(control.edit(builder.database, run, {"tasks": "sst,sts"}).tasks) == ["sst", "sts"]
    stored = builder.database.execute("SELECT task_set FROM runs WHERE key = ?", (run.key,)).fetchone()
    assert stored == (None,)


def test_no_task_can_have_the_name_of_a_field_or_a_setting() -> None:
    fields = {name.partition(".")[0] for name in (*FIELDS, *SETTINGS)} - {*BUILTIN, "recipe"}
    assert fields <= RESERVED_TASK_NAMES
    assert {"train", "mnr", "cosine_embedding", "loss", "dev", "overall"} <= RESERVED_TASK_NAMES
    assert not RESERVED_TASK_NAMES & {*BUILTIN}


def test_series_of_other_tasks_have_looks_that_are_left() -> None:
    places = [place_of(f"dev/{name}", with_kind=False, tasks=WITH_COLA) for name in (*OWNERS, "cola")]
    assert len(set(places)) == len(places)
    assert place_of("loss/mnr.sts") == place_of("loss/mnr")


def test_scores_are_read_from_the_summary(builder: RegistryBuilder) -> None:
    run = builder.add("scored", **FOUR)
    store_scores(builder.database, run.key, {"cola": -0.5, "sst": None, "overall": 0.1})
    again = run_by_key(builder.database, run.key)
    assert [again.score(name) for name in ("cola", "sst", "para", "overall")] == [-0.5, None, None, 0.1]
