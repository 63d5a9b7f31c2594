"""`bertmt queue`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import completion, diagnostics, output
from bertmt.cli.invocation import existing_registry, named_run, named_runs, registry_path, registry_to_fill
from bertmt.cli.parameters import (
    AsJson,
    DataFolder,
    EncoderName,
    ExtraData,
    FromRun,
    RecipeFile,
    Settings,
    assigned_settings,
    named_settings,
)  # fmt: skip
from bertmt.cli.wait import wait_until_ended
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.tables import Column, Row, table
from bertmt.services.browse.run_formatting import mark_of, scale_mark

if TYPE_CHECKING:
    from bertmt.errors import Problems
    from bertmt.registry.records import Awaited, Run
    from bertmt.services.opening import Registry
    from bertmt.services.plan.submit import Plan

COLUMNS = (
    Column("id"), Column("name", elastic=True, is_name=True), Column("seed", True), Column("preset"),
    Column("scale"), Column("state"),
)  # fmt: skip
Presets = Annotated[
    list[str] | None,  # a list, so that a second one is refused; Click would silently take the last
    typer.Option(
        "--preset", metavar="NAME", help="A model of the paper; `bertmt presets` lists them.",
        autocompletion=completion.presets,
    ),
]  # fmt: skip
Seeds = Annotated[list[str] | None, typer.Option("--seed", metavar="N", help="One run per seed; may be repeated.")]
Sweeps = Annotated[
    list[str] | None,
    typer.Option(
        "--sweep", metavar="KEY=A,B,C", help="Grid search: one run per combination.",
        autocompletion=completion.settings,
    ),
]  # fmt: skip
Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="The run's name; by default the preset's.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="WORD", help="May be repeated.", autocompletion=completion.tags)
]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="What you want to find out with it.")]
Hold = Annotated[bool, typer.Option("--hold", help="Do not start before `bertmt release`.")]
First = Annotated[bool, typer.Option("--first", help="Put them at the front of the queue.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and show everything, but queue nothing.")]
Work = Annotated[bool, typer.Option("--work", help="Work the queue here until it is empty.")]
Again = Annotated[bool, typer.Option("--again", help="Queue even if an identical run has finished.")]
After = Annotated[
    list[str] | None,
    typer.Option("--after", metavar="RUN", help="Start only after that run has ended.", autocompletion=completion.runs),
]
AfterOk = Annotated[
    list[str] | None,
    typer.Option(
        "--after-ok", metavar="RUN", help="Start only after that run has finished.", autocompletion=completion.runs
    ),
]
Start = Annotated[
    str | None,
    typer.Option("--start", metavar="TIME", help='Start no earlier than 22:00, "2026-11-25 08:00" or +2h30m.'),
]
Priority = Annotated[str, typer.Option("--priority", metavar="N", help="Higher priorities start first.")]
Wants = Annotated[str, typer.Option("--device", metavar="KIND", help="Run only on a cpu or gpu; by default on either.")]
CheckpointDir = Annotated[
    str, typer.Option("--checkpoint-dir", metavar="DIR", help="Keep checkpoints there instead of in the run folder.")
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait until these runs have ended; exit code 5 if one did not finish.")
]


def queue(
    context: typer.Context,
    presets: Presets = None,
    file: RecipeFile = None,
    from_run: FromRun = None,
    settings: Settings = None,
    sweeps: Sweeps = None,
    seeds: Seeds = None,
    data: DataFolder = None,
    extra_data: ExtraData = None,
    encoder: EncoderName = None,
    name: Name = None,
    note: Note = "",
    tags: Tags = None,
    hold: Hold = False,
    first: First = False,
    priority: Priority = "0",
    after: After = None,
    after_ok: AfterOk = None,
    start: Start = None,
    device: Wants = "",
    checkpoint_dir: CheckpointDir = "",
    again: Again = False,
    dry_run: DryRun = False,
    work: Work = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Queue one run or many.

    A run (experiment, job or trial elsewhere) is one training of a recipe (configuration) with one seed.
    The recipe comes from a preset, a file or another run; --set changes it, --seed and --sweep make several runs of it.
    """
    from bertmt.errors import Problems
    from bertmt.services.plan.submit import Request, plan, submit

    problems = Problems()
    preset = _only(presets or (), problems)
    source = problems.attempt(named_run, context, from_run)
    queueing = _queueing(context, problems, priority, after or (), after_ok or (), start, device)
    values = assigned_settings(problems, settings or ()) | named_settings(data, extra_data, encoder)
    if from_run is not None and source is None:  # without it there is nothing that the rest could be judged by
        problems.raise_all()
    planned = plan(Request(
        preset=preset, file=Path(file) if file else None, from_run=source, values=values, name=name, note=note,
        sweeps=tuple(sweeps or ()), seeds=tuple(seeds or ()), tags=tuple(tags or ()), hold=hold, first=first,
        checkpoint_dir=checkpoint_dir, folder=registry_path(context).parent, **queueing), problems)  # fmt: skip
    diagnostics.note(*planned.remarks)
    if dry_run:
        _write_plan(planned, as_json)
        return
    database = registry_to_fill(context)
    is_held, workers = _standing(database)  # before: what cannot be read must not fail what is queued already
    queued = submit(database, planned if again else _without_finished(database, planned))
    _write_queued(queued, planned, workers, as_json)
    _work_and_wait(database, queued, work, wait, None if as_json else values)
    if not (work or wait):
        _note_next(queued, is_held, workers)


def _only(presets: Sequence[str], problems: "Problems") -> str | None:
    """The preset; of several the first, after which what else is wrong is judged, and the problem is added."""
    from bertmt.errors import UsageError

    if len(presets) > 1:
        found = ", ".join(map(safe_text, presets))
        problems.add(
            UsageError(f"`bertmt queue` takes one --preset, but found {len(presets)} ({found}): type it once for each.")
        )
    return next(iter(presets), None)


def _work_and_wait(
    database: "Registry", queued: "list[Run]", work: bool, wait: bool, values: dict[str, str] | None
) -> None:
    """Work the queue, or wait for these runs, and say what to type next.

    Args:
        values: what was set for them by hand; None: nothing is to be said.
    """
    from bertmt.services.lifecycle.workers import work_until_empty

    if work:
        output.end()
    code = work_until_empty(database.path) if work else 0
    if code:  # stopped by hand, say: then nobody works what would be waited for
        raise typer.Exit(code)
    if wait:
        wait_until_ended(database, named_runs(database, [run.id for run in queued]))
    if work and values is not None:
        _note_comparison(database, queued, values)


def _standing(database: "Registry") -> tuple[bool, int]:
    """Whether the queue is held, and how many workers are alive."""
    from bertmt.services.lifecycle.hold import queue_is_held
    from bertmt.services.lifecycle.workers import alive_workers

    return queue_is_held(database), len(alive_workers(database))


def _note_comparison(database: "Registry", queued: "list[Run]", values: dict[str, str]) -> None:
    """What to type after the runs were worked, where any has finished."""
    from bertmt.services.analysis.next_step import next_command

    command = next_command(database, {run.id for run in queued}, values)
    if command:
        diagnostics.note(f"Next: `{safe_text(command)}`; `bertmt-tui` shows curves, confusions and examples.")


def _note_next(queued: "list[Run]", is_held: bool, workers: int) -> None:
    from bertmt.cli.runs import HELD_QUEUE

    if queued[0].state == "held":
        diagnostics.note(f"Held; `bertmt release {queued[0].id}` lets it start.")
    elif is_held:
        diagnostics.note(HELD_QUEUE)
    elif workers:
        diagnostics.note("A worker is running and will take it; `bertmt runs` shows its progress.")
    else:
        diagnostics.note(
            "No worker is running: `bertmt worker --drain` works the queue until it is empty; --detach outlives "
            "the terminal."
        )


def _queueing(
    context: typer.Context,
    problems: "Problems",
    priority: str,
    after: Sequence[str],
    after_ok: Sequence[str],
    start: str | None,
    device: str,
) -> dict[str, Any]:
    """What of a request says when and where its runs are started, as far as it can be understood."""
    from bertmt.services.lifecycle.reordering import parse_priority
    from bertmt.services.start_times import parse_start

    words = [(word, False) for word in after] + [(word, True) for word in after_ok]
    awaited = [problems.attempt(_awaited, context, word, ok) for word, ok in words]
    return {
        "awaits": tuple(each for found in awaited for each in found or ()),
        "not_before_at": None if start is None else problems.attempt(parse_start, start),
        "priority": problems.attempt(parse_priority, priority) or 0,
        "wants": problems.attempt(_wanted, device) or "",
    }


def _wanted(device: str) -> str:
    from bertmt.errors import UsageError

    if device not in ("", "cpu", "gpu"):
        raise UsageError(
            f"--device expects cpu or gpu, but found {device!r}; `bertmt worker --device` names single GPUs."
        )
    return device


def _awaited(context: typer.Context, word: str, needs_success: bool) -> "list[Awaited]":
    from bertmt.registry.records import Awaited

    return [Awaited(run.id, needs_success) for run in named_runs(existing_registry(context), [word])]


def _without_finished(database: "Registry", planned: "Plan") -> "Plan":
    """The plan without what was trained before.

    Raises:
        BusyError: nothing is left of it.
    """
    from bertmt.errors import BusyError
    from bertmt.services.plan.duplicates import without_finished

    left, said = without_finished(database, planned)
    if not left.runs:
        raise BusyError("\n".join(said))
    diagnostics.note(*said)
    return left


def _write_plan(planned: "Plan", as_json: bool) -> None:
    if as_json:
        found = [
            {"id": None, "name": each.name, "preset": each.preset, "seed": each.recipe.seed, "state": None,
             "data": each.data, "recipe": each.recipe.flat()}
            for each in planned.runs
        ]  # fmt: skip
        _write_document(True, found, planned, 0)
        return
    rows = [
        Row(["–", each.name, str(each.recipe.seed), each.preset or "–", mark_of(each.data, each.recipe.encoder), "–"])
        for each in planned.runs
    ]
    output.write_lines(table(COLUMNS, rows, output.table_width()))
    diagnostics.note(f"Dry run: nothing was queued; without --dry-run {counted(len(rows), 'run')} would be.")


def _write_queued(queued: "list[Run]", planned: "Plan", workers: int, as_json: bool) -> None:
    if as_json:
        found = [
            {"id": run.id, "name": run.name, "preset": run.submission.preset, "seed": run.seed, "state": str(run.state),
             "data": run.submission.data, "recipe": dict(run.recipe)}
            for run in queued
        ]  # fmt: skip
        _write_document(False, found, planned, workers)
        return
    rows = [
        Row([run.id, run.name, str(run.seed), run.submission.preset or "–", scale_mark(run), str(run.state)])
        for run in queued
    ]
    output.write_lines(table(COLUMNS, rows, output.table_width()))


def _write_document(dry_run: bool, runs: list[dict[str, Any]], planned: "Plan", workers: int) -> None:
    content = {"dry_run": dry_run, "runs": runs, "remarks": list(planned.remarks), "workers": workers}
    output.write_document("bertmt.queued/1", content)
