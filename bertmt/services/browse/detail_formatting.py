"""What is known of a run in words and tables, for every front end's page about it: its scores, its code, its effort."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell, facts, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, plain
from bertmt.drawing.tables import Column, Row, table
from bertmt.recipe.encoders import seen_in_training
from bertmt.services.browse.run_formatting import similarity, value_text

if TYPE_CHECKING:
    from bertmt.recipe.reported import ReportedScores
    from bertmt.services.browse.details import Details

TASKS = ("sst", "para", "sts")
EPOCHS = (
    Column(""), Column("step", True), Column("SST", True), Column("PARA", True), Column("STS ρ", True),
    Column("S=(1+ρ)/2", True), Column("overall", True), Column("time", True),
)  # fmt: skip
USE = (Column("per task"), Column("examples", True), Column("passes", True), Column("tokens", True))


def compared_with(details: "Details") -> str:
    """Which run it is compared with, and the difference from it; empty where there is none."""
    baseline = details.baseline
    if baseline is None:
        return ""
    if baseline.key == details.run.key:
        return "this run"
    return f"{numbers.difference(details.difference)} from {baseline.id} ({baseline.name})"


def place_in_queue(details: "Details") -> str:
    """Where a queued run stands."""
    return f"{details.place} in the queue (1 is next)" if details.place else ""


def format_code(details: "Details") -> list[str]:
    """The version and the commit that it was queued with, and whether the code has changed since."""
    source = details.snapshot.source
    commit = f", commit {str(source['commit'])[:12]}" if source.get("commit") else ""
    dirty = " with uncommitted changes" if source.get("diff") else ""
    said = [f"bertmt {source.get('version')}{commit}{dirty}"]
    return [*said, "has changed since this run was queued"] if details.code_changed else said


def format_encoder(details: "Details") -> list[str]:
    """Which encoder it is, by its fingerprints, and what it is known to have seen of a task before."""
    run = details.run
    name, marks = str(run.recipe.get("encoder")), run.submission.encoder_fingerprints
    known = ", ".join(f"{part} {mark}" for part, mark in marks.items())
    said = [name, known or "not known which: an older bertmt, which kept no fingerprints of encoders, queued this run"]
    seen = seen_in_training(name, marks)
    return said + [f"already trained on {words}, {task.upper()}'s source" for task, words in seen.items()]


def changes_from_preset(details: "Details") -> list[str]:
    """Toggles that have something to do and are not as its preset has them: "lora.rank 200 → 16"."""
    idle = details.recipe.idle() if details.recipe is not None else {}
    return [
        f"{name} {value_text(old)} → {value_text(new)}"
        for name, (old, new) in details.changes.items()
        if name not in idle
    ]


def format_scores(details: "Details", width: int | None) -> list[Line]:
    """Dev scores by epoch, and below them what the paper reports of the preset, with what those figures are of.

    Time and step are left out where there is no room for them.
    """
    run, rows = details.run, []
    for each in details.evaluations:
        mark = " selected" if each.epoch == run.scores.selected_epoch and run.state == "finished" else ""
        scores = [*(getattr(each, task) for task in TASKS), similarity(each.sts), each.overall]
        label = f"epoch {each.epoch}{mark}"
        rows.append(Row([label, numbers.count(each.step), *map(numbers.score, scores), numbers.duration(each.seconds)]))
    if details.paper is not None and any(score is not None for score in details.paper.scores.values()):
        rows.append(_paper_row(details.paper, width))
    return _fitting(rows, width) if rows else []


def _fitting(rows: Sequence[Row], width: int | None) -> list[Line]:
    lines: list[Line] = []
    for left_out in ((), ("time",), ("time", "step")):
        places = [place for place, column in enumerate(EPOCHS) if column.title not in left_out]
        shown = [Row([row.cells[place] for place in places], row.below) for row in rows]
        lines = table([EPOCHS[place] for place in places], shown, width)
        if width is None or cells(plain(lines[0])) <= width:
            break
    return lines


def _paper_row(paper: "ReportedScores", width: int | None) -> Row:
    scores = [*(paper.scores[task] for task in TASKS), similarity(paper.scores["sts"]), None]
    texts = [Cell(text, "dim") for text in ("paper", "", *map(numbers.score, scores), "")]
    notes = filter(None, (f"paper: Figure {paper.figure}, {paper.split} set, at bert-base, full data", paper.note))
    return Row(texts, [(Span(part, "dim"),) for note in notes for part in wrapped(safe_text(note), width)])


def format_effort(details: "Details", width: int | None) -> list[Line]:
    """What each task used, then steps, time, memory, speed and what the run remarked."""
    run, finished = details.run, details.run.progress.finished
    rows: list[Row] = []
    if finished is not None:
        passes, tokens = finished.passes, finished.tokens
        rows = [
            Row([name, numbers.count(count), numbers.score(passes.get(name), 2), numbers.count(tokens.get(name))])
            for name, count in finished.examples.items()
        ]
    seconds, memory = (finished.seconds, finished.peak_memory_mib) if finished is not None else ({}, None)
    steps, speed, padding = run.progress.steps_done, details.tokens_per_second, details.padding_share
    about: dict[str, str | Sequence[str]] = {
        "steps": f"{numbers.count(steps)} of {numbers.count(run.progress.steps_total)}" if steps is not None else "",
        "time": ", ".join(f"{phase} {numbers.duration(each)}" for phase, each in seconds.items()),
        "memory": f"{memory:,.0f} MiB at most" if memory is not None else "",
        "speed": f"{speed:,.0f} tokens/s (median step)" if speed is not None else "",
        "padding": f"{numbers.percentage(padding)} of the tokens" if padding is not None else "",
        "remarks": details.remarks,
    }
    return [*(table(USE, rows, width) if rows else []), *facts(about, width)]
