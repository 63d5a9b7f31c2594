"""`bertmt import-predictions`."""

from pathlib import Path
from typing import Annotated

import typer

from bertmt.cli import output
from bertmt.cli.invocation import registry_to_fill
from bertmt.cli.parameters import AsJson
from bertmt.cli.records import run_record
from bertmt.drawing.safe_text import safe_text

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the run is called.", show_default=False)]
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Prediction files, one per --task.", show_default=False)
]
TaskNames = Annotated[
    list[str], typer.Option("--task", metavar="TASK", help="The task of each file, in order.", show_default=False)
]
Data = Annotated[str | None, typer.Option(metavar="DIR", help="The data that was predicted; by default bertmt.toml's.")]
Split = Annotated[str, typer.Option(metavar="SPLIT", help="Which split was predicted: dev, the one that is compared.")]


def import_predictions(
    context: typer.Context,
    name: Name,
    files: Files,
    tasks: TaskNames,
    split: Split = "dev",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Import another program's predictions as a run.

    Files are as the course's: after a header `id , prediction` on each line, a number on the scale of the labels (of a
    task that is predicted by the cosine, also the cosine). The run is listed, compared and reported
    like others: `bertmt import-predictions theirs --task sst sst-dev-output.csv`, then `bertmt compare`.
    """
    from bertmt.services.lifecycle.import_predictions import bring_predictions

    run = bring_predictions(registry_to_fill(context), name, files, tasks, split, data)
    if as_json:
        output.write_document("bertmt.imported/1", {"imported": [run_record(run)], "refused": []})
    else:
        output.write_lines([safe_text(f"{run.id} {run.name}: {', '.join(tasks)}; `bertmt show {run.id}`")])
