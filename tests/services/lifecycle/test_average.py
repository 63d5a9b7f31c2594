"""The mean of what several runs predict, as a run: its numbers by hand, its refusals, and its members' models."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertmt.errors import BertmtError, BusyError, DataError, NotFoundError, RecipeError, UsageError
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import forget, remove, run_by_key, transitions
from bertmt.registry.states import State
from bertmt.services.analysis import predict
from bertmt.services.analysis.arms import arms_of
from bertmt.services.analysis.compare import compare
from bertmt.services.analysis.confusion import confusion_of
from bertmt.services.analysis.examples import examples_of
from bertmt.services.analysis.trying.runs import choose_tried
from bertmt.services.browse.rows import Row
from bertmt.services.ingest.untrained import Predicted, Untrained, store_untrained
from bertmt.services.lifecycle.average import average
from bertmt.services.lifecycle.control import requeue, resume
from bertmt.services.lifecycle.removal import consequences, dependents
from bertmt.services.plan.submit import Request, plan
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.embedded.toy import toy_split
from bertmt.tasks.examples import fingerprint

COUNT = 40
SPLITS = {name: toy_split(task, "dev").examples for name, task in BUILTIN.items()}
EXAMPLES = {name: split[:COUNT] for name, split in SPLITS.items()}


@pytest.fixture
def registry(tmp_path: Path) -> Database:
    return open_registry(tmp_path / "runs.db", create=True)


Make = Callable[..., Run]


@pytest.fixture
def make(registry: Database) -> Make:
    """`make(seed, tasks=…, first=…, cut=…, wider=…)`: a finished run whose dev predictions are drawn from its seed."""

    def made(
        seed: int,
        tasks: Sequence[str] = tuple(BUILTIN),
        first: int = 0,
        cut: int = COUNT,
        wider: float = 1.0,
        **settings: Any,
    ) -> Run:
        rng = np.random.default_rng(seed)
        values = {"tasks": ",".join(tasks), "seed": seed, "encoder": "tiny", "data": "toy", **settings}
        drawn: dict[str, np.ndarray] = {
            "sst": rng.dirichlet(np.ones(5), COUNT),
            "para": rng.uniform(size=COUNT),
            "sts": wider * rng.uniform(-1, 1, size=COUNT),
        }
        predicted = {
            name: Predicted(
                SPLITS[name][first : first + cut],
                fingerprint(SPLITS[name][first : first + cut]),
                drawn[name][:cut].astype(np.float32),
            )
            for name in tasks
        }
        recipe = resolved(recipe_from(values))
        effort = {"step": 10, "examples": dict.fromkeys(tasks, 100), "seconds": {"training": 2.5}}
        return store_untrained(
            registry,
            Untrained(
                name="own", recipe=recipe, predicted=predicted, encoder_fingerprints={"weights": "w"}, effort=effort
            ),
            "a test",
        )

    return made


def stored(registry: Database, run: Run, task: str) -> list[Any]:
    """Predictions as plain numbers of Python's."""
    found = stored_predictions.read(registry, run.key, task, run.scores.selected_epoch or 0)
    assert found is not None
    listed: list[Any] = found.probabilities.astype(float).tolist()
    return listed


def test_classes_are_averaged_by_probability_and_numbers_on_the_labels_scale(registry: Database, make: Make) -> None:
    runs = [make(seed) for seed in range(3)]
    mean = average(registry, runs)
    assert (mean.state, mean.name, mean.submission.preset) == (State.FINISHED, "own-average", None)
    assert transitions(registry, mean.key)[-1].reason == "predictions of its members were averaged"
    assert mean.recipe["members"] == [run.id for run in runs] and mean.recipe["encoder"] == "tiny"
    told = {task: [stored(registry, run, task) for run in runs] for task in BUILTIN}
    by_hand = [[sum(each[place][label] for each in told["sst"]) / 3 for label in range(5)] for place in range(COUNT)]
    assert np.allclose(stored(registry, mean, "sst"), by_hand, atol=1e-6)
    chosen = [max(range(5), key=shares.__getitem__) for shares in by_hand]
    right = [label == example.label for label, example in zip(chosen, EXAMPLES["sst"], strict=True)]
    assert mean.score("sst") == pytest.approx(sum(right) / COUNT)
    of_one = [sum(each[place] for each in told["para"]) / 3 for place in range(COUNT)]
    right = [(share >= 0.5) == (example.label == 1) for share, example in zip(of_one, EXAMPLES["para"], strict=True)]
    assert mean.score("para") == pytest.approx(sum(right) / COUNT)
    numbers = [sum(5 * each[place] for each in told["sts"]) / 3 for place in range(COUNT)]
    rho = np.corrcoef(numbers, [example.label for example in EXAMPLES["sts"]])[0, 1]
    assert mean.score("sts") == pytest.approx(rho, abs=1e-6)
    assert examples_of(registry, mean, "sts").predicted == pytest.approx(numbers, abs=1e-5)
    assert confusion_of(registry, mean, "sst").counts.sum() == COUNT


def test_it_says_whose_mean_it_is_and_counts_the_work_of_all(registry: Database, make: Make) -> None:
    runs = [make(0), make(1, pearson=True, wider=4.0)]
    finished = average(registry, runs, "both").progress.finished
    assert finished is not None
    assert (finished.step, finished.examples["sst"], finished.seconds) == (20, 200, {"training": 5.0})
    ids = [run.id for run in runs]
    assert finished.remarks[0].startswith(f"The mean of what {ids[0]} (own, seed 0), {ids[1]} (own, seed 1) predict")
    assert finished.remarks[1] == f"They differ in pearson: the recipe is the one of {ids[0]}."
    assert f"the predictions of {ids[1]} lie" in finished.remarks[2] and len(finished.remarks) == 3


def refused(registry: Database, runs: Sequence[Run], kind: type[BertmtError], name: str | None = None) -> str:
    with pytest.raises(kind) as caught:
        average(registry, runs, name)
    return str(caught.value)


def test_what_has_no_average_is_refused_in_a_sentence(registry: Database, make: Make) -> None:
    first, second = make(0), make(1)
    assert "of two runs or more" in refused(registry, [first], UsageError)
    assert "different tasks, sst, para, sts and sst" in refused(registry, [first, make(2, tasks=["sst"])], UsageError)
    assert "different dev examples of sst" in refused(registry, [first, make(3, cut=30)], DataError)
    assert "different dev examples of sst" in refused(registry, [first, make(3, first=5)], DataError)
    mean = average(registry, [first, second])
    again = refused(registry, [second, first], BusyError)
    assert again == f"Run {mean.id} (own-average) is the average of these runs already."
    assert "is an average itself: name its runs" in refused(registry, [first, mean], UsageError)
    third = make(4)
    assert "choose another name with --name" in refused(registry, [first, third], BusyError, "own")
    registry.execute("UPDATE runs SET state = 'failed' WHERE key = ?", (third.key,))
    assert "is failed, and only finished runs" in refused(registry, [first, run_by_key(registry, third.key)], BusyError)


@pytest.mark.parametrize(
    ("state", "verb"), [("running", "wait"), ("held", "release"), ("paused", "resume"), ("failed", "requeue")]
)
def test_what_gets_a_run_on_is_advised_and_never_to_wait_in_vain(
    registry: Database, make: Make, monkeypatch: pytest.MonkeyPatch, state: str, verb: str
) -> None:
    monkeypatch.setattr("bertmt.services.lifecycle.average.bring_up_to_date", lambda database, run: run)
    first, second = make(0), make(1)
    registry.execute("UPDATE runs SET state = ? WHERE key = ?", (state, second.key))
    said = refused(registry, [first, run_by_key(registry, second.key)], BusyError)
    assert said.endswith(f"only finished runs are averaged: `bertmt {verb} {second.id}`.")


def test_an_average_is_compared_with_each_of_its_members_by_examples(registry: Database, make: Make) -> None:
    members = [make(seed) for seed in range(3)]
    mean = average(registry, members)
    assert arms_of([Row(run, None) for run in [*members, mean]]) == [[mean], *([run] for run in members)]
    found = compare(registry, [[mean], members], with_noise=False)
    assert [arm.runs for arm in found.arms] == [(mean,), *((run,) for run in members)]
    assert all(each.examples and not each.seeds for each in found.others)
    ids = ", ".join(run.id for run in members)
    assert any(f"is the average of {ids}: it has no seed" in sentence for sentence in found.warnings)
    assert "--seed" not in " ".join(str(each.remark) for other in found.others for each in other.examples)


def test_without_an_average_seeds_stay_together(registry: Database, make: Make) -> None:
    first, second, third = make(0), make(1), make(0, pearson=True)
    assert arms_of([Row(run, None) for run in (first, second, third)]) == [[first, second], [third]]


def test_it_is_never_trained(registry: Database, make: Make) -> None:
    mean = average(registry, [make(0), make(1)])
    with pytest.raises(RecipeError, match="an average is not trained"):
        plan(Request(from_run=mean))
    with pytest.raises(RecipeError, match="an average is not trained"):
        plan(Request(preset="baseline", values={"data": "toy", "encoder": "tiny", "members": "k3x9ab,m2x9ab"}))
    for state in ("finished", "lost", "cancelled"):
        registry.execute("UPDATE runs SET state = ? WHERE key = ?", (state, mean.key))
        with pytest.raises(BusyError, match="was never trained, so it cannot be queued"):
            requeue(registry, run_by_key(registry, mean.key))
    with pytest.raises(BusyError):
        resume(registry, mean)


@pytest.mark.parametrize("members", ["k3x9ab", "k3x9ab,k3x9ab", "k3x9ab,../../x"])
def test_members_are_ids_of_two_runs_or_more(members: str) -> None:
    with pytest.raises(RecipeError, match="`members` must be the ids of two runs or more"):
        recipe_from({"members": members})


def test_a_recipe_without_members_is_what_it_was(make: Make) -> None:
    """The digest of the baseline, as it was before there were averages."""
    assert Recipe().digest() == "b0791c87cd0fb552"


def test_to_remove_a_member_has_a_consequence_that_is_told(registry: Database, make: Make) -> None:
    runs = [make(0), make(1), make(2)]
    mean = average(registry, runs[:2])
    said = f"These averages have it as a member and can predict nothing without it: {mean.id}."
    assert consequences([runs[0]], dependents(registry)) == [said]
    assert consequences([runs[2]], dependents(registry)) == []
    assert consequences([runs[0], mean], dependents(registry)) == []


def test_a_member_that_is_gone_is_named(registry: Database, make: Make) -> None:
    first, second = make(0), make(1)
    mean = average(registry, [first, second])

    def said() -> str:
        with pytest.raises(NotFoundError) as caught:
            predict.predict_texts(registry, mean, ["a film"])
        return str(caught.value)

    assert f"is the average of {first.id}, {second.id}: Run {first.id} has no weights in" in said()
    remove(registry, second.key)
    assert said().endswith(f"and {second.id} was removed: `bertmt restore {second.id}`.")
    forget(registry, second.key)
    assert said().endswith(f"and {second.id} is not in this registry any more.")
    assert list(choose_tried(registry, [mean]).refused) == [mean.id]


def test_answers_of_its_members_are_averaged(registry: Database, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    mean = average(registry, [make(0), make(1)])
    answers: Mapping[str, Mapping[str, tuple[float, ...]]] = {
        "one": {"sst": (0.6, 0.4, 0, 0, 0), "para": (0.8,), "sts": (0.5,)},
        "two": {"sst": (0.12, 0.3, 0.58, 0, 0), "para": (0.1,), "sts": (-0.1,)},
    }
    models = [predict.Model(Path(name), ()) for name in answers]
    monkeypatch.setattr(predict, "models_of", lambda database, run: models)
    monkeypatch.setattr(
        predict,
        "answers",
        lambda folder, allowed, questions: [
            predict.Answer(each.task, each.id, -1, answers[folder.name][each.task]) for each in questions
        ],
    )
    [sst] = predict.predict_texts(registry, mean, ["a film"])
    assert sst.label == 0 and sst.probabilities == pytest.approx((0.36, 0.35, 0.29, 0, 0))
    para, sts = predict.predict_texts(registry, mean, ["a film", "a movie"])
    assert para.label == 0 and para.probabilities == pytest.approx((0.45,))
    assert sts.label == pytest.approx(0.2) and sts.probabilities == pytest.approx((0.2,))
