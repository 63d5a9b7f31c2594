"""`bertmt presets`."""

from typing import TYPE_CHECKING, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import registry_path
from bertmt.cli.parameters import AsJson
from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell
from bertmt.drawing.tables import Column, Row, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertmt.recipe.loading import Preset
    from bertmt.recipe.reported import ReportedScores


def presets(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models of the paper and the scores it reports.

    Below them stand presets of your own, which `bertmt recipe --save` made.
    """
    from bertmt.recipe.reported import reported_scores
    from bertmt.services.plan.preset_list import broken_presets, known_presets
    from bertmt.tasks.builtin import BUILTIN

    folder = registry_path(context).parent
    for problem in broken_presets(folder).values():
        diagnostics.warn(problem)
    found = [(each, None if each.own else reported_scores(each.name)) for each in known_presets(folder).values()]
    if as_json:
        output.write_document("bertmt.presets/1", {"presets": [_record(*each) for each in found]})
        return
    titles = (Column(task.score_title, True) for task in BUILTIN.values())
    columns = (Column("preset"), Column("fig."), *titles, Column("description", elastic=True))
    output.write_lines(table(columns, [_row(*each, tuple(BUILTIN)) for each in found], output.table_width()))
    output.write_lines(
        [
            "",
            "Scores are the paper's (bert-base, full data), on dev; with * on its test set.",
            "`bertmt recipe --preset NAME` shows all settings, `bertmt queue` trains it.",
        ]
    )


def _row(preset: "Preset", paper: "ReportedScores | None", tasks: "Sequence[str]") -> Row:
    mark = "*" if paper and paper.split == "test" else ""
    scores = [paper.scores[task] if paper else None for task in tasks]
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
