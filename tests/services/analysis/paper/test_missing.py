"""What is missing of the paper at a scale: counted, queued once, and with the same seeds everywhere."""

from pathlib import Path
from typing import Any

import pytest

from bertmt.errors import UsageError
from bertmt.recipe.reported import claims, figures
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.analysis.paper.missing import (
    Missing,
    arms_about,
    arms_of,
    chosen_figures,
    claims_of,
    claims_wanted,
    missing,
    values_like,
)
from bertmt.services.plan.submit import submit

TINY: dict[str, Any] = {"data": "toy", "encoder": "tiny", "epochs": "1", "epoch_steps": "2"}
SEVEN = chosen_figures([7])


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def missing_in(database: Database, number: int = 2, chosen: Any = SEVEN, **values: str) -> Missing:
    return missing(all_runs(database), arms_of(chosen), number, {**TINY, **values}, database.path.parent)


def queue(database: Database, found: Missing) -> list[Run]:
    assert found.plan is not None
    return submit(database, found.plan)


def test_a_figure_needs_its_models_and_the_arms_of_its_claims() -> None:
    names = [" ".join(arm.key) for arm in arms_of(chosen_figures([2]))]
    assert names == ["baseline", "baseline-each", "multi-layer", "ensembled", "ensembled-off", "sst-only epochs=9"]
    assert [each.id for each in claims_of(chosen_figures([2]))] == ["ensembling-sst", "linear-layers"]
    assert [arm.preset for arm in arms_of(SEVEN)][-2:] == ["pearson", "pearson-all"], "the controls of 6.3.3"
    # MNR alone is no model of the paper: its claim stands with NegLoss in Figure 4.
    assert "neg" in [arm.preset for arm in arms_of(chosen_figures([4]))]


def test_all_figures_need_both_arms_of_every_claim() -> None:
    keys = {arm.key for arm in arms_of(figures())}
    for claim in claims():
        for pair in claim.own:
            assert {pair.control.key, pair.changed.key} <= keys


def test_a_row_needs_what_its_claims_need() -> None:
    assert [arm.preset for arm in arms_about("pearson-mnr")] == ["pearson-mnr", "pearson"]
    about, arms = claims_wanted(None, claims()[0])
    assert (len(about), [arm.preset for arm in arms]) == (1, ["ensembled-off", "ensembled"])
    assert claims_wanted(None, None)[1] == arms_of(figures())


def test_what_was_queued_once_is_not_missing_any_more(database: Database) -> None:
    first = missing_in(database)
    assert (first.arms, first.count, first.coming, first.seeds) == (8, 16, 0, (0, 1))
    queued = queue(database, first)
    again = missing_in(database)
    assert (again.count, again.coming, again.plan) == (0, 16, None)
    more = missing_in(database, number=3)
    assert (more.count, more.coming, {each.recipe.seed for each in (more.plan or first.plan).runs}) == (8, 16, {2})  # type: ignore[union-attr]
    database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (queued[0].key,))
    database.execute("UPDATE runs SET state = 'failed' WHERE key = ?", (queued[1].key,))
    later = missing_in(database)
    assert (later.finished, later.coming, later.count) == (1, 14, 1), "a failed run is missing again"
    assert later.plan is not None and later.plan.runs[0].name == queued[1].name


def test_one_seed_of_everything_comes_before_two_of_anything(database: Database) -> None:
    runs = queue(database, missing_in(database))
    assert [run.seed for run in runs] == [0] * 8 + [1] * 8
    assert runs[0].submission.preset == runs[0].submission.from_preset == "pearson-cosine"


def test_at_another_scale_everything_is_missing(database: Database) -> None:
    queue(database, missing_in(database))
    for name, value in (("epochs", "2"), ("learning_rate", "1e-4"), ("evaluate_examples", "5")):
        values = {**TINY, name: value}
        assert missing(all_runs(database), arms_of(SEVEN), 2, values, database.path.parent).count == 16


def test_seeds_that_most_recipes_have_already_are_completed(database: Database) -> None:
    queue(database, missing_in(database))
    database.execute("UPDATE runs SET recipe = replace(recipe, '\"seed\": 1', '\"seed\": 7'), seed = 7 WHERE seed = 1")
    assert missing_in(database).count == 0
    found = missing_in(database, number=3)
    assert (found.seeds, found.count) == ((0, 1, 7), 8)


def test_an_arm_that_changes_a_preset_is_queued_as_that(database: Database) -> None:
    runs = queue(database, missing_in(database, number=1, chosen=chosen_figures([3])))
    [without] = [run for run in runs if run.name == "lora-fied-rank0"]
    assert (without.recipe["lora.rank"], without.submission.from_preset, without.submission.preset) == (
        0, "lora-fied", None,
    )  # fmt: skip
    assert missing_in(database, number=1, chosen=chosen_figures([3])).count == 0


def test_models_that_need_extra_pairs_are_left_out_where_none_are_named(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    lines = "id\tsentence1\tsentence2\tis_duplicate\n" + "".join(f"{i}\ta {i}\tb {i}\t{i % 2}.0\n" for i in range(4))
    for split in ("train", "dev"):
        (folder / f"quora-{split}.csv").write_text(lines)
    values = {**TINY, "data": str(folder), "tasks": "para"}
    arms = [arm for arm in arms_of(chosen_figures([3])) if arm.preset in ("lora-fied", "big-data")]
    found = missing([], arms, 1, values, tmp_path)
    # Without its extra pairs big-data is a control that needs none.
    assert found.left_out == ("big-data",) and (found.arms, found.count) == (3, 3)
    assert "1 more recipe needs the extra pairs (big-data): --extra-data FILE names them." in found.sentence()


@pytest.mark.parametrize("number", [0, -1, 1001])
def test_a_number_of_seeds_that_cannot_be_is_refused(database: Database, number: int) -> None:
    with pytest.raises(UsageError, match=f"--seeds expects 1 to 1,000, but found {number}"):
        missing_in(database, number=number)


def test_seeds_are_not_named_by_set(database: Database) -> None:
    with pytest.raises(UsageError, match="leave `--set seed=…` out"):
        missing_in(database, seed="3")


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(UsageError, match="--figure expects 1 to 10, but found 11; Figure 11 is a diagram"):
        chosen_figures([2, 11])


def test_the_scale_of_a_run_is_what_others_are_queued_at(database: Database) -> None:
    runs = queue(database, missing_in(database, number=1, chosen=chosen_figures([2])))
    database.execute("UPDATE runs SET state = 'finished'")
    values = values_like(all_runs(database))
    assert {name: values[name] for name in ("data", "encoder", "epochs", "epoch_steps")} == {
        "data": "toy", "encoder": "tiny", "epochs": 1, "epoch_steps": 2,
    }  # fmt: skip
    assert "epoch" not in values, "that is the business of baseline-each"
    found = missing(all_runs(database), arms_of(chosen_figures([2])), 1, values, database.path.parent)
    assert (found.count, found.finished) == (0, len(runs))
    assert values_like([]) == {}
