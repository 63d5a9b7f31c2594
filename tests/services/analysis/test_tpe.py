"""optuna's sampler, where optuna is installed (the extra `search`)."""

import pytest
from trained_trials import begun, less_dropout, train_next

from bertmt.recipe.recipe import Recipe
from bertmt.registry.database import Database
from bertmt.registry.runs import all_runs
from bertmt.registry.searches.rows import search_named
from bertmt.services.analysis.searching.advancing import advance
from bertmt.services.analysis.searching.drawing_recipes import next_recipes
from bertmt.services.analysis.searching.plan import SearchPlan
from bertmt.services.analysis.searching.scoring import Scorer

pytest.importorskip("optuna", reason='needs optuna: pip install "bertmt[search]"')

OVER = ("head_dropout=0..0.9", "pooling=mean,cls,max", "warmup_steps=0..100")


def learned(seed: int) -> list[dict[str, object]]:
    """What is tried after 30 recipes of which those with little dropout and mean pooling scored best."""
    plan = SearchPlan(over=OVER, strategy="random", sampler="tpe", seed=seed, rungs=(9,))
    uniform = SearchPlan(over=OVER, strategy="random", seed=seed, rungs=(9,))
    drawn = next_recipes(uniform, Recipe(), [], [], 30)
    scored = [(each, -abs(each["head_dropout"] - 0.1) + (each["pooling"] == "mean")) for each in drawn]
    return next_recipes(plan, Recipe(), drawn, scored, 5)


def test_it_suggests_more_of_what_scored_well() -> None:
    found = [each for seed in range(4) for each in learned(seed)]
    assert sum(each["pooling"] == "mean" for each in found) > len(found) / 2, "a third of them, by chance"
    assert sum(float(str(each["head_dropout"])) < 0.3 for each in found) > len(found) / 2
    assert all(isinstance(each["warmup_steps"], int) and 0 <= each["warmup_steps"] <= 100 for each in found)


def test_what_it_suggests_follows_from_the_registry_alone() -> None:
    assert learned(1) == learned(1)


def test_a_large_seed_is_none_too_many() -> None:
    assert len(learned(2**31)) == 5


def test_a_search_with_it_begins_one_recipe_after_the_other(database: Database) -> None:
    begun(database, over=OVER, strategy="random", sampler="tpe", runs="4")
    counts = []
    while True:
        looked = advance(database, "trial", lambda _: None, Scorer(database, search_named(database, "trial")))
        if looked.search.ended_at is not None:
            break
        counts.append(len(all_runs(database)))
        train_next(database, less_dropout)
    assert counts == [1, 2, 3, 4]
