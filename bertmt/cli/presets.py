"""`bertmt presets`."""

from typing import TYPE_CHECKING, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import registry_path
from bertmt.cli.parameters import AsJson
from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell
from bertmt.drawing.tables import Column, Row, table
from bertmt.tasks.builtin import BUILTIN

if TYPE_CHECKING:
    from bertmt.recipe.loading import Preset
    from bertmt.recipe.reported import ReportedScores

COLUMNS = (
    Column("preset"), Column("fig."), *(Column(task.score_title, True) for task in BUILTIN.values()),
    Column("description", elastic=True),
)  # fmt: skip


def presets(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models of the paper and the scores it reports.

    Below them stand presets of your own, which `bertmt recipe --save` made.
    """
    from bertmt.recipe.reported import reported_scores
    from bertmt.services.plan.preset_list import broken_presets, known_presets

    folder = registry_path(context).parent
    for problem in broken_presets(folder).values():
        diagnostics.warn(problem)
    found = [(each, None if each.own else reported_scores(each.name)) for each in known_presets(folder).values()]
    if as_json:
        output.write_document("bertmt.presets/1", {"presets": [_record(*each) for each in found]})
        return
    output.write_lines(table(COLUMNS, [_row(*each) for each in found], output.table_width()))
    output.write_lines(
        [
            "",
            "Scores are the paper's (bert-base, full data), on dev; with * on its test set.",
            "`bertmt recipe --preset NAME` shows all settings, `bertmt queue` trains it.",
        ]
    )


def _row(preset: "Preset", paper: "ReportedScores | None") -> Row:
    mark = "*" if paper and paper.split == "test" else ""
    scores = [paper.scores[task] if paper else None for task in BUILTIN]
    shown = [numbers.score(score) + (mark if score is not None else "") for score in scores]
    figure = preset.figure or Cell("yours" if preset.own else "ours", "dim")
    return Row([preset.name, figure, *shown, preset.summary])


def _record(preset: "Preset", paper: "ReportedScores | None") -> dict[str, Any]:
    return {
        "name": preset.name,
        "summary": preset.summary,
        "figure": preset.figure,
        "settings": dict(preset.values),
        "paper": {"split": paper.split, **paper.scores, "note": paper.note} if paper else None,
        "own": preset.own,
    }
