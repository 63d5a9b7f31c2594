"""A comparison in words and tables, the same in every front end, and no claim that it does not make."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bertmt.comparison.noise import NoiseFloor
from bertmt.comparison.seeds import SeedDifference
from bertmt.comparison.verdicts import Verdict
from bertmt.drawing import numbers
from bertmt.drawing.charts.forest import ForestGroup, ForestRow, draw_forest
from bertmt.drawing.facts import Cell, facts, wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, line
from bertmt.drawing.tables import Column, Row, table
from bertmt.services.analysis.arms import Arm, distinct_names, effort, energy_of, wh_per_point
from bertmt.services.analysis.compare import Against, Comparison, Side
from bertmt.services.browse.run_formatting import scale_line, value_text
from bertmt.tasks.task import Tasks

DIFFERENCES = (
    Column("task"), Column("difference", True), Column("95 % interval", True), Column("p", True),
    Column("p (Holm)", True), Column("verdict"),
)  # fmt: skip
NOTHING_DIFFERS = "Only the seed."
STYLES = {"better": "good", "worse": "bad", "undecided": "dim"}


def score_titles(tasks: Tasks) -> dict[str, str]:
    """The heads of the columns of scores by key: of each task, of what a signed score counts as, of the overall one."""
    titles: dict[str, str] = {}
    for name, task in tasks.items():
        titles[name] = safe_text(task.score_title)
        if task.metric.signed:
            titles[f"{name} unit"] = f"S=(1+{task.metric.symbol})/2"
    return titles if len(tasks) < 2 else {**titles, "overall": "overall"}


def score_texts(side: Side, tasks: Tasks) -> list[str]:
    """What stands in these columns: means over what is compared of an arm."""
    found: list[float | None] = []
    for name, task in tasks.items():
        score = side.scores.get(name)
        found += [score, None if score is None else task.unit(score)] if task.metric.signed else [score]
    return list(map(numbers.score, found if len(tasks) < 2 else [*found, side.scores["overall"]]))


def format_scores(found: Comparison, width: int | None) -> list[Line]:
    """The scores of every arm, the reference first."""
    return table(*score_table(found), width)


def score_table(found: Comparison) -> tuple[list[Column], list[Row]]:
    """The columns and the rows of that."""
    titles = score_titles(found.tasks).values()
    columns = [Column("dev scores", elastic=True, is_name=True), *(Column(title, True) for title in titles)]
    return columns, [Row([side_name(side), *score_texts(side, found.tasks)]) for side in found.sides]


def side_name(side: Side) -> str:
    """What an arm is called, and over how many of its seeds its scores are means; not yet safe for a screen."""
    arm, known, used = side.arm, len(side.arm.seeds), len(side.seeds)
    if len(arm.runs) == 1:
        return arm.name
    of_all = numbers.counted(known, "seed")
    return f"{arm.name}, mean of {of_all if used == known else f'{used} of {of_all}'}"


def format_forest(
    found: Comparison, width: int, ascii_only: bool = False, marks: Mapping[int, Span] | None = None
) -> list[Line]:
    """Every difference with its interval in one plot, and what the grey behind them is.

    Args:
        marks: stand before the names of arms, and where their differences are, by the key of an arm's first run.
    """
    drawn = draw_forest(forest_groups(found, marks), width, ascii_only=ascii_only)
    return [*drawn, *((Span(part, "dim"),) for part in wrapped(safe_text(about_noise(found)), width))]


def forest_groups(found: Comparison, marks: Mapping[int, Span] | None = None) -> list[ForestGroup]:
    """The rows of that plot, each arm's under its name."""
    groups = []
    for each in found.others:
        results: list[Any] = [*each.examples, *each.seeds]
        own, its = ((marks or {}).get(side.arm.runs[0].key) for side in (each.side, each.reference))
        rows = [_forest_row(result, found) for result in results]
        rows += _untested_overall(each, found) if each.seeds and "overall" not in {one.task for one in results} else []
        name, other = (Span(safe_text(side_name(side)), "title") for side in (each.side, each.reference))
        title = line(*_before(own), name, Span(" − ", "title"), *_before(its), other)
        groups.append(ForestGroup(title, [replace(row, mark=own) for row in rows]))
    return groups


def _before(mark: Span | None) -> tuple[Span, ...]:
    return () if mark is None else (mark, Span(" "))


def _forest_row(result: Any, found: Comparison) -> ForestRow:
    return ForestRow(
        name=_title(result.task, found.tasks), difference=result.difference, low=result.low, high=result.high,
        p=result.p_corrected, verdict=str(result.verdict), floor=_floor(found, result.task), note=_could_show(result),
    )  # fmt: skip


def _untested_overall(against: Against, found: Comparison) -> list[ForestRow]:
    """How the overall scores of arms of several seeds differ, of which nothing more is known."""
    of_arm, of_reference = (side.scores["overall"] for side in (against.side, against.reference))
    if of_arm is None or of_reference is None:
        return []
    difference = of_arm - of_reference
    return [ForestRow(name="overall", difference=difference, verdict="", floor=_floor(found, "overall"))]


def _floor(found: Comparison, task: str) -> float | None:
    return found.noise[task].difference if task in found.noise else None


def _could_show(result: Any) -> str:
    """Of what is undecided: the smallest difference that so many examples show, or how many seeds could show any."""
    if result.verdict is not Verdict.UNDECIDED or result.p is None:
        return ""
    if isinstance(result, SeedDifference):
        enough = result.enough_seeds
        return "" if enough is None else f"needs {numbers.counted(enough, 'seed')}"
    return f"sees ≥ {numbers.score(result.detectable)}" if result.detectable else ""


def about_noise(found: Comparison) -> str:
    """What the band behind a difference is, task by task, or why there is none; not yet safe for a screen."""
    if not found.noise:
        return "No noise floor: the registry has no two seeds of one recipe at this scale to know it from."
    said = ", ".join(
        f"{_title(task, found.tasks)} {numbers.magnitude(floor.difference)}" for task, floor in found.noise.items()
    )
    return f"░ what two seeds of one recipe differ by (root mean square): {said}; {_known_from(found.noise)}."


def _known_from(noise: Mapping[str, NoiseFloor]) -> str:
    most = max(noise.values(), key=lambda floor: floor.seeds)
    return f"from {numbers.counted(most.seeds, 'seed')} of {numbers.counted(most.recipes, 'recipe')}"


def format_differences(against: Against, width: int | None) -> list[Line]:
    """One arm against the reference: differences with interval, p, verdict, the seeds behind them and what to mind."""
    title = difference_title(against)
    rows = difference_rows(against, width)
    if not rows:
        return [(Span(title, "title"),), (Span("They have no comparable task.", "dim"),)]
    return [(Span(title, "title"),), *table(DIFFERENCES, rows, width)]


def difference_title(against: Against) -> str:
    """Which arm less which."""
    return safe_text(f"{side_name(against.side)} − {side_name(against.reference)}")


def difference_rows(against: Against, width: int | None) -> list[Row]:
    """A row of `DIFFERENCES` for each task, with what is said of it below."""
    tasks, rows = against.reference.arm.tasks, []
    results: list[Any] = [*against.examples, *against.seeds]
    for each in results:
        about = [format_seeds(each)] if isinstance(each, SeedDifference) else []
        said = " ".join(filter(None, [each.why_undecided, each.remark]))
        about += [said] if said else []
        below = [part for text in about for part in wrapped(text, width - 2 if width else None)]
        verdict = str(each.verdict)
        cells: list[str | Cell] = [
            _title(each.task, tasks), numbers.difference(each.difference), numbers.interval(each.low, each.high),
            numbers.p_value(each.p), numbers.p_value(each.p_corrected), Cell(verdict, STYLES[verdict]),
        ]  # fmt: skip
        rows.append(Row(cells, [(Span(f"  {safe_text(part)}", "dim"),) for part in below]))
    return rows


def _title(name: str, tasks: Tasks) -> str:
    """Of a task's score, or the overall one; not yet safe for a screen."""
    return tasks[name].score_title if name in tasks else name


def format_seeds(result: SeedDifference) -> str:
    """The means that a difference is of, the reference's first, and what each seed has to do with it."""
    means = f"{numbers.score(result.mean_a)} → {numbers.score(result.mean_b)}"
    if result.paired:
        pairs = zip(result.seeds, result.differences, strict=True)
        said = f"{means}; by seed " + ", ".join(f"{seed}: {numbers.difference(value)}" for seed, value in pairs)
    else:
        seeds = " against ".join(", ".join(map(str, each)) or "none" for each in (result.seeds_a, result.seeds_b))
        said = f"{means}; not paired: seeds {seeds}"
    said += f"; left out: {', '.join(map(str, result.left_out))}" if result.left_out else ""
    better = result.improvement
    if better is None:
        return said
    low, high = numbers.percentage(better.low, 0), numbers.percentage(better.high, 0)
    return f"{said}; probability of improvement {numbers.percentage(better.probability, 0)} [{low}, {high}]"


def format_tests(found: Comparison, width: int | None) -> list[Line]:
    """How the numbers came about: the tests, the intervals, and over how many the p values were corrected."""
    text = about_tests(found)
    return [(Span(part, "dim"),) for part in wrapped(safe_text(text), width)] if text else []


def about_tests(found: Comparison) -> str:
    """The same in a line, not yet safe for a screen; "" where nothing was tested."""
    of_arms = [(against, each) for against in found.others for each in (*against.examples, *against.seeds)]
    results: list[Any] = [each for _, each in of_arms]
    known = sum(each.p is not None for each in results)
    used = _used(found, [(against, each, each.test) for against, each in of_arms if each.test != "none"])
    if not (used and known):
        return ""
    text = f"p: {used}. Holm's correction over {numbers.counted(known, 'comparison')}, level 0.05."
    intervals = [(against, each, each.interval.method) for against, each in of_arms if each.interval is not None]
    text += f" 95 % intervals: {_used(found, intervals)}." if intervals else ""
    beside: dict[str, list[float]] = {}
    for each in results:
        if getattr(each, "p_williams", None) is not None:
            beside.setdefault(found.tasks[each.task].title, []).append(each.p_williams)
    if beside:
        said = "; ".join(f"{title}, p {', '.join(map(numbers.p_value, ps))}" for title, ps in beside.items())
        text += f" Beside it, deciding nothing: Williams' t for {said}."
    return text


def _used(found: Comparison, methods: Sequence[tuple[Against, Any, str]]) -> str:
    """Which task is judged by which method, named with its arm where that has another than in another arm."""
    by_task: dict[str, set[str]] = {}
    for _, result, method in methods:
        by_task.setdefault(result.task, set()).add(method)
    names: dict[str, dict[str, None]] = {}
    for against, result, method in methods:
        title = _title(result.task, found.tasks)
        title += f" of {against.side.arm.name}" if len(by_task[result.task]) > 1 else ""
        names.setdefault(method, {})[title] = None
    return "; ".join(f"{', '.join(titles)} by {method}" for method, titles in names.items())


def format_recipes(found: Comparison, width: int | None) -> list[Line]:
    """The settings that differ, a column per arm, and the scale of the reference; the table is as wide as it is."""
    title = (Span("What differs in the recipes", "title"),)
    if not found.recipe_differences:
        return [title, (Span(NOTHING_DIFFERS, "dim"),)]
    first = found.reference.runs[0]
    return [title, *table(*recipe_table(found), None), *facts({f"scale of {first.id}": scale_line(first)}, width)]


def recipe_table(found: Comparison) -> tuple[list[Column], list[Row]]:
    """The columns and the rows of that."""
    columns = [Column("setting"), *(Column(safe_text(arm.name)) for arm in found.arms)]
    return columns, [Row([name, *map(value_text, values)]) for name, values in found.recipe_differences.items()]


def format_effort(found: Comparison, width: int | None) -> list[Line]:
    """Steps, examples and passes of each arm's first run."""
    said = [f"{effort_text(effort(arm.runs[0]))}{_energy(arm)}" for arm in found.arms]
    shown = {safe_text(name): text for name, text in zip(distinct_names(found.arms), said, strict=True)}
    lines = [line for each in found.others for line in facts(_price(found, each), width)]
    return [(Span("How much each was trained", "title"),), *facts(shown, width), *lines]


def _energy(arm: Arm) -> str:
    """Behind the effort of its first run, what its runs drew on average; "" where nobody measured it."""
    mean, shared = energy_of(arm.runs)
    if mean is None:
        return ""
    of_all = " on average" if len(arm.runs) > 1 else ""
    return f"; {numbers.energy(mean)}{of_all}{', shared with others' if shared else ''}"


def _price(found: Comparison, against: Against) -> dict[str, str]:
    """What each point that an arm is better by took, where that is known; of nothing else is there a price."""
    prices = {}
    for each in (*against.examples, *against.seeds):
        if each.verdict is Verdict.BETTER:
            price = wh_per_point(against.reference.arm.runs, against.arm.runs, each.difference)
            if price is not None:
                prices[safe_text(_title(each.task, found.tasks))] = price
    said = ", ".join(f"{title} {numbers.score(price, 2)}" for title, price in prices.items())
    names = safe_text(against.arm.name), safe_text(against.reference.arm.name)
    return {"Wh per point": f"{names[0]}: {said} more than {names[1]}; a point is 0.01"} if said else {}


def effort_text(known: dict[str, Any]) -> str:
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


def format_warnings(found: Comparison, width: int | None) -> list[Line]:
    """What a reader must know before believing a difference."""
    if not found.warnings:
        return []
    lines: list[Line] = [(Span("Read with care", "title"),)]
    for warning in found.warnings:
        first, *rest = wrapped(safe_text(warning), width - 2 if width else None)
        lines += [(Span(f"· {first}"),), *((Span(f"  {part}"),) for part in rest)]
    return lines
