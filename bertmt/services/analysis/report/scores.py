"""What a comparison says: scores, their differences with intervals and verdicts, and what to mind."""

from collections.abc import Iterator, Sequence
from typing import Any

from bertmt.comparison.verdicts import Verdict
from bertmt.drawing import numbers
from bertmt.drawing.figures.forest import draw_forest
from bertmt.drawing.tables import Column, Row
from bertmt.registry.database import Database
from bertmt.services.analysis import comparison_formatting as words
from bertmt.services.analysis.arms import Arm
from bertmt.services.analysis.compare import Against, Comparison
from bertmt.services.analysis.model_folder.facts import Score, scores_of
from bertmt.services.analysis.report.document import (
    Block,
    Bullets,
    Heading,
    Paragraph,
    Picture,
    Pictures,
    Record,
    Section,
    Table,
)
from bertmt.services.browse.details import Details

ORDER = (Verdict.BETTER, Verdict.WORSE, Verdict.UNDECIDED)
RUN_SCORES = (
    Column("run"), Column("seed", True), Column("task"), Column("metric"), Column("dev score", True),
    Column("95 % interval", True), Column("dev examples", True),
)  # fmt: skip
MOST_ROWS = 600  # of the scores of single runs
READS = (
    "A verdict is better or worse only where the 95 % interval is clear of zero and p, corrected over all of these "
    "differences, is at most 0.05; undecided is not “no effect”."
)


def verdict_sentence(against: Against, found: Comparison) -> str:
    """What is said of one arm, whatever came out: "final against baseline: better on PARA (+0.022); …"."""
    by_verdict: dict[Verdict, list[str]] = {verdict: [] for verdict in ORDER}
    results: list[Any] = [*against.examples, *against.seeds]
    for each in results:
        title = found.tasks[each.task].score_title if each.task in found.tasks else each.task
        size = "" if each.difference is None else f" ({numbers.difference(each.difference)})"
        by_verdict[each.verdict].append(f"{title}{size}")
    parts = [f"{verdict} on {', '.join(tasks)}" for verdict, tasks in by_verdict.items() if tasks]
    if not parts:
        return f"{against.arm.name} and {found.reference.name} could not be compared."
    return f"{against.arm.name} against {found.reference.name}: {'; '.join(parts)}."


def comparison_sections(found: Comparison) -> Iterator[Section]:
    """The verdicts, then the numbers behind them."""
    said: list[Block] = [Bullets([verdict_sentence(each, found) for each in found.others]), Paragraph(READS, True)]
    if found.warnings:
        said += [Heading("Read with care"), Bullets(found.warnings)]
    yield Section("Verdicts", said)
    noise = words.about_noise(found)
    about = f"Grey in the forest is {noise.removeprefix('░ ')}" if found.noise else noise
    blocks: list[Block] = [Table(*words.score_table(found)), _forest(found), Paragraph(about, True)]
    for each in found.others:
        rows = words.difference_rows(each, None)
        blocks.append(Heading(words.difference_title(each)))
        blocks.append(Table(words.DIFFERENCES, rows) if rows else Paragraph("They have no comparable task."))
    tests = words.about_tests(found)
    yield Section("Scores and differences", [*blocks, *([Paragraph(tests, True)] if tests else [])])


def _forest(found: Comparison) -> Pictures:
    said = f"Differences from {words.side_name(found.sides[0])}, with 95 % intervals"
    figure = draw_forest(words.forest_groups(found), said)
    return Pictures([Picture("forest", figure, said)])


def run_scores(database: Database, arms: Sequence[Arm], about: dict[int, Details]) -> tuple[Section, list[Record]]:
    """What each run scores by each metric, with what other dev examples would have done to it."""
    rows: list[Row] = []
    records: list[Record] = []
    methods: dict[str, None] = {}
    for arm in arms:
        for run in arm.runs:
            for each in scores_of(database, about[run.key]):
                methods |= {each.method: None} if each.method else {}
                rows.append(Row([f"{run.name} ({run.id})", str(run.seed), *_cells(each)]))
                records.append(_record(arm, about[run.key], each))
    used = f" ({' and '.join(methods)})" if methods else ""
    said = (
        f"Of the epoch whose scores are the run's. The intervals{used} tell what other dev examples would have done to "
        "the score of this one model; they do not say whether two runs differ, which the differences above do."
    )
    left = f" Only the first {MOST_ROWS:,} rows; the CSV has all {len(rows):,}." if len(rows) > MOST_ROWS else ""
    section = Section("Scores of single runs", [Table(RUN_SCORES, rows[:MOST_ROWS]), Paragraph(said + left, True)])
    return section, records


def _cells(score: Score) -> list[str]:
    low, high = score.interval or (None, None)
    ends = numbers.MISSING if low is None else f"{numbers.score(low)} to {numbers.score(high)}"
    return [score.task.title, score.title, numbers.score(score.value), ends, numbers.count(score.examples)]


def _record(arm: Arm, details: Details, score: Score) -> Record:
    low, high = score.interval or (None, None)
    run = details.run
    return {
        "kind": "score", "arm": arm.name, "run": run.id, "seed": run.seed, "task": score.task.name,
        "metric": score.metric, "n": score.examples, "value": score.value, "low": low, "high": high,
    }  # fmt: skip


def difference_records(found: Comparison) -> list[Record]:
    """Every difference with all that it is judged by."""
    records: list[Record] = []
    for against in found.others:
        results: list[Any] = [*against.examples, *against.seeds]
        for each in results:
            task = found.tasks.get(each.task)
            records.append({
                "kind": "difference", "arm": against.arm.name, "reference": found.reference.name, "task": each.task,
                "metric": task.metric.name if task else each.task, "n": getattr(each, "n", None),
                "value": each.difference, "low": each.low, "high": each.high, "p": each.p, "p_holm": each.p_corrected,
                "verdict": str(each.verdict),
            })  # fmt: skip
    return records
