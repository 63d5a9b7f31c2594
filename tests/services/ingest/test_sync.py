"""Importing events: exactly once, whoever does it, whatever the files look like."""

import threading
from typing import Any

import pytest

from bertmt.registry import metrics
from bertmt.registry import predictions as stored
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import evaluations, run_by_key, transitions
from bertmt.registry.states import State
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Evaluated, Finished, PredictionFile, Resumed, Started, Step, now
from bertmt.services.ingest.ingest import folder_of, ingest


def start_and_step(events: EventWriter, count: int, first: int = 0) -> None:
    if not first:
        events.write(Started(at=now(), attempt=1, pid=1, steps_total=100, epochs_total=2))
    for step in range(first, first + count):
        events.write(
            Step(at=now(), step=step, epoch=1, phase="train", values={"loss/sst": float(step)}, seconds_left=3.0)
        )


def steps(database: Database, run: Run) -> list[Any]:
    return [step for step, _ in metrics.read(database, run.key, ["loss/sst"])["loss/sst"]]


def test_points_and_summary_are_imported(database: Database, claimed: Run, events: EventWriter) -> None:
    start_and_step(events, 5)
    run = ingest(database, claimed)
    assert steps(database, run) == [0, 1, 2, 3, 4]
    assert (
        run.progress.step,
        run.progress.steps_total,
        run.progress.epoch,
        run.progress.phase,
        run.progress.seconds_left,
    ) == (4, 100, 1, "train", 3.0)
    assert run.share_done == 0.04


def test_a_torn_last_line_waits_for_its_end(database: Database, claimed: Run, events: EventWriter) -> None:
    start_and_step(events, 2)
    path = folder_of(database, claimed).events(1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    run = ingest(database, claimed)
    assert steps(database, run) == [0]
    path.write_bytes(whole)
    assert steps(database, ingest(database, run)) == [0, 1]


def test_lines_that_are_no_events_are_skipped_and_noted(database: Database, claimed: Run, events: EventWriter) -> None:
    start_and_step(events, 1)
    with folder_of(database, claimed).events(1).open("ab") as file:
        file.write(b"\xff\x00 rubbish\n{}\n")
    start_and_step(events, 1, first=1)
    run = ingest(database, claimed)
    assert steps(database, run) == [0, 1]
    assert "2 unreadable" in transitions(database, run.key)[-1].reason


@pytest.mark.parametrize(
    "broken",
    [
        b'{"event":"step","at":"2026-01-01T00:00:00Z"}\n',
        b'{"event":"step","at":"2026-01-01T00:00:00Z","step":"x","epoch":1,"phase":"train","values":{"a":1}}\n',
        b'{"event":"step","at":"2026-01-01T00:00:00Z","step":1,"epoch":1,"phase":"train","values":[1]}\n',
        b'{"event":"step","at":"2026-01-01T00:00:00Z","step":1,"epoch":1,"phase":"train","values":{"a":"b"}}\n',
        b'{"event":"evaluated","at":"2026-01-01T00:00:00Z","scores":{"sst":"high"},"step":1,"epoch":1}\n',
        b'{"event":"finished","at":"2026-01-01T00:00:00Z"}\n',
        b'{"event":"started","at":"2026-01-01T00:00:00Z","steps_total":[]}\n',
        b'{"event":"resumed","at":"2026-01-01T00:00:00Z","step":null}\n',
        b'{"event":"from-the-future","at":"2026-01-01T00:00:00Z"}\n',
    ],
)
def test_an_event_of_the_wrong_shape_costs_itself_only(
    database: Database, claimed: Run, events: EventWriter, broken: bytes
) -> None:
    start_and_step(events, 1)
    with folder_of(database, claimed).events(1).open("ab") as file:
        file.write(broken)
    start_and_step(events, 1, first=1)
    assert steps(database, ingest(database, claimed))[-1] == 1


def test_a_resumption_replaces_what_came_after_its_step(database: Database, claimed: Run, events: EventWriter) -> None:
    start_and_step(events, 5)
    events.write(Resumed(at=now(), step=3, evaluated_epoch=0, evaluated_step=0, differences=[]))
    events.write(Step(at=now(), step=3, epoch=1, phase="train", values={"loss/sst": 30.0}, seconds_left=None))
    run = ingest(database, claimed)
    assert metrics.read(database, run.key)["loss/sst"] == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 30.0)]


def test_an_attempt_that_begins_anew_against_expectation_is_told_in_the_history(
    database: Database, claimed: Run, events: EventWriter
) -> None:
    events.write(Started(at=now(), attempt=1, pid=1, begins_anew="No checkpoint is left in /scratch."))
    ingest(database, claimed)
    assert transitions(database, claimed.key)[-1].reason == "No checkpoint is left in /scratch."


def test_importers_at_the_same_time_import_everything_once(
    database: Database, claimed: Run, events: EventWriter
) -> None:
    start_and_step(events, 50)

    def import_all() -> None:
        with open_registry(database.path) as own:
            ingest(own, run_by_key(own, claimed.key))

    threads = [threading.Thread(target=import_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    start_and_step(events, 50, first=50)
    for thread in threads:
        thread.join()
    assert steps(database, ingest(database, run_by_key(database, claimed.key))) == list(range(100))


def test_a_late_event_of_an_old_attempt_goes_nowhere(database: Database, claimed: Run, events: EventWriter) -> None:
    start_and_step(events, 2)
    run = ingest(database, claimed)
    database.execute("UPDATE runs SET attempt = 2 WHERE key = ?", (run.key,))
    start_and_step(events, 2, first=2)
    assert steps(database, ingest(database, run_by_key(database, run.key))) == [0, 1]
    # Even an importer that read the registry before the new attempt began.
    assert steps(database, ingest(database, run)) == [0, 1]


def test_scores_follow_the_selected_epoch(database: Database, claimed: Run, events: EventWriter) -> None:
    start_and_step(events, 1)
    for epoch, score in ((0, 0.2), (1, 0.6), (2, 0.5)):
        events.write(Evaluated(at=now(), epoch=epoch, step=epoch, scores={"sst": score, "para": None}, overall=None))
    assert ingest(database, claimed).score("sst") == 0.5
    events.write(Finished(at=now(), epoch=2, step=3, selected_epoch=1))
    run = ingest(database, run_by_key(database, claimed.key))
    assert (run.state, run.score("sst"), run.score("para"), run.scores.selected_epoch) == (State.FINISHED, 0.6, None, 1)
    assert [each.score("sst") for each in evaluations(database, run)] == [0.2, 0.6, 0.5]


def test_a_missing_prediction_file_costs_the_predictions_not_the_scores(
    database: Database, claimed: Run, events: EventWriter
) -> None:
    start_and_step(events, 1)
    entry = PredictionFile(task="sst", split="dev", file="../../etc/passwd", fingerprint="x")
    events.write(Evaluated(at=now(), epoch=1, step=1, scores={"sst": 0.5}, overall=None, predictions=[entry]))
    run = ingest(database, claimed)
    assert run.score("sst") == 0.5
    assert stored.read(database, run.key, "sst", 1) is None
