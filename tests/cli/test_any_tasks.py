"""`compare`, `confusion`, `predict` and `export` of runs with tasks of a user's own."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from command_outcome import Outcome
from five_tasks import COUNT, FIVE, Runs
from registry_builder import HOSTILE, RegistryBuilder

from bertmt.tasks.task import Source, Tasks

# Answers with the second class, certain to 0.75 of two; of a number with 0.75.
CHILD = """
import json, sys
answers = {"sst": (1, [0.1, 0.6, 0.1, 0.1, 0.1]), "cola": (1, [0.2, 0.5, 0.3]), "topics": (1, [0.2, 0.5, 0.3])}
for line in sys.stdin:
    asked = json.loads(line)
    label, probabilities = answers.get(asked["task"], (0.75 if asked["task"] == "grades" else 1, 0.75))
    print(json.dumps({"task": asked["task"], "id": asked["id"], "label": label, "probabilities": probabilities}))
"""


@pytest.fixture
def evaluate(builder: RegistryBuilder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Adds a finished run of five tasks, or of others, and says its id."""
    runs = Runs()
    runs.patch(monkeypatch)
    monkeypatch.setattr("bertmt.launchers.prediction.PREDICTION_COMMAND", (sys.executable, "-c", CHILD))

    def add(name: str, right: float = 0.5, tasks: Tasks = FIVE, seed: int = 0) -> str:
        run = runs.evaluate(builder.database, builder.add(name), right, tasks, seed)
        (Path("runs") / run.id / "model").mkdir(parents=True)
        return run.id

    yield add


def test_compare_has_a_column_and_a_row_for_each_task(
    bertmt: Callable[..., Outcome], evaluate: Callable[..., str]
) -> None:
    evaluate("mine", 0.4)
    evaluate("yours", 0.9, seed=1)
    out = bertmt("compare", "mine", "yours").out
    head = next(line for line in out.splitlines() if line.startswith("dev scores"))
    assert head.split()[2:6] == ["SST", "CoLA", "φ", "S=(1+φ)/2"]
    assert next(line for line in out.splitlines() if line.startswith("Topics mF1")).split()[-1] == "better"
    assert "SST by exact McNemar; CoLA φ, Grades ρs, Spam F1, Topics mF1, overall by paired permutation" in " ".join(
        out.split()
    )
    assert "Holm's correction over 6 comparisons" in " ".join(out.split())
    document = json.loads(bertmt("compare", "mine", "yours", "--json").out)
    scores = document["arms"][0]["scores"]
    assert list(scores) == ["sst", "para", "sts", "cola", "grades", "spam", "topics", "overall"]
    assert (scores["para"], scores["sts"]) == (None, None)
    differences = document["arms"][0]["differences"]
    assert [each["task"] for each in differences] == [*FIVE, "overall"]


def test_confusion_is_of_the_runs_tasks_with_classes(
    bertmt: Callable[..., Outcome], evaluate: Callable[..., str]
) -> None:
    evaluate("mine", 0.4, {name: FIVE[name] for name in ("topics", "grades", "spam")})
    first = json.loads(bertmt("confusion", "mine", "--json").out)
    assert (first["task"], first["classes"]) == ("topics", ["a", "b", "c"])
    other = json.loads(bertmt("confusion", "mine", "--task", "spam", "--json").out)
    assert other["classes"] == ["ham", "spam"] and sum(map(sum, other["counts"])) == COUNT
    for task in ("grades", "sst", HOSTILE):
        outcome = bertmt("confusion", "mine", "--task", task)
        assert outcome.code == 2
        assert outcome.err.startswith("bertmt: A confusion matrix needs classes: use topics or spam, not '")
        assert "\x1b" not in outcome.err


def test_predict_asks_the_runs_tasks_and_says_what_they_answer(
    bertmt: Callable[..., Outcome], evaluate: Callable[..., str]
) -> None:
    evaluate("mine")
    single = bertmt("predict", "mine", "one").out
    assert "CoLA: 1 yes\n" in single and "Spam: spam (spam 75.0 %)\n" in single and "Topics: 1 b\n" in single
    assert bertmt("predict", "mine", "one", "two").out == "Grades: 3.000 (labels go from 0 to 4)\n"
    outcome = bertmt("predict", "mine", " ")
    assert (outcome.code, outcome.out) == (2, "")
    assert "Name one sentence (sst, cola, spam, topics) or two (grades)" in outcome.err


def test_names_of_classes_and_titles_are_hostile(bertmt: Callable[..., Outcome], evaluate: Callable[..., str]) -> None:
    spam = msgspec.structs.replace(FIVE["spam"], title=HOSTILE, classes=("ham", HOSTILE))
    for name in ("mine", "yours"):
        evaluate(name, 0.6, {"spam": spam, "cola": FIVE["cola"]})
    changed = msgspec.structs.replace(spam, classes=(HOSTILE, "spam"))
    evaluate("theirs", 0.6, {"spam": changed, "cola": FIVE["cola"]})
    for arguments in ("predict mine one", "confusion mine --task spam", "compare mine yours", "compare mine theirs"):
        outcome = bertmt(*arguments.split())
        assert outcome.code == 0, outcome.err
        assert not {"\x1b", "\x9b", "\u202e"} & set(outcome.out + outcome.err), arguments


def test_a_split_of_own_tasks_is_written_and_one_without_it_is_named(
    bertmt: Callable[..., Outcome], evaluate: Callable[..., str]
) -> None:
    source = Source(train="train.tsv", dev="dev.tsv", text="text", label="label")
    own = msgspec.structs.replace(FIVE["spam"], source=source)
    evaluate("mine", tasks={"sst": FIVE["sst"], "spam": own})
    outcome = bertmt("predict", "mine", "--split", "test")
    assert outcome.code == 0
    assert outcome.out.splitlines() == ["predictions/sst-test-output.csv: 400 predictions"]
    assert "No file for para, sts: run" in outcome.err
    assert "No file for spam: it has no test split." in outcome.err


def test_export_has_the_predictions_of_all_tasks(bertmt: Callable[..., Outcome], evaluate: Callable[..., str]) -> None:
    run_id = evaluate("mine")
    rows = list(csv.DictReader(io.StringIO(bertmt("export", "mine", "--what", "predictions", "--csv").out)))
    assert {row["run"] for row in rows} == {run_id}
    assert [sum(row["task"] == name for row in rows) for name in FIVE] == [COUNT] * len(FIVE)
