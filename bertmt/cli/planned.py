"""What `bertmt queue --dry-run` says of the runs that it does not queue: their time, and what they can show."""

from typing import TYPE_CHECKING, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.drawing.facts import facts
from bertmt.drawing.numbers import counted
from bertmt.drawing.tables import Column, Row, table
from bertmt.services.browse.run_formatting import mark_of

if TYPE_CHECKING:
    from bertmt.services.analysis.groups.power import Power
    from bertmt.services.plan.preview import PlanPreview
    from bertmt.services.plan.submit import Plan

COLUMNS = (
    Column("id"), Column("name", elastic=True, is_name=True), Column("seed", True), Column("preset"),
    Column("scale"), Column("state"),
)  # fmt: skip


def write_plan(context: typer.Context, planned: "Plan", as_json: bool) -> None:
    """The planned runs, how long they take, and the smallest effect that they can show."""
    previewed, power = _prospects(context, planned)
    if as_json:
        found = [
            {"id": None, "name": each.name, "preset": each.preset, "seed": each.recipe.seed, "state": None,
             "data": each.data, "recipe": each.recipe.flat()}
            for each in planned.runs
        ]  # fmt: skip
        write_document(True, found, planned, 0, previewed, power)
        return
    rows = [
        Row(["–", each.name, str(each.recipe.seed), each.preset or "–", mark_of(each.data, each.recipe.encoder), "–"])
        for each in planned.runs
    ]
    said = {"runs": counted(len(rows), "run"), "time": previewed.estimate.sentence(), "can show": power.sentence()}
    before = ", ".join(run.id for run in previewed.finished_before)
    said |= {"finished": f"{before} before, with the same recipe, seed, data and code"} if before else {}
    output.write_lines([*table(COLUMNS, rows, output.table_width()), (), *facts(said, output.table_width())])
    diagnostics.note(f"Dry run: nothing was queued; without --dry-run {counted(len(rows), 'run')} would be.")


def _prospects(context: typer.Context, planned: "Plan") -> "tuple[PlanPreview, Power]":
    """By what the registry knows of such runs; where there is none, nothing is known."""
    from bertmt.errors import NotFoundError
    from bertmt.services.analysis.groups.power import no_power, prospects
    from bertmt.services.browse.run_list import RunList
    from bertmt.services.plan.preview import preview_of_first

    try:
        database = existing_registry(context)
    except NotFoundError:
        return preview_of_first(planned), no_power(planned)
    runs = RunList(database)
    runs.refresh()
    return prospects(database, runs, planned)


def write_document(
    dry_run: bool,
    runs: list[dict[str, Any]],
    planned: "Plan",
    workers: int,
    previewed: "PlanPreview | None" = None,
    power: "Power | None" = None,
) -> None:
    """What was queued, or would be."""
    content = {
        "dry_run": dry_run, "runs": runs, "remarks": list(planned.remarks), "workers": workers,
        "seconds": list(previewed.estimate.seconds) if previewed is not None else [],
        "smallest_effects": None if power is None else {
            "seeds": power.seeds, "comparisons": power.rows, "scores": dict(power.smallest), "or_more": power.is_least,
            "runs": power.rests_on,
        },
    }  # fmt: skip
    output.write_document("bertmt.queued/1", content)
