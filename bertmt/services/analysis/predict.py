"""Predictions for new text: a child loads the run's weights and answers JSON lines; torch stays in it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bertmt import atomic_files
from bertmt.errors import BertmtError, BusyError, DataError, NotFoundError, UsageError, reason_of
from bertmt.launchers.prediction import ask_prediction
from bertmt.recipe.encoders import OTHER_PROGRAM
from bertmt.registry.database import Database
from bertmt.registry.finding import removed_with_ids, runs_with_ids
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.ingest.ingest import folder_of
from bertmt.services.ingest.reconcile import bring_up_to_date
from bertmt.services.plan.own_code import sources_of
from bertmt.tasks.course_files import course_file_name, write_course_file
from bertmt.tasks.loading import read_split
from bertmt.tasks.mean_predictions import mean_of
from bertmt.tasks.scores import predicted_labels
from bertmt.tasks.task import Task, Tasks


@dataclass(frozen=True)
class Question:
    """A sentence or a pair for one task."""

    task: str
    id: str
    first: str
    second: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the run says of a question.

    Attributes:
        label: a class, or of a number the cosine of the two embeddings or the head's output.
        probabilities: of more than two classes each one's; of two that of class 1; of a number the label again.
    """

    task: str
    id: str
    label: float
    probabilities: tuple[float, ...]


class Model(NamedTuple):
    """The folder of a run with trained weights, and the digests of a user's own code that may be run with them."""

    folder: Path
    allowed: tuple[str, ...]


@dataclass(frozen=True)
class CourseFile:
    """A prediction file that was written, and of how many examples."""

    task: str
    path: Path
    count: int


def answers(run_folder: Path, allowed: Iterable[str], questions: Sequence[Question]) -> list[Answer]:
    """Ask a run's model, all questions at once; answers in the order of the questions.

    Args:
        allowed: digests of a user's own code that may be run.

    Raises:
        BertmtError: the child failed; the sentence is its own.
    """
    asked = "".join(
        json.dumps({"task": each.task, "id": each.id, "first": each.first, "second": each.second}) + "\n"
        for each in questions
    )
    said, complaints, code = ask_prediction(run_folder, allowed, asked.encode())
    if code:
        lines = [line for line in complaints.decode("utf-8", "replace").splitlines() if line.strip()]
        raise BertmtError(
            f"The prediction failed: {lines[-1].removeprefix('bertmt: ') if lines else f'exit code {code}'}"
        )
    found = [_answer(line) for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    if [(each.task, each.id) for each in found] != [(each.task, each.id) for each in questions]:
        raise BertmtError(f"The prediction answered {len(found)} of {len(questions)} questions; run it again.")
    return found


def _answer(line: str) -> Answer:
    try:
        document: dict[str, Any] = json.loads(line)
        probabilities = document["probabilities"]
        listed = probabilities if isinstance(probabilities, list) else [probabilities]
        return Answer(document["task"], document["id"], document["label"], tuple(float(each) for each in listed))
    except (ValueError, KeyError, TypeError):
        raise BertmtError(f"The prediction wrote a line that is not an answer: {line[:200]!r}.") from None


def _mean_answers(tasks: Tasks, models: Sequence[Model], questions: Sequence[Question]) -> list[Answer]:
    """What several models answer on average, asked one after another."""
    told = [answers(folder, allowed, questions) for folder, allowed in models]
    if len(told) == 1:
        return told[0]
    found = []
    for question, *of_models in zip(questions, *told, strict=True):
        task = tasks[question.task]
        shares = [np.array(each.probabilities if task.outputs > 1 else each.probabilities[:1]) for each in of_models]
        mean = mean_of(shares)
        label = predicted_labels(task, mean[None] if task.outputs > 1 else mean)[0].item()
        found.append(Answer(question.task, question.id, label, tuple(mean.tolist())))
    return found


def predict_texts(database: Database, run: Run, texts: Sequence[str]) -> list[Answer]:
    """What a run says of one sentence or of a pair, for its tasks that have such inputs.

    Raises:
        UsageError: neither one nor two texts, an empty one, or the run has no such task.
        NotFoundError, BusyError: it has no weights, or one that it averages has none.
        BertmtError: the child failed.
    """
    if len(texts) not in (1, 2) or not all(text.strip() for text in texts):
        raise UsageError(f'Name {_what_to_name(run)}: `bertmt predict RUN "a lovely film"`.')
    tasks = [name for name, task in run.tasks.items() if task.pair == (len(texts) == 2)]
    if not tasks:
        what = "pairs of sentences" if len(texts) == 2 else "single sentences"
        raise UsageError(f"Run {run.id} was not trained on {what}: name {_what_to_name(run)}.")
    models = models_of(database, run)
    second = texts[1] if len(texts) == 2 else None
    return _mean_answers(run.tasks, models, [Question(task, "text", texts[0], second) for task in tasks])


def _what_to_name(run: Run) -> str:
    """How many sentences the run's tasks take."""
    single = [name for name, task in run.tasks.items() if not task.pair]
    pairs = [name for name, task in run.tasks.items() if task.pair]
    counts = (("one sentence", single), ("two", pairs) if single else ("two sentences", pairs))
    return " or ".join(f"{what} ({', '.join(names)})" for what, names in counts if names)


def predict_split(database: Database, run: Run, split: str, out: Path, data: str | None = None) -> list[CourseFile]:
    """Write prediction files of a split in the course's format, for those of the run's tasks that have it.

    Args:
        split: dev or test.
        data: where the data lie now; by default where the run found them.

    Raises:
        DataError: the split cannot be read, or no task has it.
        NotFoundError, BusyError: the run has no weights, or one that it averages has none.
        BertmtError: the child failed, or the folder cannot be written.
    """
    models = models_of(database, run)
    tasks = {name: task for name, task in run.tasks.items() if has_split(task, split)}
    if not tasks:
        raise DataError(f"No task of run {run.id} has a {split} split: {', '.join(run.tasks)}.")
    # All splits are read before the first is predicted: what is missing is said at once.
    splits = {name: read_split(data or run.submission.data, task, split).examples for name, task in tasks.items()}
    questions = [Question(name, each.id, each.first, each.second) for name in tasks for each in splits[name]]
    found = _mean_answers(run.tasks, models, questions)
    written = []
    try:
        atomic_files.make_folder(out)
        for name, task in tasks.items():
            path = out / course_file_name(task, split)
            rows = [(each.id, _written_label(task, each.label)) for each in found if each.task == name]
            write_course_file(path, task, rows)
            written.append(CourseFile(name, path, len(rows)))
    except OSError as problem:
        raise BertmtError(f"{out} cannot be written: {reason_of(problem)}; name another with --out.") from None
    return written


def _written_label(task: Task, label: float) -> float:
    """A number of a user's task on the scale of its labels; the course wants the cosine."""
    return label if task.course or task.classes else task.label_at(label)


def has_split(task: Task, split: str) -> bool:
    """Whether there are such examples of a task: a user's own may have none to test on."""
    return task.source is None or split != "test" or bool(task.source.test)


def models_of(database: Database, run: Run) -> list[Model]:
    """The run's model; of an average those of the runs that it averages.

    Raises:
        BusyError, NotFoundError, DataError: as `folder_with_model`, of the run or of the first that has none.
    """
    members = run.recipe.get("members") or ()
    if not members:
        return [folder_with_model(database, run)]
    there = {each.id: each for each in runs_with_ids(database, members)}
    for member in members:
        if member not in there:
            is_removed = bool(removed_with_ids(database, [member]))
            way = f"was removed: `bertmt restore {member}`" if is_removed else "is not in this registry any more"
            raise NotFoundError(f"Run {run.id} is the average of {', '.join(members)}, and {member} {way}.")
    try:
        return [folder_with_model(database, there[member]) for member in members]
    except (NotFoundError, BusyError, DataError) as problem:
        raise type(problem)(f"Run {run.id} is the average of {', '.join(members)}: {problem}") from None


def folder_with_model(database: Database, run: Run) -> Model:
    """The run's own model.

    Raises:
        BusyError: the run has not finished.
        NotFoundError: it kept none.
        DataError: it was imported, and has a head of its own.
    """
    run = bring_up_to_date(database, run)
    folder = folder_of(database, run)
    allowed = tuple(sources_of(database, run))
    if run.state is not State.FINISHED:
        raise BusyError(f"Run {run.id} is {run.state} and has no trained weights; `bertmt wait {run.id}`.")
    if run.recipe.get("encoder") == OTHER_PROGRAM:
        raise NotFoundError(f"Run {run.id} has predictions of another program and no model: nothing else can be asked.")
    if members := run.recipe.get("members"):
        raise NotFoundError(f"Run {run.id} is the average of {', '.join(members)} and has no weights of its own.")
    if not folder.model.is_dir():
        why = "it was trained with keep_model=false" if not run.recipe.get("keep_model", True) else "they were deleted"
        raise NotFoundError(f"Run {run.id} has no weights in {folder.model}: {why}; `bertmt queue --from {run.id}`.")
    return Model(folder.path, allowed)
