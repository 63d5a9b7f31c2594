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
    from bertmt.tasks.task import Task


class EvaluatedSplit(StrEnum):
    """Splits that the course asks predictions for."""

    DEV = "dev"
    TEST = "test"


Texts = Annotated[
    list[str] | None, typer.Argument(metavar="[TEXT] [TEXT]", help="One sentence, or two for tasks about pairs.")
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

    One sentence for the run's tasks about single ones (such as SST), two for those about pairs (such as PARA); --split
    writes prediction files in the course's format, numbers of your own tasks on the scale of their labels.
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
        _note_missing_tasks(found, split.value)
        return
    answers = predict_texts(database, found, texts or [])
    _write_answers(database, found, answers, as_json)


def _note_missing_tasks(run: "Run", split: str) -> None:
    """Of the course's tasks those that a run of some of them was not trained on, and of its own those without the
    split."""
    from bertmt.services.analysis.predict import has_split
    from bertmt.tasks.builtin import BUILTIN

    missing = [name for name in BUILTIN if name not in run.tasks]
    if missing and len(missing) < len(BUILTIN):
        diagnostics.note(f"No file for {', '.join(missing)}: run {run.id} was not trained on it.")
    without = [name for name, task in run.tasks.items() if not has_split(task, split)]
    if without:
        diagnostics.note(f"No file for {', '.join(without)}: it has no {split} split.")


def _write_answers(database: "Registry", run: "Run", answers: "list[Answer]", as_json: bool) -> None:
    if as_json:
        listed = [
            {"task": each.task, "label": each.label, "probabilities": list(each.probabilities)} for each in answers
        ]
        output.write_document("bertmt.predictions/1", {"run": run.id, "predictions": listed})
        return
    for each in answers:
        output.write_lines(map(safe_text, _lines(run, run.tasks[each.task], each)))


def _lines(run: "Run", task: "Task", answer: "Answer") -> list[str]:
    """An answer in words, with how sure the model is; not yet safe for a screen."""
    if not task.classes:
        return [f"{task.title}: {_number(run, task, answer.label)}"]
    label = int(answer.label)
    if task.outputs == 1:
        return [
            f"{task.title}: {task.classes[label]} ({task.classes[1]} {numbers.percentage(answer.probabilities[0])})"
        ]
    shares = [f"  {numbers.percentage(share):>7}  {name}" for name, share in
              zip(task.classes, answer.probabilities, strict=True)]  # fmt: skip
    return [f"{task.title}: {label} {task.classes[label]}", *shares]


def _number(run: "Run", task: "Task", label: float) -> str:
    """A predicted number: a cosine as it is, what a head has a part in on the scale of the labels."""
    from bertmt.services.analysis.run_predictions import predicted_by

    if predicted_by(run, task) == "cosine":
        return f"cosine {numbers.score(label)} (−1 to 1; 1 is the same meaning)"
    low, high = task.range
    return f"{numbers.score(low + label * (high - low))} (labels go from {low:g} to {high:g})"
