"""`bertmt search` and `bertmt searches`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import completion, diagnostics, output
from bertmt.cli.invocation import existing_registry, named_run, registry_path, registry_to_fill
from bertmt.cli.parameters import (
    AsJson,
    DataFolder,
    EncoderName,
    ExtraData,
    FromRun,
    PresetName,
    RecipeFile,
    Settings,
    assigned_settings,
    named_settings,
)  # fmt: skip
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text

if TYPE_CHECKING:
    from bertmt.errors import Problems
    from bertmt.services.analysis.searching.beginning import Asked, Prepared
    from bertmt.services.analysis.searching.looking import Tried
    from bertmt.services.analysis.searching.report import Listed, Report
    from bertmt.services.opening import Registry

Over = Annotated[
    list[str] | None,
    typer.Option(
        "--over", metavar="KEY=LOW..HIGH", help="A setting to search, in a range or of values A,B,C; may be repeated.",
        autocompletion=completion.settings,
    ),
]  # fmt: skip
Budget = Annotated[
    str, typer.Option("--budget", metavar="TIME", help="Of training, all runs together: 2h, 90m, 1d12h.")
]
Runs = Annotated[str, typer.Option("--runs", metavar="N", help="How many recipes are tried, at most.")]
Strategy = Annotated[
    str,
    typer.Option(
        "--strategy", metavar="NAME",
        help="halving: all pause after a few epochs, the best third goes on, and so on; random: all to their end.",
    ),
]  # fmt: skip
Sampler = Annotated[
    str, typer.Option("--sampler", metavar="NAME", help="uniform, or tpe (of optuna), which learns from scores.")
]
Seed = Annotated[str, typer.Option("--seed", metavar="N", help="Of what is drawn; runs have their recipe's seed.")]
NoHoldout = Annotated[bool, typer.Option("--no-holdout", help="Choose on all of dev, and confirm on nothing.")]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="The search's name, also a tag of its runs.")]
Resume = Annotated[
    str | None, typer.Option("--resume", metavar="NAME", help="Go on with a search; it remembers what was asked for.")
]
Work = Annotated[bool, typer.Option("--work", help="Work the queue here until the search has ended.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything and show the first recipes; queue nothing.")]
SearchName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="A search.", show_default=False)]


def search(
    context: typer.Context,
    preset: PresetName = None,
    file: RecipeFile = None,
    from_run: FromRun = None,
    settings: Settings = None,
    over: Over = None,
    budget: Budget = "",
    runs: Runs = "",
    strategy: Strategy = "halving",
    sampler: Sampler = "uniform",
    seed: Seed = "",
    no_holdout: NoHoldout = False,
    data: DataFolder = None,
    extra_data: ExtraData = None,
    encoder: EncoderName = None,
    name: Name = "",
    resume: Resume = None,
    work: Work = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Search for the best recipe, and tell honestly how good it is.

    Elsewhere it is called hyper-parameter search, sweep or tuning. Recipes are drawn from the space of all --over. Half
    of dev, the same always, chooses the winner; the other half, which has no part in any choice, confirms it. Killed at
    any moment, `bertmt search --resume NAME` goes on.
    """
    from bertmt.errors import Problems
    from bertmt.services.plan.submit import Request

    if resume is not None:
        named = (seed, no_holdout, data, extra_data, encoder, name, dry_run)
        chosen = (strategy != "halving", sampler != "uniform")
        _refuse_with_resume(preset, file, from_run, settings, over, budget, runs, *named, *chosen)
        _go_on(existing_registry(context), resume, work, as_json)
        return
    problems = Problems()
    source = problems.attempt(named_run, context, from_run)
    values = assigned_settings(problems, settings or ()) | named_settings(data, extra_data, encoder)
    if from_run is not None and source is None:
        problems.raise_all()
    request = Request(
        preset=preset, file=Path(file) if file else None, from_run=source, values=values,
        folder=registry_path(context).parent,
    )  # fmt: skip
    asked = _asked(request, over, name, budget, runs, strategy, sampler, seed, no_holdout)
    _begin(context, asked, problems, (work, dry_run, as_json))


def _asked(
    request: Any, over: list[str] | None, name: str, budget: str, runs: str, strategy: str, sampler: str, seed: str,
    no_holdout: bool,
) -> "Asked":  # fmt: skip
    from bertmt.services.analysis.searching.beginning import Asked

    return Asked(
        request=request, over=tuple(over or ()), name=name, budget=budget, runs=runs, strategy=strategy,
        sampler=sampler, seed=seed, holds_out=not no_holdout,
    )  # fmt: skip


def _refuse_with_resume(*given: object) -> None:
    from bertmt.errors import UsageError

    if any(given):
        raise UsageError("--resume goes on with what was asked for when the search began: leave the other options out.")


def _begin(context: typer.Context, asked: "Asked", problems: "Problems", how: tuple[bool, bool, bool]) -> None:
    from bertmt.services.analysis.searching.beginning import begin, prepare

    work, dry_run, as_json = how
    is_there = registry_path(context).exists()
    prepared = prepare(existing_registry(context) if is_there else None, asked, problems)
    if dry_run:
        _show_first(prepared)
        return
    database = registry_to_fill(context)
    begun = begin(database, prepared)
    diagnostics.note(*begun.remarks)
    diagnostics.note(
        f"Search {begun.search.name}: `bertmt search --resume {begun.search.name}` goes on if this is killed."
    )
    _go_on(database, begun.search.name, work, as_json)


def _show_first(prepared: "Prepared") -> None:
    from bertmt.recipe.space import in_words

    for settings, planned in prepared.first:
        shown = " ".join(f"{name}={value}" for name, value in in_words(settings).items())
        output.write_lines([safe_text(f"{planned.name}  {shown}")])
    diagnostics.note(
        *prepared.remarks, f"Dry run: nothing was queued; {counted(len(prepared.first), 'recipe')} would be."
    )


def _go_on(database: "Registry", name: str, work: bool, as_json: bool) -> None:
    """Take the search to its end and tell what came of it."""
    from bertmt.services.analysis.searching.working import search_on

    try:
        search_on(database, name, work, lambda sentence: diagnostics.note(safe_text(sentence)))
    except KeyboardInterrupt:
        diagnostics.note(f"Stopped; nothing is lost: `bertmt search --resume {safe_text(name)}` goes on.")
        raise
    _show(database, name, as_json)


def searches(context: typer.Context, name: SearchName = None, as_json: AsJson = False) -> None:
    """List searches, or show what one has tried, and its winner."""
    from bertmt.services.analysis.searching.formatting import list_table
    from bertmt.services.analysis.searching.report import listed

    database = existing_registry(context)
    if name is not None:
        _show(database, name, as_json)
        return
    found = listed(database)
    if as_json:
        output.write_document("bertmt.searches/1", {"searches": [_listed(each) for each in found]})
        return
    output.write_lines(list_table(found, output.table_width()))
    if not found:
        diagnostics.note("No search yet: `bertmt search --preset baseline --over learning_rate=1e-5..1e-4 --runs 9`.")


def _show(database: "Registry", name: str, as_json: bool) -> None:
    from bertmt.services.analysis.searching.formatting import importance_lines, outcome_lines, recipe_table
    from bertmt.services.analysis.searching.report import report_of

    report = report_of(database, name)
    if as_json:
        output.write_document("bertmt.search/1", _document(report))
        return
    output.write_lines(recipe_table(report, output.table_width()))
    output.write_lines(["", *importance_lines(report, output.size()[0]), "", *outcome_lines(report)])


def _listed(each: "Listed") -> dict[str, Any]:
    return {
        "name": each.search.name, "strategy": each.plan.strategy, "sampler": each.plan.sampler,
        "over": list(each.plan.over), "runs": each.search.runs, "tried": each.tried,
        "created_at": each.search.created_at, "ended_at": each.search.ended_at,
    }  # fmt: skip


def _document(report: "Report") -> dict[str, Any]:
    from bertmt.services.analysis.searching.report import sentences

    plan, search, best, winner = report.plan, report.looked.search, report.best, report.winner
    return {
        "name": search.name, "strategy": plan.strategy, "sampler": plan.sampler, "seed": plan.seed,
        "over": list(plan.over), "rungs": list(plan.rungs), "runs": search.runs,
        "budget_seconds": plan.budget_seconds, "seconds": report.looked.seconds, "held_out": plan.holds_out,
        "created_at": search.created_at, "ended_at": search.ended_at,
        "recipes": [_recipe(each, report) for each in report.ranked],
        "tried": report.tried, "pruned": report.pruned, "failed": report.failed,
        "winner": winner.trial.run if winner else None,
        "score": best.halves.chosen_by if best else None,
        "held_out_score": best.halves.held_out if best else None,
        "held_out_error": report.error,
        "optimism": best.optimism if best else None,
        "easier": best.easier if best else None,
        "importance": {
            setting: {"recipes": each.recipes, "rank_correlation": each.rank_correlation, "share": each.share}
            for setting, each in report.importances.items()
        },
        "said": sentences(report),
    }  # fmt: skip


def _recipe(each: "Tried", report: "Report") -> dict[str, Any]:
    from bertmt.services.analysis.searching.formatting import state_of

    return {
        "number": each.trial.number, "run": each.trial.run, "settings": dict(each.trial.settings),
        "state": state_of(each, report.looked), "rung": each.trial.rung, "epochs": each.epochs,
        "first_score": each.first.chosen_by, "score": each.halves.chosen_by,
        "held_out_score": each.halves.held_out, "seconds": each.seconds,
    }  # fmt: skip
