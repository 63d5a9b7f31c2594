"""What a task's data are like, before anybody trains on them: sizes, classes, lengths, repetitions, contradictions."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bertmt.errors import BertmtError, DataError, UsageError
from bertmt.recipe.recipe import Recipe
from bertmt.services.plan.embedded import EMBEDDED
from bertmt.services.plan.overlaps import Overlap, count_overlap, text_keys
from bertmt.services.tasks.classes import about_absent
from bertmt.tasks.examples import Example, Split
from bertmt.tasks.loading import read_split
from bertmt.tasks.scores import commonest_class
from bertmt.tasks.task import SPLITS, Task

# Counting word pieces takes 20 µs a sentence; so many of a split, evenly spread, tell enough.
MOST_MEASURED = 20_000
MOST_SHOWN = 3
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
_SPECIAL = 2  # the two tokens around every sentence


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """How long sentences are, those of a pair each by itself: in words or tokens."""

    median: int
    most: int
    high: int

    @staticmethod
    def of(counts: Sequence[int]) -> "Lengths":
        """Of at least one sentence; `high` is what 95 % do not exceed."""
        return Lengths(
            median=int(np.quantile(counts, 0.5, method="higher")),
            high=int(np.quantile(counts, 0.95, method="higher")),
            most=max(counts),
        )


@dataclass(frozen=True, kw_only=True)
class SplitAudit:
    """What one split is like.

    Attributes:
        classes: name to number of examples; empty where labels are numbers.
        commonest: the commonest class, and its share of the labels: what always answering it scores; None where labels
            are numbers or missing.
        quantiles: of labels that are numbers: least, quartiles, greatest; empty for classes.
        unlabelled: examples without a label.
        tokens: None where the encoder's vocabulary is not at hand.
        truncated: share of the examples of which a sentence is longer than `max_length`; None as `tokens`.
        repeated: examples whose very texts an earlier one of the split has.
        in_training: examples whose very texts stand in the training split; None for that itself.
        touching: examples of which a sentence at least does, those among them; None as that.
        lengths: how many sentences have so many tokens, by that number; words where tokens were not counted. Of a
            large split those of the examples that were measured.
    """

    size: int
    classes: Mapping[str, int]
    commonest: tuple[str, float] | None
    quantiles: tuple[float, ...]
    unlabelled: int
    words: Lengths
    tokens: Lengths | None
    truncated: float | None
    repeated: int
    in_training: int | None
    touching: int | None
    lengths: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Conflict:
    """Equal texts with different labels, in training and dev together."""

    first: str
    second: str | None
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TaskAudit:
    """What a task's data are like.

    Attributes:
        splits: by name; a test split only where there is one.
        conflicts: how many different texts have several labels; `examples`: the first of them.
        encoder: whose tokens were counted, "" for none.
        missing_encoder: whose tokens would have been counted, were it here; "" where it is.
        remarks: sentences: skipped rows, what could not be counted.
    """

    task: Task
    splits: Mapping[str, SplitAudit]
    conflicts: int
    examples: tuple[Conflict, ...]
    encoder: str
    missing_encoder: str
    max_length: int
    remarks: tuple[str, ...]


def audit(task: Task, recipe: Recipe, chose_encoder: bool = True) -> TaskAudit:
    """Look at all splits of a task; see `read_splits` and `audit_of`."""
    return audit_of(task, recipe, read_splits(task, recipe), chose_encoder)


def audit_of(task: Task, recipe: Recipe, splits: Mapping[str, Split], chose_encoder: bool = True) -> TaskAudit:
    """Look at what was read of a task.

    Args:
        recipe: names the encoder and `max_length`.
        chose_encoder: a person named the encoder; where nobody did and it is not here, the embedded one counts.
    """
    remarks = [warning for split in splits.values() for warning in split.warnings]
    remarks += filter(None, [about_absent(task, splits["train"].examples)])
    count, encoder, missing = None, recipe.encoder, ""
    try:
        count = _token_counter(encoder)
    except BertmtError as problem:
        if chose_encoder:
            remarks.append(f"Tokens were not counted: {problem}")
            encoder = ""
        else:
            encoder, missing = EMBEDDED["encoder"], encoder
            count = _token_counter(encoder)
    keys = {name: text_keys(split.examples) for name, split in splits.items()}
    found = {}
    for name, split in splits.items():
        overlap = None if name == "train" else count_overlap(keys[name], [keys["train"]], 0)
        repeated = len(keys[name].examples) - len(set(keys[name].examples))
        found[name] = _split_audit(task, split, count, recipe.max_length, repeated, overlap)
    conflicts = _conflicts(task, [*splits["train"].examples, *splits["dev"].examples])
    return TaskAudit(
        task=task, splits=found, conflicts=len(conflicts), examples=tuple(conflicts[:MOST_SHOWN]), encoder=encoder,
        missing_encoder=missing, max_length=recipe.max_length, remarks=tuple(remarks),
    )  # fmt: skip


def read_splits(task: Task, recipe: Recipe) -> dict[str, Split]:
    """All splits of a task by name; a test split only where there is one.

    Args:
        recipe: names the data (of a built-in task).

    Raises:
        UsageError: a built-in task, and no data is named.
        DataError: its data cannot be used.
    """
    if not task.source and not recipe.data:
        raise UsageError("No data is named: use --data toy (embedded), or --data DIR (a folder in the CS224N format).")
    found = {}
    for name in SPLITS:
        if name == "test" and task.source and not task.source.test:
            continue
        try:
            found[name] = read_split(recipe.data, task, name)
        except DataError:
            if name != "test" or task.source:  # a folder of the course need not hold it
                raise
    return found


def _split_audit(
    task: Task,
    split: Split,
    count: Callable[[Sequence[str]], list[int]] | None,
    max_length: int,
    repeated: int,
    overlap: Overlap | None,
) -> SplitAudit:
    examples = split.examples
    labels = [each.label for each in examples if each.label is not None]
    counts = Counter(labels)
    words = [len(text.split()) for text in _texts(examples)]
    most = commonest_class(task, labels)
    pieces, truncated = _tokens(examples, count, max_length) if count else (None, None)
    return SplitAudit(
        size=len(examples),
        classes={name: counts[place] for place, name in enumerate(task.classes)} if labels else {},
        commonest=(task.classes[most[0]], most[1]) if most else None,
        quantiles=() if task.classes or not labels else tuple(float(each) for each in np.quantile(labels, QUANTILES)),
        unlabelled=len(examples) - len(labels),
        words=Lengths.of(words),
        tokens=None if pieces is None else Lengths.of(pieces),
        truncated=truncated,
        repeated=repeated,
        in_training=overlap.in_training if overlap else None,
        touching=overlap.touching if overlap else None,
        lengths=tuple(sorted(Counter(words if pieces is None else pieces).items())),
    )


def _texts(examples: Iterable[Example]) -> list[str]:
    return [text for each in examples for text in (each.first, each.second) if text is not None]


def _tokens(
    examples: Sequence[Example], count: Callable[[Sequence[str]], list[int]], max_length: int
) -> tuple[list[int], float]:
    """Sentences' lengths in tokens, and the share of examples that are cut, of examples evenly spread over a split."""
    step = -(-len(examples) // MOST_MEASURED)
    chosen = examples[::step]
    lengths = count(_texts(chosen))
    width = 1 if chosen[0].second is None else 2
    cut = sum(max(lengths[at : at + width]) > max_length for at in range(0, len(lengths), width))
    return lengths, cut / len(chosen)


def _token_counter(encoder: str) -> Callable[[Sequence[str]], list[int]]:
    """What counts the tokens of sentences, special ones included.

    Raises:
        EncoderError: the encoder is not at hand.
    """
    # The tokenizers take 50 ms to import: who does not count does not pay for that.
    from bertmt.encoders.find import find_encoder  # noqa: PLC0415
    from bertmt.encoders.vocabulary import whole_characters  # noqa: PLC0415
    from bertmt.encoders.vocabulary_file import folder_backend  # noqa: PLC0415

    files = find_encoder(encoder)
    backend = folder_backend(files.folder, files.family)
    backend.no_padding()
    backend.no_truncation()
    backend.encode_special_tokens = True

    def count(texts: Sequence[str]) -> list[int]:
        whole = [whole_characters(text) for text in texts]
        return [len(each.ids) + _SPECIAL for each in backend.encode_batch_fast(whole, add_special_tokens=False)]

    return count


def _conflicts(task: Task, examples: Iterable[Example]) -> list[Conflict]:
    labels: dict[tuple[str, str | None], set[float]] = defaultdict(set)
    for each in examples:
        if each.label is not None:
            labels[each.first, each.second].add(each.label)
    return [
        Conflict(first, second, tuple(label_text(task, label) for label in sorted(found)))
        for (first, second), found in labels.items()
        if len(found) > 1
    ]


def label_text(task: Task, label: float | None) -> str:
    """A label as people call it."""
    if label is None:
        return "no label"
    return task.classes[int(label)] if task.classes else f"{label:g}"
