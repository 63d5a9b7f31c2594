"""What a person may ask of runs, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from call_types import AddRun
from present import present

from bertmt.errors import BusyError, NotFoundError, RecipeError, UsageError
from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, change_state, forget, run_by_key
from bertmt.registry.states import Actor, State
from bertmt.registry.workers import register
from bertmt.run_folder.checkpoints import Checkpoints
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle import bulk, control, removal, reordering
from bertmt.services.plan.submit import Request, plan, submit


@pytest.fixture
def claim(database: Database) -> Callable[..., Run]:
    worker = register(database, ["cpu"])
    return lambda: present(claim_next(database, worker, "cpu"))


def fail(database: Database, run: Run) -> Run:
    return change_state(database, run.key, State.FAILED, Actor.EVENT, "broke", failure="broke", ended_at="now")


def test_cancelling_a_queued_run_takes_effect_at_once(database: Database, add_run: AddRun) -> None:
    assert control.cancel(database, add_run()).state is State.CANCELLED


def test_cancelling_a_running_run_is_a_request_that_outlives_the_worker(
    database: Database, add_run: AddRun, claim: Callable[..., Run]
) -> None:
    add_run()
    run = control.cancel(database, claim())
    assert (run.state, run.execution.request) == (State.RUNNING, "cancel")


def test_cancelling_an_ended_run_is_refused(database: Database, add_run: AddRun) -> None:
    run = control.cancel(database, add_run())
    with pytest.raises(BusyError, match="is cancelled already"):
        control.cancel(database, run)


def test_a_failed_run_is_requeued_behind_all_that_wait(
    database: Database, add_run: AddRun, claim: Callable[..., Run]
) -> None:
    add_run()
    run, other = fail(database, claim()), add_run()
    run = control.requeue(database, run)
    assert (run.state, run.execution.failure, run.attempt) == (State.QUEUED, None, 1)
    assert run.queueing.position > other.queueing.position


def test_a_finished_run_is_not_requeued(database: Database, add_run: AddRun, claim: Callable[..., Run]) -> None:
    add_run()
    run = change_state(database, claim().key, State.FINISHED, Actor.EVENT, "done")
    with pytest.raises(BusyError, match="--from"):
        control.requeue(database, run)


def test_requeueing_onto_other_data_is_refused(
    database: Database, add_run: AddRun, claim: Callable[..., Run], tmp_path: Path
) -> None:
    add_run()
    run = fail(database, claim())
    database.execute("UPDATE runs SET fingerprints = ? WHERE key = ?", ('{"sst-dev": "other"}', run.key))
    with pytest.raises(UsageError, match="sst-dev"):
        control.requeue(database, run_by_key(database, run.key), data="toy")


def test_a_run_moves_to_the_front_and_before_another(database: Database, add_run: AddRun) -> None:
    first, second, third = add_run("a"), add_run("b"), add_run("c")
    reordering.reorder(database, third)
    reordering.reorder(database, second, before=first)
    order = sorted(all_runs(database), key=lambda run: run.queueing.position)
    assert [run.name for run in order] == ["c", "b", "a"]


def test_a_running_run_cannot_be_moved_or_edited(
    database: Database, add_run: AddRun, claim: Callable[..., Run]
) -> None:
    add_run()
    run = claim()
    with pytest.raises(BusyError, match="moved"):
        reordering.reorder(database, run)
    with pytest.raises(BusyError, match="edited"):
        control.edit(database, run, {"epochs": "1"})


def test_editing_changes_recipe_digest_and_preset(database: Database, add_run: AddRun) -> None:
    run = add_run()
    edited = control.edit(database, run, {"lora.rank": "8"})
    assert edited.recipe["lora.rank"] == 8
    assert edited.recipe["lora.alpha"] == 8.0
    assert edited.submission.digest != run.submission.digest
    assert (run.submission.preset, edited.submission.preset) == ("sst-only", None)


def test_editing_the_rank_takes_the_scale_along_that_followed_it(database: Database, add_run: AddRun) -> None:
    run = add_run(**{"lora.rank": 8})
    assert control.edit(database, run, {"lora.rank": "16"}).recipe["lora.alpha"] == 16.0


def test_editing_the_learning_rate_takes_the_heads_along_unless_they_had_their_own(
    database: Database, add_run: AddRun
) -> None:
    followed = control.edit(database, add_run(), {"learning_rate": "2e-4"})
    assert followed.recipe["head_learning_rate"] == 2e-4
    own = control.edit(database, add_run(head_learning_rate=5e-3), {"learning_rate": "2e-4"})
    assert own.recipe["head_learning_rate"] == 5e-3


def test_an_edit_that_makes_no_recipe_is_refused_and_changes_nothing(database: Database, add_run: AddRun) -> None:
    run = add_run()
    with pytest.raises(RecipeError):
        control.edit(database, run, {"pearson": "true"})
    assert run_by_key(database, run.key).submission.recipe_json == run.submission.recipe_json


def test_a_removed_run_keeps_its_folder_and_can_be_brought_back(database: Database, add_run: AddRun) -> None:
    run = add_run("gone")
    folder_of(database, run).path.mkdir(parents=True)
    removal.delete(database, run)
    assert all_runs(database) == []
    assert folder_of(database, run).path.is_dir()
    [back] = removal.restore_all(database, ["gone"])
    assert (back.id, back.state) == (run.id, State.CANCELLED), "nobody should start what was removed"
    with pytest.raises(NotFoundError, match="bertmt gc"):
        removal.restore_all(database, ["gone"])


def test_what_is_deleted_for_good_leaves_neither_rows_nor_folder(database: Database, add_run: AddRun) -> None:
    run = add_run()
    folder_of(database, run).path.mkdir(parents=True)
    removal.delete(database, run)
    forget(database, run.key)
    removal.delete_folder(database, run)
    assert not folder_of(database, run).path.exists()
    with pytest.raises(NotFoundError):
        removal.restore_all(database, [run.id])


def test_a_running_run_is_asked_to_pause_and_may_be_told_to_go_on(
    database: Database, add_run: AddRun, claim: Callable[..., Run]
) -> None:
    add_run()
    run = claim()
    assert control.pause(database, run).execution.request == "pause"
    assert control.resume(database, run).execution.request is None
    control.cancel(database, run)
    with pytest.raises(BusyError, match="being cancelled"):
        control.pause(database, run)


def test_a_paused_run_is_resumed_before_all_others(
    database: Database, add_run: AddRun, claim: Callable[..., Run]
) -> None:
    add_run("paused"), add_run("waits")
    run = change_state(database, claim().key, State.PAUSED, Actor.EVENT, "paused")
    assert control.resume(database, run).state is State.QUEUED
    assert [each.name for each in reordering.queue_order(database)] == ["paused", "waits"]


@pytest.mark.parametrize("state", [State.QUEUED, State.HELD])
def test_what_does_not_run_cannot_be_paused_or_resumed(database: Database, add_run: AddRun, state: State) -> None:
    run = add_run(state=state)
    with pytest.raises(BusyError, match=r"bertmt (hold|release)"):
        control.pause(database, run)
    with pytest.raises(BusyError, match="only paused runs"):
        control.resume(database, run)


def test_a_run_requeued_from_the_start_has_no_checkpoint(
    database: Database, add_run: AddRun, claim: Callable[..., Run]
) -> None:
    add_run()
    run = fail(database, claim())
    folder = folder_of(database, run).checkpoints().folder
    folder.mkdir(parents=True)
    database.execute("UPDATE summaries SET checkpoint_step = 7 WHERE run = ?", (run.key,))
    [anew] = control.begin_anew(database, [run])
    assert (anew.state, anew.progress.checkpoint_step) == (State.QUEUED, None)
    assert not folder.exists()


def test_no_checkpoint_is_deleted_where_one_of_the_runs_is_refused(
    database: Database, add_run: AddRun, claim: Callable[..., Run]
) -> None:
    add_run("failed")
    run, waiting = fail(database, claim()), add_run("waits")
    folder = folder_of(database, run).checkpoints().folder
    folder.mkdir(parents=True)
    with pytest.raises(BusyError):
        control.begin_anew(database, [run, waiting])
    assert folder.is_dir() and run_by_key(database, run.key).state is State.FAILED


def test_priorities_come_first_and_a_moved_run_takes_that_of_its_place(database: Database, add_run: AddRun) -> None:
    first, second, third = add_run("a"), add_run("b"), add_run("c")

    def order() -> str:
        return "".join(each.name for each in reordering.queue_order(database))

    reordering.prioritise(database, third, 5)
    assert order() == "cab"
    reordering.reorder(database, second, first=True)
    assert (order(), run_by_key(database, second.key).queueing.priority) == ("bca", 5)
    reordering.reorder(database, third, first=False)
    assert (order(), run_by_key(database, third.key).queueing.priority) == ("bac", 0)
    reordering.shift(database, first, -1)
    assert order() == "abc"
    reordering.shift(database, run_by_key(database, first.key), 1)
    assert order() == "bac"


def test_a_run_is_moved_before_one_that_waits_and_is_not_itself(
    database: Database, add_run: AddRun, claim: Callable[..., Run]
) -> None:
    add_run("running")
    running, first, last = claim(), add_run("first"), add_run("last")
    with pytest.raises(BusyError, match="is running"):
        reordering.reorder(database, last, before=running)
    with pytest.raises(UsageError, match="before itself"):
        reordering.reorder(database, last, before=last)
    reordering.reorder(database, last, before=first)
    assert [each.name for each in reordering.queue_order(database)] == ["last", "first"]


def test_what_is_queued_first_comes_before_higher_priorities(database: Database, add_run: AddRun) -> None:
    reordering.prioritise(database, add_run("urgent"), 5)
    submit(
        database, plan(Request(preset="baseline", values={"data": "toy", "encoder": "tiny"}, name="mine", first=True))
    )
    assert [each.name for each in reordering.queue_order(database)] == ["mine", "urgent"]


def test_a_run_that_is_named_twice_is_brought_back_once(database: Database, add_run: AddRun) -> None:
    run = add_run("twice")
    removal.delete(database, run)
    assert [each.key for each in removal.restore_all(database, [run.id, "twice"])] == [run.key]


def test_a_running_run_is_not_removed(database: Database, add_run: AddRun, claim: Callable[..., Run]) -> None:
    add_run()
    with pytest.raises(BusyError, match="bertmt cancel"):
        removal.delete(database, claim())


def test_tags_are_words(database: Database, add_run: AddRun) -> None:
    run = control.tag(database, control.tag(database, add_run(), "b"), "a")
    assert run.annotations.tags == ("a", "b")
    assert control.tag(database, run, "a", present=False).annotations.tags == ("b",)
    for word in ("", "two words", "a,b", "\x1b[31m"):
        with pytest.raises(UsageError):
            control.tag(database, run, word)
    with pytest.raises(NotFoundError):
        control.tag(database, run, "missing", present=False)


def test_a_run_begins_anew_though_its_folder_is_gone_and_an_older_version_left_checkpoints_elsewhere(
    database: Database, add_run: AddRun, tmp_path: Path
) -> None:
    run, scratch = add_run("finish"), tmp_path / "scratch"
    state = ("failed", str(scratch), run.key)
    database.execute("UPDATE runs SET state = ?, checkpoint_dir = ? WHERE key = ?", state)
    Checkpoints(scratch / run.id, is_elsewhere=True).write({"state": lambda path: path.write_text("older")}, 1)
    assert not folder_of(database, run).path.exists()
    control.begin_anew(database, [run_by_key(database, run.key)])
    folder_of(database, run).make()
    assert folder_of(database, run).checkpoints(str(scratch)).newest_intact(print) is None


def test_a_verb_for_several_runs_does_all_or_nothing_and_says_so(database: Database, add_run: AddRun) -> None:
    runs = [add_run(), add_run()]
    control.tag(database, runs[0], "good")
    with pytest.raises(
        NotFoundError, match=r"has no tag 'good'; it has none\. No action was taken on any of the 2 runs\."
    ):
        bulk.for_all(database, runs, lambda database, run: control.tag(database, run, "good", present=False))
    assert run_by_key(database, runs[0].key).annotations.tags == ("good",)
    control.cancel(database, runs[1])
    for verb in (bulk.cancel, bulk.pause):
        with pytest.raises(BusyError, match="No action was taken on any of the 2 runs"):
            verb(database, runs)
    with pytest.raises(BusyError, match="No action was taken on any of the 2 runs"):
        bulk.begin_anew(database, runs[::-1])
    assert [run_by_key(database, run.key).state for run in runs] == [State.QUEUED, State.CANCELLED]


def test_what_is_brought_back_is_all_that_was_named_or_nothing(database: Database, add_run: AddRun) -> None:
    run = add_run()
    removal.delete(database, run)
    with pytest.raises(NotFoundError, match="No action was taken on any of the 2 runs"):
        bulk.restore(database, [run.id, "missing"])
    assert all_runs(database) == []
