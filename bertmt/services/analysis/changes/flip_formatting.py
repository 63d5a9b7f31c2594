"""Fixed and broken examples in words and tables, the same in every front end."""

from collections.abc import Iterator, Sequence

from bertmt.drawing import numbers
from bertmt.drawing.facts import Cell as Text
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span
from bertmt.drawing.tables import Column, Row, table
from bertmt.registry.records import Run
from bertmt.services.analysis.changes.flips import Cell, TwoRuns, label_text, prediction_text
from bertmt.services.analysis.comparison_formatting import STYLES

TITLES = {
    "fixed": "Fixed, the surest mistakes of {a} first",
    "broken": "Broken, the surest mistakes of {b} first",
    "wrong": "Wrong in both, the surest mistakes of {b} first",
    "closer": "Closer to the label, the largest gains first",
    "farther": "Farther from the label, the largest losses first",
}
BEST_FIT = "Distances are from the best straight line in a run's predictions: a correlation leaves their scale open."
MOST_CELLS = 12
SAME_MISTAKES = "Both runs make the same mistakes."
ABOUT_CELLS = "left and entered: wrong in both runs, but for different classes. Counts; no cell is tested alone."
LONGEST_TEXT = 600  # characters of a sentence that are shown
CELLS = (
    Column("true → mistaken for", elastic=True), Column("before", True), Column("fixed", True), Column("broken", True),
    Column("left", True), Column("entered", True), Column("after", True),
)  # fmt: skip


def format_summary(found: TwoRuns, width: int | None, seeds: tuple[int, int] = (1, 1)) -> list[Line]:
    """Which runs, how many examples of which kind, and what they add up to.

    Args:
        seeds: how many seeds the arm has that each run stands for.
    """
    before, after = names(found, seeds)
    epochs = f"epochs {found.a.epoch} and {found.b.epoch}"
    title = f"{found.about.title}: {before} → {after}, {len(found.b.labels):,} dev examples, {epochs}"
    said = _class_counts(found) if found.about.classes else _number_counts(found)
    lines: list[Line] = [(Span(part, "title"),) for part in wrapped(safe_text(title), width)]
    lines += [(Span(part),) for part in wrapped(said, width)]
    return [*lines, *_measured(found, width)]


def names(found: TwoRuns, seeds: tuple[int, int] = (1, 1)) -> tuple[str, str]:
    """What the two runs are called; not yet safe for a screen."""
    return _name(found.a.run, seeds[0]), _name(found.b.run, seeds[1])


def _name(run: Run, seeds: int) -> str:
    """What a run is called, and of how many seeds it is one; not yet safe for a screen."""
    which = f", seed {run.seed} of {numbers.counted(seeds, 'seed')}" if seeds > 1 else ""
    return f"{run.name} ({run.id}{which})"


def _class_counts(found: TwoRuns) -> str:
    fixed, broken, wrong = (len(found.kinds[kind]) for kind in ("fixed", "broken", "wrong"))
    right = len(found.b.labels) - fixed - broken - wrong
    return f"{fixed:,} fixed, {broken:,} broken; both right {right:,}, both wrong {wrong:,}."


def _number_counts(found: TwoRuns) -> str:
    closer, farther = (len(found.kinds[kind]) for kind in ("closer", "farther"))
    before, after = (numbers.score(each) for each in found.errors)
    return f"{closer:,} closer to their label, {farther:,} farther; mean distance {before} → {after}. {BEST_FIT}"


def _measured(found: TwoRuns, width: int | None) -> Iterator[Line]:
    """The difference that the examples add up to, and who judges it."""
    measured, command = found.measured, f"`bertmt compare {found.a.run.id} {found.b.run.id}`"
    what = "Accuracy" if found.about.classes else found.about.metric.title
    said = f"{what} {numbers.score(measured.score_a)} → {numbers.score(measured.score_b)}"
    if measured.interval is None:
        said += ": undefined in one of them, so there is nothing to compare."
    else:
        said += (
            f": {numbers.difference(measured.difference)} {numbers.interval(measured.low, measured.high)} "
            f"(95 %, {measured.interval.method}), p {numbers.p_value(measured.p)} uncorrected ({measured.test}); "
            f"{command} judges it."
        )
    yield from ((Span(part),) for part in wrapped(said, width))
    about = "It is about these two trained models; `bertmt compare` takes seeds too."
    yield from ((Span(part, "dim"),) for part in wrapped(about, width))


def format_cells(found: TwoRuns, width: int | None, most: int = MOST_CELLS) -> list[Line]:
    """What became of each mistake, the cells with the most movement first; nothing of a task without classes."""
    if found.cells is None:
        return []
    moved = found.cells.by_movement()
    if not moved:
        return [(Span(SAME_MISTAKES, "dim"),)]
    lines = table(CELLS, cell_rows(found, most), width)
    if len(moved) > most:
        lines.append((Span(f"… and {numbers.counted(len(moved) - most, 'cell')} more", "dim"),))
    return [*lines, *((Span(part, "dim"),) for part in wrapped(ABOUT_CELLS, width))]


def cell_rows(found: TwoRuns, most: int = MOST_CELLS) -> list[Row]:
    """The rows of that, for the columns `CELLS`; none of a task without classes."""
    cells, classes = found.cells, found.about.classes
    if cells is None:
        return []
    rows = []
    for true, wrong in cells.by_movement()[:most]:
        counts = [int(each[true, wrong]) for each in (cells.before, cells.fixed, cells.broken)]
        counts += [int(each[true, wrong]) for each in (cells.left, cells.entered, cells.after)]
        before, fixed, broken, left, entered, after = map(numbers.count, counts)
        change = STYLES["better" if counts[5] < counts[0] else "worse"] if counts[5] != counts[0] else ""
        name = f"{true} {classes[true]} → {wrong} {classes[wrong]}"
        rows.append(Row([name, before, Text(fixed, "good"), Text(broken, "bad"), left, entered, Text(after, change)]))
    return rows


def format_examples(found: TwoRuns, kind: str, cell: Cell | None, limit: int, width: int | None) -> list[Line]:
    """The first examples of a kind: label, both predictions, texts."""
    chosen = found.of_kind(kind, cell)
    shown = chosen[:limit]
    title = safe_text(kind_title(found, kind, len(shown), len(chosen)))
    lines: list[Line] = [(Span(part, "title"),) for part in wrapped(title, width)]
    for index in shown:
        lines += _example(found, int(index), width)
    return lines


def kind_title(found: TwoRuns, kind: str, shown: int, of: int) -> str:
    """What a list of examples of a kind holds, and how many of how many; not yet safe for a screen."""
    counts = f"{shown:,} of {of:,}" if shown < of else f"{of:,}"
    return f"{TITLES[kind].format(a=found.a.run.name, b=found.b.run.name)} ({counts})"


def _example(found: TwoRuns, index: int, width: int | None) -> list[Line]:
    example = found.b.examples[index]
    before, after = (prediction_text(table_of, index) for table_of in (found.a, found.b))
    head = f"{example.id}  true {label_text(found.b, index)}: {before} → {after}"
    if not found.about.classes:
        change = float(found.changes[index])
        head += f" ({abs(change):.2f} {'closer' if change < 0 else 'farther'})"
    texts = [example.first] if example.second is None else [example.first, example.second]
    lines: list[Line] = [(Span(part),) for part in wrapped(safe_text(head), width)]
    return [*lines, *_texts(texts, width)]


def _texts(texts: Sequence[str], width: int | None) -> Iterator[Line]:
    for text in texts:
        shown = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
        for part in wrapped(safe_text(shown), width - 2 if width else None):
            yield (Span(f"  {part}", "dim"),)
