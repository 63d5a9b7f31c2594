"""`bertmt slices`."""

from typing import Annotated, Any

import typer

from bertmt.cli import completion, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span

First = Annotated[
    str,
    typer.Argument(
        metavar="A", help="The run that is looked at, or compared with.", autocompletion=completion.runs
    ),
]  # fmt: skip
Second = Annotated[
    str | None,
    typer.Argument(
        metavar="[B]", help="The run that is judged against it.", show_default=False, autocompletion=completion.runs
    ),
]  # fmt: skip
Task = Annotated[str | None, typer.Option("--task", metavar="TASK", help="A task of the runs; by default the first.")]
Slices = Annotated[
    list[str] | None,
    typer.Option(
        "--slice", metavar="NAME=REGEX", help="A slice of your own: the examples whose texts hold the regular "
        "expression; column=NAME slices by a column of your task's dev file. May be repeated.",
    ),
]  # fmt: skip


def slices(
    context: typer.Context, first: First, second: Second = None, task: Task = None, own: Slices = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show scores by slice of dev, of one run or of two.

    By length, negation, hedges, contrasts and intensifiers (English words), by true class or band of the label, and by
    whether a sentence stands in the training data. Of two runs with the difference, corrected for the number of slices.
    """
    from bertmt.errors import UsageError
    from bertmt.services.analysis.changes.flips import two_runs
    from bertmt.services.analysis.changes.slices import parse_own, slice_differences, slice_scores
    from bertmt.services.analysis.examples import examples_of
    from bertmt.services.browse.lookup import find_run

    database = existing_registry(context)
    asked = [parse_own(text) for text in own or ()]
    run = find_run(database, first)
    if second is not None:
        runs = two_runs(database, run, find_run(database, second), task)
        differences, made = slice_differences(runs, asked)
        _write([runs.a, runs.b], differences, made, as_json)
        return
    name = task or next(iter(run.tasks), None)
    if name is None:
        raise UsageError(f"Run {run.id} trained no task.")
    table = examples_of(database, run, name)
    scores, made = slice_scores(table, asked)
    _write([table], scores, made, as_json)


def _write(tables: list[Any], found: Any, made: Any, as_json: bool) -> None:
    from bertmt.services.analysis.changes import slice_formatting as words

    if as_json:
        output.write_document("bertmt.slices/1", _record(tables, found, made))
        return
    width, about = output.table_width(), tables[-1].about
    named = " → ".join(f"{each.run.name} ({each.run.id})" for each in tables)
    title: Line = (Span(safe_text(f"{about.title}, dev: {named}"), "title"),)
    rows = (words.format_differences if len(tables) > 1 else words.format_scores)(found, about, width)
    output.write_lines([title, *rows, *words.format_notes(found, about, made, width)])


def _record(tables: list[Any], found: Any, made: Any) -> dict[str, Any]:
    runs = [{"run": each.run.id, "name": each.run.name, "seed": each.run.seed, "epoch": each.epoch} for each in tables]
    return {
        "task": tables[-1].task,
        "a": runs[0],
        "b": runs[1] if len(runs) > 1 else None,
        "slices": [_difference(each) if len(runs) > 1 else _score(each) for each in found],
        "remarks": list(made.remarks),
    }


def _score(each: Any) -> dict[str, Any]:
    """Of one run in a slice."""
    (low, high), (low_together, high_together) = each.interval or (None, None), each.together or (None, None)
    return {
        "name": each.name, "n": each.n, "metric": each.metric, "commonest": each.commonest, "score": each.score,
        "low": low, "high": high, "low_together": low_together, "high_together": high_together,
    }  # fmt: skip


def _difference(each: Any) -> dict[str, Any]:
    """Of two runs in a slice."""
    names = ("score_a", "score_b", "difference", "low", "high", "p", "p_corrected", "family", "level", "test")
    found = {name: getattr(each.result, name, None) for name in names}
    if not each.is_judged:
        found |= {"p_corrected": None, "family": None, "level": None}
    verdict = str(each.result.verdict) if each.is_judged else None
    about = {"name": each.name, "n": each.n, "metric": each.metric, "commonest": each.commonest}
    return {**about, **found, "verdict": verdict}
