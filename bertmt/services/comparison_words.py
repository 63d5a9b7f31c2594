"""A comparison in words and tables, the same in every front end, and no claim that it does not make."""

from typing import Any

from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell, facts, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span
from bertmt.drawing.tables import Column, Row, table
from bertmt.services.compare import TASKS, Against, Arm, Comparison, effort
from bertmt.services.run_words import SCORE_TITLES, scale_line, similarity, value_text

SCORES = (
    Column("dev scores", elastic=True), Column("SST", True), Column("PARA", True), Column("STS ρ", True),
    Column("S=(1+ρ)/2", True), Column("overall", True),
)  # fmt: skip
DIFFERENCES = (
    Column("task"), Column("difference", True), Column("95 % interval", True), Column("p", True),
    Column("p (Holm)", True), Column("verdict"),
)  # fmt: skip
NOTHING_DIFFERS = "Nothing but the seed."
STYLES = {"better": "good", "worse": "bad", "undecided": "dim"}


def score_texts(arm: Arm) -> list[str]:
    """SST, PARA, STS as ρ and as S, overall: means over the arm's seeds."""
    scores = [*(arm.mean(task) for task in TASKS), similarity(arm.mean("sts")), arm.mean("overall")]
    return list(map(numbers.score, scores))


def score_lines(found: Comparison, width: int | None) -> list[Line]:
    """The scores of every arm, the reference first."""
    return table(SCORES, [Row([arm_name(arm), *score_texts(arm)]) for arm in found.arms], width)


def arm_name(arm: Arm) -> str:
    """What an arm is called, and over how many seeds its scores are means; not yet safe for a screen."""
    seeds = len({run.seed for run in arm.runs})
    return f"{arm.name}, mean of {numbers.counted(seeds, 'seed')}" if len(arm.runs) > 1 else arm.name


def difference_lines(reference: Arm, against: Against, width: int | None) -> list[Line]:
    """One arm against the reference: differences with interval, p, verdict and what to mind."""
    results: list[Any] = [*against.examples, *against.seeds]
    title = safe_text(f"{arm_name(against.arm)} less {arm_name(reference)}")
    if not results:
        return [(Span(title, "title"),), (Span("Both were trained on no task in common.", "dim"),)]
    rows = []
    for each in results:
        remark = wrapped(each.remark, width - 2 if width else None) if each.remark else ()
        verdict = str(each.verdict)
        cells: list[str | Cell] = [
            SCORE_TITLES[each.task], numbers.difference(each.difference), numbers.interval(each.low, each.high),
            numbers.p_value(each.p), numbers.p_value(each.p_corrected), Cell(verdict, STYLES[verdict]),
        ]  # fmt: skip
        rows.append(Row(cells, [(Span(f"  {safe_text(part)}", "dim"),) for part in remark]))
    return [(Span(title, "title"),), *table(DIFFERENCES, rows, width)]


def test_lines(found: Comparison, width: int | None) -> list[Line]:
    """How the numbers came about: the tests, the intervals, and over how many the p values were corrected."""
    results: list[Any] = [each for against in found.others for each in (*against.examples, *against.seeds)]
    tests: dict[str, list[str]] = {}
    for each in results:
        tests.setdefault(each.test, []).append(SCORE_TITLES[each.task])
    known = sum(each.p is not None for each in results)
    used = "; ".join(f"{', '.join(dict.fromkeys(tasks))} by {test}" for test, tasks in tests.items() if test != "none")
    if not used:
        return []
    text = f"p: {used}. Holm's correction over {known} comparison{'s' if known != 1 else ''}, level 0.05."
    return [(Span(part, "dim"),) for part in wrapped(safe_text(text), width)]


def recipe_lines(found: Comparison, width: int | None) -> list[Line]:
    """The settings that differ, a column per arm, and the scale of the reference; the table is as wide as it is."""
    title = (Span("What differs in the recipes", "title"),)
    if not found.recipe_differences:
        return [title, (Span(NOTHING_DIFFERS, "dim"),)]
    columns = (Column("setting"), *(Column(safe_text(arm.name)) for arm in found.arms))
    rows = [Row([name, *map(value_text, values)]) for name, values in found.recipe_differences.items()]
    first = found.reference.runs[0]
    return [title, *table(columns, rows, None), *facts({f"scale of {first.id}": scale_line(first)}, width)]


def effort_lines(found: Comparison, width: int | None) -> list[Line]:
    """Steps, examples and passes of each arm's first run."""
    names = [arm.name for arm in found.arms]
    # Two recipes can share a name.
    distinct = [
        f"{arm.name} ({arm.runs[0].id} …)" if names.count(arm.name) > 1 and len(arm.runs) > 1 else arm.name
        for arm in found.arms
    ]
    said = [_effort(effort(arm.runs[0])) for arm in found.arms]
    shown = {safe_text(name): text for name, text in zip(distinct, said, strict=True)}
    return [(Span("How much each was trained", "title"),), *facts(shown, width)]


def _effort(known: dict[str, Any]) -> str:
    """Steps, then per task or phase its examples and passes."""
    steps = known.get("steps")
    parts = [f"{numbers.MISSING} steps" if steps is None else numbers.counted(steps, "step")]
    for key, amount in known.items():
        kind, _, task = key.partition(" ")
        if kind == "examples":
            passes = known.get(f"passes {task}")
            often = f" ({passes:.2f} passes)" if passes is not None else ""
            parts.append(f"{safe_text(task)} {numbers.counted(amount, 'example')}{often}")
    return "; ".join(parts)


def warning_lines(found: Comparison, width: int | None) -> list[Line]:
    """What a reader must know before believing a difference."""
    if not found.warnings:
        return []
    lines: list[Line] = [(Span("Read with care", "title"),)]
    for warning in found.warnings:
        first, *rest = wrapped(safe_text(warning), width - 2 if width else None)
        lines += [(Span(f"· {first}"),), *((Span(f"  {part}"),) for part in rest)]
    return lines
