"""A user's own task: what is said of it, what its files tell, and both together as a definition."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bertmt import atomic_files, paths
from bertmt.bounded_files import MOST_TOML
from bertmt.errors import BusyError, DataError, UsageError, reason_of
from bertmt.recipe.loading import toml_value
from bertmt.services.plan.known_tasks import ENDING, refuse_name
from bertmt.services.tasks.classes import about_absent, refuse_sentences
from bertmt.services.tasks.columns import ColumnProfile, FileProfile, profile
from bertmt.services.tasks.guessing import (
    Columns,
    classes_of,
    guess_columns,
    guess_kind,
    named_classes,
    named_range,
    range_of,
)
from bertmt.tasks.examples import Example
from bertmt.tasks.limits import limit_problem
from bertmt.tasks.malformed import shown
from bertmt.tasks.readers.labels import number_of
from bertmt.tasks.readers.source import read_source_split
from bertmt.tasks.task import METRICS, SPLITS, Source, Task

SHOWN_EXAMPLES = 3
KINDS = ("classification", "regression")
PREDICTIONS = ("logits", "cosine")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person says of a task; what is empty or None is guessed.

    Attributes:
        files: by split; train and dev at least.
        pair: "" for a task of single sentences whatever its columns are called.
        classes, label_range: as typed: "a,b,c" and "0,5".
        metric: what it is judged by.
        hub, sha256: as in `Source`.
    """

    name: str
    files: Mapping[str, Path]
    text: str | None = None
    pair: str | None = None
    label: str | None = None
    kind: str | None = None
    classes: str | None = None
    label_range: str | None = None
    metric: str | None = None
    prediction: str | None = None
    title: str = ""
    data_set: str = ""
    hub: str = ""
    sha256: tuple[str, ...] = ()


@dataclass(frozen=True)
class Understood:
    """A task as it was understood; nothing is written yet.

    Attributes:
        sizes: split to number of examples.
        remarks: what was guessed, and rows that were skipped; sentences.
        examples: the first of the training split.
    """

    task: Task
    sizes: Mapping[str, int]
    remarks: tuple[str, ...]
    examples: tuple[Example, ...] = field(repr=False)


def understood(wanted: Wanted) -> Understood:
    """Read a task's files, guess what was not said, and check every example.

    Raises:
        UsageError: what is said contradicts itself or the files, or does not suffice.
        DataError: a file cannot be used.
    """
    refuse_name(wanted.name, f"A task cannot be called {shown(wanted.name)}")
    _refuse_words(wanted)
    _refuse_equal_files(wanted.files)
    found = {split: profile(file) for split, file in wanted.files.items()}
    columns = guess_columns(found["train"], wanted.text, wanted.pair, wanted.label)
    labels = _label_columns(found, columns)
    remarks = _about_columns(wanted, columns)
    kind, why = _kind(wanted, labels[0], found["train"], columns)
    remarks += [why] if why else []
    classes, label_range = _labels(wanted, kind, labels, found["train"], columns, remarks)
    task = _task(wanted, columns, classes, label_range, remarks)
    _refuse_swapped(task, found, columns)
    splits = {split: read_source_split(task, split) for split in SPLITS if split in wanted.files}
    warnings = [warning for split in splits.values() for warning in split.warnings]
    warnings += filter(None, [about_absent(task, splits["train"].examples)])
    sizes = {name: len(split.examples) for name, split in splits.items()}
    return Understood(task, sizes, (*remarks, *warnings), splits["train"].examples[:SHOWN_EXAMPLES])


def _refuse_words(wanted: Wanted) -> None:
    scores = [name for name, metric in METRICS.items() if metric.is_score]
    for option, value, choices in (
        ("--kind", wanted.kind, KINDS),
        ("--metric", wanted.metric, scores),
        ("--prediction", wanted.prediction, PREDICTIONS),
    ):
        if value is not None and value not in choices:
            raise UsageError(f"{option} expects one of {', '.join(choices)}, but found {shown(value)}.")
    if wanted.classes and (wanted.label_range or wanted.kind == "regression"):
        raise UsageError("--classes is for classification, and --range for regression: name one of them.")
    if wanted.label_range and wanted.kind == "classification":
        raise UsageError("--range is for regression; name classes with --classes A,B,….")


def _refuse_equal_files(files: Mapping[str, Path]) -> None:
    for split in ("train", "dev"):
        if split not in files:
            raise UsageError(f"A task needs a file to train on and one to judge by: name it with --{split} FILE.")
    seen: dict[Path, str] = {}
    for split, file in files.items():
        other = seen.setdefault(file.resolve(), split)
        if other != split:
            raise UsageError(f"--{other} and --{split} are one file, {file}: scores on it would say nothing.")


def _label_columns(found: Mapping[str, FileProfile], columns: Columns) -> list[ColumnProfile]:
    """The labels of training, dev and, where it has some, test."""
    kept = []
    for split, about in found.items():
        for name in filter(None, (columns.text, columns.pair, columns.label)):
            if name not in about.columns and not (split == "test" and name == columns.label):
                there = ", ".join(shown(each) for each in list(about.columns)[:8])
                raise DataError(
                    f"{about.file} has no column {shown(name)}, which the training file has; it has {there}."
                )
        kept += [about.columns[columns.label]] if split != "test" else []
    return kept


def _about_columns(wanted: Wanted, columns: Columns) -> list[str]:
    guessed = [
        f"{what} are in `{column}`"
        for what, column, said in (
            ("the sentences", columns.text, wanted.text),
            ("the second sentences", columns.pair, wanted.pair),
            ("the labels", columns.label, wanted.label),
        )
        if column and said is None
    ]
    return [f"Guessed: {', '.join(guessed)}."] if guessed else []


def _kind(wanted: Wanted, column: ColumnProfile, found: FileProfile, columns: Columns) -> tuple[str, str]:
    """The kind of the labels, and a sentence where it was guessed."""
    if not column.count:
        raise DataError(f"{found.file}: no row has a label in {shown(column.name)}.")
    said = wanted.kind or ("regression" if wanted.label_range else "classification" if wanted.classes else None)
    kind, why = guess_kind(column, found.file, found.columns[columns.text]) if said is None else (said, "")
    if kind == "regression" and not column.is_numeric:
        word = next((each for each in column.words if number_of(each) is None), "")
        raise DataError(
            f"{found.file}: regression needs numbers in {shown(column.name)}, but found {shown(word)}: name another "
            "column with --label, or --kind classification."
        )
    return kind, why


def _labels(
    wanted: Wanted, kind: str, labels: list[ColumnProfile], found: FileProfile, columns: Columns, remarks: list[str]
) -> tuple[tuple[str, ...], tuple[float, float]]:
    """The classes, or the range."""
    names = found.names.get(columns.label, ())
    if kind == "classification":
        if wanted.classes:
            return named_classes(wanted.classes), (0.0, 1.0)
        classes = classes_of(labels[0], labels[1:], names)
        if not names:
            refuse_sentences(classes, labels[0], found.columns[columns.text], found.file)
        if len(classes) < 2:
            raise DataError(f"All labels in {shown(labels[0].name)} are {shown(classes[0])}: nothing can be learned.")
        return classes, (0.0, 1.0)
    if wanted.label_range:
        return (), named_range(wanted.label_range)
    low, high = range_of([each for each in labels if each.numbers])
    if low == high:
        raise DataError(f"All labels in {shown(labels[0].name)} are {low:g}: nothing can be learned.")
    remarks.append(f"The range of the labels is taken to be {low:g} to {high:g}; --range LOW,HIGH says otherwise.")
    return (), (low, high)


def _task(
    wanted: Wanted, columns: Columns, classes: tuple[str, ...], label_range: tuple[float, float], remarks: list[str]
) -> Task:
    prediction = wanted.prediction or ("cosine" if columns.pair and not classes else "logits")
    if prediction == "cosine" and wanted.prediction is None:
        remarks.append(
            "Similarities of pairs are predicted by the cosine of their embeddings; --prediction logits takes a head."
        )
    usual = ("accuracy", "f1", "matthews") if len(classes) == 2 else ("accuracy", "macro_f1")
    usual = usual if classes else ("pearson", "spearman", "mse")
    source = Source(
        **{split: str(file.absolute()) for split, file in wanted.files.items()},
        text=columns.text, pair=columns.pair, label=columns.label, hub=wanted.hub, sha256=wanted.sha256,
    )  # fmt: skip
    try:
        task = Task(
            name=wanted.name, title=wanted.title or wanted.name.upper(), data_set=wanted.data_set,
            inputs="pair" if columns.pair else "single", classes=classes, range=label_range,
            prediction="cosine" if prediction == "cosine" else "logits",
            metrics=tuple(dict.fromkeys([*filter(None, [wanted.metric]), *usual])), source=source,
        )  # fmt: skip
    except ValueError as problem:
        raise UsageError(f"The task cannot be as it is said: {problem}.") from None
    too_much = limit_problem(task)
    if too_much:
        raise UsageError(f"The task cannot be as it is said: {too_much}.")
    return task


def _refuse_swapped(task: Task, found: Mapping[str, FileProfile], columns: Columns) -> None:
    """Raise a DataError where a file has labels in the column of the sentences, and sentences in that of the labels."""
    train = found["train"].columns[columns.label]
    for about in found.values():
        texts, labels = about.columns[columns.text], about.columns.get(columns.label)
        looks_like_labels = texts.is_numeric if not task.classes else bool(texts.words) and not set(texts.words) - {
            *task.classes, *train.words
        }  # fmt: skip
        if looks_like_labels and texts.others == 0 and labels is not None and labels.spaces > texts.spaces:
            raise DataError(
                f"{about.file}: {shown(columns.text)} holds labels and {shown(columns.label)} sentences: its columns "
                "are swapped; rename them in its header."
            )


def write_definition(folder: Path, task: Task, force: bool = False) -> Path:
    """Write `tasks/NAME.toml` beside the registry; files below that folder are named relative to it.

    Raises:
        BusyError: there is one of that name.
        UsageError: it cannot be written.
    """
    file = paths.tasks_folder(folder) / f"{task.name}{ENDING}"
    refuse_existing(folder, task.name, force)
    text = definition_text(task, folder)
    if len(text.encode()) > MOST_TOML:
        raise UsageError(
            f"The definition of {task.name} would have more than {MOST_TOML:,} bytes: shorten its classes."
        )
    try:
        atomic_files.make_folder(file.parent)
        atomic_files.write_text(file, text, atomic_files.SHARED_FILE)
    except (OSError, ValueError) as problem:
        raise UsageError(f"{file} cannot be written: {reason_of(problem)}.") from None
    return file


def refuse_existing(folder: Path, name: str, force: bool) -> None:
    """Raise a BusyError where a task of that name is defined."""
    file = paths.tasks_folder(folder) / f"{name}{ENDING}"
    if file.exists() and not force:
        raise BusyError(f"The task {name} is there already, {file}: --force replaces it, or choose another name.")


def definition_text(task: Task, folder: Path) -> str:
    """A definition as TOML.

    Args:
        folder: of the registry.
    """
    document = msgspec.to_builtins(task)
    left_out = ("name", "range" if task.classes else "classes")
    lines = [] if task.source is None else [f"# A task of your own; `bertmt task audit {task.name}` looks at its data."]
    lines += _lines(
        {key: value for key, value in document.items() if key not in left_out and not isinstance(value, dict)}
    )
    for table in ("course", "source"):
        about = {key: value for key, value in document.get(table, {}).items() if value not in ("", [], ())}
        about |= {split: _beside(about[split], folder) for split in SPLITS if split in about}
        lines += ["", f"[{table}]", *_lines(about)] if about else []
    return "\n".join(lines) + "\n"


def _lines(values: Mapping[str, object]) -> list[str]:
    return [
        f"{key} = {toml_value(tuple(value) if isinstance(value, list) else value)}" for key, value in values.items()
    ]


def _beside(file: str, folder: Path) -> str:
    if not Path(file).is_relative_to(folder.absolute()):
        return file
    return os.path.relpath(file, paths.tasks_folder(folder).absolute())
