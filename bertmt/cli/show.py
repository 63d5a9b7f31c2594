"""`bertmt show`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from bertmt.cli import output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson, RunWord
from bertmt.cli.records import details_record, run_record
from bertmt.cli.run_lines import state_cell
from bertmt.cli.runs import alarms_of, note_alarms
from bertmt.drawing.facts import Cell, facts
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span
from bertmt.services.browse.detail_formatting import (
    changes_from_preset,
    compared_with,
    format_code,
    format_effort,
    format_encoder,
    format_scores,
    place_in_queue,
    state_word,
)
from bertmt.services.browse.run_formatting import doing, job_line, local_time, scale_line, value_text

if TYPE_CHECKING:
    from bertmt.services.browse.details import Details


def show(context: typer.Context, run: RunWord, as_json: AsJson = False) -> None:
    """Show everything about a run.

    Recipe, scale, scores by epoch beside those that the paper reports, effort, history, and why it failed.
    """
    from bertmt.services.browse.details import details_of
    from bertmt.services.browse.lookup import find_run

    database = existing_registry(context)
    details = details_of(database, find_run(database, run))
    if as_json:
        wrong = alarms_of(database, [details.run]).get(details.run.id, ())
        record = run_record(details.run, details.baseline, details.difference, wrong, details.steps_per_second)
        output.write_document("bertmt.run/1", {"run": record, "details": details_record(details)})
        return
    note_alarms(database, [details.run])
    width = output.table_width()
    for title, lines in _sections(details, width):
        output.write_lines([(Span(title, "title"),), *lines, ""] if lines else [])


def _sections(details: "Details", width: int | None) -> Iterator[tuple[str, list[Line]]]:
    yield safe_text(f"{details.run.id}  {details.run.name}"), _about(details, width)
    yield "Recipe", _recipe(details, width)
    yield "Dev scores", format_scores(details, width)
    yield "Effort", format_effort(details, width)
    yield "History", _history(details, width)
    yield "Log, last lines", [(Span(safe_text(text)),) for text in details.log]


def _about(details: "Details", width: int | None) -> list[Line]:
    run = details.run
    return facts(
        {
            "state": state_cell(run),
            "doing": doing(run, details.steps_per_second) if run.state == "running" else "",
            "place": place_in_queue(details),
            "budget": details.budget,
            "failure": Cell(run.execution.failure or "", "bad") if run.execution.failure else "",
            "preset": f"{run.submission.preset or 'none'}, seed {run.seed}",
            "scale": scale_line(run),
            "encoder": format_encoder(details),
            "baseline": compared_with(details),
            "tags": " ".join(run.annotations.tags),
            "note": run.annotations.note.split("\n") if run.annotations.note else "",
            "device": run.execution.device or "",
            "job": job_line(run),
            "folder": str(details.folder),
            "code": format_code(details),
        },
        width,
    )


def _recipe(details: "Details", width: int | None) -> list[Line]:
    run, recipe = details.run, details.recipe
    if recipe is None:
        return facts({"unreadable": "written by another version of bertmt; --json shows it as it is"}, width)
    toggles = {name: value for name, value in recipe.toggles().items() if _is_on(name, value)}
    return facts(
        {
            "toggles": " ".join(f"{name}={value_text(value)}" for name, value in toggles.items()),
            f"unlike {run.submission.from_preset}": changes_from_preset(details),
            "all": f"`bertmt recipe --from {run.id}`",
        },
        width,
    )


def _is_on(name: str, value: Any) -> bool:
    """Settings that make this run's method: those that differ from the plain baseline, and its tasks."""
    from bertmt.recipe.recipe import SETTINGS

    return name == "tasks" or value != SETTINGS[name].default


def _history(details: "Details", width: int | None) -> list[Line]:
    history = [
        f"{local_time(each.at)}  {state_word(each)}" + (f" (attempt {each.attempt})" if each.attempt else "")
        + f": {each.reason.removeprefix(f'{state_word(each)} ')}"
        for each in details.transitions
    ]  # fmt: skip
    return [line for each in history for line in facts({"·": each}, width)]
