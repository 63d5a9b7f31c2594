"""`bertmt export`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.choosing import MatchingRuns, Yes, chosen_runs
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import RunWordsOrNone
from bertmt.drawing import numbers
from bertmt.drawing.safe_text import safe_text

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.analysis.model_folder.export import Exported
    from bertmt.services.opening import Registry


class What(StrEnum):
    """What is exported."""

    METRICS = "metrics"
    PREDICTIONS = "predictions"


class Format(StrEnum):
    """What a folder is written for."""

    SENTENCE_TRANSFORMERS = "sentence-transformers"
    TRANSFORMERS = "transformers"
    TENSORBOARD = "tensorboard"
    CSV = "csv"
    PARQUET = "parquet"


MODELS = (Format.SENTENCE_TRANSFORMERS, Format.TRANSFORMERS)
To = Annotated[
    Format | None,
    typer.Option("--to", help="Write a folder, --out: the model of one run for a library, or what runs measured."),
]
Out = Annotated[str | None, typer.Option("--out", metavar="DIR", help="The folder that --to writes.")]
TaskName = Annotated[
    str | None, typer.Option("--task", metavar="TASK", help="With --to: which task, or whose encoder.")
]
Adapter = Annotated[
    bool, typer.Option("--adapter", help="With --to: LoRA as a peft adapter; else it is merged into the encoder.")
]
Force = Annotated[bool, typer.Option("--force", help="With --to: replace the folder of an earlier export.")]


def export(
    context: typer.Context,
    runs: RunWordsOrNone = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header; the default.")] = False,
    as_jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object per line.")] = False,
    what: Annotated[What, typer.Option("--what", help="All metric series, or dev predictions.")] = What.METRICS,
    to: To = None,
    out: Out = None,
    task: TaskName = None,
    adapter: Adapter = False,
    force: Force = False,
    matching: MatchingRuns = None,
    yes: Yes = False,
) -> None:  # fmt: skip
    """Export metrics, predictions, or a folder for another program.

    Metrics and predictions are CSV or JSON Lines. --to writes a folder. Of one run: weights in safetensors, tokenizer
    and model card: encoder and heads for SentenceTransformer(DIR), or one task for
    AutoModelForSequenceClassification.from_pretrained(DIR). Of any runs: recipes, curves with times, scores and
    confusion matrices, as TensorBoard's files or as tables; docs/export.md.
    """
    from bertmt.errors import UsageError
    from bertmt.services.analysis import export as exporting

    if as_csv and as_jsonl:
        raise UsageError("Either --csv or --jsonl.")
    of_folder = _named({"--out": out, "--task": task, "--adapter": adapter, "--force": force})
    of_rows = _named({"--csv": as_csv, "--jsonl": as_jsonl, "--what predictions": what is not What.METRICS})
    if (of_folder and not to) or (of_rows and to):
        where = "without --to" if to else f"with --to {'|'.join(Format)}"
        raise UsageError(f"{of_rows if to else of_folder} goes {where}.")
    if to and to not in MODELS and (task or adapter):
        raise UsageError(f"{'--task' if task else '--adapter'} goes with --to {'|'.join(MODELS)}.")
    database = existing_registry(context)
    found = chosen_runs(database, runs, matching, yes, "export")
    if to:
        _write_folder(database, found, to, out, task, adapter, force)
        return
    rows, columns = exporting.metric_rows(database, found), list(exporting.METRIC_COLUMNS)
    if what is What.PREDICTIONS:
        rows, columns = exporting.prediction_rows(database, found), list(exporting.PREDICTION_COLUMNS)
    output.write_data(exporting.json_lines(rows) if as_jsonl else exporting.csv_lines(columns, rows))


def _named(options: dict[str, object]) -> str:
    """The first option that was given, "" where none was."""
    return next((name for name, given in options.items() if given), "")


def _write_folder(
    database: "Registry", runs: "list[Run]", to: Format, out: str | None, task: str | None, adapter: bool, force: bool
) -> None:
    from bertmt.errors import UsageError
    from bertmt.services.analysis.model_folder.export import Request, export_model

    if to not in MODELS:
        _write_results(database, runs, to, out, force)
        return
    if len(runs) != 1 or not out:
        raise UsageError(f"--to {to} is for one run, and needs --out DIR.")
    request = Request(to=to.value, out=Path(out), task=task, adapter=adapter, force=force)
    exported = export_model(database, runs[0], request)
    output.write_lines(map(safe_text, _lines(runs[0], exported)))


def _write_results(database: "Registry", runs: "list[Run]", to: Format, out: str | None, force: bool) -> None:
    from bertmt.errors import UsageError
    from bertmt.services.analysis.results_folder.export import export_results

    if not out:
        raise UsageError(f"--to {to} needs --out DIR.")
    exported = export_results(database, runs, to.value, Path(out), force)
    files, size = numbers.counted(exported.files, "file"), numbers.size_words(exported.size)
    output.write_lines([safe_text(f"{exported.folder}: {numbers.counted(len(runs), 'run')}, {files}, {size}.")])
    if exported.timeless:
        listed = numbers.named([run.id for run in exported.timeless])
        diagnostics.note(
            f"When their points were measured is not known of {listed}: no events in their folders tell it."
        )


def _lines(run: "Run", exported: "Exported") -> list[str]:
    """What was written, what it can predict and what not; not yet safe for a screen."""
    contents = exported.contents
    files, size = numbers.counted(exported.files, "file"), numbers.size_words(exported.size)
    able = ", ".join(f"{run.tasks[name].title} by its {by}" for name, by in contents.predicted_by.items())
    lacking = [f"Without {run.tasks[name].title}: {why}." for name, why in contents.left_out.items()]
    return [
        f"{contents.folder}: {files}, {size}; README.md says how to load it.",
        *([f"Predicts {able}."] if able else []),
        *lacking,
    ]
