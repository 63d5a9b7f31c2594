"""`bertmt task`: a user's own tasks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import completion, diagnostics, output
from bertmt.cli.invocation import registry_path
from bertmt.cli.parameters import AsJson, DataFolder, EncoderName
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.tables import Column, Row, table

if TYPE_CHECKING:
    from bertmt.services.tasks.adding import Understood
    from bertmt.tasks.task import Task

COLUMNS = (
    Column("task"), Column("title"), Column("inputs"), Column("labels"), Column("judged by"),
    Column("data set", elastic=True),
)  # fmt: skip

task = typer.Typer(name="task", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)

TaskName = Annotated[
    str, typer.Argument(metavar="NAME", help="What recipes call it: small letters, digits and underscores.")
]
KnownTask = Annotated[str, typer.Argument(metavar="NAME", help="A task.", autocompletion=completion.tasks)]
Train = Annotated[
    str | None,
    typer.Option("--train", metavar="FILE", help="CSV, TSV, JSON lines (also gzipped) or Parquet; of a hub data set, "
                 "the name of the split.")
]  # fmt: skip
Dev = Annotated[str | None, typer.Option("--dev", metavar="FILE", help="What runs are judged by; as --train.")]
Test = Annotated[str | None, typer.Option("--test", metavar="FILE", help="Its labels may be missing; as --train.")]
Text = Annotated[str | None, typer.Option("--text", metavar="COL", help="The column of the sentences.")]
Pair = Annotated[
    str | None, typer.Option("--pair", metavar="COL", help="The column of the second sentences of pairs; '' for none.")
]
Label = Annotated[str | None, typer.Option("--label", metavar="COL", help="The column of the labels.")]
Kind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help="classification or regression.")]
Classes = Annotated[
    str | None,
    typer.Option("--classes", metavar="A,B,…", help="The classes in order, as the file has them, or names for 0, 1, …"),
]
LabelRange = Annotated[
    str | None, typer.Option("--range", metavar="LOW,HIGH", help="The least and the greatest label of regression.")
]
MetricName = Annotated[
    str | None,
    typer.Option("--metric", metavar="NAME", help="What it is judged by: accuracy, macro_f1, f1, matthews, pearson, "
                 "spearman."),
]  # fmt: skip
Prediction = Annotated[
    str | None,
    typer.Option("--prediction", metavar="HOW", help="logits (of a head), or cosine, as by default of pairs with "
                 "numbers."),
]  # fmt: skip
Title = Annotated[str, typer.Option("--title", metavar="TEXT", help="What tables call it.")]
HubSet = Annotated[
    str | None, typer.Option("--hub", metavar="OWNER/NAME[:CONFIG]", help="Bring a data set of the Hugging Face hub.")
]
Revision = Annotated[
    str | None, typer.Option("--revision", metavar="COMMIT", help="Of its Parquet branch; by default the newest.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the task of that name.")]
MaxLength = Annotated[
    str | None, typer.Option("--max-length", metavar="N", help="Tokens behind which a sentence is cut; by default 128.")
]


@task.callback()
def own_tasks() -> None:
    """Define tasks of your own, and look at their data."""


@task.command()
def add(
    context: typer.Context,
    name: TaskName,
    train: Train = None,
    dev: Dev = None,
    test: Test = None,
    text: Text = None,
    pair: Pair = None,
    label: Label = None,
    kind: Kind = None,
    classes: Classes = None,
    label_range: LabelRange = None,
    metric: MetricName = None,
    prediction: Prediction = None,
    title: Title = "",
    hub: HubSet = None,
    revision: Revision = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Define a task by its files, or by a data set of the hub.

    What is not said is guessed, and told. The definition, tasks/NAME.toml beside the registry, is yours to edit.
    sst5, qqp, stsb, cola, mrpc and mnli are known by name and brought from the hub.
    """
    from bertmt.services.tasks.adding import Wanted, understood, write_definition
    from bertmt.services.tasks.requests import with_files

    folder = registry_path(context).parent
    said = Wanted(name=name, files={}, text=text, pair=pair, label=label, kind=kind, classes=classes,
                  label_range=label_range, metric=metric, prediction=prediction, title=title)  # fmt: skip
    wanted = with_files(folder, said, {"train": train, "dev": dev, "test": test}, hub, revision, force)
    found = understood(wanted)
    file = write_definition(folder, found.task, force)
    _write_added(found, file, as_json)


def _write_added(found: "Understood", file: Path, as_json: bool) -> None:
    from bertmt.cli.task_records import added_record
    from bertmt.services.tasks.formatting import example_lines, task_lines

    diagnostics.note(*found.remarks)
    if as_json:
        output.write_document("bertmt.task_added/1", added_record(found, str(file)))
        return
    width = output.table_width()
    output.write_lines(task_lines(found.task, found.sizes, width))
    output.write_lines(["", *example_lines(found.task, found.examples, width), "", safe_text(f"Wrote {file}.")])
    name = found.task.name
    diagnostics.note(f"Next: `bertmt task audit {name}`, then `bertmt queue --preset baseline --set tasks={name}`.")


@task.command("list")
def list_tasks(context: typer.Context, as_json: AsJson = False) -> None:
    """List the tasks that recipes may name.

    Below them stand those that `bertmt task add` knows by name and brings from the hub.
    """
    from bertmt.cli.task_records import task_record
    from bertmt.services.plan.known_tasks import known_tasks
    from bertmt.tasks.known_sources import KNOWN_SOURCES

    folder = registry_path(context).parent
    known = known_tasks(folder)
    if as_json:
        tasks = [task_record(each, _file(folder, name)) for name, each in known.items()]
        hub = [{"name": name, "data_set": each.data_set, "hub": f"{each.repository}:{each.configuration}",
                "train": each.train, "dev": each.dev} for name, each in KNOWN_SOURCES.items()]  # fmt: skip
        output.write_document("bertmt.tasks/1", {"tasks": tasks, "broken": known.broken, "hub": hub})
        return
    output.write_lines(table(COLUMNS, [_row(each) for each in known.values()], output.table_width()))
    left = {name: each for name, each in KNOWN_SOURCES.items() if name not in known}
    brought = [f"{name} ({each.train:,} + {each.dev:,})" for name, each in left.items()]
    if brought:
        output.write_lines(["", f"`bertmt task add NAME` brings (train + dev examples) {', '.join(brought)}."])
    for problem in known.broken.values():
        diagnostics.warn(problem)


def _row(about: "Task") -> Row:
    labels = (
        counted(len(about.classes), "class", "classes") if about.classes else f"{about.minimum:g}–{about.maximum:g}"
    )
    return Row([about.name, about.title, about.inputs, labels, about.metric.title, about.data_set])


def _file(folder: Path, name: str) -> str | None:
    from bertmt.services.tasks.own_tasks import definition_file

    found = definition_file(folder, name)
    return None if found is None else str(found)


@task.command()
def show(context: typer.Context, name: KnownTask, as_json: AsJson = False) -> None:
    """Print a task's definition as TOML."""
    from bertmt.cli.task_records import task_record
    from bertmt.services.tasks.adding import definition_text
    from bertmt.services.tasks.own_tasks import find_task

    folder = registry_path(context).parent
    found = find_task(folder, name)
    if as_json:
        output.write_document("bertmt.task/1", {"task": task_record(found, _file(folder, name))})
        return
    output.write_data([definition_text(found, folder)])


@task.command()
def rm(context: typer.Context, name: KnownTask, as_json: AsJson = False) -> None:
    """Delete a task's definition.

    Its data stay, and runs keep what it was.
    """
    from bertmt.services.tasks.own_tasks import remove_definition

    file = remove_definition(registry_path(context).parent, name)
    if as_json:
        output.write_document("bertmt.task_removed/1", {"name": name, "file": str(file)})
        return
    output.write_lines([safe_text(f"Deleted {file}.")])


@task.command()
def audit(
    context: typer.Context,
    name: KnownTask,
    data: DataFolder = None,
    encoder: EncoderName = None,
    max_length: MaxLength = None,
    as_json: AsJson = False,
) -> None:
    """Look at a task's data before training on them.

    Sizes, balance of classes, lengths, what is cut at the maximum length, repeated, or in train too, and labels that
    contradict each other.
    """
    from bertmt.cli.task_records import audit_record
    from bertmt.services.plan.recipes import chosen_recipe
    from bertmt.services.tasks.audit import audit as look
    from bertmt.services.tasks.formatting import audit_lines
    from bertmt.services.tasks.own_tasks import find_task

    folder = registry_path(context).parent
    values: dict[str, Any] = {"data": data, "encoder": encoder, "max_length": max_length}
    recipe = chosen_recipe(None, None, None, {key: value for key, value in values.items() if value is not None})
    found = look(find_task(folder, name), recipe, chose_encoder=encoder is not None)
    for remark in found.remarks:
        diagnostics.warn(remark)
    if as_json:
        output.write_document("bertmt.task_audit/1", audit_record(found))
        return
    output.write_lines(audit_lines(found, output.table_width()))
