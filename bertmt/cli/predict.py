"""`bertmt predict`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson, RunWord
from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.analysis.predict import Answer
    from bertmt.services.opening import Registry


class EvaluatedSplit(StrEnum):
    """Splits that the course asks predictions for."""

    DEV = "dev"
    TEST = "test"


Texts = Annotated[
    list[str] | None, typer.Argument(metavar="[TEXT] [TEXT]", help="One sentence for SST; two for PARA and STS.")
]
Split = Annotated[EvaluatedSplit | None, typer.Option("--split", help="Predict a split instead of sentences.")]
Out = Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for the prediction files.")]
Data = Annotated[str | None, typer.Option("--data", metavar="DIR", help="Where the data are now.")]


def predict(
    context: typer.Context,
    run: RunWord,
    texts: Texts = None,
    split: Split = None,
    out: Out = "predictions",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Predict sentences, or a whole split, with a finished run.

    One sentence for SST, two for PARA and STS; --split writes the course's prediction files.
    """
    from bertmt.errors import UsageError
    from bertmt.services.analysis.predict import predict_split, predict_texts
    from bertmt.services.browse.lookup import find_run

    if bool(texts) == bool(split) or (split and as_json):
        raise UsageError("Name either texts, or --split dev|test (without --json).")
    database = existing_registry(context)
    found = find_run(database, run)
    if split:
        for file in predict_split(database, found, split.value, Path(out), data):
            output.write_lines([safe_text(f"{file.path}: {numbers.counted(file.count, 'prediction')}")])
        _note_missing_tasks(found)
        return
    answers = predict_texts(database, found, texts or [])
    _write_answers(database, found, answers, as_json)


def _note_missing_tasks(run: "Run") -> None:
    missing = [task for task in ("sst", "para", "sts") if task not in run.recipe["tasks"]]
    if missing:
        diagnostics.note(f"No file for {', '.join(missing)}: run {run.id} was not trained on it.")


def _write_answers(database: "Registry", run: "Run", answers: "list[Answer]", as_json: bool) -> None:
    if as_json:
        listed = [
            {"task": each.task, "label": each.label, "probabilities": list(each.probabilities)} for each in answers
        ]
        output.write_document("bertmt.predictions/1", {"run": run.id, "predictions": listed})
        return
    for each in answers:
        output.write_lines(_lines(each))


def _lines(answer: "Answer") -> list[str]:
    """An answer in words, with how sure the model is."""
    from bertmt.tasks.builtin import BUILTIN as TASKS

    task = TASKS[answer.task]
    if answer.task == "sts":
        return [f"{task.title}: cosine {numbers.score(answer.label)} (−1 to 1; 1 is the same meaning)"]
    label = int(answer.label)
    if answer.task == "para":
        return [f"{task.title}: {task.classes[label]} (paraphrase {numbers.percentage(answer.probabilities[0])})"]
    shares = [f"  {numbers.percentage(share):>7}  {name}" for name, share in
              zip(task.classes, answer.probabilities, strict=True)]  # fmt: skip
    return [f"{task.title}: {label} {task.classes[label]}", *shares]
