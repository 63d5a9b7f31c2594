"""Effects of toggles on scores that are in the registry, corrected as one family."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from present import present
from scipy import stats

from bertmt.comparison.effects import OVER_PAIRS
from bertmt.drawing.styled import plain
from bertmt.errors import NotFoundError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.effects.effects import _effects, effects, lacking_plan
from bertmt.services.analysis.effects.formatting import about, format_effects, lacking_lines
from bertmt.services.analysis.effects.influences import ReadInfluences
from bertmt.services.analysis.effects.pairs import Pair


@pytest.fixture
def four_pairs(database: Database, finish: Callable[..., Run]) -> np.ndarray:
    """Four pairs that differ in MNR, and by these amounts in SST."""
    gains = np.array([0.02, 0.05, 0.04, 0.03])
    for seed, gain in enumerate(gains):
        finish("without", seed=seed, scores=(0.4, 0.7, 0.5))
        finish("with", seed=seed, mnr=True, scores=(0.4 + gain, 0.7, 0.5 - 2 * gain))
    finish("without", seed=9)
    return gains


def test_an_effect_is_the_mean_over_pairs_with_students_interval(database: Database, four_pairs: np.ndarray) -> None:
    found = effects(database)
    [toggle] = found.toggles
    by_score = {each.task: each for each in toggle.effects}
    assert list(by_score) == ["sst", "para", "sts"] and found.runs == 9
    expected = stats.ttest_1samp(four_pairs, 0.0)
    sst = by_score["sst"]
    assert (sst.difference, sst.p) == (pytest.approx(four_pairs.mean()), pytest.approx(expected.pvalue))
    np.testing.assert_allclose((present(sst.low), present(sst.high)), expected.confidence_interval(0.95))
    assert sst.test == OVER_PAIRS, "no predictions are stored, and that is said"
    assert by_score["sts"].difference == pytest.approx(-2 * four_pairs.mean())
    assert by_score["para"].p is None, "pairs without any difference are copies"
    assert sst.family == 2, "SST and STS are tested"


def test_a_filter_leaves_runs_out(database: Database, four_pairs: np.ndarray) -> None:
    [toggle] = effects(database, "seed<2").toggles
    assert len(toggle.matched.pairs) == 2
    with pytest.raises(NotFoundError, match="differ in one toggle alone"):
        effects(database, "name:without")


def test_the_page_says_how_many_pairs_and_what_would_complete_more(database: Database, four_pairs: Any) -> None:
    found = effects(database)
    page = "\n".join(plain(each) for each in format_effects(found, 100))
    assert "mnr off → on  (4 pairs, 4 seeds, 1 recipe, 1 more lacking one run)" in page
    assert "over pairs alone" in " ".join(about(found))
    assert lacking_lines(found) == ["1 run would complete pairs: with seed 9."]


def test_what_lacks_is_planned_as_the_recipe_of_its_like_with_the_seed(
    database: Database, four_pairs: Any, tmp_path: Any
) -> None:
    planned = lacking_plan(effects(database).lacking, tmp_path)
    assert [(each.recipe.seed, each.recipe.mnr, each.name) for each in planned.runs] == [(9, True, "with")]


def test_pairs_that_share_a_run_count_as_their_mean(database: Database, finish: Callable[..., Run]) -> None:
    read = ReadInfluences(database)
    base, better, best = (
        finish(name, scores=(score, 0.7, 0.5)) for name, score in zip("abc", (0.4, 0.5, 0.6), strict=True)
    )
    own = finish("d", seed=1, scores=(0.4, 0.7, 0.5)), finish("e", seed=1, scores=(0.41, 0.7, 0.5))
    units = [(Pair(base, better), Pair(base, best)), (Pair(*own),)]
    [sst] = [each for each in _effects(read, units) if each.task == "sst"]
    assert sst.pairs == 2 and sst.differences == pytest.approx([0.15, 0.01])


def test_the_scale_is_named_where_there_are_several(database: Database, finish: Callable[..., Run]) -> None:
    for epochs in (3, 7):
        finish("a", epochs=epochs)
        finish("b", mnr=True, epochs=epochs, scores=(0.6, 0.7, 0.5))
    page = "\n".join(plain(each) for each in format_effects(effects(database), 120))
    assert page.count("mnr off → on") == 2 and "3 epochs" in page and "7 epochs" in page
