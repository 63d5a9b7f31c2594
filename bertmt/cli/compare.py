"""`bertmt compare`."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import completion, output
from bertmt.cli.curves import curves_in_words
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.drawing.styled import Line

if TYPE_CHECKING:
    from bertmt.registry.records import Run
    from bertmt.services.analysis.compare import Against, Comparison, Side
    from bertmt.services.opening import Registry

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...", help="The first is the reference; of one run alone, its baseline is. A name that seeds share "
        "stands for all of them.", autocompletion=completion.runs,
    ),
]  # fmt: skip
CURVE_HEIGHT = 12


def compare(context: typer.Context, words: Words, as_json: AsJson = False) -> None:
    """Compare runs with the first one.

    Differences come with their 95 % interval, a p value corrected for all that are shown, and a verdict, as a forest
    plot before what two seeds of one recipe differ by, and as tables; below them what differs in the recipes, how much
    each was trained, and what to keep in mind.
    """
    from bertmt.services.analysis.arms import named_groups
    from bertmt.services.analysis.compare import compare as compare_runs

    database = existing_registry(context)
    groups = named_groups(database, words)
    found = compare_runs(database, groups)
    if as_json:
        output.write_document("bertmt.compared/1", _record(found))
        return
    write_comparison(database, groups, found)


def write_comparison(database: "Registry", groups: "Sequence[Sequence[Run]]", found: "Comparison") -> None:
    """All of it for people to read, with the curves of the runs."""
    width = output.table_width()
    for lines in _sections(found, width):
        output.write_lines([*lines, ""] if lines else [])
    output.write_lines(_curves(database, [run for group in groups for run in group]))


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


def _curves(database: "Registry", runs: "list[Run]") -> list[Line]:
    """The first dev score that the runs have in common, over their steps."""
    from bertmt.drawing.charts.curves import draw_curves
    from bertmt.errors import NotFoundError
    from bertmt.services.browse.baseline import known_baselines
    from bertmt.services.browse.curves import curves_of, drawn_curves

    try:
        found = curves_of(database, runs)
    except NotFoundError:
        return []
    drawn, title = drawn_curves(found, runs, known_baselines(database).references), found[0].series
    width = output.size()[0]
    said = curves_in_words(drawn, title, width)
    return said or draw_curves(drawn, width, CURVE_HEIGHT, y_label=title, ascii_only=output.is_ascii())


def _record(found: "Comparison") -> dict[str, Any]:
    from bertmt.services.analysis.arms import effort, energy_of

    return {
        "reference": _side(found.sides[0]),
        "arms": [
            {
                **_side(each.side),
                "reference_scores": _scores(each.reference),
                "differences": [
                    *({**_difference(one), "seeds": None, "wh_per_point": _price(each, one)} for one in each.examples),
                    *(
                        {**_difference(one), "seeds": _seeds(one), "wh_per_point": _price(each, one)}
                        for one in each.seeds
                    ),
                ],
            }
            for each in found.others
        ],
        "recipe_differences": {name: list(values) for name, values in found.recipe_differences.items()},
        "effort": {arm.name: effort(arm.runs[0]) for arm in found.arms},
        "energy": {arm.name: dict(zip(("kwh", "shared"), energy_of(arm.runs), strict=True)) for arm in found.arms},
        "warnings": list(found.warnings),
        "noise": {name: asdict(floor) for name, floor in found.noise.items()},
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
    }


def _difference(result: Any) -> dict[str, Any]:
    names = ("task", "difference", "low", "high", "p", "p_corrected", "family", "level", "test", "remark")
    found = {name: getattr(result, name) for name in names}
    of_examples = {name: getattr(result, name, None) for name in ("n", "detectable", "p_williams")}
    return {**found, "verdict": str(result.verdict), **of_examples}
