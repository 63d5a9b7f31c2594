"""When waiting runs start, against schedules worked out by hand."""

from pathlib import Path
from typing import Any

import pytest
from call_types import AddRun
from changed_run import changed

from bertmt.registry.database import Database
from bertmt.registry.records import Awaited, Worker
from bertmt.registry.states import State
from bertmt.services.browse.queue_times import Expected, expected_durations, expected_times, kinds_of
from bertmt.services.browse.workload import Workload
from bertmt.services.plan.estimates import Estimate


def work(*slots: int, held: bool = False, request: str | None = None) -> Workload:
    """Workers 1, 2, … with so many slots each."""
    workers = [
        Worker(
            key=key,
            host="host",
            pid=1,
            process_start="",
            slots=tuple(f"cpu-{number}" for number in range(count)),
            started_at="",
            heartbeat_at="",
            ended_at=None,
            request=request,
        )
        for key, count in enumerate(slots, start=1)
    ]
    return Workload(tuple((worker, []) for worker in workers), 0, held)


@pytest.fixture
def waiting(add_run: AddRun) -> list[Any]:
    return [add_run("first"), add_run("second", seed=1), add_run("third", seed=2)]


def starts(
    waiting: Any, running: list[Any], workload: Workload, durations: dict[Any, float] | dict[Any, Any]
) -> list[Any]:
    return [each.starts_in for each in expected_times(waiting, running, workload, durations).values()]


def test_one_free_slot_takes_one_run_after_another(waiting: Any) -> None:
    durations = {run.key: 10.0 for run in waiting}
    assert starts(waiting, [], work(1), durations) == [0, 10, 20]


def test_the_slot_that_is_free_first_takes_the_next_run(waiting: Any, add_run: AddRun) -> None:
    busy = changed(add_run("busy"), state=State.RUNNING, worker=1, seconds_left=4.0)
    durations = {waiting[0].key: 3.0, waiting[1].key: 5.0, waiting[2].key: 1.0}
    # Slot A is free now, slot B in 4 s: first at 0 (A, until 3), second at 3 (A, until 8), third at 4 (B).
    assert starts(waiting, [busy], work(2), durations) == [0, 3, 4]


def test_a_held_run_is_passed_over_and_starts_at_no_known_time(waiting: Any) -> None:
    durations = {run.key: 10.0 for run in waiting}
    held = [waiting[0], changed(waiting[1], state=State.HELD), waiting[2]]
    assert starts(held, [], work(1), durations) == [0, None, 10]


@pytest.mark.parametrize("workload", [work(), work(1, held=True), work(1, request="stop")])
def test_nothing_starts_without_a_worker_or_in_a_held_queue(waiting: Any, workload: Workload) -> None:
    durations = {run.key: 10.0 for run in waiting}
    found = expected_times(waiting, [], workload, durations)
    assert list(found.values()) == [Expected(None, 10.0)] * 3


def test_what_comes_after_a_run_of_unknown_length_starts_at_no_known_time(waiting: Any) -> None:
    assert starts(waiting, [], work(1), {}) == [0, None, None]


def test_a_running_run_that_said_nothing_yet_is_taken_to_need_all_of_its_time(waiting: Any, add_run: AddRun) -> None:
    busy = changed(add_run("busy"), state=State.RUNNING, worker=1, seconds_left=None)
    assert starts(waiting[:1], [busy], work(1), {busy.key: 7.0}) == [7]
    assert starts(waiting[:1], [busy], work(1), {}) == [None]


def test_a_worker_that_drains_still_takes_what_waits(waiting: Any) -> None:
    assert starts(waiting[:1], [], work(1, request="drain"), {}) == [0]


def test_runs_that_differ_in_their_seed_are_judged_once(
    database: Database, waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []

    def estimate(database: Database, recipes: Any, past: Any) -> Estimate:
        judged.append(recipes)
        return Estimate((12.0,), (), ())

    monkeypatch.setattr("bertmt.services.browse.queue_times.estimate", estimate)
    assert expected_durations(database, waiting, []) == {run.key: 12.0 for run in waiting}
    assert len(judged) == 1


def test_of_a_run_whose_data_cannot_be_read_nothing_is_expected(
    database: Database, waiting: Any, tmp_path: Path
) -> None:
    gone = changed(waiting[0], recipe_json=waiting[0].submission.recipe_json.replace('"toy"', f'"{tmp_path}"'))
    past = [changed(waiting[1], state=State.FINISHED)]
    assert expected_durations(database, [gone], past) == {gone.key: None}


def on(*devices: str, guard: str | None = None, request: str | None = None) -> Workload:
    """One worker with these slots."""
    return Workload(
        (
            (
                Worker(
                    key=1,
                    host="host",
                    pid=1,
                    process_start="",
                    slots=devices,
                    started_at="",
                    heartbeat_at="",
                    ended_at=None,
                    request=request,
                    guard=guard,
                ),
                [],
            ),
        ),
        0,
        False,
    )


def test_a_slot_takes_the_first_run_that_wants_its_kind_of_device(waiting: Any) -> None:
    durations = {waiting[0].key: 5.0, waiting[1].key: 7.0, waiting[2].key: 2.0}
    wanting = [changed(waiting[0], wants="gpu"), changed(waiting[1], wants="gpu"), waiting[2]]
    # The GPU works first (0 to 5) and second (from 5); third does not wait for it.
    assert starts(wanting, [], on("cpu", "cuda:0"), durations) == [0, 5, 0]
    assert starts(wanting, [], on("cpu"), durations) == [None, None, 0]


def test_a_run_that_waits_for_others_lets_later_ones_pass_until_these_have_ended(waiting: Any) -> None:
    durations = {waiting[0].key: 5.0, waiting[1].key: 7.0, waiting[2].key: 2.0}
    chained = [changed(waiting[0], awaits=(Awaited(waiting[2].id, True),)), waiting[1], waiting[2]]
    # Slot A: second, 0 to 7; slot B: third, 0 to 2, then first.
    assert starts(chained, [], work(2), durations) == [2, 0, 0]


def test_a_run_after_one_that_runs_starts_when_that_is_expected_to_end(waiting: Any, add_run: AddRun) -> None:
    busy = changed(add_run("busy"), state=State.RUNNING, worker=1, seconds_left=40.0)
    after = [changed(waiting[0], awaits=(Awaited(busy.id, False),)), waiting[1]]
    durations = {waiting[0].key: 5.0, waiting[1].key: 10.0}
    assert starts(after, [busy], work(2), durations) == [40, 0]


def test_a_run_that_waits_for_an_ended_or_removed_one_waits_for_nothing(waiting: Any) -> None:
    free = [changed(waiting[0], awaits=(Awaited("nobody", False),))]
    assert starts(free, [], work(1), {waiting[0].key: 5.0}) == [0]


def test_a_run_does_not_start_before_its_time(waiting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertmt.services.browse.queue_times.seconds_since", lambda at: -30.0 if at else None)
    later = [changed(waiting[0], not_before_at="2099-01-01T00:00:00+00:00"), waiting[1]]
    durations = {run.key: 10.0 for run in waiting}
    assert starts(later, [], work(1), durations) == [30, 0]


def test_what_is_stuck_starts_at_no_known_time_and_holds_nothing_up(waiting: Any) -> None:
    durations = {run.key: 10.0 for run in waiting}
    found = expected_times(waiting, [], work(1), durations, stuck={waiting[0].key})
    assert [each.starts_in for each in found.values()] == [None, 0, 10]


@pytest.mark.parametrize(("request_", "expected"), [(None, None), ("go on", 0)])
def test_a_guarded_worker_starts_nothing_until_it_is_let_go_on(
    waiting: Any, request_: str | None, expected: int | None
) -> None:
    durations = {waiting[0].key: 10.0}
    assert starts(waiting[:1], [], on("cpu", guard="three died", request=request_), durations) == [expected]


def test_a_run_that_is_about_to_pause_leaves_its_slot_at_once(waiting: Any, add_run: AddRun) -> None:
    busy = changed(add_run("busy"), state=State.RUNNING, worker=1, seconds_left=400.0, request="pause")
    assert starts(waiting[:1], [busy], work(1), {waiting[0].key: 10.0}) == [0]


def test_the_kinds_of_devices_are_those_of_workers_that_stay(waiting: Any) -> None:
    assert kinds_of(on("cpu", "cuda:0")) == {"cpu", "gpu"}
    assert kinds_of(on("cuda:0", request="stop")) == set()
