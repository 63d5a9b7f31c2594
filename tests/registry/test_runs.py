"""Runs in the registry: ids, order, claims, legal transitions."""

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from call_types import AddRun
from present import present

from bertmt.errors import BusyError, NotFoundError
from bertmt.registry import metrics
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.runs import (
    all_runs,
    bring_back,
    change_state,
    forget,
    remove,
    removed_runs,
    run_by_key,
    snapshot_of,
    transitions,
)  # fmt: skip
from bertmt.registry.states import ENDED, LEGAL_TRANSITIONS, Actor, State, check_transition
from bertmt.registry.workers import all_workers, is_running, register
from bertmt.run_folder.processes import process_start


@pytest.fixture
def worker(database: Database) -> int:
    return register(database, ["cpu"])


def test_ids_are_short_distinct_and_start_with_a_letter(add_run: AddRun) -> None:
    ids = {add_run().id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(each) == 6 and each[0].isalpha() for each in ids)


def test_runs_are_claimed_in_the_order_of_the_queue(database: Database, add_run: AddRun, worker: int) -> None:
    first, second = add_run("a"), add_run("b")
    assert [present(claim_next(database, worker, "cpu")).key for _ in range(2)] == [first.key, second.key]
    assert claim_next(database, worker, "cpu") is None


def test_a_held_run_is_not_claimed(database: Database, add_run: AddRun, worker: int) -> None:
    run = add_run()
    change_state(database, run.key, State.HELD, Actor.PERSON, "held")
    assert claim_next(database, worker, "cpu") is None


def test_a_claim_makes_a_new_attempt_and_forgets_the_old_failure(
    database: Database, add_run: AddRun, worker: int
) -> None:
    run = claim_next(database, worker, "cpu") if add_run() else None
    change_state(database, present(run).key, State.FAILED, Actor.EVENT, "broke", failure="broke", ended_at="now")
    change_state(database, present(run).key, State.QUEUED, Actor.PERSON, "requeued")
    run = claim_next(database, worker, "cpu")
    assert (present(run).attempt, present(run).execution.failure, present(run).execution.ended_at) == (2, None, None)


def test_every_move_is_recorded_with_time_and_reason(database: Database, add_run: AddRun) -> None:
    run = add_run()
    change_state(database, run.key, State.HELD, Actor.PERSON, "for later")
    first, second = transitions(database, run.key)
    assert (first.state_before, first.state_after) == (None, "queued")
    assert (second.state_before, second.state_after, second.actor, second.reason) == (
        "queued", "held", "person", "for later",
    )  # fmt: skip
    assert second.at >= first.at


def test_what_is_not_in_the_table_of_moves_is_refused() -> None:
    for before, after, actor in product(State, State, Actor):
        legal = actor in LEGAL_TRANSITIONS.get((before, after), ())
        try:
            check_transition("abc", before, after, actor)
            assert legal
        except BusyError:
            assert not legal


def test_nothing_leads_out_of_finished() -> None:
    assert not [after for before, after in LEGAL_TRANSITIONS if before is State.FINISHED]


def test_only_a_claim_starts_a_run() -> None:
    """What is imported has run elsewhere: it passes through that state within one transaction."""
    starts = {
        before: owners - {Actor.IMPORT}
        for (before, after), owners in LEGAL_TRANSITIONS.items()
        if after is State.RUNNING
    }
    assert {before: owners for before, owners in starts.items() if owners} == {State.QUEUED: {Actor.CLAIM}}


def test_every_ended_state_but_finished_can_be_requeued() -> None:
    assert {before for (before, after) in LEGAL_TRANSITIONS if after is State.QUEUED} >= ENDED - {State.FINISHED}


def test_a_removed_run_is_out_of_sight_and_can_be_brought_back(database: Database, add_run: AddRun) -> None:
    run = add_run()
    remove(database, run.key)
    assert all_runs(database) == []
    assert [each.id for each in removed_runs(database)] == [run.id]
    with pytest.raises(NotFoundError):
        run_by_key(database, run.key)
    assert bring_back(database, run.key) == run == all_runs(database)[0]
    assert removed_runs(database) == []


def test_forgetting_a_run_deletes_all_that_was_stored_of_it(database: Database, add_run: AddRun) -> None:
    run = add_run()
    with database.immediate():
        metrics.append(database, run.key, [("loss/sst", 0, 1.0)])
    forget(database, run.key)
    assert all_runs(database) == []
    for table in ("metrics", "transitions", "summaries"):
        assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    with pytest.raises(NotFoundError):
        run_by_key(database, run.key)


def test_runs_submitted_with_the_same_code_share_one_snapshot(database: Database, add_run: AddRun) -> None:
    first, second = add_run(), add_run()
    assert first.submission.snapshot == second.submission.snapshot
    assert snapshot_of(database, first).source == {"version": "0"}


def test_this_process_is_seen_as_a_running_worker_and_a_recycled_pid_is_not(database: Database, worker: int) -> None:
    [entered] = all_workers(database)
    assert entered.key == worker
    assert is_running(entered)
    database.execute("UPDATE workers SET process_start = 'another boot:1'")
    assert not is_running(all_workers(database)[0])


def test_a_pid_that_no_process_has_has_no_start() -> None:
    assert process_start(2**22 + 1) == ""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the kernel tells nothing of processes here")
def test_a_process_that_was_killed_and_not_yet_asked_about_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert process_start(child.pid) != ""
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays a zombie
        assert process_start(child.pid) == ""


def test_points_are_read_from_the_last_known_step_on(database: Database, add_run: AddRun) -> None:
    run = add_run()
    with database.immediate():
        metrics.append(database, run.key, [("a", step, float(step)) for step in range(5)] + [("b", 0, None)])
    assert metrics.read(database, run.key, ["a"], {"a": 2}) == {"a": [(3, 3.0), (4, 4.0)]}
    assert metrics.read(database, run.key)["b"] == [(0, None)]
    assert metrics.last_values(database, run.key) == {"a": 4.0, "b": None}


def test_what_was_measured_after_a_checkpoint_is_forgotten(database: Database, add_run: AddRun) -> None:
    run = add_run()
    with database.immediate():
        metrics.append(database, run.key, [("a", step, 0.0) for step in range(5)])
        metrics.append(database, run.key, [(name, step, 0.0) for name in ("dev/x", "dev_loss/x") for step in (0, 3, 6)])
        # Three steps were done, and the weights after them evaluated.
        metrics.go_back(database, run.key, 3, 1, 3)
    found = {name: [step for step, _ in points] for name, points in metrics.read(database, run.key).items()}
    assert found == {"a": [0, 1, 2], "dev/x": [0, 3], "dev_loss/x": [0, 3]}
