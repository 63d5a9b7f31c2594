"""Training in figures: dev scores and losses, a curve per arm, that of several seeds a mean in a band."""

from collections.abc import Iterator, Sequence

from bertmt.drawing.charts.bands import Band, mean_and_band
from bertmt.drawing.charts.curves import Panel
from bertmt.drawing.charts.series import Series
from bertmt.drawing.figures.curves import draw_curves
from bertmt.drawing.numbers import counted
from bertmt.errors import NotFoundError
from bertmt.registry.database import Database
from bertmt.services.analysis.arms import Arm, distinct_names, tasks_of_arms
from bertmt.services.analysis.report.document import Block, Paragraph, Picture, Pictures, Section, figure_name
from bertmt.services.browse.baseline import known_baselines
from bertmt.services.browse.curves import Curve, curves_of, is_evaluation
from bertmt.services.browse.run_formatting import run_places
from bertmt.tasks.task import Tasks

SERIES = ("dev/*", "loss/*")
SMOOTHING = 0.9  # of losses, which are sampled from batches
MOST_ARMS, MOST_PANELS = 8, 24
CAPTIONS = {"dev": "after each epoch, on dev", "loss": "of batches, smoothed"}
SMOOTHED = f"Losses are moving averages that hold {SMOOTHING:g} of the past; dev scores never are."


def curve_section(database: Database, arms: Sequence[Arm]) -> Section | None:
    """The figures; None where nothing was measured."""
    shown = arms[:MOST_ARMS]
    try:
        curves = curves_of(database, [run for arm in shown for run in arm.newest], SERIES, SMOOTHING)
    except NotFoundError:
        return None
    tasks = tasks_of_arms(arms)
    places = places_of(database, arms)
    in_order = sorted({each.series for each in curves}, key=lambda name: _order(name, tasks))
    pictures = [
        Picture(figure_name("curves", name), figure, f"{title_of(name, tasks)}: {CAPTIONS[name.partition('/')[0]]}")
        for name in in_order[:MOST_PANELS]
        if (figure := draw_curves(_panel(name, curves, shown, places, tasks)))
    ]
    said = list(_said(arms, len(in_order)))
    return Section("Curves", [Pictures(pictures), *said]) if pictures else None


def places_of(database: Database, arms: Sequence[Arm]) -> dict[int, int]:
    """The place of the look of each arm in every figure, by the key of its first run: that which it has elsewhere."""
    return run_places((arm.runs[0] for arm in arms), known_baselines(database).references)


def _said(arms: Sequence[Arm], panels: int) -> Iterator[Block]:
    several = " Several seeds are their mean, in a band from the lowest to the highest of them."
    yield Paragraph(SMOOTHED + (several if any(len(arm.runs) > 1 for arm in arms) else ""), True)
    if len(arms) > MOST_ARMS:
        yield Paragraph(f"The first {MOST_ARMS} of {len(arms):,} arms; `bertmt curves` draws others.", True)
    if panels > MOST_PANELS:
        yield Paragraph(f"{counted(panels - MOST_PANELS, 'series', 'series')} more: `bertmt curves` draws them.", True)


def title_of(series: str, tasks: Tasks) -> str:
    """What a series is called: "STS ρ", "SST loss"."""
    kind, _, owner = series.partition("/")
    if kind == "dev":
        return tasks[owner].score_title if owner in tasks else owner
    return f"{tasks[owner].title if owner in tasks else owner} loss"


def _order(series: str, tasks: Tasks) -> tuple[bool, int, str]:
    """Dev scores before losses, the overall one first, tasks in their order, phases of pretraining last."""
    kind, _, owner = series.partition("/")
    names = ["overall", *tasks]
    return kind != "dev", names.index(owner) if owner in names else len(names), owner


def _panel(name: str, curves: Sequence[Curve], arms: Sequence[Arm], places: dict[int, int], tasks: Tasks) -> Panel:
    drawn: list[Series] = []
    bands: list[Band] = []
    for arm, arm_name in zip(arms, distinct_names(arms), strict=True):
        of_arm = {run.key for run in arm.runs}
        own = [
            Series(arm_name, each.steps, each.values, exact=is_evaluation(name), place=places[arm.runs[0].key])
            for each in curves
            if each.series == name and each.run.key in of_arm and len(each.steps)
        ]
        if len(own) > 1:
            label = f"{arm_name}, {counted(len(own), 'seed')}"
            mean, band = mean_and_band(label, own, places[arm.runs[0].key], len(drawn))
            bands.append(band)
            own = [mean]
        drawn += own
    return Panel(title_of(name, tasks), drawn, bands=bands)
