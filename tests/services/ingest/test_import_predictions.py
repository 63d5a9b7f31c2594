"""Predictions of another program as a run that is listed and compared like ours."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bertmt.errors import BertmtError, BusyError, DataError
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import evaluations, remove, transitions
from bertmt.registry.states import State
from bertmt.services.analysis.examples import examples_of
from bertmt.services.browse.detail_formatting import state_word
from bertmt.services.browse.lookup import find_run
from bertmt.services.ingest.import_predictions import as_probabilities
from bertmt.services.lifecycle.import_predictions import bring_predictions
from bertmt.services.tasks.adding import write_definition
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.course_files import course_file_content
from bertmt.tasks.embedded.toy import toy_split
from bertmt.tasks.examples import Example
from bertmt.tasks.prediction_files import read_prediction_file
from bertmt.tasks.scores import overall, predicted_labels, score
from bertmt.tasks.task import Source, Task

RNG = np.random.default_rng(3)


@pytest.fixture
def registry(tmp_path: Path) -> Database:
    return open_registry(tmp_path / "runs.db", create=True)


@pytest.fixture
def course_file(tmp_path: Path) -> Callable[[str], tuple[Path, list[float]]]:
    """`course_file("sst")`: a file of made-up predictions of toy's dev split as the course's script writes it."""

    def write(name: str) -> tuple[Path, list[float]]:
        task, examples = BUILTIN[name], toy_split(BUILTIN[name], "dev").examples
        values = RNG.integers(len(task.classes), size=len(examples)) if task.classes else RNG.normal(size=len(examples))
        rows = [(example.id, float(value)) for example, value in zip(examples, values, strict=True)]
        path = tmp_path / f"{name}-dev-output.csv"
        path.write_text(course_file_content(task, rows), encoding="utf-8")
        return path, [float(value) for value in values]

    return write


def test_they_are_a_finished_run_with_the_scores_of_the_files(
    registry: Database, course_file: Callable[[str], tuple[Path, list[float]]]
) -> None:
    names = list(BUILTIN)
    files = {name: course_file(name) for name in names}
    paths = [files[name][0] for name in names]
    run = bring_predictions(registry, "theirs", paths, names, "dev", "toy")
    assert (run.state, run.name, run.submission.preset) == (State.FINISHED, "theirs", None)
    first = transitions(registry, run.key)[0]
    assert (
        state_word(first) == "imported"
        and first.reason == f"imported from {', '.join(map(str, paths))}, by another program"
    )
    for name in names:
        labels = [example.label for example in toy_split(BUILTIN[name], "dev").examples]
        assert run.score(name) == pytest.approx(score(BUILTIN[name], files[name][1], labels), abs=1e-6)
        table = examples_of(registry, find_run(registry, run.id), name)
        if BUILTIN[name].classes:
            assert table.predicted.tolist() == files[name][1]
    assert run.score("overall") == overall({name: run.score(name) for name in names}, BUILTIN)


@pytest.mark.parametrize("name", list(BUILTIN))
def test_stored_as_probabilities_they_predict_the_same(name: str) -> None:
    task = BUILTIN[name]
    values = RNG.integers(len(task.classes), size=50) if task.classes else RNG.uniform(0, 5, size=50)
    stored = as_probabilities(task, values.astype(np.float64), np.array([0.0, 5.0]))
    predicted = predicted_labels(task, stored)
    if task.classes:
        assert predicted.tolist() == values.tolist()
    else:
        assert predicted * 5 == pytest.approx(values, abs=1e-5)


Own = Callable[..., tuple[Task, Path]]


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """`own(labels, ...)`: a task of a user's own with these dev labels, and the true labels as a prediction file."""

    def make(labels: Sequence[float], **about: Any) -> tuple[Task, Path]:
        rows = [f"Row-{place},first {place},second {place},{label}" for place, label in enumerate(labels)]
        for split in ("train", "dev"):
            (tmp_path / f"{split}.csv").write_text("\n".join(["id,one,two,label", *rows]) + "\n", "utf-8")
        train, dev = (str(tmp_path / f"{split}.csv") for split in ("train", "dev"))
        source = Source(train=train, dev=dev, text="one", pair="two", label="label")
        task = Task(name="own", title="Own", inputs="pair", metrics=("pearson", "mse"), source=source, **about)
        write_definition(tmp_path, task)
        path = tmp_path / "own-dev-output.csv"
        path.write_text("".join(f"Row-{place} , {label}\n" for place, label in enumerate(labels)), "utf-8")
        return task, path

    return make


RANGES = [
    ((0.0, 1.0), [0.0, 0.25, 1.0]),
    ((-1.0, 1.0), [-1.0, 0.5, 1.0]),
    ((0.0, 0.5), [0.0, 0.1, 0.5]),
    ((0.0, 5.0), [0.0, 1.5, 5.0]),
    ((0.0, 5.0), [0.0, 0.5, 1.0]),
    ((-3.0, 3.0), [-3.0, 0.5, 2.0]),
    ((2.0, 4.0), [2.0, 2.5, 4.0]),
]


@pytest.mark.parametrize("prediction", ["logits", "cosine"])
@pytest.mark.parametrize(("label_range", "labels"), RANGES)
def test_true_labels_as_predictions_have_no_error(
    registry: Database, own: Own, prediction: str, label_range: tuple[float, float], labels: list[float]
) -> None:
    _, path = own(labels, range=label_range, prediction=prediction)
    run = bring_predictions(registry, "theirs", [path], ["own"], "dev", "toy")
    assert run.score("own") == pytest.approx(1)
    [evaluation] = evaluations(registry, run)
    assert evaluation.metrics["own"]["mse"] == pytest.approx(0, abs=1e-9)
    assert examples_of(registry, run, "own").predicted == pytest.approx(labels, abs=1e-6)


def test_a_second_import_of_one_name_is_refused(
    registry: Database, course_file: Callable[[str], tuple[Path, list[float]]]
) -> None:
    path = course_file("sst")[0]
    first = bring_predictions(registry, "theirs", [path], ["sst"], "dev", "toy")
    with pytest.raises(BusyError, match=rf"called 'theirs' already, run {first.id}: choose another name, or remove"):
        bring_predictions(registry, "theirs", [path], ["sst"], "dev", "toy")
    remove(registry, first.key)
    assert bring_predictions(registry, "theirs", [path], ["sst"], "dev", "toy").id != first.id


def test_cosines_are_taken_for_such_where_the_labels_go_further(registry: Database, own: Own) -> None:
    task, path = own([0.0, 2.5, 5.0], range=(0.0, 5.0), prediction="cosine")
    path.write_text("Row-0 , -0.1\nRow-1 , 0.5\nRow-2 , 1\n", "utf-8")
    run = bring_predictions(registry, "theirs", [path], ["own"], "dev", "toy")
    assert examples_of(registry, run, task.name).predicted == pytest.approx([-0.5, 2.5, 5.0])


def test_what_a_head_predicts_is_never_taken_for_shares_of_the_range(registry: Database, own: Own) -> None:
    task, path = own([0.0, 2.5, 5.0], range=(0.0, 5.0), prediction="logits")
    path.write_text("Row-0 , 0.1\nRow-1 , 0.5\nRow-2 , 1\n", "utf-8")
    run = bring_predictions(registry, "theirs", [path], ["own"], "dev", "toy")
    assert examples_of(registry, run, task.name).predicted == pytest.approx([0.1, 0.5, 1.0])


def test_ids_of_own_tasks_keep_their_case_and_those_of_the_course_have_none(tmp_path: Path) -> None:
    course = BUILTIN["sst"]
    source = Source(train="a", dev="b", text="text", label="label")
    mine = msgspec.structs.replace(course, name="mine", course=None, grammar="", source=source)
    path = tmp_path / "upper.csv"
    path.write_text("A , 0\na , 1\n", "utf-8")
    both = [Example(id=name, first="x", second=None, label=0) for name in ("A", "a")]
    assert read_prediction_file(path, mine, both) == [0, 1]
    path.write_text("A , 3\n", "utf-8")
    assert read_prediction_file(path, course, both[1:]) == [3]


def test_bad_files_get_a_sentence_with_the_line(
    tmp_path: Path, course_file: Callable[[str], tuple[Path, list[float]]]
) -> None:
    path, _ = course_file("sst")
    task, examples = BUILTIN["sst"], toy_split(BUILTIN["sst"], "dev").examples
    lines = path.read_text(encoding="utf-8").splitlines()

    def said(content: str) -> str:
        path.write_text(content, encoding="utf-8")
        with pytest.raises(DataError) as caught:
            read_prediction_file(path, task, examples)
        return str(caught.value)

    assert "line 3: expected `id , prediction` with a class from 0 to 4" in said(
        "\n".join([*lines[:2], "sst-dev-1 , 7"])
    )
    assert "line 1001: 'sst-dev-0' is predicted twice" in said("\n".join([*lines[:-1], lines[1]]))
    assert "lacks 1 of SST's examples ('sst-dev-999')" in said("\n".join(lines[:-1]))
    assert "has 1 ids that are none of SST's ('sst-dev-1000')" in said("\n".join([*lines, "sst-dev-1000 , 1"]))
    assert "lacks 1,000" in said("")


def test_a_class_may_stand_by_its_name_and_a_tab_may_separate(tmp_path: Path) -> None:
    task, examples = BUILTIN["para"], toy_split(BUILTIN["para"], "dev").examples
    path = tmp_path / "named.tsv"
    words = [task.classes[index % 2] for index in range(len(examples))]
    path.write_text("".join(f"{each.id}\t{word}\n" for each, word in zip(examples, words, strict=True)), "utf-8")
    assert read_prediction_file(path, task, examples) == [index % 2 for index in range(len(examples))]


@pytest.mark.parametrize(
    ("names", "split", "said"),
    [
        (["sst", "para"], "dev", "Name one --task for each file"),
        (["nope"], "dev", "No task is called 'nope'"),
        (["sst"], "test", "Only predictions of dev are compared"),
    ],
)
def test_a_bad_request_gets_a_sentence(
    registry: Database, tmp_path: Path, names: list[str], split: str, said: str
) -> None:
    with pytest.raises(BertmtError) as caught:
        bring_predictions(registry, "theirs", [tmp_path / "x.csv"], names, split, "toy")
    assert said in " ".join(caught.value.problems)
