"""`bertmt edit`."""

from typing import Annotated

import typer

from bertmt.cli import completion, diagnostics, output
from bertmt.cli.choosing import MatchingRuns, Yes, chosen_runs
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import RunWordsOrNone
from bertmt.drawing.safe_text import safe_text
from bertmt.services.browse.run_formatting import value_text

Changes = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A setting to change; may be repeated.", autocompletion=completion.settings
    ),
]


def edit(
    context: typer.Context, settings: Changes, runs: RunWordsOrNone = None, matching: MatchingRuns = None,
    yes: Yes = False,
) -> None:  # fmt: skip
    """Change settings of waiting runs."""
    from bertmt.recipe.loading import differences, from_json, parse_assignments
    from bertmt.recipe.rules import remarks
    from bertmt.services.lifecycle import bulk

    database = existing_registry(context)
    values = parse_assignments(settings)
    found = chosen_runs(database, runs, matching, yes, "edit")
    edited = bulk.edit(database, found, values)
    for run, after in zip(found, edited, strict=True):
        before = from_json(run.submission.recipe_json, run.known)
        recipe = from_json(after.submission.recipe_json, after.known)
        changed = [f"{name} {value_text(old)} → {value_text(new)}" for name, (old, new) in
                   differences(recipe, before).items()]  # fmt: skip
        diagnostics.note(*remarks(recipe))
        output.write_lines([safe_text(f"{after.id} {after.name}: {', '.join(changed) or 'nothing changed'}")])
