"""The recipe of a run, setting by setting, and beside it what came of it: scores, effort, data, code."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import ClassVar

from textual.app import ComposeResult

from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell, facts, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, line, pad, plain
from bertmt.recipe.recipe import SETTINGS, Recipe
from bertmt.recipe.settings import Role
from bertmt.registry.records import Run
from bertmt.services.browse.baseline import Baselines
from bertmt.services.browse.detail_formatting import (
    changes_from_preset,
    compared_with,
    format_code,
    format_effort,
    format_scores,
    place_in_queue,
)
from bertmt.services.browse.details import Details, details_of
from bertmt.services.browse.run_formatting import job_line, local_time, value_text
from tui.registry_lane import Session
from tui.screens.run.panes.pane import Pane, shown_path
from tui.widgets.frame import framed
from tui.widgets.page import Page

SIDE_BY_SIDE = 116  # cells from which on the recipe has the other half beside it
SHARE_OF_RECIPE = 0.48
GAP = 4
TITLES = {
    Role.TOGGLE: "Method: the toggles",
    Role.SCALE: "Scale: encoder, data, budget",
    Role.RUNTIME: "Runtime: seed, precision, what is kept",
    Role.RESILIENCE: "Care: checkpoints, what happens when it is lost",
}
UNLIKE, PLAIN = "* ", "  "
Section = tuple[str, Sequence[Line]]


class RecipePane(Pane):
    """All settings in their groups, and everything else that is known of the run."""

    TITLE = "Recipe"
    GUIDE: ClassVar[tuple[str, ...]] = (
        "The recipe as it was resolved when the run was queued. A * marks a toggle that differs from the preset that "
        "the run was queued from; settings that have no effect, given the others, are dimmed, with the reason.",
        "Our scores are on the dev set; the paper's say which set they are on.",
    )
    DEFAULT_CSS = "RecipePane Page { padding: 0 1; }"

    def compose(self) -> ComposeResult:
        yield framed(Page(), "Recipe", first=True)

    def focus_first(self) -> None:
        self.query_one(Page).focus()

    async def load(self, run: Run) -> None:
        baselines = await self.dashboard.ask(_baselines)
        details = await self.dashboard.ask(lambda session: details_of(session.database, run, baselines), slow=True)
        self.query_one(Page).show(lambda width: page(details, width))


def _baselines(session: Session) -> Baselines:
    """Of the runs as the list has them, so that the other lane need not read them all."""
    session.runs.refresh()
    return session.runs.baselines


def page(details: Details, width: int) -> list[Line]:
    """Everything, in one column or in two."""
    if width < SIDE_BY_SIDE:
        return [*_column(_recipe(details, width)), *_column(_results(details, width))]
    part = int((width - GAP) * SHARE_OF_RECIPE)
    left, right = _column(_recipe(details, part)), _column(_results(details, width - GAP - part))
    beside = zip_longest(left, right, fillvalue=())
    return [(*one, Span(" " * (part + GAP - cells(plain(one)))), *other) for one, other in beside]


def _column(sections: Iterator[Section]) -> list[Line]:
    """The sections that have lines, a blank line behind each."""
    return [each for title, lines in sections if lines for each in (line(Span(title, "title")), *lines, ())]


def _recipe(details: Details, width: int) -> Iterator[Section]:
    recipe = details.recipe
    if recipe is None:
        sentence = (
            f"It was written by another version of bertmt; `bertmt show {details.run.id} --json` has it as it is."
        )
        yield "Recipe", [line(part) for part in wrapped(sentence, width)]
        return
    settings = recipe.settings()
    name_width = max(map(len, settings)) + 1
    for role, title in TITLES.items():
        names = [name for name, setting in settings.items() if setting.role is role]
        lines = [each for name in names for each in _setting(details, recipe, name, name_width, width)]
        yield title, [*(_about_preset(details, width) if role is Role.TOGGLE else ()), *lines]


def _about_preset(details: Details, width: int) -> list[Line]:
    """Which preset it is, and what the marks are about."""
    run = details.run
    if changes_from_preset(details):
        said = f"A * marks what is not as in {run.submission.from_preset}, which it was queued from."
    elif run.submission.preset:
        said = f"These are the toggles of the preset {run.submission.preset}."
    else:
        said = "No preset has these toggles."
    return [line(Span(part, "dim")) for part in wrapped(safe_text(said), width)]


def _setting(details: Details, recipe: Recipe, name: str, name_width: int, width: int) -> list[Line]:
    """Its name and its value; behind it what the preset has, or why it has nothing to do."""
    idle = recipe.idle().get(name)
    value = recipe.value(name)
    text = value_text(value) if value not in (None, "") else numbers.MISSING
    remark, sign, style = "", PLAIN, "" if value == SETTINGS[name].default else "accent"
    if idle:
        remark, style = f"not in use: {idle}", "dim"
    elif name in details.changes:
        remark, sign = f"{details.run.submission.from_preset}: {value_text(details.changes[name][0])}", UNLIKE
    head = (Span(sign, "mark"), Span(pad(name, name_width), "dim"))
    room = width - len(sign) - name_width
    indent = Span(" " * (len(sign) + name_width))
    parts = [line(Span(part, style)) for part in wrapped(safe_text(text), room)]
    if remark and cells(plain(parts[-1])) + 2 + cells(remark) <= room:
        parts[-1] = (*parts[-1], Span(f"  {safe_text(remark)}", "dim"))
    elif remark:
        parts += [line(Span(part, "dim")) for part in wrapped(safe_text(remark), room)]
    return [(*(head if not index else (indent,)), *part) for index, part in enumerate(parts)]


def _results(details: Details, width: int) -> Iterator[Section]:
    yield "The run", _about(details, width)
    yield "Dev scores", format_scores(details, width)
    yield "Effort", format_effort(details, width)
    yield "Data", _data(details, width)
    yield "Code and environment", _environment(details, width)


def _about(details: Details, width: int) -> list[Line]:
    run = details.run
    return facts(
        {
            "place": place_in_queue(details),
            "budget": details.budget,
            "failure": Cell(run.execution.failure, "bad") if run.execution.failure else "",
            "baseline": compared_with(details),
            "tags": " ".join(run.annotations.tags),
            "note": run.annotations.note.split("\n") if run.annotations.note else "",
            "queued": local_time(run.submission.submitted_at),
            "started": local_time(run.execution.started_at) if run.execution.started_at else "",
            "ended": local_time(run.execution.ended_at) if run.execution.ended_at else "",
            "folder": shown_path(details.folder),
        },
        width,
    )


def _data(details: Details, width: int) -> list[Line]:
    """Where the examples are from, and how many there are of each split."""
    run, started = details.run, details.run.progress.started
    sizes = started.split_sizes if started is not None else {}
    extra = run.submission.extra_data_file if run.recipe.get("extra_data") else ""
    counts = [f"{name} {numbers.count(size)}" for name, size in sizes.items()]
    return facts({"from": run.submission.data, "extra pairs": extra, "examples": ", ".join(counts)}, width)


def _environment(details: Details, width: int) -> list[Line]:
    run, told = details.run, details.run.progress.started
    trained, total = (told.trainable_parameters, told.total_parameters) if told else (None, None)
    versions = (told and told.versions) or _mapping(details.snapshot.environment.get("packages"))
    return facts(
        {
            "code": format_code(details),
            "device": run.execution.device or "",
            "job": job_line(run),
            "precision": told.precision if told else "",
            "threads": str((told and told.threads) or ""),
            "parameters": f"{numbers.count(trained)} of {numbers.count(total)} train" if total else "",
            "python": str(details.snapshot.environment.get("python") or ""),
            "packages": ", ".join(f"{name} {version}" for name, version in versions.items()),
        },
        width,
    )


def _mapping(value: object) -> Mapping[str, object]:
    """What an event of another version tells may be something else."""
    return value if isinstance(value, Mapping) else {}
