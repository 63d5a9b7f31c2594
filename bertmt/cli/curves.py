"""`bertmt curves`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry, named_runs
from bertmt.cli.parameters import Ascii, AsJson, RunWords

if TYPE_CHECKING:
    from bertmt.drawing.charts.series import Series
    from bertmt.drawing.styled import Line
    from bertmt.services.browse.curves import Curve

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
    log: LogScale = False,
    width: Width = 0,
    height: Height = 0,
    only_ascii: Ascii = False,
    as_json: AsJson = False,
) -> None:
    """Draw losses, dev scores and other series of runs."""
    from bertmt.drawing.charts.curves import draw_curves
    from bertmt.services.browse.curves import curves_of, drawn_curves

    database = existing_registry(context)
    named = named_runs(database, runs)
    found = curves_of(database, named, tuple(series or ()), smooth)
    if as_json:
        output.write_document("bertmt.curves/1", {"curves": [_record(each) for each in found]})
        return
    columns, lines = output.size()
    wide, high = width or columns, height or min(USUAL_HEIGHT, max(lines - 2, 8))
    titles = {each.series for each in found}
    title = found[0].series if len(titles) == 1 else ""
    plain = only_ascii or output.is_ascii()
    drawn = drawn_curves(found, named)
    said = curves_in_words(drawn, title, wide)
    output.write_lines(said or draw_curves(drawn, wide, high, log_y=log, y_label=title, ascii_only=plain))
    if smooth:
        diagnostics.note(f"Smoothed: each point holds {smooth:g} of the past; dev scores and losses never are.")


def curves_in_words(drawn: "Sequence[Series]", title: str, width: int) -> "list[Line]":
    """Curves in sentences where the environment asks for words; none where it does not."""
    from bertmt.drawing import sentences
    from bertmt.drawing.charts.curves import Panel

    return (
        sentences.sentence_page(sentences.curve_sentences(Panel(title, drawn)), width) if sentences.are_wanted() else []
    )


def _record(curve: "Curve") -> dict[str, object]:
    return {
        "run": curve.run.id, "name": curve.run.name, "seed": curve.run.seed, "series": curve.series,
        "steps": curve.step_list(), "values": curve.value_list(),
    }  # fmt: skip
