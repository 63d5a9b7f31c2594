"""Searches in which runs crash, are paused or resumed by people, or cannot be trained."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest
from trained_trials import asked, begun, go_on, train_next

from bertmt.recipe.encoders import default_learning_rate
from bertmt.recipe.recipe import Recipe
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, change_state
from bertmt.registry.searches.rows import search_named
from bertmt.registry.states import Actor, State
from bertmt.services.analysis.searching import advancing, beginning, drawing_recipes, looking
from bertmt.services.analysis.searching.advancing import advance
from bertmt.services.analysis.searching.beginning import prepare
from bertmt.services.analysis.searching.decisions import Promote
from bertmt.services.analysis.searching.drawing_recipes import next_recipes
from bertmt.services.analysis.searching.plan import SearchPlan
from bertmt.services.analysis.searching.report import report_of, sentences
from bertmt.services.analysis.searching.scoring import Scorer
from bertmt.services.lifecycle import control
from bertmt.services.plan.submit import Request


def test_one_that_ended_while_it_was_at_a_lower_rung_is_ranked_by_its_score_there(database: Database) -> None:
    begun(database)
    first = train_next(database, quality=lambda recipe: 0.3)
    assert first is not None
    control.resume(database, first)
    ended = train_next(database, quality=lambda recipe: 1.0)
    assert ended is not None and ended.state is State.FINISHED
    tried = looking.look(database, "trial").tried[0]
    assert tried.standing().score == tried.first.chosen_by != tried.halves.chosen_by
    looked = go_on(database, quality=lambda recipe: 0.6)
    assert looked.tried[0].trial.rung == 0, "at epoch 1 it was the worst"
    assert report_of(database, "trial").winner == looked.tried[0], "at its end it is the best all the same"


def paused_by_a_person(database: Database) -> Run:
    """A run that waits, paused in the middle of its first epoch with the others at their rung."""
    run = train_next(database, dies=True)
    assert run is not None
    change_state(database, run.key, State.PAUSED, Actor.EVENT, "paused")
    return run


def test_one_that_a_person_paused_before_its_rung_is_waited_for(database: Database) -> None:
    begun(database)
    paused = paused_by_a_person(database)
    while train_next(database) is not None:
        pass
    scorer = Scorer(database, search_named(database, "trial"))
    looked = advance(database, "trial", lambda _: None, scorer)
    assert looked.search.ended_at is None and {each.trial.rung for each in looked.tried} == {0}
    control.resume(database, paused)
    assert {each.is_scored for each in go_on(database).tried} == {True}


def test_one_that_a_person_paused_alone_at_the_top_rung_does_not_end_the_search(database: Database) -> None:
    begun(database)
    for _ in range(9 + 3):
        advance(database, "trial", lambda _: None, Scorer(database, search_named(database, "trial")))
        assert train_next(database) is not None
    scorer = Scorer(database, search_named(database, "trial"))
    advance(database, "trial", lambda _: None, scorer)
    last = paused_by_a_person(database)
    assert advance(database, "trial", lambda _: None, scorer).search.ended_at is None
    control.cancel(database, last)
    looked = go_on(database)
    assert Counter(each.trial.rung for each in looked.tried) == {0: 6, 1: 1, 2: 2}
    assert report_of(database, "trial").winner is not None, "the next best took its place"


def test_a_first_recipe_that_crashes_neither_ends_the_search_nor_tells_how_long_an_epoch_takes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        looking,
        "training_seconds",
        lambda database, run: 2.0 if run.state is State.FAILED else 60.0 * (run.progress.epoch or 0),
    )
    begun(database, runs="", budget="60m")
    crashed = train_next(database, dies=True)
    assert crashed is not None and crashed.progress.epoch == 1
    change_state(database, crashed.key, State.FAILED, Actor.DEATH, "broke", failure="broke")
    assert looking.look(database, "trial").per_epoch is None
    looked = go_on(database)
    assert looked.per_epoch == 60.0
    assert looked.search.runs == len(looked.tried) == looked.plan.affordable(60)
    assert Counter(each.run.state for each in looked.tried if each.run)[State.FINISHED] >= 1


def test_what_follows_only_where_it_is_left_out_is_kept_for_recipes_that_are_added_later(database: Database) -> None:
    """`tiny` has the learning rate that is asked for by itself; another one would bring its own."""
    own = str(default_learning_rate("tiny"))
    search = asked(
        database, over=("head_dropout=0..0.9",), strategy="random", runs="2", budget="100h",
        values={"learning_rate": own},
    )  # fmt: skip
    prepared = prepare(database, replace(search, request=replace(search.request, tags=("mine",), note="why")))
    assert {name: float(value) for name, value in prepared.plan.explicit.items()} == {"learning_rate": float(own)}
    beginning.begin(database, prepared)
    control.tag(database, all_runs(database)[0], "good")
    seen: list[Request] = []
    with pytest.MonkeyPatch.context() as patched:
        real = beginning.planned_trials
        patched.setattr(
            "bertmt.services.analysis.searching.advancing.planned_trials",
            lambda *given: seen.append(given[0]) or real(*given),
        )
        go_on(database)
    [request] = seen
    assert float(request.values["learning_rate"]) == float(own)
    later = all_runs(database)[1]
    assert set(later.annotations.tags) == {"mine", "trial"} and later.annotations.note == "why"


def test_drawn_recipes_that_planning_refuses_are_passed_over_and_told_of(database: Database) -> None:
    """`tiny` has too few positions for two sentences of the longer length in one input, which only planning knows."""
    over = ("pair_input=joint,separate", "max_length=64,512")
    begun(database, over=over, runs="4")
    looked = go_on(database, quality=lambda recipe: 0.5)
    assert len(looked.tried) == 3 == looked.search.runs and len(looked.plan.refused) == 1
    assert dict(looked.plan.refused[0]) == {"pair_input": "joint", "max_length": 512}
    assert [run.name for run in all_runs(database)] == ["trial-1", "trial-2", "trial-3"]
    assert any("1 drawn recipe was refused" in each for each in sentences(report_of(database, "trial")))


def test_of_two_stages_the_last_rung_is_the_end_of_both(database: Database) -> None:
    prepared = prepare(database, asked(database, values={"stages": "multitask,single"}))
    assert prepared.plan.rungs == (1, 3, 18)


def test_a_run_that_a_person_resumed_meanwhile_is_looked_at_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(database)
    while train_next(database) is not None:
        pass
    scorer = Scorer(database, search_named(database, "trial"))
    seen = looking.look(database, "trial", scorer)
    decision = advancing._decision(database, seen)
    assert isinstance(decision, Promote)
    best = next(each.run for each in seen.tried if each.trial.number == decision.numbers[0])
    assert best is not None
    control.resume(database, best)
    assert not advancing._act(database, seen, decision)
    assert {each.trial.rung for each in looking.look(database, "trial", scorer).tried} == {0}


def test_a_seed_is_none_too_large_for_the_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    def sampler(seed: int) -> None:
        given.append(seed)
        raise StopIteration

    optuna = SimpleNamespace(
        samplers=SimpleNamespace(TPESampler=sampler),
        distributions=SimpleNamespace(FloatDistribution=lambda *_, **__: None),
    )
    monkeypatch.setattr(drawing_recipes, "require_optuna", lambda: optuna)
    plan = SearchPlan(over=("head_dropout=0..0.9",), strategy="random", sampler="tpe", seed=2**32 - 1, rungs=(9,))
    with pytest.raises(RuntimeError):  # what a generator makes of the end of another
        next_recipes(plan, Recipe(), [], [], 1)
    assert 0 <= given[0] < 2**32
