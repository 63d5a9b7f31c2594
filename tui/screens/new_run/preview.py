"""What the form for new runs would queue: the runs, their time, what differs, what is wrong; and what was done."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell, facts, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cut, line, pad
from bertmt.errors import RecipeError
from bertmt.recipe.loading import differences
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import resolved
from bertmt.recipe.settings import Role
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.analysis.groups.power import Power
from bertmt.services.browse.run_formatting import asked_conditions, value_text
from bertmt.services.plan.preview import PlanPreview
from bertmt.services.plan.submit import PlannedRun
from tui.bindings import bound
from tui.screens.new_run.form import NewRunForm

MOST_RUNS = 12
_PLACES = ("data", "extra_data_file")  # these have lines of their own


@dataclass(frozen=True)
class Planned:
    """What came of planning a form: a preview, or why there is none."""

    form: NewRunForm
    preview: PlanPreview | None = None
    power: Power | None = None
    problems: tuple[str, ...] = ()


def summary(planned: Planned) -> tuple[str, str]:
    """One sentence about the plan, and its style."""
    if planned.problems:
        count = len(planned.problems)
        toy = " Press ^y for the embedded toy data and the tiny encoder." if not planned.form.value("data") else ""
        others = f" (1 of {count}, Tab shows all)" if count > 1 else ""
        return f"✗{toy}{others} {planned.problems[0]}", "bad"
    if planned.preview is None:
        return "Reading the data …", "dim"
    runs, estimate = planned.preview.plan.runs, planned.preview.estimate
    one = f"1 run: {runs[0].name}, seed {runs[0].recipe.seed}{_equal(runs[0])}"
    what = one if len(runs) == 1 else numbers.counted(len(runs), "run")
    time = f" {estimate.sentence()}" if estimate.rests_on else ""
    before = len(planned.preview.finished_before)
    again = f" {'It' if len(runs) == 1 else f'{before:,} of them'} finished before." if before else ""
    verb = "changes" if planned.form.edits else "queues"
    return f"{what}.{time}{again} {bound('new.queue')} {verb} {'it' if len(runs) == 1 else 'them'}.", ""


def _equal(run: PlannedRun) -> str:
    return f", equals {run.preset}" if run.preset and run.preset != run.name else ""


def done(runs: Sequence[Run], was_edited: bool) -> str:
    """One sentence about what was stored."""
    first, more = runs[0], len(runs) - 1
    others = f" and {more:,} more" if more else ""
    did = "changed" if was_edited else "held" if first.state is State.HELD else "queued"
    return f"{first.id} ({first.name}, seed {first.seed}){others} {did}."


def format_preview(planned: Planned, width: int) -> list[Line]:
    """The page."""
    form, preview = planned.form, planned.preview
    parts = [[row for problem in planned.problems for row in _sentence(f"✗ {problem}", width, "bad")]]
    try:
        recipe = preview.plan.runs[0].recipe if preview else form.recipe()
    except RecipeError:
        return parts[0]
    if preview is not None:
        again = "has already finished with this recipe, seed, data and code."
        said = (*(f"{run.id} ({run.name}) {again}" for run in preview.finished_before), *preview.plan.remarks)
        remarks = [row for remark in said for row in _sentence(f"• {remark}", width, "dim")]
        parts += [_runs(preview, width), _changes(form, recipe, width), _about(preview, planned.power, width), remarks]
    else:
        parts.append(_changes(form, recipe, width))
    parts.append(_recipe(form, recipe, width))
    lines: list[Line] = []
    for part in filter(None, parts):
        lines += [*([()] if lines else []), *part]
    return lines


def _sentence(text: str, width: int, style: str) -> list[Line]:
    first, *rest = wrapped(safe_text(text), max(width - 2, 1))
    return [line(Span(first, style)), *(line(Span(f"  {part}", style)) for part in rest)]


def _runs(preview: PlanPreview, width: int) -> list[Line]:
    runs = preview.plan.runs
    lines = [line(Span(numbers.counted(len(runs), "run"), "title"))]
    for run in runs[:MOST_RUNS]:
        lines.append(line(Span(cut(f"  {safe_text(run.name)}, seed {run.recipe.seed}{_equal(run)}", width))))
    if len(runs) > MOST_RUNS:
        lines.append(line(Span(f"  and {len(runs) - MOST_RUNS:,} more", "dim")))
    return lines


def _about(preview: PlanPreview, power: Power | None, width: int) -> list[Line]:
    run = preview.plan.runs[0]
    return facts(
        {
            "time": preview.estimate.sentence(),
            "can show": power.sentence() if power is not None else "",
            "data": run.data,
            "starts": ", ".join(asked_conditions(preview.plan.request)),
            "extra pairs": run.extra_data_file if run.recipe.extra_data else "",
            "method": f"equals preset {run.preset}" if run.preset else "equals no preset",
        },
        width,
    )


def _changes(form: NewRunForm, recipe: Recipe, width: int) -> list[Line]:
    """What differs from the recipe that the form began with."""
    began = form.run.id if form.run else form.preset or ""
    found = differences(recipe, resolved(form.base))
    shown = {name: pair for name, pair in found.items() if name not in _PLACES or form.base.value(name)}
    title = f"Changed from {safe_text(began)}" if shown else f"Nothing changed from {safe_text(began)}"
    pairs = {name: f"{_text(old)} → {_text(new)}" for name, (old, new) in shown.items()}
    return [line(Span(title, "title")), *facts({name: Cell(text, "accent") for name, text in pairs.items()}, width)]


def _text(value: object) -> str:
    return "none" if value is None else value_text(value) or "none"


def _recipe(form: NewRunForm, recipe: Recipe, width: int) -> list[Line]:
    """Every setting as it will be, those with nothing to do dim."""
    idle = recipe.idle()
    lines = [line(Span("The resolved recipe", "title"))]
    settings = {name: each for name, each in recipe.settings().items() if name not in _PLACES}
    indent = max(map(len, settings)) + 2
    for role in Role:
        for name in (name for name, each in settings.items() if each.role is role):
            style = "accent" if name in form.typed else "dim" if name in idle else ""
            text = cut(safe_text(_text(recipe.value(name))), max(width - indent, 1))
            lines.append(line(Span(pad(name, indent), "dim"), Span(text, style)))
    return lines
