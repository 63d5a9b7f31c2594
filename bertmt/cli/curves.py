"""`bertmt curves`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry, named_runs
from bertmt.cli.parameters import Ascii, AsJson, RunWords

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertmt.drawing.charts.axes import XAxis
    from bertmt.drawing.charts.series import Series
    from bertmt.drawing.styled import Line
    from bertmt.services.browse.curves import Curve
    from bertmt.services.browse.times.along import Along


class Axis(StrEnum):
    """What curves are drawn over."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"


SeriesNames = Annotated[
    list[str] | None,
    typer.Option(
        "--series", metavar="NAME",
        help="Such as loss/*, dev/overall or partial/* (dev scores of a few examples, between two evaluations); may be "
        "repeated. Default: one run's losses, or several runs' dev scores.",
    ),
]  # fmt: skip
Smooth = Annotated[
    float, typer.Option("--smooth", metavar="WEIGHT", min=0, max=0.9999, help="Exponential smoothing; 0 is none.")
]
Over = Annotated[
    Axis,
    typer.Option(
        "--x",
        help="What the x axis counts. Time is that of training, evaluations included: without pauses, without what "
        "lies between two attempts, and without steps that were lost and done again.",
    ),
]
LogScale = Annotated[bool, typer.Option("--log", help="Logarithmic y axis.")]
Width = Annotated[
    int, typer.Option("--width", metavar="N", min=0, max=output.LARGEST, help="Width in columns; 0 is the terminal's.")
]
Height = Annotated[
    int, typer.Option("--height", metavar="N", min=0, max=output.LARGEST, help="Height in lines; 0 chooses one.")
]
USUAL_HEIGHT = 20


def curves(
    context: typer.Context,
    runs: RunWords,
    series: SeriesNames = None,
    smooth: Smooth = 0.0,
    x: Over = Axis.STEP,
    log: LogScale = False,
    width: Width = 0,
    height: Height = 0,
    only_ascii: Ascii = False,
    as_json: AsJson = False,
) -> None:
    """Draw losses, dev scores and other series of runs."""
    from bertmt.drawing.charts.curves import draw_curves
    from bertmt.services.browse.baseline import known_baselines
    from bertmt.services.browse.curves import curves_of, drawn_curves
    from bertmt.services.browse.times.along import curves_along

    database = existing_registry(context)
    named = named_runs(database, runs)
    found = curves_of(database, named, tuple(series or ()), smooth)
    placed = curves_along(database, found, x.value)
    if as_json:
        output.write_document("bertmt.curves/1", {"x": x.value, "curves": _records(found, placed)})
        return
    shown = list(placed.curves.values())
    size, plain = _size(width, height), only_ascii or output.is_ascii()
    title = found[0].series if len({each.series for each in found}) == 1 else ""
    drawn = drawn_curves(shown, named, known_baselines(database).references)
    said = curves_in_words(drawn, title, size[0], placed.axis)
    output.write_lines(said or draw_curves(drawn, *size, log_y=log, axis=placed.axis, y_label=title, ascii_only=plain))
    if placed.lacking:
        diagnostics.note(f"{placed.title}.")
    if smooth:
        diagnostics.note(f"Smoothed: each point holds {smooth:g} of the past; dev scores and losses never are.")


def _size(width: int, height: int) -> tuple[int, int]:
    columns, lines = output.size()
    return width or columns, height or min(USUAL_HEIGHT, max(lines - 2, 8))


def _records(found: "Sequence[Curve]", placed: "Along") -> list[dict[str, object]]:
    """Steps of whole numbers, and beside them the places on the axis, unless that is of steps."""
    records: list[dict[str, object]] = []
    for each in found:
        there = None if placed.is_of_steps else placed.curves.get((each.run.key, each.series))
        records.append({
            "run": each.run.id, "name": each.run.name, "seed": each.run.seed, "series": each.series,
            "steps": each.step_list(), "x": None if there is None else placed.numbers(there),
            "values": each.value_list(),
        })  # fmt: skip
    return records


def curves_in_words(drawn: "Sequence[Series]", title: str, width: int, axis: "XAxis | None" = None) -> "list[Line]":
    """Curves in sentences where the environment asks for words; none where it does not."""
    from bertmt.drawing import sentences
    from bertmt.drawing.charts.axes import STEPS
    from bertmt.drawing.charts.curves import Panel
    from bertmt.drawing.plain import words_are_wanted

    if not words_are_wanted():
        return []
    said = sentences.curve_sentences(Panel(title, drawn), axis=axis or STEPS)
    return sentences.sentence_page(said, width)
