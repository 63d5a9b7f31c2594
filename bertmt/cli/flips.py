"""`bertmt flips`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import completion, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.analysis.changes.flips import Cell, TwoRuns
    from bertmt.services.opening import Registry


class Kind(StrEnum):
    """Which examples are listed."""

    FIXED = "fixed"
    BROKEN = "broken"
    WRONG = "wrong"
    CLOSER = "closer"
    FARTHER = "farther"


First = Annotated[
    str,
    typer.Argument(
        metavar="A", help="The run that is compared with; alone, the one that is judged against its baseline.",
        autocompletion=completion.runs,
    ),
]  # fmt: skip
Second = Annotated[
    str | None,
    typer.Argument(metavar="[B]", help="The run that is judged.", show_default=False, autocompletion=completion.runs),
]
Task = Annotated[str | None, typer.Option("--task", metavar="TASK", help="A task of both runs; by default the first.")]
CellWords = Annotated[
    str | None,
    typer.Option(
        "--cell", metavar="TRUE,PREDICTED", help="Only examples that either run puts into that cell of the confusion "
        "matrix: two classes by number or name, as in 2,3.",
    ),
]  # fmt: skip
Shown = Annotated[
    list[Kind] | None,
    typer.Option(
        "--show", help="Which examples are listed: of classes fixed, broken, or wrong in both; of numbers closer to "
        "their label or farther from it. May be repeated; by default fixed and broken, or closer and farther.",
    ),
]  # fmt: skip
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=0, max=10_000, help="At most so many examples of each kind.")
]


def flips(
    context: typer.Context, first: First, second: Second = None, task: Task = None, cell: CellWords = None,
    shown: Shown = None, limit: Limit = 10, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show which dev examples run B fixed and broke since A.

    Mistakes by cell of the confusion matrix, then the sentences with both predictions and their confidences. Of a task
    of numbers: which predictions came closer to their label, each run's by the straight line that fits them best, since
    a correlation leaves their scale open. p is uncorrected: compare gives the verdict. --json lists the same examples
    with their whole texts.
    """
    from bertmt.services.analysis.changes.flips import CLASS_KINDS, NUMBER_KINDS, parse_cell, two_runs

    database = existing_registry(context)
    found = two_runs(database, *runs_to_compare(database, first, second), task)
    chosen = parse_cell(cell, found.about) if cell is not None else None
    usual = CLASS_KINDS[:2] if found.about.classes else NUMBER_KINDS
    kinds = [str(each) for each in dict.fromkeys(shown or ())] or list(usual)
    lists = {kind: found.of_kind(kind, chosen)[:limit] for kind in kinds}
    if as_json:
        output.write_document("bertmt.flips/1", _record(found, chosen, lists))
        return
    _write(found, chosen, list(lists), limit)


def runs_to_compare(database: "Registry", first: str, second: str | None) -> "tuple[Run, Run]":
    """The runs that two words name; of one word its baseline, and that run.

    Raises:
        NotFoundError, UsageError: as `find_run`; or the run has no baseline.
    """
    from bertmt.services.analysis.run_predictions import compared_run
    from bertmt.services.browse.lookup import find_run

    run = find_run(database, first)
    return (run, find_run(database, second)) if second is not None else (compared_run(database, run), run)


def _write(found: "TwoRuns", cell: "Cell | None", kinds: list[str], limit: int) -> None:
    from bertmt.services.analysis.changes import flip_formatting as words

    width = output.table_width()
    cells = words.format_cells(found, width)
    output.write_lines(words.format_summary(found, width))
    if cells:
        output.write_lines(["", *cells])
    for kind in kinds if limit else ():
        output.write_lines(["", *words.format_examples(found, kind, cell, limit, width)])


def _record(found: "TwoRuns", cell: "Cell | None", lists: dict[str, Any]) -> dict[str, Any]:
    measured = found.measured
    names = ("score_a", "score_b", "difference", "low", "high", "p", "test", "n")
    return {
        "task": found.b.task,
        "classes": list(found.about.classes),
        "a": _run(found.a),
        "b": _run(found.b),
        "counts": {kind: len(found.of_kind(kind, cell)) for kind in found.kinds},
        "difference": {name: getattr(measured, name) for name in names},
        "cell": list(cell) if cell else None,
        "cells": _cells(found),
        "examples": [_example(found, kind, int(index)) for kind, chosen in lists.items() for index in chosen],
    }


def _run(table: Any) -> dict[str, Any]:
    return {"run": table.run.id, "name": table.run.name, "seed": table.run.seed, "epoch": table.epoch}


def _cells(found: "TwoRuns") -> list[dict[str, int]]:
    cells = found.cells
    names = ("before", "fixed", "broken", "left", "entered", "after")
    return [
        {"true": true, "predicted": wrong, **{name: int(getattr(cells, name)[true, wrong]) for name in names}}
        for true, wrong in (cells.by_movement() if cells else ())
    ]


def _example(found: "TwoRuns", kind: str, index: int) -> dict[str, Any]:
    example, has_classes = found.b.examples[index], bool(found.about.classes)
    number = int if has_classes else float
    values = {
        side: {
            "predicted": number(table.predicted[index]),
            "confidence": None if table.confidence is None else float(table.confidence[index]),
        }
        for side, table in (("a", found.a), ("b", found.b))
    }
    return {
        "kind": kind, "id": example.id, "first": example.first, "second": example.second,
        "label": number(found.b.labels[index]), **values,
    }  # fmt: skip
