"""`bertmt curves`."""

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import completion, diagnostics, output
from bertmt.cli.invocation import existing_registry, named_runs
from bertmt.cli.parameters import Ascii, AsJson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bertmt.drawing.charts.axes import XAxis
    from bertmt.drawing.charts.curves import Panel
    from bertmt.drawing.styled import Line
    from bertmt.registry.records import Run
    from bertmt.services.browse.curves import Curve
    from bertmt.services.browse.times.along import Along
    from bertmt.services.opening import Registry


class Axis(StrEnum):
    """What curves are drawn over."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"


RunsOfCurves = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN...]", help="Ids, names, or the beginning of one; a name may be shared by several seeds.",
        autocompletion=completion.runs, show_default=False,
    ),
]  # fmt: skip
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group", metavar="SEEDS", help="Seeds of one recipe as their mean in a band: a run's id for all finished "
        "seeds of its recipe, or a name or filter for those that it matches; may be repeated.",
        autocompletion=completion.runs,
    ),
]  # fmt: skip
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
    runs: RunsOfCurves = None,
    groups: Groups = None,
    series: SeriesNames = None,
    smooth: Smooth = 0.0,
    x: Over = Axis.STEP,
    log: LogScale = False,
    width: Width = 0,
    height: Height = 0,
    only_ascii: Ascii = False,
    as_json: AsJson = False,
) -> None:
    """Draw losses, dev scores and other series of runs or groups."""
    from bertmt.services.browse.curves import curves_of
    from bertmt.services.browse.times.along import curves_along

    database = existing_registry(context)
    named = _named(database, runs or (), groups or ())
    found = curves_of(database, [run for group in named for run in group], tuple(series or ()), smooth)
    placed = curves_along(database, found, x.value)
    if as_json:
        drawn = _drawn_groups(_panel(database, placed, named, True, log)) if groups else []
        content = {"x": x.value, "curves": _records(found, placed), "groups": drawn}
        output.write_document("bertmt.curves/1", content)
        return
    panel = _panel(database, placed, named, bool(groups), log)
    _write(panel, placed, _size(width, height), only_ascii or output.is_ascii())
    if smooth:
        diagnostics.note(f"Smoothed: each point holds {smooth:g} of the past; dev scores and losses never are.")


def _named(database: "Registry", runs: "Sequence[str]", groups: "Sequence[str]") -> "Sequence[Sequence[Run]]":
    """Each run alone, or the groups."""
    from bertmt.errors import UsageError
    from bertmt.services.analysis.groups.naming import seed_groups

    if bool(runs) == bool(groups):
        raise UsageError("`bertmt curves` expects runs, or --group for each group of seeds, and not both.")
    if runs:
        return [[run] for run in named_runs(database, runs)]
    found = seed_groups(database, groups, with_baseline=False)
    diagnostics.note(*found.remarks)
    return found.groups


def _panel(
    database: "Registry", placed: "Along", named: "Sequence[Sequence[Run]]", is_of_groups: bool, log: bool
) -> "Panel":
    from bertmt.drawing.charts.curves import Panel
    from bertmt.services.analysis.groups.curves import group_panel
    from bertmt.services.browse.baseline import known_baselines
    from bertmt.services.browse.curves import drawn_curves

    shown, references = list(placed.curves.values()), known_baselines(database).references
    if is_of_groups:
        return replace(group_panel(shown, named, references, between=not placed.is_of_steps), log_y=log)
    title = shown[0].series if len({each.series for each in shown}) == 1 else ""
    return Panel(title, drawn_curves(shown, [run for (run,) in named], references), log_y=log)


def _write(panel: "Panel", placed: "Along", size: tuple[int, int], plain: bool) -> None:
    from bertmt.drawing.charts.curves import draw_curves

    said = panel_in_words(panel, size[0], placed.axis)
    output.write_lines(said or draw_curves(
        panel.series, *size, log_y=panel.log_y, axis=placed.axis, y_label=panel.title, bands=panel.bands,
        ascii_only=plain,
    ))  # fmt: skip
    if panel.bands:
        diagnostics.note("Of several seeds: their mean, in a band from the lowest to the highest.")
    if placed.lacking:
        diagnostics.note(f"{placed.title}.")


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


def _drawn_groups(panel: "Panel") -> list[dict[str, object]]:
    """The mean of each group and series, and its band; of one seed there is none."""
    from math import isnan

    bands = {band.of: band for band in panel.bands}

    def plain(values: "Iterable[float]") -> list[float | None]:
        return [None if isnan(value) else float(value) for value in values]

    return [
        {
            "name": each.name, "x": [float(place) for place in each.steps], "mean": plain(each.values),
            "low": plain(bands[at].low.values) if at in bands else None,
            "high": plain(bands[at].high.values) if at in bands else None,
        }
        for at, each in enumerate(panel.series)
    ]  # fmt: skip


def panel_in_words(panel: "Panel", width: int, axis: "XAxis | None" = None) -> "list[Line]":
    """Curves in sentences where the environment asks for words; none where it does not."""
    from bertmt.drawing import sentences
    from bertmt.drawing.charts.axes import STEPS
    from bertmt.drawing.plain import words_are_wanted

    if not words_are_wanted():
        return []
    return sentences.sentence_page(sentences.curve_sentences(panel, axis=axis or STEPS), width)
