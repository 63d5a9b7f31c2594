"""Claims of the paper on one-toggle pairs of ours: what confirms, contradicts or leaves them open, by hand."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder

from bertmt.comparison.seeds import LEAST_TWO_WAY, TWO_WAY
from bertmt.recipe.reported import Claim, claims
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.analysis.compare import compare
from bertmt.services.analysis.paper.claim_formatting import about_claims
from bertmt.services.analysis.paper.claims import JudgedClaim, Outcome, judged_claims, seeds_that_decide
from bertmt.services.analysis.paper.runs import PaperRuns

NOISE = (0.0, 0.002, -0.003, 0.001, -0.001, 0.003, -0.002, 0.0005)
Finish = Callable[..., Run]


def claim(name: str) -> Claim:
    return next(each for each in claims() if each.id == name)


def judged(database: Database, name: str) -> JudgedClaim:
    [found] = judged_claims(database, PaperRuns(all_runs(database)), [claim(name)])
    return found


def train(
    finish: Finish, name: str, sts: float, seeds: Sequence[int], noise: Sequence[float] = NOISE, **own: Any
) -> None:
    for seed in seeds:
        finish(name, name, scores=(0.4, 0.7, sts + noise[seed % len(noise)]), seed=seed, **own)


@pytest.mark.parametrize(("comparisons", "seeds"), [(1, 6), (2, 7), (4, 8)])
def test_so_many_seeds_can_decide(comparisons: int, seeds: int) -> None:
    """Exact sign flips of k pairs have p ≥ 2/2^k, which Holm multiplies by the comparisons: the least k with ≤ 0.05."""
    assert seeds_that_decide(comparisons) == seeds
    assert comparisons * 2 / 2**seeds <= 0.05 < comparisons * 2 / 2 ** (seeds - 1)


@pytest.mark.parametrize(
    ("gain", "outcome"),
    [(0.05, Outcome.CONFIRMED), (-0.05, Outcome.CONTRADICTED), (0.0, Outcome.UNDECIDED)],
)
def test_a_claim_of_higher_is_judged_on_six_paired_seeds(
    database: Database, finish: Finish, gain: float, outcome: Outcome
) -> None:
    train(finish, "sts-only", 0.3, range(6))
    train(finish, "pearson", 0.3 + gain, range(6), noise=NOISE[::-1])
    found = judged(database, "pearson")
    assert (found.outcome, found.seeds, found.seeds_needed) == (outcome, 6, 6)


def test_a_claim_of_lower_is_confirmed_by_a_worse_score(database: Database, finish: Finish) -> None:
    train(finish, "cosine", 0.4, range(6))
    train(finish, "neg-cosine", 0.3, range(6), noise=NOISE[::-1])
    assert judged(database, "mnr-after-cosine").outcome is Outcome.CONFIRMED


@pytest.mark.parametrize(
    ("gain", "outcome"), [(0.05, Outcome.CONTRADICTED), (0.0, Outcome.UNDECIDED), (-0.05, Outcome.CONFIRMED)]
)
def test_not_higher_is_never_confirmed_by_a_tie(
    database: Database, finish: Finish, gain: float, outcome: Outcome
) -> None:
    for seed in range(6):
        finish("a", "sst-only", scores=(0.4 + NOISE[seed], 0, 0), seed=seed, epochs=9)
        finish("b", "multi-layer", scores=(0.4 + gain + NOISE[-seed], 0, 0), seed=seed)
    assert judged(database, "linear-layers").outcome is outcome


def test_with_fewer_seeds_it_is_about_these_models_only(database: Database, finish: Finish) -> None:
    assert judged(database, "pearson").outcome is Outcome.NO_PAIR
    train(finish, "sts-only", 0.3, range(8))
    assert judged(database, "pearson").outcome is Outcome.NO_PAIR
    train(finish, "pearson", 0.8, (3,))
    one = judged(database, "pearson")
    assert (one.outcome, one.seeds) == (Outcome.MODELS_ONLY, 1)
    assert one.own[0].differences[0].difference == pytest.approx(0.5)
    train(finish, "pearson", 0.8, (0, 1, 2, 4))
    assert (judged(database, "pearson").outcome, judged(database, "pearson").seeds) == (Outcome.MODELS_ONLY, 5)
    train(finish, "pearson", 0.8, (11,))  # no seed that the control has
    assert judged(database, "pearson").outcome is Outcome.MODELS_ONLY
    train(finish, "pearson", 0.8, (5,))
    assert judged(database, "pearson").outcome is Outcome.CONFIRMED


def test_all_pairs_and_scores_of_a_claim_must_point_its_way(database: Database, finish: Finish) -> None:
    for seed in range(8):
        noise = NOISE[seed]
        finish("a", "shared-encoder", scores=(0.4, 0.7, 0.4), seed=seed)
        finish("b", "separate-encoders", scores=(0.5 + noise, 0.7 + 10 * noise, 0.4), seed=seed)
    found = judged(database, "ensembling-helps")
    assert [str(each.verdict) for each in found.own[0].differences] == ["better", "undecided"]
    assert found.outcome is Outcome.UNDECIDED and {each.family for each in found.own[0].differences} == {2}


def test_a_rank_claim_needs_every_rank(database: Database, finish: Finish) -> None:
    for rank in (100, 150, 200, 300):
        train(finish, f"lora-r{rank}", 0.5 + (rank == 200) * 0.1, range(8), noise=NOISE[::-1] if rank == 200 else NOISE)
    assert judged(database, "rank-200").outcome is Outcome.MODELS_ONLY, "one rank is not there"
    train(finish, "lora-r20", 0.5, range(8))
    found = judged(database, "rank-200")
    assert (found.outcome, found.seeds) == (Outcome.CONFIRMED, 8)
    train(finish, "lora-r20", 0.7, range(8))  # of several runs of a seed the newest counts
    assert judged(database, "rank-200").outcome is Outcome.CONTRADICTED


def test_runs_of_another_scale_or_other_data_are_no_pair(database: Database, finish: Finish) -> None:
    train(finish, "sts-only", 0.3, range(6))
    train(finish, "pearson", 0.8, range(6), epochs=3)
    assert judged(database, "pearson").outcome is Outcome.NO_PAIR
    train(finish, "sts-only", 0.3, range(6), epochs=3)
    assert judged(database, "pearson").outcome is Outcome.CONFIRMED
    keys = [run.key for run in all_runs(database) if run.submission.preset == "pearson"]
    for key in keys:
        database.execute("UPDATE runs SET fingerprints = ? WHERE key = ?", (json.dumps({"sts-dev": "x"}), key))
    assert judged(database, "pearson").outcome is Outcome.NO_PAIR


def test_of_several_places_the_one_that_can_decide_is_taken(database: Database, finish: Finish) -> None:
    train(finish, "sts-only", 0.3, range(6), epochs=3)
    train(finish, "pearson", 0.8, range(6), epochs=3)
    train(finish, "sts-only", 0.3, (0,))
    train(finish, "pearson", 0.2, (0,))
    found = judged(database, "pearson")
    assert (found.outcome, found.differs["epochs"]) == (Outcome.CONFIRMED, (3, 10))


def test_one_seed_at_the_papers_scale_hides_no_decision_at_another(
    database: Database, finish: Finish, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differences(run: Run, recipe: Any) -> dict[str, Any]:
        return {"epochs": (3, 10)} if run.recipe["epochs"] == 3 else {}

    monkeypatch.setattr("bertmt.services.analysis.paper.claims.scale_differences", differences)
    for epochs, sts, seeds in ((3, 0.8, range(6)), (10, 0.2, (0,))):
        train(finish, "sts-only", 0.3, seeds, epochs=epochs)
        train(finish, "pearson", sts, seeds, epochs=epochs)
    assert judged(database, "pearson").outcome is Outcome.CONFIRMED
    train(finish, "sts-only", 0.3, range(6), epochs=10)
    train(finish, "pearson", 0.2, range(6), epochs=10)
    found = judged(database, "pearson")
    assert (found.outcome, found.differs) == (Outcome.CONTRADICTED, {}), "of two that decide, the paper's"


def test_an_arm_with_a_setting_of_its_own_is_found_by_its_toggles(database: Database, finish: Finish) -> None:
    for seed in range(6):
        finish("without", "lora-fied", scores=(0, 0.7 + NOISE[seed], 0), seed=seed, **{"lora.rank": 0})
        finish("with", "lora-fied", scores=(0, 0.8, 0), seed=seed)
    assert judged(database, "lora-para").outcome is Outcome.CONFIRMED


def test_extra_pairs_are_what_their_toggle_brings_and_must_be_equal_where_both_have_them(
    database: Database, finish: Finish
) -> None:
    def mark(run: Run, **marks: str) -> None:
        database.execute("UPDATE runs SET fingerprints = ? WHERE key = ?", (json.dumps(marks), run.key))

    own = {"para-train": "a", "para-dev": "b"}
    for seed in range(6):
        without = finish("without", "big-data", scores=(0, 0.7 + NOISE[seed], 0), seed=seed, extra_data=False)
        mark(without, **own)
        mark(finish("with", "big-data", scores=(0, 0.8, 0), seed=seed), **own, **{"para-extra": "c"})
    assert judged(database, "extra-data").outcome is Outcome.CONFIRMED
    for seed in range(6):
        for name, extra, sts in (("final-shared", "c", 0.7), ("final", "d", 0.8)):
            run = finish(name, name, scores=(0.5, 0.8, sts + NOISE[seed]), seed=seed)
            mark(run, **own, **{"para-extra": extra})
    assert judged(database, "ensembling-in-final").outcome is Outcome.NO_PAIR


def test_the_papers_own_pair_stands_beside_as_confounded(database: Database, finish: Finish) -> None:
    train(finish, "baseline", 0.3, range(3))
    train(finish, "pearson", 0.8, range(3))
    found = judged(database, "pearson")
    assert found.outcome is Outcome.NO_PAIR, "the paper's pair is no test of it"
    [paper] = found.paper
    assert paper.reported == pytest.approx((0.809 - 0.352,))
    assert paper.differences[0].difference == pytest.approx(0.5)
    assert "47 STS passes an epoch" in found.claim.confounded


def test_of_unfinished_runs_nothing_is_judged(database: Database, finish: Finish, add_run: Callable[..., Run]) -> None:
    train(finish, "sts-only", 0.3, range(6))
    for seed in range(6):
        add_run("later", "pearson", seed=seed)
    assert judged(database, "pearson").outcome is Outcome.NO_PAIR


@pytest.fixture
def with_predictions(tmp_path: Path) -> Iterator[RegistryBuilder]:
    builder = RegistryBuilder(tmp_path / "with" / "runs.db")
    yield builder
    builder.database.close()


def train_with_predictions(builder: RegistryBuilder, seeds: Sequence[int], gain: float) -> None:
    for seed in seeds:
        builder.finished("control", "sts-only", right=0.5 + NOISE[seed] * 5, seed=seed)
        builder.finished("changed", "pearson", right=0.5 + gain + NOISE[-seed] * 5, seed=seed)


@pytest.mark.parametrize(("gain", "outcome"), [(0.06, Outcome.UNDECIDED), (0.5, Outcome.CONFIRMED)])
def test_a_claim_has_the_verdict_of_the_comparison_of_its_two_groups(
    with_predictions: RegistryBuilder, gain: float, outcome: Outcome
) -> None:
    train_with_predictions(with_predictions, range(6), gain)
    database = with_predictions.database
    groups = [[run for run in all_runs(database) if run.name == name] for name in ("control", "changed")]
    [by_compare] = compare(database, groups).others[0].seeds
    found = judged(database, "pearson")
    [by_claim] = found.own[0].differences
    assert by_claim.test == by_compare.test == TWO_WAY
    for part in ("difference", "low", "high", "p", "p_corrected", "family", "verdict"):
        assert getattr(by_claim, part) == getattr(by_compare, part), part
    assert min(by_claim.differences) > 0, "so that signs alone would confirm both"
    assert found.outcome is outcome
    assert "as `bertmt compare` judges two groups" in " ".join(about_claims([found]))


def test_with_predictions_five_seeds_can_decide_and_fewer_say_so(with_predictions: RegistryBuilder) -> None:
    train_with_predictions(with_predictions, range(3), 0.5)
    found = judged(with_predictions.database, "pearson")
    assert (found.outcome, found.seeds, found.seeds_needed) == (Outcome.MODELS_ONLY, 3, LEAST_TWO_WAY)
    train_with_predictions(with_predictions, (3, 4), 0.5)
    found = judged(with_predictions.database, "pearson")
    assert (found.outcome, found.seeds, found.seeds_needed) == (Outcome.CONFIRMED, 5, LEAST_TWO_WAY)


def test_five_seeds_with_predictions_go_before_a_place_where_signs_of_more_cannot_decide(
    with_predictions: RegistryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.services.analysis.paper.claims.seeds_that_decide", lambda comparisons: 100)
    train_with_predictions(with_predictions, range(5), 0.5)
    for seed in range(6):
        for preset in ("sts-only", "pearson"):
            run = with_predictions.finished("other", preset, seed=seed, epochs=3)
            with_predictions.database.execute("DELETE FROM predictions WHERE run = ?", (run.key,))
    assert judged(with_predictions.database, "pearson").seeds == 5
