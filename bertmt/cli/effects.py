"""`bertmt effects`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.choosing import Yes, confirm
from bertmt.cli.invocation import existing_registry, registry_path
from bertmt.cli.parameters import AsJson
from bertmt.drawing.numbers import counted

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.analysis.effects.effects import Effects, ToggleEffect
    from bertmt.services.opening import Registry

Over = Annotated[
    str, typer.Option("--over", metavar="QUERY", help="Only runs that match, as in `bertmt runs --filter`.")
]
Queue = Annotated[
    bool, typer.Option("--queue", help="Queue the runs that would complete further pairs; asks first, with the time.")
]


def effects(
    context: typer.Context, over: Over = "", queue: Queue = False, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Show which toggle helps, on average over matched pairs.

    A pair is two finished runs of the same seed, encoder, budget and data whose recipes differ in one toggle alone.
    Intervals are for other seeds and other examples; a forest plot, and which runs would complete further pairs.
    """
    from bertmt.services.analysis.effects.effects import effects as effects_of

    database = existing_registry(context)
    found = effects_of(database, over)
    queued = _queue(context, database, found, yes) if queue else []
    if as_json:
        output.write_document("bertmt.effects/1", _record(found, queued))
        return
    _write(found, is_queued=queue)


def _write(found: "Effects", is_queued: bool) -> None:
    """The forest, or sentences where words are wanted; what it holds for, and what would complete pairs."""
    from bertmt.drawing.plain import words_are_wanted
    from bertmt.drawing.sentences import sentence_page
    from bertmt.services.analysis.effects import formatting

    width = output.size()[0]
    if words_are_wanted():
        output.write_lines(sentence_page(formatting.effect_sentences(found), width))
    else:
        output.write_lines(formatting.format_effects(found, width, output.is_ascii()))
    lacking = [] if is_queued else formatting.lacking_lines(found)
    said = [*lacking, "`bertmt effects --queue` queues them."] if lacking else []
    output.write_lines(formatting.dim([*formatting.about(found), " ".join(said)], width))


def _queue(context: typer.Context, database: "Registry", found: "Effects", yes: bool) -> "list[Run]":
    """Queue what would complete pairs, once a person has seen how many runs and how long."""
    from bertmt.services.analysis.effects.effects import lacking_plan
    from bertmt.services.plan.estimates import estimate
    from bertmt.services.plan.submit import submit

    lacking = found.lacking
    if not lacking:
        diagnostics.note("Every pair has both runs, or what lacks is queued already: nothing was queued.")
        return []
    planned = lacking_plan(lacking, registry_path(context).parent)
    diagnostics.note(estimate(database, [each.recipe for each in planned.runs]).sentence())
    confirm(f"queue {counted(len(planned.runs), 'run')} that would complete pairs", yes)
    queued = submit(database, planned)
    diagnostics.note(f"Queued {counted(len(queued), 'run')}: {', '.join(run.id for run in queued[:20])}.")
    return queued


def _record(found: "Effects", queued: "list[Run]") -> dict[str, Any]:
    return {
        "runs": found.runs,
        "toggles": [_toggle(each) for each in found.toggles],
        "left_out": found.left_out,
        "lacking": [
            {"like": each.like.id, "name": each.like.name, "seed": each.seed, "pairs_with": each.present.id}
            for each in found.lacking
        ],
        "queued": [run.id for run in queued],
    }


def _toggle(each: "ToggleEffect") -> dict[str, Any]:
    change, matched = each.change, each.matched
    names = (
        "task", "difference", "low", "high", "p", "p_corrected", "family", "level", "test", "pairs", "detectable",
        "remark",
    )  # fmt: skip
    return {
        "toggle": change.toggle, "before": change.before, "after": change.after, "recipes": matched.recipes,
        "pairs": [{"a": pair.a.id, "b": pair.b.id, "seed": pair.a.seed} for pair in matched.pairs],
        "effects": [
            {**{name: getattr(one, name) for name in names}, "differences": list(one.differences),
             "verdict": str(one.verdict)}
            for one in each.effects
        ],
    }  # fmt: skip
