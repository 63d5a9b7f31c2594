"""When waiting runs start, against schedules worked out by hand."""

from dataclasses import replace

import pytest

from bertmt.registry.records import Worker
from bertmt.registry.states import State
from bertmt.services.estimates import Estimate
from bertmt.services.queue_times import Expected, expected_durations, expected_times
from bertmt.services.workload import Workload


def work(*slots: int, held: bool = False, request: str | None = None) -> Workload:
    """Workers 1, 2, … with so many slots each."""
    workers = [
        Worker(key, "host", 1, "", tuple(f"cpu-{number}" for number in range(count)), "", "", None, request)
        for key, count in enumerate(slots, start=1)
    ]
    return Workload(tuple((worker, []) for worker in workers), 0, held)


@pytest.fixture
def waiting(add_run):
    return [add_run("first"), add_run("second", seed=1), add_run("third", seed=2)]


def starts(waiting, running, workload, durations):
    return [each.starts_in for each in expected_times(waiting, running, workload, durations).values()]


def test_one_free_slot_takes_one_run_after_another(waiting):
    durations = {run.key: 10.0 for run in waiting}
    assert starts(waiting, [], work(1), durations) == [0, 10, 20]


def test_the_slot_that_is_free_first_takes_the_next_run(waiting, add_run):
    busy = replace(add_run("busy"), state=State.RUNNING, worker=1, seconds_left=4.0)
    durations = {waiting[0].key: 3.0, waiting[1].key: 5.0, waiting[2].key: 1.0}
    # Slot A is free now, slot B in 4 s: first at 0 (A, until 3), second at 3 (A, until 8), third at 4 (B).
    assert starts(waiting, [busy], work(2), durations) == [0, 3, 4]


def test_a_held_run_is_passed_over_and_starts_at_no_known_time(waiting):
    durations = {run.key: 10.0 for run in waiting}
    held = [waiting[0], replace(waiting[1], state=State.HELD), waiting[2]]
    assert starts(held, [], work(1), durations) == [0, None, 10]


@pytest.mark.parametrize("workload", [work(), work(1, held=True), work(1, request="stop")])
def test_nothing_starts_without_a_worker_or_in_a_held_queue(waiting, workload):
    durations = {run.key: 10.0 for run in waiting}
    found = expected_times(waiting, [], workload, durations)
    assert list(found.values()) == [Expected(None, 10.0)] * 3


def test_what_comes_after_a_run_of_unknown_length_starts_at_no_known_time(waiting):
    assert starts(waiting, [], work(1), {}) == [0, None, None]


def test_a_running_run_that_said_nothing_yet_is_taken_to_need_all_of_its_time(waiting, add_run):
    busy = replace(add_run("busy"), state=State.RUNNING, worker=1, seconds_left=None)
    assert starts(waiting[:1], [busy], work(1), {busy.key: 7.0}) == [7]
    assert starts(waiting[:1], [busy], work(1), {}) == [None]


def test_a_worker_that_drains_still_takes_what_waits(waiting):
    assert starts(waiting[:1], [], work(1, request="drain"), {}) == [0]


def test_runs_that_differ_in_their_seed_are_judged_once(database, waiting, monkeypatch):
    judged = []

    def estimate(database, recipes, past):
        judged.append(recipes)
        return Estimate((12.0,), (), ())

    monkeypatch.setattr("bertmt.services.queue_times.estimate", estimate)
    assert expected_durations(database, waiting, []) == {run.key: 12.0 for run in waiting}
    assert len(judged) == 1


def test_of_a_run_whose_data_cannot_be_read_nothing_is_expected(database, waiting, tmp_path):
    gone = replace(waiting[0], recipe_json=waiting[0].recipe_json.replace('"toy"', f'"{tmp_path}"'))
    past = [replace(waiting[1], state=State.FINISHED)]
    assert expected_durations(database, [gone], past) == {gone.key: None}
