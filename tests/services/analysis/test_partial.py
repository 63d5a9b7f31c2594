"""Partial predictions of a running run: shown while they are the newest, and never anywhere that decides something."""

from pathlib import Path
from typing import Any

import pytest
from registry_builder import COUNT, PART, RegistryBuilder, evaluate, partly_evaluate

from bertmt.errors import UsageError
from bertmt.registry import metrics
from bertmt.registry.predictions import stored_bytes
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, evaluations
from bertmt.run_folder.events import Finished, Resumed, now
from bertmt.services.analysis.confusion import counts_of
from bertmt.services.analysis.evaluations import NOW, Evaluated, Partial, evaluated_tasks
from bertmt.services.analysis.examples import baseline_examples, examples_of, partial_examples_of
from bertmt.services.ingest.ingest import ingest

TASKS = ["sst", "para", "sts"]


@pytest.fixture
def builder(tmp_path: Path) -> RegistryBuilder:
    return RegistryBuilder(tmp_path / "runs.db")


@pytest.fixture
def running(builder: RegistryBuilder, monkeypatch: pytest.MonkeyPatch) -> tuple[Run, Any, Any]:
    """A run that was evaluated before it began, and then in part after two steps of the first epoch."""
    monkeypatch.setattr("bertmt.services.ingest.reconcile.is_alive", lambda folder: True)
    run, folder, events = builder.started("partial")
    evaluate(folder, events, TASKS, 0, 0.2)
    partly_evaluate(folder, events, TASKS, 1, 2, 0.5)
    return run, folder, events


def found(builder: RegistryBuilder, run: Run) -> dict[str, Evaluated]:
    return evaluated_tasks(builder.database, ingest(builder.database, run), "A matrix", TASKS)


def test_the_newest_partial_predictions_are_what_is_now(builder: RegistryBuilder, running: Any) -> None:
    sst = found(builder, running[0])["sst"]
    assert sst.now == Partial(epoch=1, step=2, score=0.5, examples=PART, all_examples=COUNT)
    assert (sst.selected, sst.epochs, sst.places) == (NOW, (0,), (0, NOW))
    assert (sst.score_at(NOW), sst.neighbour(NOW, -1), sst.neighbour(0, 1), sst.neighbour(NOW, 1)) == (0.5, 0, NOW, NOW)


def test_the_matrix_grows_with_each_of_them_and_reads_none_twice(builder: RegistryBuilder, running: Any) -> None:
    run, folder, events = running
    first = found(builder, run)["sst"].now
    assert first is not None
    table = partial_examples_of(builder.database, run, "sst", first)
    assert counts_of(table).sum() == PART and counts_of(table).trace() == PART * 0.5 and table.place == NOW
    assert partial_examples_of(builder.database, run, "sst", first, table) is table
    partly_evaluate(folder, events, TASKS, 1, 3, 1.0)
    second = found(builder, run)["sst"].now
    assert second is not None and second.step == 3
    later = partial_examples_of(builder.database, run, "sst", second, table)
    assert counts_of(later).trace() == PART and later.examples is table.examples


def test_a_whole_evaluation_takes_their_place_and_the_next_epoch_begins_anew(
    builder: RegistryBuilder, running: Any
) -> None:
    run, folder, events = running
    evaluate(folder, events, TASKS, 1, 0.4)
    sst = found(builder, run)["sst"]
    assert (sst.now, sst.selected) == (None, 1)
    partly_evaluate(folder, events, TASKS, 2, 5, 0.5)
    sst = found(builder, run)["sst"]
    assert sst.now is not None and (sst.now.epoch, sst.now.step, sst.selected) == (2, 5, NOW)


def test_a_run_that_ended_shows_whole_evaluations_alone(builder: RegistryBuilder, running: Any) -> None:
    run, folder, events = running
    evaluate(folder, events, TASKS, 1, 0.4)
    partly_evaluate(folder, events, TASKS, 2, 5, 0.5)
    events.write(Finished(at=now(), epoch=1, step=5, selected_epoch=1, scores={}, seconds={}))
    sst = found(builder, run)["sst"]
    assert (sst.now, sst.selected, sst.is_final) == (None, 1, True)


def test_before_any_evaluation_they_are_all_there_is(builder: RegistryBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertmt.services.ingest.reconcile.is_alive", lambda folder: True)
    run, folder, events = builder.started("early")
    partly_evaluate(folder, events, TASKS, 1, 2, 0.5)
    sst = found(builder, run)["sst"]
    assert sst.now is not None and (sst.places, sst.now.all_examples, sst.neighbour(NOW, -1)) == ((NOW,), None, NOW)


def test_a_run_that_went_back_does_not_show_what_it_predicted_before(builder: RegistryBuilder, running: Any) -> None:
    run, folder, events = running
    partly_evaluate(folder, events, TASKS, 1, 5, 0.9)
    assert found(builder, run)["sst"].now is not None
    events.write(Resumed(at=now(), step=3, evaluated_epoch=0, evaluated_step=0))
    assert found(builder, run)["sst"].now is None, "the point of step 2 is left, but its predictions are gone"
    assert metrics.read(builder.database, run.key, ("partial/sst",))["partial/sst"] == [(2, 0.5)]


def test_a_run_that_went_back_in_its_pretraining_does_not_either(builder: RegistryBuilder, running: Any) -> None:
    """There the epoch in progress is 0, and epoch 0 was evaluated before."""
    run, folder, events = running
    partly_evaluate(folder, events, TASKS, 0, 5, 0.9)
    assert found(builder, run)["sst"].now is not None
    events.write(Resumed(at=now(), step=3, evaluated_epoch=0, evaluated_step=0))
    assert found(builder, run)["sst"].now is None


def test_they_decide_nothing(builder: RegistryBuilder, running: Any) -> None:
    """Neither scores of the run, nor an epoch, nor a comparison."""
    run, _, _ = running
    run = ingest(builder.database, run)
    [stored] = all_runs(builder.database, "runs.id = ?", (run.id,))
    assert stored.scores.selected_epoch == 0 and stored.score("sst") == 0.2
    assert [each.epoch for each in evaluations(builder.database, run)] == [0]
    assert len(examples_of(builder.database, run, "sst").examples) == COUNT
    now_there = found(builder, run)["sst"].now
    assert now_there is not None
    with pytest.raises(UsageError, match="a few examples alone"):
        baseline_examples(builder.database, partial_examples_of(builder.database, run, "sst", now_there))


def test_a_proof_of_resuming_does_not_look_at_them(builder: RegistryBuilder, running: Any) -> None:
    """Which partial predictions are stored depends on when somebody looked; `verify-resume` compares what is stored."""
    ingest(builder.database, running[0])
    assert {split for _, split, *_ in stored_bytes(builder.database, running[0].key)} == {"dev"}
