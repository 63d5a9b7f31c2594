"""Searches from their beginning to their winner, over runs that a stand-in trains."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from registry_builder import EXAMPLES, guesses
from trained_trials import EPOCHS, asked, begun, go_on, less_dropout, train_next

from bertmt.comparison.held_out import held_out_mask
from bertmt.errors import DataError, NotFoundError, RecipeError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs, change_state, forget, remove
from bertmt.registry.searches.rows import all_searches, search_named
from bertmt.registry.states import Actor, State
from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import Evaluated
from bertmt.services.analysis.searching import advancing, beginning, looking
from bertmt.services.analysis.searching.advancing import advance
from bertmt.services.analysis.searching.beginning import prepare
from bertmt.services.analysis.searching.looking import Looked
from bertmt.services.analysis.searching.report import newest_search, report_of, sentences
from bertmt.services.analysis.searching.scoring import Scorer
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.lifecycle import control
from bertmt.services.plan.estimates import Estimate
from bertmt.tasks.examples import fingerprint

OTHER_SPACE = ("r_drop=0,1,2",)


def epochs_trained(database: Database) -> Counter[tuple[str, int]]:
    """How often each run was evaluated after each epoch, as its event files tell."""
    found: Counter[tuple[str, int]] = Counter()
    for run in all_runs(database):
        for attempt in range(1, run.attempt + 1):
            events = read_events(folder_of(database, run).events(attempt))[0]
            found.update((run.id, event.epoch) for event in events if isinstance(event, Evaluated))
    return found


def outcome(looked: Looked) -> list[tuple[int, int, str, Any]]:
    """What makes two searches the same: numbers, rungs, states, settings."""
    return [
        (each.trial.number, each.trial.rung, str(each.run.state) if each.run else "", each.trial.settings)
        for each in looked.tried
    ]


def test_halving_lets_the_best_third_go_on_and_pauses_the_others(database: Database) -> None:
    begun(database)
    looked = go_on(database)
    assert looked.plan.rungs == (1, 3, 9)
    assert Counter(each.trial.rung for each in looked.tried) == {0: 6, 1: 2, 2: 1}
    states = Counter(each.run.state for each in looked.tried if each.run)
    assert states == {State.PAUSED: 8, State.FINISHED: 1}
    by_rung = {
        rung: [e.trial.settings["head_dropout"] for e in looked.tried if e.trial.rung == rung] for rung in (0, 1, 2)
    }
    assert max(by_rung[2]) < min(by_rung[1]) and max(by_rung[1]) < min(by_rung[0])
    assert sum(epochs_trained(database).values()) == 9 + looked.plan.epochs_of(9) == 9 + 9 + 3 * 2 + 6
    assert set(epochs_trained(database).values()) == {1}, "no epoch was trained twice"


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of the program catches it."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(3))  # it lets go on, again, and ends
def test_a_search_killed_around_any_of_its_steps_goes_on_as_if_nothing_had_been(
    database: Database, monkeypatch: pytest.MonkeyPatch, moment: str, number: int, straight: Callable[[], Any]
) -> None:
    begun(database, strategy="halving", runs="9")
    real, left = advancing._act, [number]

    def act(*arguments: Any) -> bool:
        left[0] -= 1
        if left[0] == -1 and moment == "before":
            raise KilledError
        done = real(*arguments)
        if left[0] == -1:
            raise KilledError
        return done

    monkeypatch.setattr(advancing, "_act", act)
    try:
        looked = go_on(database)
    except KilledError:
        looked = go_on(database)
    assert left[0] < 0
    assert outcome(looked) == straight()
    assert set(epochs_trained(database).values()) == {1}


@pytest.fixture
def straight(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Any]:
    """The outcome of the same search that nobody interrupted."""

    def run() -> Any:
        with open_registry(tmp_path_factory.mktemp("straight") / "runs.db", create=True) as other:
            begun(other)
            return outcome(go_on(other))

    return run


def test_a_search_that_is_killed_while_it_begins_leaves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "add_trials", lambda *_: (_ for _ in ()).throw(KilledError()))
    with pytest.raises(KilledError):
        begun(database)
    assert all_runs(database) == [] and all_searches(database) == []


def test_recipes_that_are_added_later_come_whole_or_not_at_all_and_never_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(database, strategy="random", sampler="uniform", runs="4", budget="100h")
    with monkeypatch.context() as patched:
        patched.setattr(beginning, "add_trials", lambda *_: (_ for _ in ()).throw(KilledError()))
        with pytest.raises(KilledError):
            go_on(database)
    assert len(all_runs(database)) == 1
    looked = go_on(database)
    assert len(looked.tried) == 4 == len(all_runs(database)) == len({str(each.trial.settings) for each in looked.tried})


def test_two_processes_on_one_search_do_each_step_once(database: Database) -> None:
    begun(database)
    scorer = Scorer(database, search_named(database, "trial"))
    while train_next(database) is not None:
        pass
    seen = looking.look(database, "trial", scorer)
    advance(database, "trial", lambda _: None, scorer)  # the other process was faster
    again = advancing._decision(database, seen)
    assert not advancing._act(database, seen, again)
    assert Counter(each.trial.rung for each in looking.look(database, "trial", scorer).tried) == {0: 6, 1: 3}


def test_a_run_that_dies_and_is_requeued_is_waited_for(database: Database) -> None:
    begun(database)
    lost = train_next(database, dies=True)
    assert lost is not None
    change_state(database, lost.key, State.LOST, Actor.DEATH, "killed")
    change_state(database, lost.key, State.QUEUED, Actor.DEATH, "once more")
    looked = go_on(database)
    assert lost.id in [each.trial.run for each in looked.tried if each.is_scored]


def test_one_that_failed_is_left_behind_and_told_of(database: Database) -> None:
    begun(database)
    failed = train_next(database, dies=True)
    assert failed is not None
    change_state(database, failed.key, State.FAILED, Actor.DEATH, "broke", failure="broke")
    go_on(database)
    report = report_of(database, "trial")
    assert (report.tried, report.failed, report.pruned) == (8, 1, 7)
    assert "Best of 8 recipes (7 pruned, 1 failed)" in sentences(report)[0]


def test_one_that_a_person_cancelled_after_its_pause_is_not_let_go_on(database: Database) -> None:
    begun(database)
    first = train_next(database, quality=lambda recipe: 1.0)
    assert first is not None
    control.cancel(database, first)
    looked = go_on(database)
    assert looked.tried[0].trial.rung == 0 and looked.tried[0].first.chosen_by is not None


def test_one_that_a_person_removed_after_its_pause_is_not_let_go_on_and_still_counts(database: Database) -> None:
    begun(database)
    first = train_next(database, quality=lambda recipe: 1.0)
    assert first is not None
    remove(database, first.key)
    looked = go_on(database)
    assert looked.tried[0].trial.rung == 0 and looked.tried[0].is_removed
    assert report_of(database, "trial").tried == 9


def test_a_pruned_run_is_resumed_to_its_end_by_a_person_and_may_win(database: Database) -> None:
    begun(database)
    looked = go_on(database)
    pruned = next(each.run for each in looked.tried if each.trial.rung == 0)
    assert pruned is not None
    control.resume(database, pruned)
    finished = train_next(database, quality=lambda recipe: 1.0)
    assert finished is not None and (finished.id, finished.state) == (pruned.id, State.FINISHED)
    report = report_of(database, "trial")
    assert report.winner is not None and report.winner.trial.run == pruned.id
    assert (report.tried, report.pruned) == (9, 7)


def test_the_winners_scores_are_those_of_either_half_of_its_predictions(database: Database) -> None:
    begun(database, preset="sst-only")
    looked = go_on(database)
    report = report_of(database, "trial")
    assert report.best is not None and report.winner is not None and report.winner.run is not None
    labels = np.array([each.label for each in EXAMPLES["sst"]])
    mask = held_out_mask([each.id for each in EXAMPLES["sst"]])
    is_right = guesses("sst", less_dropout(report.winner.run.recipe)).argmax(axis=1) == labels
    assert report.best.halves.chosen_by == pytest.approx(is_right[~mask].mean())
    assert report.best.halves.held_out == pytest.approx(is_right[mask].mean())
    assert report.best.optimism == pytest.approx(is_right[~mask].mean() - is_right[mask].mean())
    stored = json.loads(looked.search.held_out or "{}")["sst"]
    assert (
        np.unpackbits(np.frombuffer(bytes.fromhex(stored["mask"]), np.uint8))[:60].tolist() == mask.astype(int).tolist()
    )
    assert stored["fingerprint"] == fingerprint(EXAMPLES["sst"])
    words = " ".join(sentences(report))
    assert f"{report.best.halves.held_out:.3f}" in words and "believe the latter" in words and "optimis" in words


def test_choices_look_at_the_half_that_chooses_alone(database: Database) -> None:
    """Recipes that are right on the held-out half alone are pruned, however good on all of dev."""
    mask = held_out_mask([each.id for each in EXAMPLES["sst"]])
    begun(database, preset="sst-only")
    go_on(database)
    scorer = Scorer(database, search_named(database, "trial"))
    for each in looking.look(database, "trial").tried:
        assert each.run is not None
        whole = each.run.score("sst") if each.is_whole else None
        halves = scorer.halves(each.run, each.run.scores.selected_epoch)
        if whole is not None and halves.chosen_by is not None and halves.held_out is not None:
            assert whole == pytest.approx((halves.chosen_by * (~mask).sum() + halves.held_out * mask.sum()) / len(mask))
        assert each.standing().score == each.halves.chosen_by


def test_without_a_held_out_half_all_of_dev_chooses_and_it_is_said_to_be_optimistic(database: Database) -> None:
    begun(database, preset="sst-only", holds_out=False)
    go_on(database)
    report = report_of(database, "trial")
    assert report.best is not None and report.winner is not None and report.winner.run is not None
    assert report.best.halves.chosen_by == pytest.approx(report.winner.run.score("sst"))
    assert (report.best.halves.held_out, report.best.optimism) == (None, None)
    assert "optimistic by an unknown amount" in " ".join(sentences(report))


def test_a_recipe_whose_run_was_deleted_is_still_listed(database: Database) -> None:
    begun(database)
    looked = go_on(database)
    gone, hidden = looked.tried[0].run, looked.tried[1].run
    assert gone is not None and hidden is not None
    forget(database, gone.key)
    remove(database, hidden.key)
    after = looking.look(database, "trial")
    assert [each.run is None for each in after.tried[:2]] == [True, False]
    assert after.tried[0].trial.settings == looked.tried[0].trial.settings and len(after.tried) == 9


def test_a_random_search_trains_all_to_their_end(database: Database) -> None:
    begun(database, strategy="random", runs="4")
    assert len(all_runs(database)) == 4, "all at once: nothing must be seen first"
    looked = go_on(database)
    assert {each.run.state for each in looked.tried if each.run} == {State.FINISHED}
    assert report_of(database, "trial").tried == 4


def test_a_budget_alone_is_measured_by_a_first_run_and_filled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "training_seconds", lambda database, run: 60.0 * (run.progress.epoch or 0))
    begun(database, runs="", budget="60m")
    assert len(all_runs(database)) == 1
    looked = go_on(database)
    assert looked.search.runs == len(looked.tried) == looked.plan.affordable(60)
    assert looked.seconds <= 3600


def test_a_budget_stops_a_random_search_before_it_is_overrun(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "training_seconds", lambda database, run: 60.0 * (run.progress.epoch or 0))
    begun(database, runs="", budget="40m", strategy="random")
    looked = go_on(database)
    assert len(looked.tried) == 4, "9 minutes each"
    assert looked.search.outcome == "The budget is used up."


def test_what_a_budget_leaves_no_time_for_is_not_begun_and_not_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "estimate", lambda database, recipes: Estimate((3600.0,), (), ()))
    begun(database, budget="100h")
    assert len(all_runs(database)) == 9
    monkeypatch.setattr(looking, "training_seconds", lambda database, run: 100 * 3600.0 * run.attempt)
    train_next(database)
    looked = go_on(database)
    report = report_of(database, "trial")
    assert (report.tried, len(looked.tried)) == (1, 9)
    assert Counter(each.run.state for each in looked.tried if each.run) == {State.CANCELLED: 8, State.FINISHED: 1}


def test_a_setting_that_has_nothing_to_do_is_told_of(database: Database) -> None:
    said = begun(database, over=("head_dropout=0..0.5", "r_drop=0,1,2"), runs="3").remarks
    assert [each for each in said if "whatever its value" in each] == [
        "`head_dropout` is ignored, whatever its value: no head has more than one layer."
    ]


def test_a_small_space_is_tried_whole_and_that_is_said(database: Database) -> None:
    found = begun(database, over=OTHER_SPACE, runs="9")
    assert search_named(database, "trial").runs == 3 == len(all_runs(database))
    assert found.search.name == "trial"


def test_runs_are_named_numbered_and_tagged_after_the_search(database: Database) -> None:
    begun(database, name="rates", runs="3")
    assert [run.name for run in all_runs(database)] == ["rates-1", "rates-2", "rates-3"]
    assert {run.annotations.tags for run in all_runs(database)} == {("rates",)}
    assert newest_search(database, all_runs(database)[0].id) == "rates" == newest_search(database)


def test_without_a_name_a_search_is_called_after_its_recipe(database: Database) -> None:
    for _ in range(2):
        begun(database, name="", runs="2")
    assert [each.name for each in all_searches(database)] == ["baseline-search", "baseline-search-2"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"runs": ""}, "A search needs an end: --budget 2h"),
        ({"runs": "1"}, "--runs expects a whole number from 2"),
        ({"runs": "many"}, "--runs expects a whole number"),
        ({"budget": "soon"}, "--budget expects a time of training such as 2h"),
        ({"budget": "0h"}, "--budget expects"),
        ({"strategy": "grid"}, "--strategy expects halving or random"),
        ({"sampler": "best"}, "--sampler expects uniform or tpe"),
        ({"sampler": "tpe"}, "type --strategy random"),
        ({"seed": "x"}, "`seed` must be a whole number"),
        ({"over": ("epochs=2..9",)}, "cannot search over epochs"),
        ({"over": ("head_dropout=0..0.5",), "values": {"head_dropout": "0.1"}}, "given with --set and with --over"),
        ({"values": {"epochs": "1"}}, "of 1 none comes before the last"),
        ({"values": {"data": "nowhere"}}, "nowhere"),
        ({"name": "two words"}, "A tag is one word"),
        ({"preset": "nobodys"}, "No preset is called 'nobodys'"),
    ],
)
def test_what_cannot_be_searched_is_refused_and_nothing_is_stored(
    database: Database, how: dict[str, Any], said: str
) -> None:
    with pytest.raises((UsageError, NotFoundError, DataError)) as refused:
        begun(database, **how)
    assert said in str(refused.value)
    assert all_runs(database) == [] and all_searches(database) == []


def test_a_space_of_which_nothing_can_be_trained_says_why(database: Database) -> None:
    with pytest.raises(RecipeError, match="`pearson` needs a `batch_size`"):
        begun(database, over=("batch_size=1,2",), runs="2", values={"pearson": "true"})


def test_recipes_that_cannot_be_trained_are_passed_over(database: Database) -> None:
    begun(database, over=("batch_size=1,2,4,8",), runs="4", values={"pearson": "true"})
    assert {run.recipe["batch_size"] for run in all_runs(database)} == {4, 8}


def test_a_name_that_is_taken_is_refused(database: Database) -> None:
    begun(database, runs="2")
    with pytest.raises(UsageError, match="--resume trial"):
        prepare(database, asked(database, runs="2"))


def test_a_setting_that_decides_the_scores_is_the_most_important(database: Database) -> None:
    begun(database, over=("head_dropout=0..0.9", "r_drop=0,1,2"))
    go_on(database)
    found = report_of(database, "trial").importances
    assert next(iter(found)) == "head_dropout"
    assert (found["head_dropout"].rank_correlation or 0) < -0.9
    assert EPOCHS == 9
