"""Figures 6, 8 and 10 of ours: STS by LoRA's rank, a confusion matrix, predictions against labels."""

import re
from collections.abc import Sequence

import numpy as np

from bertmt.drawing import numbers
from bertmt.drawing.charts.axes import XAxis
from bertmt.drawing.charts.bands import Band
from bertmt.drawing.charts.curves import Panel, View, draw_panel
from bertmt.drawing.charts.heatmap import draw_confusion, with_rates
from bertmt.drawing.charts.scatter import Cloud, draw_scatter
from bertmt.drawing.charts.series import Series
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.sentences import cloud_sentences, curve_sentences, matrix_sentences, sentence_page
from bertmt.drawing.styled import Line, Span, ascii_lines, line
from bertmt.services.analysis.paper.cells import Cell
from bertmt.services.analysis.paper.figures import FoundFigure, Matrix, Scatter

RANKS = XAxis("rank", "LoRA's rank", whole=True, least=1.0)
CURVE_HEIGHT, CLOUD_HEIGHT, MOST_WIDTH = 12, 18, 78
_RANK = re.compile(r"-r(\d+)(-all)?$")


def picture_lines(found: FoundFigure, width: int, ascii_only: bool = False, words: bool = False) -> list[Line]:
    """Our picture of a figure that is one; nothing of others.

    Args:
        words: sentences in the place of pictures.
    """
    width = min(width, MOST_WIDTH)
    if found.figure.shows == "ranks":
        return _ranks(found.cells, width, ascii_only, words)
    if found.figure.shows not in ("matrix", "scatter"):
        return []
    if found.picture is None:
        why = found.why_none or f"No finished run of {found.figure.models[0]} yet."
        return [line(Span(part, "dim")) for part in wrapped(safe_text(why), width)]
    run = found.picture.run
    title = f"Ours: {run.id} ({run.name}, seed {run.seed}), whose score is nearest the mean of all seeds"
    if isinstance(found.picture, Matrix):
        drawn = _matrix(found.picture, width, words)
    else:
        drawn = _scatter(found.picture, width, ascii_only, words)
    lines = [*(line(part) for part in wrapped(safe_text(title), width)), *drawn]
    return ascii_lines(lines) if ascii_only else lines


def _matrix(picture: Matrix, width: int, words: bool) -> list[Line]:
    if words:
        drawn = sentence_page(matrix_sentences(picture.counts, picture.classes), width)
    else:
        drawn = with_rates(draw_confusion(picture.counts, picture.classes, width=width), picture.counts, width)
    told = ", ".join(f"{each} {picture.classes[each]} in {numbers.count(count)}" for each, count in picture.involved)
    return [*drawn, *(line(part) for part in wrapped(safe_text(f"Of ours, mistakes involve {told}."), width))]


def _scatter(picture: Scatter, width: int, ascii_only: bool, words: bool) -> list[Line]:
    found = picture.similarity
    cloud = Cloud(found.labels, found.predicted, found.fit, scale=picture.scale)
    if words:
        drawn = sentence_page(cloud_sentences(cloud), width)
    else:
        drawn = draw_scatter(cloud, width, CLOUD_HEIGHT, ascii_only)
    told = ", ".join(f"{low:g} to {high:g} {away:.2f}" for low, high, away in picture.distances)
    said = [f"Of ours, mean distance from the line by label: {told}."] if told else []
    return [*drawn, *(line(part) for each in said for part in wrapped(each, width))]


def _ranks(found: Sequence[Cell], width: int, ascii_only: bool, words: bool) -> list[Line]:
    """Our means by rank, of both readings, with bands where 95 % of single runs lie."""
    series: list[Series] = []
    bands: list[Band] = []
    for ending, name in (("", "one task"), ("-all", "all tasks")):
        known = sorted((int(match[1]), each) for each in found if each.mean is not None
                       and (match := _RANK.search(each.model)) and (match[2] or "") == ending)  # fmt: skip
        if not known:
            continue
        ranks = np.array([float(rank) for rank, _ in known])
        mean, low, high = (
            np.array([np.nan if (value := getattr(each, end)) is None else value for _, each in known])
            for end in ("mean", "low", "high")
        )
        if np.isfinite(low).all() and len(known) > 1:
            bands.append(Band(Series(name, ranks, low), Series(name, ranks, high), len(series)))
        series.append(Series(name, ranks, mean, exact=True))
    if not any(len(each.steps) > 1 for each in series):
        return []
    panel = Panel("ours by rank", series, bands=bands)
    if words:
        return sentence_page(curve_sentences(panel, axis=RANKS), width)
    lines = draw_panel(panel, width, CURVE_HEIGHT, View(axis=RANKS, ascii_only=ascii_only)).lines
    return ascii_lines(lines) if ascii_only else lines
