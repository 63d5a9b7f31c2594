"""What a dashboard polls: what children wrote is imported at once, whoever works the run; every write is noticed."""

from typing import Any

import pytest
from call_types import AddRun
from present import present

from bertmt.errors import RegistryError
from bertmt.registry import metrics
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key, store_setting, transitions
from bertmt.registry.states import State
from bertmt.registry.workers import beat
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Failed, Resumed, Started, Step, now
from bertmt.run_folder.layout import hold_alive
from bertmt.services.browse.listing import list_runs
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.ingest.watch import Watch
from bertmt.services.lifecycle.control import annotate
from bertmt.services.lifecycle.removal import delete


@pytest.fixture
def watch(database: Database) -> Watch:
    """A watch that has looked once."""
    watch = Watch(database)
    assert watch.poll()
    return watch


def steps(database: Database, run: Run) -> list[Any]:
    return [step for step, _ in metrics.read(database, run.key)["loss/sst"]]


def begin(events: EventWriter) -> None:
    events.write(Started(at=now(), attempt=1, pid=1, steps_total=100, epochs_total=2))


def test_without_a_write_there_is_nothing_new(watch: Watch, add_run: AddRun) -> None:
    assert not watch.poll()
    add_run()
    assert [watch.poll(), watch.poll()] == [True, False]


def test_writes_of_this_connection_and_of_others_are_noticed(database: Database, watch: Watch, add_run: AddRun) -> None:
    run = add_run()
    watch.poll()
    store_setting(database, "baseline", run.id)
    assert [watch.poll(), watch.poll()] == [True, False]
    with open_registry(database.path) as other:
        annotate(other, run, "seen")
    assert [watch.poll(), watch.poll()] == [True, False]


def test_the_newest_points_are_there_after_one_poll_though_a_worker_imported_just_now(
    database: Database, claimed: Run, events: EventWriter
) -> None:
    watch = Watch(database)
    begin(events)
    with hold_alive(folder_of(database, claimed)):
        for step in range(3):
            events.write(Step(at=now(), step=step, epoch=1, phase="train", values={"loss/sst": 1.0}, seconds_left=None))
            if step == 1:
                ingest(database, run_by_key(database, claimed.key))  # as a worker does
            assert watch.poll()
            assert steps(database, claimed) == list(range(step + 1))
        assert not watch.poll()


def test_a_run_whose_process_and_worker_are_gone_is_settled(
    database: Database, claimed: Run, events: EventWriter, watch: Watch
) -> None:
    begin(events)
    watch.poll()
    assert run_by_key(database, claimed.key).state is State.RUNNING, "its worker is there"
    database.execute("UPDATE workers SET ended_at = 'now'")
    watch.poll()
    assert [each.state_after for each in transitions(database, claimed.key)[-2:]] == ["lost", "queued"]


def test_the_last_event_of_a_lost_run_is_still_imported(
    database: Database, claimed: Run, events: EventWriter, watch: Watch
) -> None:
    begin(events)
    database.execute("UPDATE runs SET recoveries = 1")  # it was lost before, and so stays lost
    database.execute("UPDATE workers SET ended_at = 'now'")
    watch.poll()
    events.write(Failed(at=now(), error="ValueError: no", step=1))
    assert watch.poll()
    assert run_by_key(database, claimed.key).state is State.FAILED


def test_a_run_that_is_removed_while_it_is_looked_at_is_no_error(
    database: Database, claimed: Run, events: EventWriter, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(events)
    database.execute("UPDATE runs SET state = 'lost'")

    def removed_meanwhile(path: Any, offset: int = 0) -> tuple[list[Resumed], int, int]:
        monkeypatch.undo()
        delete(database, claimed)
        return [Resumed(at=now(), step=0, evaluated_epoch=-1, evaluated_step=-1)], 10, 0

    monkeypatch.setattr("bertmt.services.ingest.ingest.read_events", removed_meanwhile)
    assert watch.poll()
    assert list_runs(database) == []


def test_a_read_only_registry_is_watched_and_not_written(database: Database, claimed: Run, events: EventWriter) -> None:
    begin(events)
    with open_registry(database.path, read_only=True) as reader:
        watch = Watch(reader)
        assert [watch.poll(), watch.poll()] == [True, False]
        assert [row.run.progress.last_event_at for row in list_runs(reader)] == [None]
        ingest(database, claimed)
        assert watch.poll()
        assert list_runs(reader)[0].run.progress.last_event_at is not None


def test_a_registry_that_is_locked_is_a_sentence_and_what_was_missed_comes_later(
    database: Database, claimed: Run, events: EventWriter
) -> None:
    begin(events)
    events.write(Step(at=now(), step=0, epoch=1, phase="train", values={"loss/sst": 1.0}, seconds_left=None))
    with open_registry(database.path, busy_seconds=0) as own:
        watch = Watch(own)
        with database.immediate(), pytest.raises(RegistryError, match="another process holds it"):
            watch.poll()
        assert watch.poll()
        assert steps(own, claimed) == [0]


def test_a_worker_that_says_it_is_alive_is_news(database: Database, claimed: Run, watch: Watch) -> None:
    with open_registry(database.path) as other:
        beat(other, present(claimed.execution.worker))
    assert watch.poll()
