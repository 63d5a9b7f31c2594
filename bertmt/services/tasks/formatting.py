"""Tasks, and what an audit found, as lines for any front end."""

from collections.abc import Iterable, Mapping, Sequence

from bertmt.drawing.facts import facts, wrapped
from bertmt.drawing.numbers import MISSING, count, counted, percentage, score
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, cells, cut, plain
from bertmt.drawing.tables import Column, Row, table
from bertmt.services.tasks.audit import Lengths, SplitAudit, TaskAudit, label_text
from bertmt.services.tasks.classes import listed
from bertmt.tasks.examples import Example
from bertmt.tasks.task import Task

MOST_BALANCED = 30  # classes whose numbers are listed; --json has all
TEXT_CELLS = 100  # of an example without a width to keep to
_ABOUT_DATA = (
    Column("split"), Column("examples", True), Column("words", True), Column("tokens", True),
    Column("cut", True), Column("repeated", True), Column("in train", True),
)  # fmt: skip


def task_lines(task: Task, sizes: Mapping[str, int] | None = None, width: int | None = None) -> list[Line]:
    """What a task is.

    Args:
        sizes: split to number of examples, where they are known.
    """
    source, labels = task.source, listed(task.classes) or f"numbers from {task.minimum:g} to {task.maximum:g}"
    columns = (source.text, source.pair, source.label) if source else ()
    return facts(
        {
            "task": f"{task.name} ({task.title})",
            "data set": task.data_set,
            "inputs": "pairs of sentences" if task.pair else "single sentences",
            "labels": f"{len(task.classes)} classes: {labels}" if task.classes else labels,
            "predicted by": "a head" if task.has_head else "the cosine of two embeddings",
            "judged by": f"{task.metric.title}; also {', '.join(task.metrics[1:])}".removesuffix("; also "),
            "columns": ", ".join(filter(None, columns)),
            "files": [f"{split}: {source.file(split)}" for split in ("train", "dev", "test") if source.file(split)]
            if source
            else [],
            "from the hub": source.hub if source else "",
            "examples": ", ".join(f"{split} {count(size)}" for split, size in (sizes or {}).items()),
        },
        width,
    )


def example_lines(task: Task, examples: Iterable[Example], width: int | None = None) -> list[Line]:
    """Examples, each with its label."""
    lines: list[Line] = []
    for each in examples:
        lines.append((Span(safe_text(label_text(task, each.label)), "title"),))
        texts = [each.first] if each.second is None else [each.first, each.second]
        lines += [(Span("  " + cut(safe_text(text), (width or TEXT_CELLS) - 2)),) for text in texts]
    return lines


def audit_lines(found: TaskAudit, width: int | None = None) -> list[Line]:
    """All that an audit found."""
    lines = [*task_lines(found.task, None, width), (), *split_lines(found, width), (), *balance_lines(found, width)]
    return [*lines, (), *finding_lines(found, width)]


def split_lines(found: TaskAudit, width: int | None = None) -> list[Line]:
    """Sizes, lengths and repetitions of each split; columns move together before the last one is cut."""
    rows = [_split_row(name, split) for name, split in found.splits.items()]
    lines = table(_ABOUT_DATA, rows, width)
    is_cut = width is not None and max(cells(plain(each)) for each in lines) > width
    return table(_ABOUT_DATA, rows, width, gap=1) if is_cut else lines


def finding_lines(found: TaskAudit, width: int | None = None) -> list[Line]:
    """What to know of the data, in sentences, and the first texts whose labels contradict each other."""
    lines = list(_sentences(found, width))
    for each in found.examples:
        texts = each.first if each.second is None else f"{each.first} | {each.second}"
        said = f"  {' / '.join(each.labels)}: {texts}"
        lines.append((Span(cut(safe_text(said), width or TEXT_CELLS), "dim"),))
    return lines


def _split_row(name: str, split: SplitAudit) -> Row:
    inside = MISSING if split.in_training is None else count(split.in_training)
    return Row(
        [name, count(split.size), _lengths(split.words), _lengths(split.tokens), percentage(split.truncated),
         count(split.repeated), inside]
    )  # fmt: skip


def _lengths(lengths: Lengths | None) -> str:
    return MISSING if lengths is None else f"{lengths.median}, {lengths.high}, {lengths.most}"


def balance_lines(found: TaskAudit, width: int | None) -> list[Line]:
    """How often each class comes, or the quartiles of the labels."""
    splits = {name: split for name, split in found.splits.items() if split.classes or split.quantiles}
    columns = [Column("label", elastic=True), *(Column(name, True) for name in splits)]
    if found.task.classes:
        rows = [
            Row([label, *(_share(split.classes[label], split) for split in splits.values())])
            for label in found.task.classes[:MOST_BALANCED]
        ]
        left = len(found.task.classes) - MOST_BALANCED
        rows += [Row([f"… {left:,} more", *("" for _ in splits)])] if left > 0 else []
    else:
        names = ("least", "first quartile", "median", "third quartile", "greatest")
        rows = [
            Row([name, *(f"{split.quantiles[at]:.2f}" for split in splits.values())]) for at, name in enumerate(names)
        ]
    return table(columns, rows, width)


def _share(number: int, split: SplitAudit) -> str:
    return f"{count(number)} ({percentage(number / (split.size - split.unlabelled))})"


def _sentences(found: TaskAudit, width: int | None) -> Sequence[Line]:
    said = [f"{counted(found.conflicts, 'text has', 'texts have')} different labels in training and dev."]
    dev = found.splits["dev"].commonest
    if dev is not None:
        said.append(f"Always the commonest class of dev, {dev[0]}: accuracy {score(dev[1])}.")
    for name, split in found.splits.items():
        if split.unlabelled:
            said.append(f"{counted(split.unlabelled, f'example of {name} has', f'examples of {name} have')} no label.")
        if split.in_training:
            what = "whole pair" if found.task.pair else "example"
            stand = counted(split.in_training, f"{what} of {name} stands", f"{what}s of {name} stand")
            said.append(f"{stand} in the training data too: scores on it are optimistic.")
        if found.task.pair and split.touching:
            have = counted(split.touching, f"pair of {name} has", f"pairs of {name} have")
            said.append(f"{have} one sentence at least that stands in the training data.")
    said.append("Lengths of sentences are the median, what 95 % do not exceed, and the most.")
    if found.encoder:
        why = f"{found.missing_encoder} is not at hand, so tokens" if found.missing_encoder else "Tokens"
        said.append(f"{why} are those of {found.encoder}; a sentence is cut behind {found.max_length} of them.")
    parts = [part for each in map(safe_text, said) for part in (wrapped(each, width) if width else [each])]
    return [(Span(part),) for part in parts]
