"""What a search does next, from where its runs stand."""

from typing import Any

import pytest

from bertmt.errors import UsageError
from bertmt.services.analysis.searching.decisions import (
    ALL_TRIED,
    BUDGET_USED,
    NO_SCORE,
    Drop,
    End,
    Promote,
    Settle,
    Standing,
    Start,
    Wait,
    decide,
)
from bertmt.services.analysis.searching.plan import SearchPlan, parse_budget, read_plan, rungs_of, to_text

HALVING = SearchPlan(over=("r_drop=0,1,2",), rungs=(1, 3, 9))


def plan(**changed: Any) -> SearchPlan:
    return SearchPlan(**{"over": HALVING.over, "rungs": HALVING.rungs, **changed})


def standing(number: int, score: float | None = None, rung: int = 0, **more: Any) -> Standing:
    return Standing(**{
        "number": number, "rung": rung, "is_open": False, "never_began": False, "score": score, "seconds": 60.0, **more,
    })  # fmt: skip


def waiting(number: int) -> Standing:
    return standing(number, is_open=True, never_began=True, seconds=0.0)


def test_halving_waits_for_all_of_a_rung_and_then_lets_the_best_third_go_on() -> None:
    scored = [standing(number, number / 10) for number in range(1, 10)]
    assert decide(HALVING, 9, [*scored[:8], waiting(9)], None) == Wait()
    assert decide(HALVING, 9, scored, None) == Promote((9, 8, 7), 1)


def test_the_first_of_equal_recipes_goes_on() -> None:
    assert decide(HALVING, 3, [standing(number, 0.5) for number in (1, 2, 3)], None) == Promote((1,), 1)


def test_at_the_last_rung_it_ends() -> None:
    before = [standing(number, 0.1) for number in (1, 2)]
    assert decide(HALVING, 3, [*before, standing(3, 0.9, rung=2)], None) == End(ALL_TRIED)


def test_what_a_person_resumed_below_is_not_waited_for() -> None:
    tried = [standing(1, None, is_open=True), standing(2, 0.5, rung=1), standing(3, None)]
    assert decide(HALVING, 3, tried, None) == Promote((2,), 2)


def test_where_none_of_the_top_rung_came_to_a_score_the_next_best_below_goes_on() -> None:
    tried = [standing(1, 0.2), standing(2, 0.4), standing(3, 0.3), standing(4, None, rung=2), standing(5, None, rung=1)]
    assert decide(HALVING, 9, tried, None) == Promote((2,), 2)
    assert decide(HALVING, 9, [*tried, standing(6, 0.1, rung=1)], None) == Promote((6,), 2)
    assert decide(HALVING, 9, [*tried, standing(6, None, rung=2, is_open=True)], None) == Wait()


def test_where_nothing_came_to_a_score_there_is_nothing_to_choose() -> None:
    assert decide(HALVING, 2, [standing(1), standing(2)], None) == End(NO_SCORE)
    assert decide(plan(strategy="random"), 2, [standing(1), standing(2)], None) == End(NO_SCORE)


def test_a_budget_is_turned_into_recipes_once_it_is_known_how_long_an_epoch_takes() -> None:
    budget = plan(budget_seconds=1000.0)
    assert decide(budget, None, [], None) == Start(1)
    assert decide(budget, None, [waiting(1)], None) == Wait()
    # 100 s per epoch are 10 epochs; of three recipes 3 · 1 + 1 · 2 + 1 · 6 = 11 are too many.
    assert decide(budget, None, [standing(1, 0.5)], 100.0) == Settle(2)
    assert decide(budget, None, [standing(1, 0.5)], 10.0) == Settle(budget.affordable(100))


@pytest.mark.parametrize("strategy", ["halving", "random"])
def test_where_the_first_recipe_dies_another_is_to_tell_how_long_an_epoch_takes(strategy: str) -> None:
    budget = plan(strategy=strategy, budget_seconds=1000.0)
    assert decide(budget, None, [standing(1)], None) == Start(1)
    assert decide(budget, None, [standing(1), waiting(2)], None) == Wait()
    assert decide(budget, None, [standing(1), standing(2)], None) == Start(1)
    assert decide(budget, None, [standing(1), standing(2), standing(3)], None) == End(NO_SCORE)


def test_a_budget_that_is_used_up_begins_nothing_more_and_lets_one_recipe_come_to_its_end() -> None:
    budget = plan(budget_seconds=100.0)
    tried = [standing(1, 0.3), standing(2, 0.4), waiting(3), waiting(4)]
    assert decide(budget, 9, tried, 60.0) == Drop((3, 4))
    dropped = [*tried[:2], *(standing(number, seconds=0.0) for number in (3, 4))]
    assert decide(budget, 9, dropped, 60.0) == Promote((2,), 1)
    assert decide(budget, 9, [standing(1, 0.3), standing(2, 0.4, rung=2)], 60.0) == End(BUDGET_USED)


def test_a_random_search_with_a_budget_begins_what_surely_fits_and_no_more_than_is_worked() -> None:
    budget = plan(strategy="random", rungs=(10,), budget_seconds=1000.0)
    assert decide(budget, None, [], None) == Start(1)
    assert decide(budget, None, [waiting(1)], None) == Wait()
    done = standing(1, 0.5, seconds=300.0)
    assert decide(budget, None, [done], 30.0, slots=4) == Start(2), "700 s are left, each takes 300"
    assert decide(budget, None, [done], 30.0, slots=1) == Start(1)
    running = standing(2, is_open=True, seconds=10.0)
    assert decide(budget, None, [done, running], 30.0, slots=4) == Start(1), "the running one will need its 300, too"
    assert decide(budget, None, [done, done, done], 30.0) == End(BUDGET_USED)


def test_a_sampler_that_learns_is_asked_for_one_recipe_at_a_time() -> None:
    learning = plan(strategy="random", sampler="tpe", rungs=(10,))
    assert decide(learning, 5, [standing(1, 0.5), waiting(2)], None, slots=1) == Wait()
    assert decide(learning, 5, [standing(1, 0.5)], None, slots=1) == Start(1)
    assert decide(plan(strategy="random", rungs=(10,)), 5, [], None) == Start(5)


@pytest.mark.parametrize(
    ("epochs", "every", "runs", "rungs"),
    [
        (9, 1, 9, (1, 3, 9)),
        (10, 1, 9, (2, 4, 10)),
        (10, 1, 3, (4, 10)),
        (10, 4, 27, (4, 10)),
        (10, 1, None, (2, 4, 10)),
    ],
)
def test_runs_pause_at_thirds_of_their_epochs_where_they_are_evaluated(
    epochs: int, every: int, runs: int | None, rungs: tuple[int, ...]
) -> None:
    assert rungs_of("halving", epochs, every, runs) == rungs


def test_a_run_of_one_epoch_has_no_place_to_pause_at() -> None:
    with pytest.raises(UsageError, match="--strategy random"):
        rungs_of("halving", 1, 1, 9)
    assert rungs_of("random", 1, 1, 9) == (1,)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7200), ("90m", 5400), ("1d12h", 129600), ("45s", 45), (" 2h30m ", 9000)]
)
def test_a_budget_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "2h2h", "-1h", "0m", "1e3s", "2 hours"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--budget expects"):
        parse_budget(text)


def test_a_plan_is_kept_whole() -> None:
    kept = plan(strategy="random", sampler="tpe", seed=3, runs=4, budget_seconds=1.5, holds_out=False)
    assert read_plan(to_text(kept)) == kept
