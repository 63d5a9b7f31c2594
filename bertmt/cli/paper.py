"""`bertmt paper`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.choosing import Yes, confirm
from bertmt.cli.invocation import existing_registry, registry_path, registry_to_fill
from bertmt.cli.parameters import (
    AsJson,
    DataFolder,
    EncoderName,
    ExtraData,
    Settings,
    assigned_settings,
    named_settings,
)  # fmt: skip
from bertmt.drawing.numbers import counted
from bertmt.drawing.tables import Column, Row, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertmt.recipe.reported import Figure
    from bertmt.registry.records import Run
    from bertmt.services.analysis.paper.cells import Cell
    from bertmt.services.analysis.paper.claims import JudgedClaim, JudgedPair
    from bertmt.services.analysis.paper.figures import FoundFigure
    from bertmt.services.analysis.paper.looking import Paper
    from bertmt.services.analysis.paper.missing import Missing
    from bertmt.services.opening import Registry

Figures = Annotated[
    list[int] | None,
    typer.Option("--figure", metavar="N", help="That figure alone, and the claims about it; may be repeated."),
]
Over = Annotated[
    str, typer.Option("--over", metavar="QUERY", help="Only runs that match, as in `bertmt runs --filter`.")
]
Queue = Annotated[
    bool,
    typer.Option("--queue", help="Queue what is missing at the scale that --set names; asks first."),
]
Seeds = Annotated[
    int | None,
    typer.Option(
        "--seeds", metavar="N", help="So many runs of each recipe; by default as many as can decide the claims."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count and list what would be queued.")]


def paper(
    context: typer.Context, figure: Figures = None, over: Over = "", queue: Queue = False, seeds: Seeds = None,
    settings: Settings = None, data: DataFolder = None, extra_data: ExtraData = None, encoder: EncoderName = None,
    dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Set the paper's figures and claims beside your runs.

    Each figure cell by cell: reported, ours over seeds, inside or outside. Each claim confirmed, contradicted or
    undecided on pairs of runs in which one toggle changes; the paper's own pair, often confounded, stands beside.
    """
    from bertmt.services.analysis.paper.looking import paper_of
    from bertmt.services.analysis.paper.missing import chosen_figures

    chosen = chosen_figures(figure or ())
    values = _values(settings, data, extra_data, encoder)
    if queue:
        _queue(context, chosen, seeds, values, dry_run, yes, as_json)
        return
    _refuse_without_queue(bool(values) or seeds is not None or dry_run or yes)
    found = paper_of(existing_registry(context), chosen, over)
    if as_json:
        output.write_document("bertmt.paper/1", _record(found))
        return
    _write(found)


def _values(
    settings: "Sequence[str] | None", data: str | None, extra_data: str | None, encoder: str | None
) -> dict[str, str]:
    from bertmt.errors import Problems

    problems = Problems()
    found = assigned_settings(problems, settings or ()) | named_settings(data, extra_data, encoder)
    problems.raise_all()
    return found


def _refuse_without_queue(is_given: bool) -> None:
    from bertmt.errors import UsageError

    if is_given:
        raise UsageError(
            "--set, --data, --extra-data, --encoder, --seeds, --dry-run and --yes are about what --queue queues: "
            "add --queue."
        )


def _write(found: "Paper") -> None:
    from bertmt.drawing.plain import words_are_wanted
    from bertmt.services.analysis.paper import claim_formatting, formatting

    width, room = output.table_width(), output.size()[0]
    for each in found.figures:
        lines = formatting.format_figure(each, width, room, output.is_ascii(), words_are_wanted())
        output.write_lines([*lines, ""])
    said = formatting.about_cells(found.figures)
    output.write_lines([*formatting.dim(said, width), ""] if said else [])
    if found.claims:
        output.write_lines(claim_formatting.format_claims(found.claims, width))
        output.write_lines(formatting.dim(claim_formatting.about_claims(found.claims), width))


def _queue(
    context: typer.Context, chosen: "Sequence[Figure]", seeds: int | None, values: dict[str, str], dry_run: bool,
    yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Queue what is missing, once a person has seen how many runs and how long."""
    from bertmt.services.analysis.paper.looking import missing_of
    from bertmt.services.plan.submit import submit

    path = registry_path(context)
    known = existing_registry(context) if path.exists() else None
    found = missing_of(known, chosen, seeds, values, path.parent)
    diagnostics.note(*(found.plan.remarks if found.plan is not None else ()), found.sentence())
    seconds = _time(known, found)
    queued: list[Run] = []
    if found.plan is not None and not dry_run:
        confirm(f"queue {counted(found.count, 'run')} of the paper", yes)
        queued = submit(known or registry_to_fill(context), found.plan)
    if as_json:
        output.write_document("bertmt.paper_queued/1", _queued_record(found, queued, dry_run, seconds))
    elif dry_run:
        _write_planned(found)
    elif queued:
        diagnostics.note(f"Queued {counted(len(queued), 'run')}; `bertmt worker --drain` works them.")


def _time(known: "Registry | None", found: "Missing") -> float | None:
    """Tell how long it will take; the seconds in all, where they are known."""
    from bertmt.services.plan.estimates import NO_EVIDENCE, estimate

    if found.plan is None:
        return None
    if known is None:
        diagnostics.note(NO_EVIDENCE)
        return None
    judged = estimate(known, [each.recipe for each in found.plan.runs])
    diagnostics.note(judged.sentence())
    return judged.total


def _write_planned(found: "Missing") -> None:
    rows: dict[str, list[int]] = {}
    for each in found.plan.runs if found.plan is not None else ():
        rows.setdefault(each.name, []).append(each.recipe.seed)
    shown = [Row([name, ", ".join(map(str, seeds))]) for name, seeds in rows.items()]
    output.write_lines(table((Column("recipe"), Column("seeds")), shown, output.table_width()) if shown else [])
    diagnostics.note(f"Dry run: nothing was queued; without --dry-run {counted(found.count, 'run')} would be.")


def _queued_record(found: "Missing", queued: "list[Run]", dry_run: bool, seconds: float | None) -> dict[str, Any]:
    planned = found.plan.runs if found.plan is not None else ()
    return {
        "dry_run": dry_run, "recipes": found.arms, "seeds": list(found.seeds), "finished": found.finished,
        "coming": found.coming, "missing": found.count, "seconds": seconds, "left_out": list(found.left_out),
        "runs": [{"id": run.id, "name": run.name, "preset": run.submission.preset, "seed": run.seed} for run in queued]
        or [{"id": None, "name": each.name, "preset": each.preset, "seed": each.recipe.seed} for each in planned],
    }  # fmt: skip


def _record(found: "Paper") -> dict[str, Any]:
    return {"figures": [_figure(each) for each in found.figures], "claims": [_claim(each) for each in found.claims]}


def _figure(found: "FoundFigure") -> dict[str, Any]:
    figure, picture = found.figure, found.picture
    return {
        "number": figure.number, "caption": figure.caption, "shows": figure.shows, "says": figure.says or None,
        "cells": [_cell(each) for each in found.cells], "picture": picture.run.id if picture is not None else None,
    }  # fmt: skip


def _cell(cell: "Cell") -> dict[str, Any]:
    names = (
        "model", "what", "reported", "reported_split", "reported_n", "seeds", "n", "mean", "low", "high", "mean_low",
        "mean_high",
    )  # fmt: skip
    differences = {name: list(both) for name, both in cell.differences.items()}
    return {**{name: getattr(cell, name) for name in names}, "standing": str(cell.standing), "other_scale": differences}


def _claim(judged: "JudgedClaim") -> dict[str, Any]:
    claim = judged.claim
    return {
        "id": claim.id, "sentence": claim.sentence, "section": claim.section, "says": claim.says,
        "tasks": list(claim.tasks), "verdict": str(judged.outcome), "seeds": judged.seeds,
        "seeds_needed": judged.seeds_needed, "confounded": claim.confounded or None,
        "other_scale": {name: list(both) for name, both in judged.differs.items()},
        "own": [_pair(each) for each in judged.own], "paper": [_pair(each) for each in judged.paper],
    }  # fmt: skip


def _pair(pair: "JudgedPair") -> dict[str, Any]:
    names = ("task", "difference", "low", "high", "p", "p_corrected", "family", "level", "test", "remark")
    arms = (pair.arms.control, pair.arms.changed) if pair.arms is not None else ({}, {})
    return {
        "control": pair.pair.control.command(), "changed": pair.pair.changed.command(),
        "reported_differences": list(pair.reported), "runs": [[run.id for run in arm.values()] for arm in arms],
        "differences": [
            {**{name: getattr(each, name) for name in names}, "seeds": list(each.seeds),
             "differences": list(each.differences), "verdict": str(each.verdict)}
            for each in pair.differences
        ],
    }  # fmt: skip
