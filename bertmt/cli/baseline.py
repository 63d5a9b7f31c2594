"""`bertmt baseline`."""

from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import completion, diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.cli.records import run_record
from bertmt.drawing.facts import facts
from bertmt.drawing.safe_text import safe_text
from bertmt.services.browse.run_formatting import scale_line

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.opening import Registry

OptionalRun = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="A finished run.", autocompletion=completion.runs)
]
Clear = Annotated[bool, typer.Option("--clear", help="Choose automatically again.")]


def baseline(context: typer.Context, run: OptionalRun = None, clear: Clear = False, as_json: AsJson = False) -> None:
    """Show or set the run that others are compared with.

    Unless one is set, each run is compared with the `baseline` of equal scale that finished first: the same encoder,
    budget, batch, learning rate and dev data; among several seeds, with that of its own. What is set stays until
    somebody sets another.
    """
    from bertmt.errors import UsageError
    from bertmt.services.browse.baseline import choose_baseline
    from bertmt.services.browse.lookup import find_run

    if run and clear:
        raise UsageError("Either name a run or --clear.")
    database = existing_registry(context)
    if run or clear:
        choose_baseline(database, find_run(database, run) if run else None)
    _write(database, as_json)


def _write(database: "Registry", as_json: bool) -> None:
    from bertmt.services.browse.baseline import Baselines
    from bertmt.services.browse.listing import list_runs

    baselines = Baselines(database)
    chosen = baselines.chosen
    listed = [] if chosen else list_runs(database)
    automatic = [row.run for row in listed if row.baseline is not None and row.baseline.key == row.run.key]
    if as_json:
        content = {
            "chosen": chosen is not None,
            "baseline": run_record(chosen) if chosen else None,
            "automatic": [run_record(each) for each in automatic],
        }
        output.write_document("bertmt.baseline/1", content)
    elif chosen:
        output.write_lines(["Chosen for every run:", *facts({_name(chosen): scale_line(chosen)}, output.table_width())])
        diagnostics.note("`bertmt baseline --clear` goes back to the first finished `baseline` of equal scale.")
    elif baselines.gone:
        diagnostics.note(baselines.why_gone)
    elif automatic:
        output.write_lines(["Each run's is the first finished `baseline` of equal scale, its own seed first:"])
        found = {_name(each): scale_line(each) for each in automatic}
        output.write_lines(facts(found, output.table_width()))
    else:
        diagnostics.note("There is none yet: `bertmt queue --preset baseline` queues one.")


def _name(run: "Run") -> str:
    return safe_text(f"{run.id} {run.name} (seed {run.seed})")
