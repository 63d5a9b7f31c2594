"""What is known of a run in words and tables, for every front end's page about it: its scores, its code, its effort."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell, facts, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, plain
from bertmt.drawing.tables import Column, Row, table
from bertmt.recipe.encoders import OTHER_PROGRAM, seen_in_training
from bertmt.registry.states import Actor
from bertmt.services.browse.run_formatting import value_text

if TYPE_CHECKING:
    from bertmt.recipe.reported import ReportedScores
    from bertmt.registry.records import Run, Transition
    from bertmt.services.browse.details import Details
    from bertmt.tasks.task import Task, Tasks

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
    if not source.get("version"):
        return ["not known"]
    commit = f", commit {str(source['commit'])[:12]}" if source.get("commit") else ""
    dirty = " with uncommitted changes" if source.get("diff") else ""
    said = [f"bertmt {source.get('version')}{commit}{dirty}"]
    return [*said, "has changed since this run was queued"] if details.code_changed else said


def format_encoder(details: "Details") -> list[str]:
    """Which encoder it is, by its fingerprints, and what it is known to have seen of a task before."""
    run = details.run
    name, marks = str(run.recipe.get("encoder")), run.submission.encoder_fingerprints
    known = ", ".join(f"{part} {mark}" for part, mark in marks.items())
    if name == OTHER_PROGRAM:
        return [name, "its predictions were imported; how they were made is not known here"]
    if run.recipe.get("members") and not known:
        return [name, "in one of the runs that it averages; they had different ones"]
    said = [name, known or "not known which: an older bertmt, which kept no fingerprints of encoders, queued this run"]
    seen = seen_in_training(name, marks)
    about = [task for task in run.tasks.values() if task.data_set in seen]
    return said + [f"already trained on {seen[task.data_set]}, {task.title}'s source" for task in about]


def state_word(transition: "Transition") -> str:
    """What a change of state is called: a run that was imported begins as lost, until its own events are imported."""
    came_from_elsewhere = transition.state_before is None and transition.actor == Actor.IMPORT
    return "imported" if came_from_elsewhere else transition.state_after


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

    Left out where there is no room: time, step, scores as parts of the overall one, tasks from the end.
    """
    run, rows = details.run, []
    columns = _columns(run.tasks)
    for each in details.evaluations:
        mark = " selected" if each.epoch == run.scores.selected_epoch and run.state == "finished" else ""
        label = f"epoch {each.epoch}{mark}"
        scores = _scores(run.tasks, each.scores, each.overall)
        rows.append(Row([label, numbers.count(each.step), *scores, numbers.duration(each.seconds)]))
    if details.paper is not None and any(score is not None for score in details.paper.scores.values()):
        rows.append(_paper_row(details.paper, run.tasks, width))
    return _fitting(columns, rows, width) if rows else []


def _columns(tasks: "Tasks") -> list[Column]:
    """Of each task its score, behind it its part in the overall score where that is another number."""
    titles = [title for task in tasks.values() for title in _titles(task)]
    overall = ["overall"] if len(tasks) > 1 else []
    return [Column(""), *(Column(title, True) for title in ("step", *titles, *overall, "time"))]


def _titles(task: "Task") -> list[str]:
    return [task.score_title, *([f"S=(1+{task.metric.symbol})/2"] if task.metric.signed else [])]


def _scores(tasks: "Tasks", scores: Mapping[str, float | None], overall: float | None) -> list[str]:
    """The cells of these columns."""
    found: list[float | None] = []
    for name, task in tasks.items():
        score = scores.get(name)
        found += [score, *([None if score is None else task.unit(score)] if task.metric.signed else [])]
    return list(map(numbers.score, [*found, *([overall] if len(tasks) > 1 else [])]))


def _fitting(columns: Sequence[Column], rows: Sequence[Row], width: int | None) -> list[Line]:
    """The table of as many columns as there is room for, and what is hidden."""
    titles = [column.title for column in columns]
    parts = [place for place, title in enumerate(titles) if title.startswith("S=")]
    scores = [place for place in range(2, len(titles) - 1) if place not in parts and titles[place] != "overall"]
    hidden: set[int] = set()
    for leaves in ((), (len(titles) - 1,), (1,), parts, *((place,) for place in reversed(scores[1:]))):
        hidden |= set(leaves)
        places = [place for place in range(len(titles)) if place not in hidden]
        shown = [Row([row.cells[place] for place in places], row.below) for row in rows]
        lines = table([columns[place] for place in places], shown, width)
        if width is None or cells(plain(lines[0])) <= width:
            break
    return [*lines, *_hidden([titles[place] for place in scores if place in hidden], width)]


def _hidden(titles: Sequence[str], width: int | None) -> list[Line]:
    if not titles:
        return []
    said = f"No room for {numbers.named(titles)}: --json has them, and so has a wider terminal."
    return [(Span(part, "dim"),) for part in wrapped(safe_text(said), width)]


def _paper_row(paper: "ReportedScores", tasks: "Tasks", width: int | None) -> Row:
    texts = [Cell(text, "dim") for text in ("paper", "", *_scores(tasks, paper.scores, None), "")]
    notes = filter(None, (f"paper: Figure {paper.figure}, {paper.split} set, at bert-base, full data", paper.note))
    return Row(texts, [(Span(part, "dim"),) for note in notes for part in wrapped(safe_text(note), width)])


def energy_text(run: "Run") -> str:
    """What it drew, all attempts together, and what is in that; "" where nobody measured it."""
    from bertmt.registry.records import JOULES_PER_KWH  # noqa: PLC0415 - it brings msgspec to every start

    drawn = run.progress
    if drawn.kwh is None:
        return ""
    known = {"card": drawn.gpu_joules, "processor": drawn.cpu_joules}
    parts = [
        f"{name} {numbers.energy(joules / JOULES_PER_KWH)}" for name, joules in known.items() if joules is not None
    ]
    said = f"{numbers.energy(drawn.kwh)} ({', '.join(parts)})"
    return f"{said}, others that computed there meanwhile included" if drawn.energy_shared else said


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
        "energy": energy_text(run),
        "speed": f"{speed:,.0f} tokens/s (median step)" if speed is not None else "",
        "padding": f"{numbers.percentage(padding)} of the tokens" if padding is not None else "",
        "remarks": details.remarks,
    }
    return [*(table(USE, rows, width) if rows else []), *facts(about, width)]
