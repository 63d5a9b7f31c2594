"""What is said of runs with tasks of a user's own: five of them, each judged by another metric."""

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from call_types import AddRun
from five_tasks import COUNT, FIVE, OWN, Runs, examples_of_task
from made_up_predictions import compare_overall, compare_task
from present import present
from scipy import stats

from bertmt.comparison.paired import PairedPredictions
from bertmt.comparison.verdicts import Verdict
from bertmt.drawing.styled import plain
from bertmt.errors import DataError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.predictions import read
from bertmt.registry.records import Run
from bertmt.services.analysis.arms import Arm, arms_of, recipe_differences
from bertmt.services.analysis.compare import compare
from bertmt.services.analysis.comparison_formatting import format_differences, format_scores, format_tests
from bertmt.services.analysis.confusion import class_tasks, confusion_of, counts_of
from bertmt.services.analysis.examples import by_error, examples_of, similarity_in, similarity_of, wrong
from bertmt.services.analysis.export import prediction_rows
from bertmt.services.analysis.predict import Answer, predict_split, predict_texts
from bertmt.services.browse.details import details_of
from bertmt.services.browse.rows import Row
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.loading import read_split
from bertmt.tasks.prediction_files import read_prediction_file
from bertmt.tasks.scores import predicted_labels
from bertmt.tasks.task import Source


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    made.patch(monkeypatch)
    return made


@pytest.fixture
def made(database: Database, add_run: AddRun, runs: Runs) -> Callable[..., Run]:
    """A finished run: `made("a", 0.6, tasks)`."""

    def make(name: str, right: float = 0.5, tasks: Any = FIVE, seed: int = 0, **values: Any) -> Run:
        return runs.evaluate(database, add_run(name, seed=seed, **values), right, tasks, seed)

    return make


def changed(name: str, **values: Any) -> dict[str, Any]:
    """The five tasks with one defined otherwise."""
    return {**FIVE, name: msgspec.structs.replace(FIVE[name], **values)}


def test_five_tasks_are_compared_each_by_its_metric(database: Database, made: Callable[..., Run]) -> None:
    first, second = made("a", 0.4), made("b", 0.8, seed=1)
    found = compare(database, [[first], [second]])
    results = {each.task: each for each in found.others[0].examples}
    assert list(results) == [*FIVE, "overall"]
    assert {each.family for each in results.values()} == {6}
    pairs = {}
    for name, task in FIVE.items():
        predicted = [
            predicted_labels(task, present(read(database, run.key, name, 1)).probabilities) for run in (first, second)
        ]
        labels = np.array([example.label for example in examples_of_task(task)], dtype=np.float64)
        pairs[name] = PairedPredictions(task, labels, *predicted)
        alone, result = compare_task(pairs[name]), results[name]
        assert (result.difference, result.p, result.low) == (alone.difference, alone.p, alone.low), name
        assert (result.score_a, result.score_b) == (first.score(name), second.score(name)), name
    overall = present(compare_overall(pairs))
    assert (results["overall"].p, results["overall"].low) == (overall.p, overall.low)
    assert results["overall"].score_b == pytest.approx(second.score("overall"))


def test_the_columns_of_scores_are_the_tasks_of_the_arms(database: Database, made: Callable[..., Run]) -> None:
    found = compare(database, [[made("a")], [made("b", 0.9)]])
    head, *rows = map(plain, format_scores(found, None))
    titles = "SST CoLA φ S=(1+φ)/2 Grades ρs S=(1+ρs)/2 Spam F1 Topics mF1 overall"
    assert " ".join(head.split()).endswith(titles)
    run = found.arms[1].runs[0]
    matthews = present(run.score("cola"))
    assert f"{matthews:.3f}" in rows[-1] and f"{(1 + matthews) / 2:.3f}" in rows[-1]
    text = " ".join(map(plain, [*format_differences(found.others[0], None), *format_tests(found, None)]))
    assert "CoLA φ, Grades ρs, Spam F1, Topics mF1, overall by paired permutation" in text
    assert "Williams" not in text
    assert "95 % intervals: SST by Tango score; CoLA φ, Grades ρs, Spam F1, Topics mF1, overall by symmetric" in text


def test_where_arms_are_judged_by_different_tests_each_is_named(database: Database, made: Callable[..., Run]) -> None:
    found = compare(database, [[made("a")], [made("b", 0.9)], [made("c", 0.7)]])
    first, second = found.others
    changed = dataclasses.replace(second.examples[0], test="McNemar mid-p")
    second = dataclasses.replace(second, examples=(changed, *second.examples[1:]))
    text = " ".join(map(plain, format_tests(dataclasses.replace(found, others=(first, second)), None)))
    b, c = (each.side.arm.name for each in (first, second))
    assert f"p: SST of {b} by exact McNemar; " in text and f"SST of {c} by McNemar mid-p" in text
    assert "CoLA φ of" not in text, "all are judged by one test there"


def test_a_row_that_p_alone_would_have_decided_says_at_which_level_it_was_judged(
    database: Database, made: Callable[..., Run]
) -> None:
    against = compare(database, [[made("a")], [made("b", 0.9)]]).others[0]
    row = dataclasses.replace(
        against.examples[0], verdict=Verdict.UNDECIDED, p=0.006, p_corrected=0.036, level=0.05 / 6, family=6
    )
    text = " ".join(map(plain, format_differences(dataclasses.replace(against, examples=(row,)), None)))
    assert "The interval at level 0.0083, after Holm over 6 comparisons, holds 0. Undecided is not" in text


def test_one_task_has_no_overall_column_and_two_have_one(database: Database, made: Callable[..., Run]) -> None:
    for names, last in ((["spam"], "F1"), (["spam", "topics"], "overall")):
        tasks = {name: FIVE[name] for name in names}
        found = compare(database, [[made("a", 0.4, tasks)], [made("b", 0.9, tasks, seed=1)]])
        assert plain(format_scores(found, None)[0]).split()[-1] == last
        assert [each.task for each in found.others[0].examples] == [*names, *(["overall"] if len(names) > 1 else [])]


def test_the_family_that_resamples_are_for_has_a_row_per_task_and_arm_and_overall_ones(
    database: Database, made: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("bertmt.services.analysis.compare.resamples_for", lambda rows: asked.append(rows) or 20)
    compare(database, [[made(name)] for name in "abc"])
    compare(database, [[made(name, tasks={"spam": FIVE["spam"]})] for name in "de"])
    assert asked == [2 * 6, 1]


def test_overall_scores_of_other_tasks_are_not_compared(database: Database, made: Callable[..., Run]) -> None:
    fewer = {name: FIVE[name] for name in ("spam", "topics")}
    found = compare(database, [[made("a")], [made("b", 0.9, fewer)]])
    assert [each.task for each in found.others[0].examples] == ["spam", "topics"]
    assert found.others[0].side.scores["overall"] is None
    assert present(found.sides[0].scores["overall"]) > 0
    said = [each for each in found.warnings if each.startswith("Overall scores are not compared")]
    assert len(said) == 1 and said[0].endswith("that of Spam, Topics.")


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("spam", {"classes": ("spam", "ham")}, "labels (the classes ham, spam against the classes spam, ham)"),
        ("grades", {"range": (0.0, 5.0)}, "labels (0 to 4 against 0 to 5)"),
        ("topics", {"metrics": ("accuracy",)}, "score (macro-F1 against accuracy)"),
        ("cola", {"inputs": "pair"}, "inputs (single sentences against pairs of sentences)"),
    ],
)
def test_one_name_that_is_two_tasks_is_not_compared(
    database: Database, made: Callable[..., Run], name: str, values: Any, said: str
) -> None:
    first, second = made("a"), made("b", 0.7, changed(name, **values))
    found = compare(database, [[first], [second]])
    assert [each.task for each in found.others[0].examples] == [each for each in FIVE if each != name]
    who = f"a ({first.id}) and b ({second.id})"
    assert f"{FIVE[name].title} is not compared: {who} define it with different {said}." in found.warnings
    assert found.others[0].side.scores[name] is None and found.others[0].side.scores["overall"] is None


def test_what_does_not_change_what_scores_mean_does_not_keep_from_comparing(
    database: Database, made: Callable[..., Run]
) -> None:
    other = changed("cola", title="Acceptability", metrics=("matthews", "accuracy"), data_set="the other folder")
    assert len(compare(database, [[made("a")], [made("b", 0.7, other)]]).others[0].examples) == 6


def test_seeds_of_one_name_that_is_two_tasks_are_no_arm_of_it(database: Database, made: Callable[..., Run]) -> None:
    mixed = [made("a"), made("a", 0.6, changed("spam", metrics=("accuracy",)), seed=1)]
    found = compare(database, [mixed, [made("b", 0.7, seed=seed) for seed in (0, 1)]])
    assert [each.task for each in found.others[0].seeds] == [name for name in FIVE if name != "spam"]
    assert any("Spam is not compared: the runs of a define it with different score" in each for each in found.warnings)


def test_runs_of_other_definitions_are_arms_of_their_own(made: Callable[..., Run]) -> None:
    tasks = (FIVE, FIVE, changed("spam", metrics=("accuracy",)))
    rows = [Row(made("a", tasks=each, seed=seed), None) for seed, each in enumerate(tasks)]
    assert [len(arm) for arm in arms_of(rows)] == [2, 1]


def test_arms_of_seeds_are_compared_in_their_own_tasks(database: Database, made: Callable[..., Run]) -> None:
    arms = [[made(name, right, seed=seed) for seed in (0, 1, 2)] for name, right in (("a", 0.3), ("b", 0.8))]
    found = compare(database, arms)
    assert [each.task for each in found.others[0].seeds] == list(FIVE)
    scores = [present(run.score("cola")) for run in arms[1]]
    assert found.others[0].side.scores["cola"] == pytest.approx(np.mean(scores))


def test_heads_of_own_tasks_are_settings_that_differ_and_absent_ones_are_none(made: Callable[..., Run]) -> None:
    first, second = made("a"), made("b")
    recipes = [{**first.recipe, "head.cola.layers": 3}, {**second.recipe, "head.spam.layers": 1}]
    arms = [Arm((_with_recipe(run, recipe),)) for run, recipe in zip((first, second), recipes, strict=True)]
    assert recipe_differences(arms) == {"head.cola.layers": (3, 1)}


def _with_recipe(run: Run, recipe: dict[str, Any]) -> Run:
    text = msgspec.json.encode(recipe).decode()
    return msgspec.structs.replace(run, submission=msgspec.structs.replace(run.submission, recipe_json=text))


def test_a_confusion_matrix_is_of_any_task_with_classes(database: Database, made: Callable[..., Run]) -> None:
    run = made("a", 0.7)
    assert class_tasks(run) == ("sst", "cola", "spam", "topics")
    for name in class_tasks(run):
        found = confusion_of(database, run, name)
        assert (found.classes, found.counts.sum()) == (FIVE[name].classes, COUNT)
        table = examples_of(database, run, name)
        assert counts_of(table).tolist() == found.counts.tolist()
        assert COUNT - np.trace(found.counts) == len(wrong(table))
    with pytest.raises(UsageError, match="use sst or cola or spam or topics, not 'grades'"):
        confusion_of(database, run, "grades")
    with pytest.raises(UsageError, match="trained no task with classes"):
        confusion_of(database, made("b", tasks={"grades": FIVE["grades"]}))


def test_numbers_that_a_head_says_stand_on_the_scale_of_the_labels(
    database: Database, made: Callable[..., Run]
) -> None:
    run = made("a", 0.6, {"grades": msgspec.structs.replace(FIVE["grades"], range=(2.0, 6.0)), "sst": BUILTIN["sst"]})
    table = examples_of(database, run, "grades")
    assert table.confidence is None
    assert table.predicted == pytest.approx(2 + 4 * table.probabilities)
    assert np.abs(table.errors)[by_error(table)[0]] == pytest.approx(np.abs(table.errors).max())
    found = similarity_of(database, run, "grades")
    fitted = stats.linregress(table.labels, table.predicted)
    assert (found.slope, found.intercept) == (pytest.approx(fitted.slope), pytest.approx(fitted.intercept))
    with pytest.raises(UsageError, match="SST has classes"):
        similarity_in(examples_of(database, run, "sst"))
    with pytest.raises(UsageError, match="Examples are of a task: grades, sst, not 'para'"):
        examples_of(database, run, "para")


def test_exported_predictions_are_those_of_all_tasks_of_a_run(database: Database, made: Callable[..., Run]) -> None:
    rows = list(prediction_rows(database, [made("a")]))
    assert list(dict.fromkeys(row["task"] for row in rows)) == list(FIVE)
    assert len(rows) == COUNT * len(FIVE)
    topics = [row for row in rows if row["task"] == "topics"]
    assert all(row["predicted"] == int(np.argmax(row["probabilities"])) for row in topics)


def test_texts_are_for_the_runs_own_tasks(database: Database, made: Callable[..., Run]) -> None:
    names = "one sentence (sst, cola, spam, topics) or two (grades)"
    with pytest.raises(UsageError) as refused:
        predict_texts(database, made("a"), [" "])
    assert str(refused.value) == f'Name {names}: `bertmt predict RUN "a lovely film"`.'
    single = {name: task for name, task in FIVE.items() if not task.pair}
    with pytest.raises(UsageError, match=r"not trained on pairs of sentences: name one sentence \(sst, cola, spam, to"):
        predict_texts(database, made("b", tasks=single), ["one", "two"])
    with pytest.raises(UsageError, match=r"not trained on single sentences: name two sentences \(grades\)"):
        predict_texts(database, made("c", tasks={"grades": FIVE["grades"]}), ["one"])


def test_a_task_without_a_test_split_is_not_predicted(
    database: Database, made: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    source = Source(train="train.tsv", dev="dev.tsv", text="text", label="label")
    own = {"spam": msgspec.structs.replace(OWN["spam"], source=source)}
    monkeypatch.setattr("bertmt.services.analysis.predict.models_of", lambda database, run: [(tmp_path, ())])
    with pytest.raises(DataError, match="has a test split: spam"):
        predict_split(database, made("a", tasks=own), "test", tmp_path)


def test_prediction_files_have_numbers_of_own_tasks_on_the_scale_of_their_labels(
    database: Database, made: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    file = tmp_path / "dev.csv"
    file.write_text("id,one,two,label\nA,x,y,2\n", encoding="utf-8")
    source = Source(train=str(file), dev=str(file), text="one", pair="two", label="label")
    grades = msgspec.structs.replace(FIVE["grades"], range=(2.0, 6.0), source=source)
    run = made("a", tasks={"grades": grades})
    monkeypatch.setattr("bertmt.services.analysis.predict.models_of", lambda database, run: [(tmp_path, ())])
    found = [Answer("grades", "A", 0.25, (0.25,))]
    monkeypatch.setattr("bertmt.services.analysis.predict.answers", lambda folder, questions, allowed: found)
    [written] = predict_split(database, run, "dev", tmp_path / "out")
    assert read_prediction_file(written.path, grades, read_split("", grades, "dev").examples) == [3.0]


def test_what_always_the_commonest_class_scores_stands_beside_the_scores(
    database: Database, made: Callable[..., Run]
) -> None:
    first, second = made("a"), made("b", 0.9)
    labels = [int(each.label) for each in examples_of(database, first, "topics").examples if each.label is not None]
    share = max(map(labels.count, labels)) / len(labels)
    for said in (details_of(database, first).remarks, compare(database, [[first], [second]]).warnings):
        [sentence] = [each for each in said if each.startswith("Always the commonest class, accuracy on dev: SST ")]
        assert f"Topics {share:.3f} (" in sentence and "Grades" not in sentence, "numbers have no class"
