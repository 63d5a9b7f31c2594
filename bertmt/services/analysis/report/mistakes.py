"""Where arms differ: confusion matrices, similarity, examples that were fixed and broken, scores by slice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bertmt.drawing import numbers
from bertmt.drawing.charts.scatter import Cloud
from bertmt.drawing.figures.cloud import draw_cloud
from bertmt.drawing.figures.matrix import MOST_CLASSES, draw_matrix
from bertmt.drawing.looks import look_of
from bertmt.drawing.styled import plain
from bertmt.drawing.tables import Column, Row
from bertmt.errors import BertmtError, RegistryError
from bertmt.registry.database import Database
from bertmt.services.analysis.arms import Arm, distinct_names, runs_to_pair, tasks_of_arms
from bertmt.services.analysis.changes import flip_formatting, slice_formatting
from bertmt.services.analysis.changes.flips import (
    CLASS_KINDS,
    NUMBER_KINDS,
    TwoRuns,
    label_text,
    prediction_text,
    two_runs,
)
from bertmt.services.analysis.changes.slices import slice_differences, slice_scores
from bertmt.services.analysis.confusion import confusion_of
from bertmt.services.analysis.examples import ExampleTable, examples_of, similarity_of
from bertmt.services.analysis.report.curves import places_of
from bertmt.services.analysis.report.document import (
    Block,
    Heading,
    Paragraph,
    Picture,
    Pictures,
    Record,
    Section,
    Table,
    figure_name,
)
from bertmt.tasks.task import Task

MOST_ARMS = 6  # that have matrices and clouds
MOST_PAIRS = 2  # of arms that are compared with the reference example by example
MOST_EXAMPLES = 5  # of each kind
MOST_NUMBERS = 20_000  # examples whose labels are numbers
LONGEST_TEXT, LONGEST_WORDS = 300, 80  # characters of an example, and of its id, its class and predictions
EXAMPLES = (Column("id"), Column("true"), Column("before"), Column("after"), Column("text"))
EACH_ALONE = "About the trained models that are named, each task judged by itself; what holds for all is above."
ABOUT_MATRICES = (
    "Of a confusion matrix rows are the true classes, columns the predicted ones; shades are shares of the true class."
)
ABOUT_CLOUDS = (
    "Of numbers predicted against true ones, and the line of best fit; of many, squares, darker where there are more."
)


def picture_section(database: Database, arms: Sequence[Arm]) -> Section | None:
    """A matrix or a cloud for each task of each arm; None where there is nothing to draw."""
    places = places_of(database, arms)
    blocks: list[Block] = []
    for task in tasks_of_arms(arms).values():
        found: list[Picture] = []
        said: list[str] = []
        for arm, name in zip(arms[:MOST_ARMS], distinct_names(arms), strict=False):
            if task.name not in arm.tasks:
                continue
            try:
                drawn = (
                    _matrix(database, arm, name, task) if task.classes else _cloud(database, arm, name, task, places)
                )
                found += [drawn] if drawn else []
            except RegistryError:
                raise
            except BertmtError as problem:
                said.append(f"{name}: {problem}")
        blocks += [Pictures(found)] if found else []
        blocks += [Paragraph(each, True) for each in said]
    kinds = {bool(task.classes) for task in tasks_of_arms(arms).values()} if blocks else set()
    about = [text for has_classes, text in ((True, ABOUT_MATRICES), (False, ABOUT_CLOUDS)) if has_classes in kinds]
    blocks += [Paragraph(" ".join(about), True)] if about else []
    if len(arms) > MOST_ARMS and blocks:
        blocks.append(Paragraph(f"Of the first {MOST_ARMS} of {len(arms):,} arms.", True))
    return Section("Predictions", blocks) if blocks else None


def _matrix(database: Database, arm: Arm, name: str, task: Task) -> Picture | None:
    """The matrix of an arm, of several seeds their sum; None of more classes than can be drawn."""
    if len(task.classes) > MOST_CLASSES:
        return None
    known = [confusion_of(database, run, task.name) for run in arm.newest]
    if len({each.fingerprint for each in known}) > 1:
        return None
    counts = np.sum([each.counts for each in known], axis=0)
    which = f"epoch {known[0].epoch}" if len(known) == 1 else f"the sum of {numbers.counted(len(known), 'seed')}"
    title = f"{task.title}: {name}"
    figure = draw_matrix(counts, known[0].classes, title, f"Confusion matrix, {title}, {which}")
    return Picture(figure_name("confusion", task.name, arm.runs[0].id), figure, f"{title}, {which}")


def _cloud(database: Database, arm: Arm, name: str, task: Task, places: Mapping[int, int]) -> Picture | None:
    """Predicted against true numbers of the first seed of an arm."""
    run = arm.newest[0]
    found = similarity_of(database, run, task.name)
    title = f"{task.title}: {name}" + (f", seed {run.seed}" if len(arm.runs) > 1 else "")
    style = look_of(places[arm.runs[0].key], ascii_only=False).style
    cloud = Cloud(found.labels, found.predicted, found.fit, title, (task.minimum, task.maximum), style)
    figure = draw_cloud(cloud)
    about = f"{title}, epoch {found.epoch}, Pearson ρ {numbers.score(found.rho)}"
    return None if figure is None else Picture(figure_name("similarity", task.name, run.id), figure, about)


@dataclass(frozen=True)
class Changes:
    """Sections about single examples, and the numbers in them."""

    sections: Sequence[Section]
    records: Sequence[Record]


def change_sections(database: Database, arms: Sequence[Arm]) -> Changes:
    """What the arms fixed and broke since the reference, and scores by slice; of an arm alone its scores by slice."""
    flips: list[Block] = []
    slices: list[Block] = []
    records: list[Record] = []
    pairs = [runs_to_pair(arms[0], arm) for arm in arms[1 : 1 + MOST_PAIRS]]
    for first, second in pairs:
        for name in [name for name in first.tasks if name in second.tasks]:
            try:
                found = two_runs(database, first, second, name)
                flips += _flips(found)
                blocks, of_slices = _slices(found) if _is_quick(found.b) else ([_too_many(found.b)], [])
                slices += blocks
                records += of_slices
            except RegistryError:
                raise
            except BertmtError as problem:
                flips.append(Paragraph(f"{first.name} → {second.name}, {name}: {problem}", True))
    if len(arms) == 1:
        slices += _slices_of_one(database, arms[0])
    if len(arms) > 1 + MOST_PAIRS:
        left = numbers.counted(len(arms) - 1 - MOST_PAIRS, "more arm")
        flips.append(Paragraph(f"`bertmt flips A B` and `bertmt slices A B` show those of {left}.", True))
    titled = {"Fixed and broken": flips, "Scores by slice": slices}
    return Changes(
        [Section(title, [Paragraph(EACH_ALONE, True), *blocks]) for title, blocks in titled.items() if blocks], records
    )


def _flips(found: TwoRuns) -> Iterator[Block]:
    title, *said = [plain(each) for each in flip_formatting.format_summary(found, None)]
    yield Heading(title)
    yield Paragraph(" ".join(said))
    rows = flip_formatting.cell_rows(found)
    if rows:
        yield Table(flip_formatting.CELLS, rows)
        yield Paragraph(flip_formatting.ABOUT_CELLS, True)
    for kind in CLASS_KINDS[:2] if found.about.classes else NUMBER_KINDS:
        chosen = found.of_kind(kind)
        if len(chosen):
            shown = chosen[:MOST_EXAMPLES]
            yield Paragraph(f"{flip_formatting.kind_title(found, kind, len(shown), len(chosen))}:")
            yield Table(EXAMPLES, [_example(found, int(index)) for index in shown])


def _example(found: TwoRuns, index: int) -> Row:
    example = found.b.examples[index]
    before, after = (prediction_text(table, index) for table in (found.a, found.b))
    text = " ⏎ ".join(each for each in (example.first, example.second) if each is not None)
    cells = [_cut(each, LONGEST_WORDS) for each in (example.id, label_text(found.b, index), before, after)]
    return Row([*cells, _cut(text, LONGEST_TEXT)])


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _slices(found: TwoRuns) -> tuple[list[Block], list[Record]]:
    differences, made = slice_differences(found)
    before, after = flip_formatting.names(found)
    records: list[Record] = [
        {
            "kind": "slice difference", "arm": after, "reference": before, "task": found.about.name, "slice": each.name,
            "metric": each.metric, "n": each.n, "value": each.result.difference, "low": each.result.low,
            "high": each.result.high, "p": each.result.p, "p_holm": each.result.p_corrected,
            "verdict": str(each.result.verdict) if each.is_judged else "",
        }
        for each in differences
        if each.result is not None
    ]  # fmt: skip
    blocks: list[Block] = [
        Heading(f"{found.about.title}: {before} (A) → {after} (B)"),
        Table(slice_formatting.DIFFERENCES, slice_formatting.difference_rows(differences, found.about)),
        *(Paragraph(text, True) for text in slice_formatting.about_slices(differences, found.about, made)),
    ]
    return blocks, records


def _is_quick(table: ExampleTable) -> bool:
    """Whether slices are judged within seconds: of classes always, numbers are resampled."""
    return bool(table.about.classes) or len(table.labels) <= MOST_NUMBERS


def _too_many(table: ExampleTable) -> Paragraph:
    said = f"{table.about.title}: slices of {len(table.labels):,} examples take minutes; `bertmt slices` judges them."
    return Paragraph(said, True)


def _slices_of_one(database: Database, arm: Arm) -> Iterator[Block]:
    run = arm.runs[0]
    for task in run.tasks.values():
        try:
            table = examples_of(database, run, task.name)
            if not _is_quick(table):
                yield _too_many(table)
                continue
            scores, made = slice_scores(table)
        except RegistryError:
            raise
        except BertmtError as problem:
            yield Paragraph(f"{task.title}: {problem}", True)
            continue
        yield Heading(f"{task.title}: {run.name} ({run.id})")
        yield Table(slice_formatting.SCORES, slice_formatting.score_rows(scores, task))
        for text in slice_formatting.about_slices(scores, task, made):
            yield Paragraph(text, True)
