"""What a person may ask of runs, and what is refused."""

import pytest

from bertmt.errors import BusyError, NotFoundError, RecipeError, UsageError
from bertmt.registry.runs import all_runs, claim_next, move, run_by_key
from bertmt.registry.states import Owner, State
from bertmt.registry.workers import register
from bertmt.services import control, ordering, removal
from bertmt.services.sync import folder_of


@pytest.fixture
def claim(database):
    worker = register(database, ["cpu"])
    return lambda: claim_next(database, worker, "cpu")


def fail(database, run):
    return move(database, run.key, State.FAILED, Owner.EVENT, "broke", failure="broke", ended_at="now")


def test_cancelling_a_queued_run_takes_effect_at_once(database, add_run):
    assert control.cancel(database, add_run()).state is State.CANCELLED


def test_cancelling_a_running_run_is_a_request_that_outlives_the_worker(database, add_run, claim):
    add_run()
    run = control.cancel(database, claim())
    assert (run.state, run.request) == (State.RUNNING, "cancel")


def test_cancelling_an_ended_run_is_refused(database, add_run):
    run = control.cancel(database, add_run())
    with pytest.raises(BusyError, match="cancelled and cannot become cancelled"):
        control.cancel(database, run)


def test_a_failed_run_is_requeued_behind_all_that_wait(database, add_run, claim):
    add_run()
    run, other = fail(database, claim()), add_run()
    run = control.requeue(database, run)
    assert (run.state, run.failure, run.attempt) == (State.QUEUED, None, 1)
    assert run.position > other.position


def test_a_finished_run_is_not_requeued(database, add_run, claim):
    add_run()
    run = move(database, claim().key, State.FINISHED, Owner.EVENT, "done")
    with pytest.raises(BusyError, match="--from"):
        control.requeue(database, run)


def test_requeueing_onto_other_data_is_refused(database, add_run, claim, tmp_path):
    add_run()
    run = fail(database, claim())
    database.execute("UPDATE runs SET fingerprints = ? WHERE key = ?", ('{"sst-dev": "other"}', run.key))
    with pytest.raises(UsageError, match="sst-dev"):
        control.requeue(database, run_by_key(database, run.key), data="toy")


def test_a_run_moves_to_the_front_and_before_another(database, add_run):
    first, second, third = add_run("a"), add_run("b"), add_run("c")
    ordering.reorder(database, third)
    ordering.reorder(database, second, before=first)
    order = sorted(all_runs(database), key=lambda run: run.position)
    assert [run.name for run in order] == ["c", "b", "a"]


def test_a_running_run_cannot_be_moved_or_edited(database, add_run, claim):
    add_run()
    run = claim()
    with pytest.raises(BusyError, match="moved"):
        ordering.reorder(database, run)
    with pytest.raises(BusyError, match="edited"):
        control.edit(database, run, {"epochs": "1"})


def test_editing_changes_recipe_digest_and_preset(database, add_run):
    run = add_run()
    edited = control.edit(database, run, {"lora.rank": "8"})
    assert edited.recipe["lora.rank"] == 8
    assert edited.recipe["lora.alpha"] == 8.0
    assert edited.digest != run.digest
    assert (run.preset, edited.preset) == ("sst-only", None)


def test_editing_the_rank_takes_the_scale_along_that_followed_it(database, add_run):
    run = add_run(**{"lora.rank": 8})
    assert control.edit(database, run, {"lora.rank": "16"}).recipe["lora.alpha"] == 16.0


def test_editing_the_learning_rate_takes_the_heads_along_unless_they_had_their_own(database, add_run):
    followed = control.edit(database, add_run(), {"learning_rate": "2e-4"})
    assert followed.recipe["head_learning_rate"] == 2e-4
    own = control.edit(database, add_run(head_learning_rate=5e-3), {"learning_rate": "2e-4"})
    assert own.recipe["head_learning_rate"] == 5e-3


def test_an_edit_that_makes_no_recipe_is_refused_and_changes_nothing(database, add_run):
    run = add_run()
    with pytest.raises(RecipeError):
        control.edit(database, run, {"pearson": "true"})
    assert run_by_key(database, run.key).recipe_json == run.recipe_json


def test_removing_a_run_keeps_its_folder_until_it_is_deleted_for_good(database, add_run):
    run = add_run()
    folder_of(database, run).path.mkdir(parents=True)
    removal.delete(database, run)
    assert all_runs(database) == []
    assert folder_of(database, run).path.exists()
    removal.delete_for_good(database, run)
    assert not folder_of(database, run).path.exists()


def test_a_running_run_is_not_removed(database, add_run, claim):
    add_run()
    with pytest.raises(BusyError, match="bertmt cancel"):
        removal.delete(database, claim())


def test_tags_are_words(database, add_run):
    run = control.tag(database, control.tag(database, add_run(), "b"), "a")
    assert run.tags == ("a", "b")
    assert control.tag(database, run, "a", present=False).tags == ("b",)
    for word in ("", "two words", "a,b", "\x1b[31m"):
        with pytest.raises(UsageError):
            control.tag(database, run, word)
    with pytest.raises(NotFoundError):
        control.tag(database, run, "missing", present=False)
