"""`bertmt compare`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import completion, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson
from bertmt.cli.records import TASKS, similarity
from bertmt.cli.tables import Column, Row, table
from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell, facts, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span
from bertmt.services.run_words import scale_line, value_text

if TYPE_CHECKING:
    from bertmt.services.compare import Against, Arm, Comparison
    from bertmt.services.opening import Database, Run

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...", help="The first is the reference; of one run alone, its baseline is. A name that seeds share "
        "stands for all of them.", autocompletion=completion.runs,
    ),
]  # fmt: skip
SCORES = (
    Column("dev scores", elastic=True), Column("SST", True), Column("PARA", True), Column("STS ρ", True),
    Column("S=(1+ρ)/2", True), Column("overall", True),
)  # fmt: skip
DIFFERENCES = (
    Column("task"), Column("difference", True), Column("95 % interval", True), Column("p", True),
    Column("p (Holm)", True), Column("verdict"),
)  # fmt: skip
TITLES = {"sst": "SST", "para": "PARA", "sts": "STS ρ", "overall": "overall"}
STYLES = {"better": "good", "worse": "bad", "undecided": "dim"}
CURVE_HEIGHT = 12


def compare(context: typer.Context, words: Words, as_json: AsJson = False) -> None:
    """Compare runs with the first of them.

    Differences come with their 95 % interval, a p value corrected for all that are shown, and a verdict; below them
    what differs in the recipes, how much each was trained, and what to mind before believing them.
    """
    from bertmt.services.compare import compare as compare_runs

    database = existing_registry(context)
    groups = _groups(database, words)
    found = compare_runs(database, groups)
    if as_json:
        output.write_document("bertmt.compared/1", _record(found))
        return
    width = output.table_width()
    for lines in _sections(found, width):
        output.write_lines([*lines, ""] if lines else [])
    output.write_lines(_curves(database, [run for group in groups for run in group]))


def _groups(database: "Database", words: list[str]) -> "list[list[Run]]":
    """The arms; the baseline joins a run that is named alone."""
    from bertmt.services.baseline import Baselines
    from bertmt.services.lookup import find_runs

    groups = [find_runs(database, word) for word in words]
    if len(groups) == 1:
        known = Baselines(database)
        found = {run.key: run for run in map(known.of, groups[0]) if run is not None}
        own = {run.key for run in groups[0]}
        if found and not own & set(found):
            return [list(found.values()), *groups]
    return groups


def _sections(found: "Comparison", width: int | None) -> Iterator[list[Line]]:
    arms = [found.reference, *(each.arm for each in found.others)]
    yield table(SCORES, [_score_row(arm) for arm in arms], width)
    for each in found.others:
        yield _differences(found.reference, each, width)
    yield _tests(found, width)
    yield _recipes(found, arms, width)
    yield _efforts(arms, width)
    yield _warnings(found, width)


def _score_row(arm: "Arm") -> Row:
    scores = [*(arm.mean(task) for task in TASKS), similarity(arm.mean("sts")), arm.mean("overall")]
    return Row([_name(arm), *map(numbers.score, scores)])


def _name(arm: "Arm") -> str:
    return f"{arm.name}, mean of {len(arm.runs)} seeds" if len(arm.runs) > 1 else arm.name


def _differences(reference: "Arm", against: "Against", width: int | None) -> list[Line]:
    results: list[Any] = [*against.examples, *against.seeds]
    title = safe_text(f"{_name(against.arm)} less {_name(reference)}")
    if not results:
        return [(Span(title, "title"),), (Span("Both were trained on no task in common.", "dim"),)]
    rows = []
    for each in results:
        remark = wrapped(each.remark, width - 2 if width else None) if each.remark else ()
        verdict = str(each.verdict)
        cells: list[str | Cell] = [
            TITLES[each.task], numbers.difference(each.difference), numbers.interval(each.low, each.high),
            numbers.p_value(each.p), numbers.p_value(each.p_corrected), Cell(verdict, STYLES[verdict]),
        ]  # fmt: skip
        rows.append(Row(cells, [(Span(f"  {safe_text(part)}", "dim"),) for part in remark]))
    return [(Span(title, "title"),), *table(DIFFERENCES, rows, width)]


def _tests(found: "Comparison", width: int | None) -> list[Line]:
    """How the numbers came about: the tests, the intervals, and over how many the p values were corrected."""
    results: list[Any] = [each for against in found.others for each in (*against.examples, *against.seeds)]
    tests: dict[str, list[str]] = {}
    for each in results:
        tests.setdefault(each.test, []).append(TITLES[each.task])
    known = sum(each.p is not None for each in results)
    used = "; ".join(f"{', '.join(dict.fromkeys(tasks))} by {test}" for test, tasks in tests.items() if test != "none")
    if not used:
        return []
    text = f"p: {used}. Holm's correction over {known} comparison{'s' if known != 1 else ''}, level 0.05."
    return [(Span(part, "dim"),) for part in wrapped(safe_text(text), width)]


def _recipes(found: "Comparison", arms: "list[Arm]", width: int | None) -> list[Line]:
    title = (Span("What differs in the recipes", "title"),)
    if not found.recipe_differences:
        return [title, (Span("Nothing but the seed.", "dim"),)]
    columns = (Column("setting"), *(Column(safe_text(arm.name)) for arm in arms))
    rows = [Row([name, *map(value_text, values)]) for name, values in found.recipe_differences.items()]
    first = found.reference.runs[0]
    return [title, *table(columns, rows, None), *facts({f"scale of {first.id}": scale_line(first)}, width)]


def _efforts(arms: "list[Arm]", width: int | None) -> list[Line]:
    from bertmt.services.compare import effort

    shown = {arm.name: _effort(effort(arm.runs[0])) for arm in arms}
    return [(Span("How much each was trained", "title"),), *facts({safe_text(k): v for k, v in shown.items()}, width)]


def _effort(counted: dict[str, Any]) -> str:
    """Steps, then per task or phase its examples and passes."""
    parts = [f"{numbers.count(counted.get('steps'))} steps"]
    for key, amount in counted.items():
        kind, _, task = key.partition(" ")
        if kind == "examples":
            passes = counted.get(f"passes {task}")
            often = f" ({passes:.2f} passes)" if passes is not None else ""
            parts.append(f"{safe_text(task)} {numbers.count(amount)} examples{often}")
    return "; ".join(parts)


def _warnings(found: "Comparison", width: int | None) -> list[Line]:
    if not found.warnings:
        return []
    lines: list[Line] = [(Span("Read with care", "title"),)]
    for warning in found.warnings:
        first, *rest = wrapped(safe_text(warning), width - 2 if width else None)
        lines += [(Span(f"· {first}"),), *((Span(f"  {part}"),) for part in rest)]
    return lines


def _curves(database: "Database", runs: "list[Run]") -> list[Line]:
    """The first dev score that the runs have in common, over their steps."""
    from bertmt.drawing.curves import draw_curves
    from bertmt.errors import NotFoundError
    from bertmt.services.curves import curves_of

    try:
        found = curves_of(database, runs)
    except NotFoundError:
        return []
    drawn = [each.drawn(same_series=True) for each in found]
    return draw_curves(drawn, output.size()[0], CURVE_HEIGHT, y_label=found[0].series, ascii_only=output.is_ascii())


def _record(found: "Comparison") -> dict[str, Any]:
    from bertmt.services.compare import effort

    arms = [found.reference, *(each.arm for each in found.others)]
    return {
        "reference": _arm(found.reference),
        "arms": [
            {**_arm(each.arm), "differences": [_difference(one) for one in (*each.examples, *each.seeds)]}
            for each in found.others
        ],
        "recipe_differences": {name: list(values) for name, values in found.recipe_differences.items()},
        "effort": {arm.name: effort(arm.runs[0]) for arm in arms},
        "warnings": list(found.warnings),
    }


def _arm(arm: "Arm") -> dict[str, Any]:
    scores = {name: arm.mean(name) for name in (*TASKS, "overall")}
    return {"name": arm.name, "runs": [{"id": run.id, "seed": run.seed} for run in arm.runs], "scores": scores}


def _difference(result: Any) -> dict[str, Any]:
    names = ("task", "difference", "low", "high", "p", "p_corrected", "test", "remark")
    found = {name: getattr(result, name) for name in names}
    return {**found, "verdict": str(result.verdict), "n": getattr(result, "n", None),
            "detectable": getattr(result, "detectable", None)}  # fmt: skip
