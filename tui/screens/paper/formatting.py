"""What is known of one of the paper's figures, as lines: its scores beside ours, the scale, and the paper's claims."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, beside, cells, cut_line, line, plain
from bertmt.drawing.tables import Column, Row, table
from bertmt.recipe.reported import Claim, Pair, claims_about
from bertmt.registry.records import Run
from bertmt.services.analysis.paper.table import AtScale, PaperRow
from bertmt.services.browse.run_formatting import scale_line, value_text
from tui.bindings import bound
from tui.plain.words import in_words
from tui.screens.paper.claim_columns import STYLES
from tui.screens.paper.columns import TITLES, FigureLine
from tui.screens.paper.judging import Judged

if TYPE_CHECKING:
    from bertmt.services.analysis.paper.claims import JudgedClaim

SIDE_BY_SIDE = 112  # cells from which on claims stand beside scores
SCORES_WIDTH = 66  # cells of the table of scores
GAP = 2


def figure_page(figure: FigureLine, judged: Judged, width: int, ascii_only: bool = False) -> list[Line]:
    """The title, then scores and claims, beside each other where there is room; then pictures."""
    title = _title(figure.row, width)
    shown = _pictures(figure, judged, width, ascii_only)
    if width < SIDE_BY_SIDE:
        claims = _claims(figure.row.preset.name, judged, width)
        return [*title, *_scores(figure, width), *([(), *claims] if claims else []), *shown]
    right = width - SCORES_WIDTH - GAP
    blocks = (_scores(figure, SCORES_WIDTH), _claims(figure.row.preset.name, judged, right))
    return [*title, (), *beside(blocks, (SCORES_WIDTH, right), GAP), *shown]


def claim_page(judged: "JudgedClaim", width: int) -> list[Line]:
    """All about a claim."""
    from bertmt.services.analysis.paper.claim_formatting import format_claim  # noqa: PLC0415 - scipy

    return format_claim(judged, width)


def _pictures(figure: FigureLine, judged: Judged, width: int, ascii_only: bool) -> list[Line]:
    """The figures that are more than scores, of this model: drawn once there is something of ours."""
    found = judged.pictures_of(figure.key)
    if not found or figure.entry is None:
        return []
    from bertmt.services.analysis.paper.formatting import format_figure  # noqa: PLC0415 - scipy

    return [each for one in found for each in ((), *format_figure(one, width, width, ascii_only, in_words()))]


def _title(row: PaperRow, width: int) -> list[Line]:
    """Its name, where it stands, and what it is, on one line where that fits."""
    where = "a control of ours"
    if row.reported:
        several = "s" if "-" in row.reported.figure else ""
        where = f"Figure{several} {row.reported.figure}, {row.reported.split} set"
    title = line(Span(row.preset.name, "title"), Span(f"  {where}", "accent"))
    summary = safe_text(row.preset.summary)
    if cells(plain(title)) + GAP + cells(summary) <= width:
        return [(*title, Span(" " * GAP + summary))]
    return [title, *_plain(summary, width)]


def _scores(figure: FigureLine, width: int) -> list[Line]:
    row, entry = figure.row, figure.entry
    note = _dim(row.reported.note, width) if row.reported and row.reported.note else []
    if entry is None:
        return [*_none_yet(row, width), *_under_way(row, width), *note]
    return [*_table(figure, entry, width), *_scale(figure, entry, width), *_under_way(row, width), *note]


def _none_yet(row: PaperRow, width: int) -> list[Line]:
    reported = row.reported.scores if row.reported else {}
    known = [f"{title} {numbers.score(reported[task])}" for task, title in TITLES if reported.get(task) is not None]
    said = _dim(f"The paper has {', '.join(known)}.", width) if known else []
    another = f"{bound('paper.new')} queues another."
    key = another if row.waiting or row.running else "Enter opens the form that queues one."
    return [*said, *_plain(f"No finished run of ours yet. {key}", width)]


def _under_way(row: PaperRow, width: int) -> list[Line]:
    parts = [
        f"{len(runs)} {what}: {_listed(runs)}"
        for runs, what in ((row.running, "running"), (row.waiting, "waiting"))
        if runs
    ]
    return _dim("; ".join(parts), width) if parts else []


def _listed(runs: Sequence[Run]) -> str:
    return numbers.named([f"{run.id} (seed {run.seed})" for run in runs])


def _table(figure: FigureLine, entry: AtScale, width: int) -> list[Line]:
    """Each score, the paper's and ours; how they stand once that is known."""
    if not figure.cells:
        columns = (Column(""), Column("paper", True), Column("ours", True))
        reported = figure.row.reported.scores if figure.row.reported else {}
        rows = [
            Row([title, numbers.score(reported.get(task)), Cell(numbers.score(entry.scores[task].mean), "title")])
            for task, title in (*TITLES, ("overall", "overall"))
            if task in entry.scores
        ]
        return table(columns, rows, None)
    from bertmt.services.analysis.paper.formatting import format_cells  # noqa: PLC0415 - scipy

    scored = entry.best_run
    seeds = len(entry.by_seed)
    whose = f"The best of {numbers.counted(seeds, 'seed')}" if seeds > 1 else "Ours"
    best = f"{whose} is {scored.id} (seed {scored.seed})."
    return [*format_cells(figure.cells, width, with_model=False), *_dim(best, width)]


def _scale(figure: FigureLine, entry: AtScale, width: int) -> list[Line]:
    """The scale of ours, which of several it is, and how it differs from the paper's."""
    count = len(figure.row.measured)
    which = f"Scale {figure.place + 1} of {count} ([ and ] choose)" if count > 1 else "Scale"
    said = _dim(f"{which}: {scale_line(entry.runs[-1])}.", width)
    differs = entry.scale_differences(figure.row.preset)
    if differs:
        listed = ", ".join(
            f"{name} {value_text(ours)} ({value_text(paper)})" for name, (ours, paper) in differs.items()
        )
        said += [
            line(Span(part, "bad"))
            for part in wrapped(safe_text(f"Not the paper's scale (its own in brackets): {listed}."), width)
        ]
    if figure.row.reported and figure.row.reported.split == "test":
        said += _plain("The paper's scores are of its test set, ours of dev.", width)
    if entry.selected_on_dev:
        said += _plain("Ours chose their epoch, or when to stop, on dev: they are optimistic.", width)
    return said


def _claims(preset: str, judged: Judged, width: int) -> list[Line]:
    lines: list[Line] = []
    outcomes = {each.claim.id: each for each in judged.found.claims} if judged.found is not None else {}
    for claim in claims_about(preset):
        first, *rest = wrapped(f"{claim.sentence} (section {claim.section})", width - 2)
        lines += [line(Span("· ", "accent"), first), *(line(f"  {part}") for part in rest)]
        if claim.id in outcomes:
            lines += _verdict(outcomes[claim.id], width)
        for part in wrapped(_tested_by(claim, preset), width - 2):
            lines.append(line(Span(f"  {part}", "dim")))
    return [line(Span("What the paper claims, and which pair tests it", "title")), *lines] if lines else []


def _verdict(judged: "JudgedClaim", width: int) -> list[Line]:
    """What our runs say of it, and of how many paired seeds."""
    text = str(judged.outcome)
    of = "" if judged.seeds >= judged.seeds_needed else f" of {judged.seeds_needed}"
    return [cut_line(line("  ", Span(text, STYLES.get(text, "title")),
                          Span(f"  {judged.seeds}{of} paired seeds", "dim")), width)]  # fmt: skip


def _tested_by(claim: Claim, preset: str) -> str:
    """The pairs of ours in which the preset stands, or all; and why the paper's own is no such test."""
    pairs = [pair for pair in claim.own if preset in (pair.control.preset, pair.changed.preset)] or list(claim.own)
    tested = "; ".join(map(_pair, pairs))
    said = f"One toggle: {tested}."
    if not claim.confounded:
        return said
    of_paper = "; ".join(_pair(pair) for pair in claim.paper[: len(pairs)])
    if [*claim.paper] == [*claim.own]:
        return f"{said} Also differs: {claim.confounded}."
    return f"{said} The paper's {of_paper} differs also in {claim.confounded}."


def _pair(pair: Pair) -> str:
    return f"{pair.control.command()} → {pair.changed.command()}"


def _dim(text: str, width: int) -> list[Line]:
    return [line(Span(part, "dim")) for part in wrapped(safe_text(text), width)]


def _plain(text: str, width: int) -> list[Line]:
    return [line(part) for part in wrapped(safe_text(text), width)]
