"""`bertmt runs`."""

from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.cli.records import run_record
from bertmt.cli.run_lines import detail_line, state_cell
from bertmt.drawing import numbers
from bertmt.drawing.styled import Line, Span, cells, cut_line
from bertmt.drawing.tables import Column, Row, table
from bertmt.services.browse.run_formatting import begins_anew, progress, scale_mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertmt.registry.records import Run
    from bertmt.services.browse.alarms.rules import Alarm
    from bertmt.services.browse.rows import Row as ListedRun
    from bertmt.services.opening import Registry
    from bertmt.tasks.task import Task

COLUMNS = (
    Column("id"), Column("name", elastic=True, is_name=True), Column("seed", True), Column("state"),
    Column("done", True),
)  # fmt: skip
LAST_COLUMNS = (Column("overall", True), Column("Δ", True))
# The widest of a column: ids, states, shares of the steps, overall scores, differences; and so much of a name.
NEEDED, LEAST_OF_A_NAME, GAP, ENERGY = (6, 9, 5, 7, 7), 8, 1, 8
INDENT = 7
HELD_QUEUE = "The queue is held: nothing starts until `bertmt release --queue`."


def runs(
    context: typer.Context,
    filter_text: Annotated[
        str, typer.Option("--filter", metavar="QUERY", help='For example "state:finished lora>0 -tag:old".')
    ] = "",
    sort: Annotated[
        str, typer.Option("--sort", metavar="FIELD", help="A field or setting; -FIELD descending; else oldest first.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="Show at most this many; 0 shows all.")] = 0,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List runs with state, progress and dev scores.

    Δ is the difference from the baseline (`bertmt baseline`), mean over the tasks that both were trained on, a
    correlation ρ as S = (1 + ρ)/2.
    """
    from bertmt.services.browse.listing import list_runs

    database = existing_registry(context)
    rows = list_runs(database, filter_text, sort, limit)
    if as_json:
        output.write_document("bertmt.runs/1", {"runs": _records(database, rows)})
        return
    width = output.table_width()
    if rows:
        _write_table(rows, width, speeds_of(database, [row.run for row in rows]))
        _note_missing_baseline(database)
        note_alarms(database, [row.run for row in rows])
    elif filter_text:
        diagnostics.note("No run matches the filter; `bertmt runs` lists all.")
    else:
        diagnostics.note("No runs yet; `bertmt queue --preset baseline` queues one.")
    note_unworked_queue(database)


def _records(database: "Registry", rows: "Sequence[ListedRun]") -> list[dict[str, Any]]:
    found = [row.run for row in rows]
    wrong, speeds = alarms_of(database, found), speeds_of(database, found)
    return [
        run_record(row.run, row.baseline, row.difference, wrong.get(row.run.id, ()), speeds.get(row.run.id))
        for row in rows
    ]


def _write_table(rows: "Sequence[ListedRun]", width: int | None, speeds: "Mapping[str, float]") -> None:
    from bertmt.services.browse.score_columns import tasks_of

    tasks = list(tasks_of(row.run for row in rows).values())
    shown = tasks[: _fitting(tasks, rows, width)]
    scores = (Column(task.score_title, True) for task in shown)
    names = [task.name for task in shown]
    energy = [Column("energy", True)] * _has_energy(rows)
    lines = [
        _row(row, following, names, width, speeds.get(row.run.id)) for row, following in zip_longest(rows, rows[1:])
    ]
    if energy:
        lines = [
            Row([*line.cells, numbers.energy(row.run.progress.kwh)], line.below)
            for line, row in zip(lines, rows, strict=True)
        ]
    titles, *listed = table((*COLUMNS, *scores, *LAST_COLUMNS, *energy), lines, width, gap=GAP)
    # A line for the data and the encoder above the runs that share them.
    output.write_lines([titles, _scale(scale_mark(rows[0].run), width), *listed])
    hidden = [task.score_title for task in tasks[len(shown) :]]
    if hidden:
        diagnostics.note(f"No room for {numbers.named(hidden)}: a wider terminal, `bertmt show` and --json have them.")


def _has_energy(rows: "Sequence[ListedRun]") -> bool:
    """Whether anybody measures it here: else its column would be empty for good."""
    return any(row.run.progress.kwh is not None for row in rows)


def note_alarms(database: "Registry", found: "Sequence[Run]") -> None:
    """Say what is wrong with runs that are running."""
    for run_id, alarms in alarms_of(database, found).items():
        for each in alarms:
            diagnostics.warn(f"run {run_id} {each.sentence}")


def speeds_of(database: "Registry", found: "Sequence[Run]") -> "Mapping[str, float]":
    """Steps per second of those that are running, by their ids."""
    from bertmt.services.browse.times.throughput import Speeds

    return Speeds(database).of(found)


def alarms_of(database: "Registry", found: "Sequence[Run]") -> "Mapping[str, Sequence[Alarm]]":
    """What is wrong with those that are running, by their ids."""
    from bertmt.services.browse.alarms.watching import AlarmWatch

    return AlarmWatch(database).of(found)


def _fitting(tasks: "Sequence[Task]", rows: "Sequence[ListedRun]", width: int | None) -> int:
    """How many of the tasks, from the first, there is room for."""
    if width is None:
        return len(tasks)
    seeds = max(len("seed"), *(len(str(row.run.seed)) for row in rows))
    room = width - sum(NEEDED) - LEAST_OF_A_NAME - seeds - GAP * (len(NEEDED) + 1)
    room -= (GAP + ENERGY) * _has_energy(rows)
    needed = (GAP + max(cells(task.score_title), 6 if task.metric.signed else 5) for task in tasks)
    return sum(used <= room for used in accumulate(needed))


def _note_missing_baseline(database: "Registry") -> None:
    """Say why nothing has a difference where the run that a person chose was removed."""
    from bertmt.services.browse.baseline import missing_baseline

    sentence = missing_baseline(database)
    if sentence:
        diagnostics.note(sentence)


def note_unworked_queue(database: "Registry") -> None:
    """Say what to type where the queue is held, or runs wait and nobody is there to take them."""
    from bertmt.services.browse.workload import count_queued
    from bertmt.services.lifecycle.hold import queue_is_held
    from bertmt.services.lifecycle.workers import alive_workers

    waiting = count_queued(database)
    if queue_is_held(database):
        diagnostics.note(HELD_QUEUE)
    elif waiting and not alive_workers(database):
        what = numbers.counted(waiting, "run waits", "runs wait")
        diagnostics.note(f"{what} and no worker is running: `bertmt worker --drain` works the queue until it is empty.")


def _scale(mark: str, width: int | None) -> Line:
    whole = (Span(f"on {mark}", "dim"),)
    return whole if width is None else cut_line(whole, width)


def _row(
    row: "ListedRun", following: "ListedRun | None", tasks: "Sequence[str]", width: int | None, speed: float | None
) -> Row:
    run, baseline = row.run, row.baseline
    restarts = begins_anew(run)
    is_baseline = baseline is not None and baseline.key == run.key
    difference = "base" if is_baseline else numbers.difference(None if restarts else row.difference)
    scores = [numbers.score(None if restarts else run.score(name)) for name in (*tasks, "overall")]
    below: list[Line] = detail_line(run, INDENT, width, speed)
    if following is not None and scale_mark(following.run) != scale_mark(run):
        below.append(_scale(scale_mark(following.run), width))
    return Row([run.id, run.name, str(run.seed), state_cell(run), progress(run), *scores, difference], below)
