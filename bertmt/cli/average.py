"""`bertmt average`."""

from typing import Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson, RunWords
from bertmt.cli.records import run_record
from bertmt.drawing.safe_text import safe_text

Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="What it is called; by default RUN-average.")]


def average(context: typer.Context, runs: RunWords, name: Name = None, as_json: AsJson = False) -> None:
    """Make a run of the mean of what several finished runs predict.

    Of classes their probabilities are averaged, of numbers the numbers on the scale of the labels. It has scores,
    is listed and compared like the others, and is asked by `bertmt predict` and `try` as long as the models of all its
    runs are there. The runs must have the same tasks and dev examples; `bertmt average final` takes all seeds of one.
    """
    from bertmt.services.browse.lookup import named_runs
    from bertmt.services.lifecycle.average import average as store_average

    database = existing_registry(context)
    made = store_average(database, named_runs(database, runs), name)
    if as_json:
        output.write_document("bertmt.averaged/1", {"averaged": run_record(made)})
        return
    output.write_lines([safe_text(f"{made.id} {made.name}; `bertmt show {made.id}`")])
    diagnostics.note(*(made.progress.finished.remarks if made.progress.finished else ()))
