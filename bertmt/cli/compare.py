"""`bertmt compare`."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import completion, diagnostics, output
from bertmt.cli.choosing import Yes, confirm
from bertmt.cli.curves import panel_in_words
from bertmt.cli.invocation import existing_registry, registry_path
from bertmt.cli.parameters import AsJson
from bertmt.drawing.numbers import counted
from bertmt.drawing.styled import Line

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.analysis.compare import Against, Comparison, Side
    from bertmt.services.analysis.groups.more_seeds import MoreSeeds
    from bertmt.services.opening import Registry

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN...]", help="The first is the reference; of one run alone, its baseline is. A name that seeds "
        "share stands for all of them.", autocompletion=completion.runs, show_default=False,
    ),
]  # fmt: skip
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group", metavar="SEEDS", help="An arm of several seeds, instead of RUN: a run's id for all finished seeds "
        "of its recipe, or a name or filter for those that it matches; may be repeated.",
        autocompletion=completion.runs,
    ),
]  # fmt: skip
QueueSeeds = Annotated[
    bool,
    typer.Option(
        "--queue-seeds", help="Queue as many more seeds as would decide what is undecided; asks first, with the time."
    ),
]
CURVE_HEIGHT = 12
MOST_NAMED = 20


def compare(
    context: typer.Context,
    words: Words = None,
    groups: Groups = None,
    queue_seeds: QueueSeeds = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Compare runs, or groups of seeds, with the first one.

    Differences come with their 95 % interval, a p value corrected for all that are shown, and a verdict, as a forest
    plot before what two seeds of one recipe differ by, and as tables; below them what differs in the recipes, how much
    each was trained, and what to keep in mind. Where seeds cannot decide, it says how many more would.
    """
    from bertmt.services.analysis.groups.more_seeds import compared

    database = existing_registry(context)
    named = _groups(database, words or (), groups or ())
    found, wanted = compared(database, named)
    queued = _queue(context, database, wanted, yes) if queue_seeds else []
    if as_json:
        output.write_document("bertmt.compared/1", _record(found, wanted, queued))
        return
    write_comparison(database, named, found, None if queue_seeds else wanted)


def _groups(database: "Registry", words: Sequence[str], groups: Sequence[str]) -> "Sequence[Sequence[Run]]":
    """The arms that a person named."""
    from bertmt.errors import UsageError
    from bertmt.services.analysis.arms import named_groups
    from bertmt.services.analysis.groups.naming import seed_groups

    if bool(words) == bool(groups):
        raise UsageError(
            "`bertmt compare` expects runs, or --group for each arm of several seeds, and not both; `bertmt runs` "
            "lists them."
        )
    if words:
        return named_groups(database, words)
    found = seed_groups(database, groups)
    diagnostics.note(*found.remarks)
    return found.groups


def _queue(context: typer.Context, database: "Registry", wanted: "MoreSeeds", yes: bool) -> "list[Run]":
    """Queue the seeds that would decide, once a person has seen how many and how long."""
    from bertmt.services.analysis.groups.more_seeds import LOOK_ONCE, seeds_plan
    from bertmt.services.plan.submit import submit

    diagnostics.note(*wanted.sentences, wanted.summary)
    if not wanted.lacking:
        diagnostics.note("Nothing was queued.")
        return []
    diagnostics.note(LOOK_ONCE)
    planned = seeds_plan(wanted, registry_path(context).parent)
    confirm(f"queue {counted(len(planned.runs), 'run')}", yes)
    queued = submit(database, planned)
    diagnostics.note(f"Queued {counted(len(queued), 'run')}: {', '.join(run.id for run in queued[:MOST_NAMED])}.")
    return queued


def write_comparison(
    database: "Registry", groups: "Sequence[Sequence[Run]]", found: "Comparison", wanted: "MoreSeeds | None" = None
) -> None:
    """All of it for people to read, with the curves of the runs.

    Args:
        wanted: what more seeds would tell, and how they are queued.
    """
    from bertmt.services.analysis.groups.formatting import format_more_seeds

    width = output.table_width()
    how = "`bertmt compare … --queue-seeds` queues them."
    for lines in (*_sections(found, width), format_more_seeds(wanted, width, how) if wanted else []):
        output.write_lines([*lines, ""] if lines else [])
    output.write_lines(_curves(database, found))


def _sections(found: "Comparison", width: int | None) -> Iterator[list[Line]]:
    from bertmt.drawing.plain import words_are_wanted
    from bertmt.services.analysis import comparison_formatting as words

    yield words.format_scores(found, width)
    if not words_are_wanted():  # its figures are those of the tables
        yield words.format_forest(found, output.size()[0], output.is_ascii())
    for each in found.others:
        yield words.format_differences(each, width)
    yield words.format_tests(found, width)
    yield words.format_recipes(found, width)
    yield words.format_effort(found, width)
    yield words.format_warnings(found, width)


def _curves(database: "Registry", found: "Comparison") -> list[Line]:
    """The first dev score that the runs have in common, over their steps; of several seeds their mean in a band."""
    from bertmt.drawing.charts.curves import draw_curves
    from bertmt.errors import NotFoundError
    from bertmt.services.analysis.groups.curves import comparison_panel

    try:
        panel = comparison_panel(database, found)
    except NotFoundError:
        return []
    width = output.size()[0]
    return panel_in_words(panel, width) or draw_curves(
        panel.series, width, CURVE_HEIGHT, y_label=panel.title, bands=panel.bands, ascii_only=output.is_ascii()
    )


def _record(found: "Comparison", wanted: "MoreSeeds", queued: "list[Run]") -> dict[str, Any]:
    from bertmt.services.analysis.arms import effort, energy_of

    return {
        "reference": _side(found.sides[0]),
        "arms": [_arm(each) for each in found.others],
        "recipe_differences": {name: list(values) for name, values in found.recipe_differences.items()},
        "effort": {arm.name: effort(arm.runs[0]) for arm in found.arms},
        "energy": {arm.name: dict(zip(("kwh", "shared"), energy_of(arm.runs), strict=True)) for arm in found.arms},
        "warnings": list(found.warnings),
        "noise": {name: asdict(floor) for name, floor in found.noise.items()},
        "lacking": [{"like": each.like.id, "name": each.like.name, "seed": each.seed} for each in wanted.lacking],
        "lacking_seconds": wanted.seconds,
        "queued": [run.id for run in queued],
    }


def _arm(against: "Against") -> dict[str, Any]:
    rows = [(one, None) for one in against.examples] + [(one, _seeds(one)) for one in against.seeds]
    return {
        **_side(against.side),
        "reference_scores": _scores(against.reference),
        "differences": [
            {**_difference(one), "seeds": seeds, "wh_per_point": _price(against, one)} for one, seeds in rows
        ],
    }


def _price(against: "Against", result: Any) -> float | None:
    from bertmt.services.analysis.arms import wh_per_point

    is_better = str(result.verdict) == "better"
    return wh_per_point(against.reference.arm.runs, against.arm.runs, result.difference) if is_better else None


def _side(side: "Side") -> dict[str, Any]:
    runs = [{"id": run.id, "seed": run.seed} for run in side.arm.runs]
    return {"name": side.arm.name, "runs": runs, "seeds": list(side.seeds), "scores": _scores(side)}


def _scores(side: "Side") -> dict[str, float | None]:
    """Those of the built-in tasks first, trained or not, as in all documents; then the arm's others, and overall."""
    from bertmt.tasks.builtin import BUILTIN

    return {name: side.scores.get(name) for name in dict.fromkeys((*BUILTIN, *side.scores))}


def _seeds(result: Any) -> dict[str, Any]:
    """What each seed has to do with a difference."""
    return {
        "paired": list(result.seeds),
        "differences": list(result.differences),
        "left_out": list(result.left_out),
        "reference_scores": dict(zip(map(str, result.seeds_a), result.scores_a, strict=True)),
        "scores": dict(zip(map(str, result.seeds_b), result.scores_b, strict=True)),
        "improvement": None if result.improvement is None else asdict(result.improvement),
        "over_examples": result.over_examples,
        "enough_seeds": result.enough_seeds,
    }


def _difference(result: Any) -> dict[str, Any]:
    names = ("task", "difference", "low", "high", "p", "p_corrected", "family", "level", "test", "remark")
    found = {name: getattr(result, name) for name in names}
    of_examples = {name: getattr(result, name, None) for name in ("n", "detectable", "p_williams")}
    return {**found, "verdict": str(result.verdict), **of_examples}
