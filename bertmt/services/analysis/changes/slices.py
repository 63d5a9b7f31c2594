"""Which dev examples are in which slice: by length, words, label, what the training data hold, and a user's own."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bertmt.comparison.paired import PairedPredictions
from bertmt.comparison.slices import Slice, SliceDifference, SliceScore, compare_slices, score_slices
from bertmt.drawing.numbers import counted
from bertmt.errors import DataError, UsageError
from bertmt.services.analysis.changes.flips import TwoRuns
from bertmt.services.analysis.examples import ExampleTable
from bertmt.tasks.examples import Example, fingerprint
from bertmt.tasks.loading import read_extra_pairs, read_split
from bertmt.tasks.readers.source import read_source_column

LENGTH_BANDS = 4
LABEL_BANDS = 5
MOST_CLASSES = 10
MOST_VALUES = 12  # of a column: those that most examples have
LONGEST_NAME = 60
# English words. Hedges, and words as "but" and "although", are what section 7.1 of the paper suspects behind mistakes
# of mild sentiments, intensifiers behind the rareness of those of strong ones.
WORDS = {
    "negation": r"\b(?:not|no|never|none|nobody|nothing|neither|nor|nowhere|cannot|without|hardly|barely|scarcely)\b"
    r"|n['’]t\b",
    "hedges": r"\b(?:somewhat|rather|fairly|quite|kind of|sort of|a (?:bit|little)|slightly|perhaps|maybe|might|may|"
    r"could|possibly|probably|almost|nearly|mostly|partly|relatively|apparently|seems?|seemed|appears?|appeared)\b",
    "contrast": r"\b(?:but|although|though|however|yet|despite|while|nevertheless)\b",
    "intensifiers": r"\b(?:very|extremely|absolutely|completely|totally|utterly|so|too|really|truly|most|least)\b",
}
COLUMN = "column"


@dataclass(frozen=True)
class Own:
    """A slice of the user's own: a pattern in the texts, or the values of a column of the dev file."""

    name: str
    pattern: re.Pattern[str] | None


@dataclass(frozen=True, eq=False)
class Sliced:
    """The slices of a task's dev examples, "all" first, and sentences about those that could not be made."""

    slices: tuple[Slice, ...]
    remarks: tuple[str, ...]


def parse_own(text: str) -> Own:
    """`NAME=REGEX` or `column=NAME`.

    Raises:
        UsageError: it is neither.
    """
    name, equals, rest = (part.strip() for part in text.partition("="))
    if not (name and equals and rest):
        raise UsageError(f"--slice expects NAME=REGEX or column=NAME, but found {text[:80]!r}.")
    if name == COLUMN:
        return Own(rest, None)
    try:
        return Own(name[:LONGEST_NAME], re.compile(rest, re.IGNORECASE))
    except (re.error, OverflowError, RecursionError) as problem:
        raise UsageError(
            f"--slice {name[:LONGEST_NAME]}: {rest[:80]!r} is no regular expression ({problem})."
        ) from None


def sliced(table: ExampleTable, own: Sequence[Own] = ()) -> Sliced:
    """All slices of a run's dev examples that hold some of them, but not all."""
    texts = [_text(example) for example in table.examples]
    everything = Slice("all", np.ones(len(texts), dtype=bool))
    remarks: list[str] = []
    found = [*_by_length(table.examples), *_by_words(texts), *_by_label(table), *_by_training(table, remarks)]
    for each in own:
        if each.pattern is not None:
            chosen = np.array([bool(each.pattern.search(text)) for text in texts], dtype=bool)
            found.append(Slice(each.name, chosen))
        else:
            found += _by_column(table, each.name)
    asked = {each.name for each in own}
    usable = [each for each in found if each.name in asked or 0 < each.n < len(texts)]
    twice = [name for name, count in Counter(each.name for each in (everything, *usable)).items() if count > 1]
    if twice:
        raise UsageError(f"Two slices are called {twice[0]!r}: give yours another name.")
    return Sliced((everything, *usable), tuple(remarks))


def slice_scores(table: ExampleTable, own: Sequence[Own] = ()) -> tuple[list[SliceScore], Sliced]:
    """A run's scores by slice."""
    found = sliced(table, own)
    return score_slices(table.about, table.labels, table.predicted, found.slices), found


def slice_differences(runs: TwoRuns, own: Sequence[Own] = ()) -> tuple[tuple[SliceDifference, ...], Sliced]:
    """How two runs differ by slice; what stands in the training data is asked of the second's."""
    found = sliced(runs.b, own)
    pair = PairedPredictions(runs.about, runs.b.labels, runs.a.predicted, runs.b.predicted)
    return compare_slices(pair, found.slices), found


def _text(example: Example) -> str:
    return example.first if example.second is None else f"{example.first}\n{example.second}"


def _by_length(examples: Sequence[Example]) -> list[Slice]:
    """Four bands of about as many examples, by words; of a pair those of both sentences."""
    words = np.array([len(_text(example).split()) for example in examples])
    bounds = np.unique(np.quantile(words, np.linspace(0, 1, LENGTH_BANDS + 1)[1:-1], method="lower")).astype(int)
    starts, found = [int(words.min()), *(int(bound) + 1 for bound in bounds)], []
    for start, end in zip(starts, [*(int(bound) for bound in bounds), int(words.max())], strict=True):
        if start <= end:
            name = f"{start} to {end} words" if start < end else f"{start} words"
            found.append(Slice(name, (words >= start) & (words <= end)))
    return found


def _by_words(texts: Iterable[str]) -> list[Slice]:
    known = list(texts)
    return [
        Slice(name, np.array([bool(re.search(pattern, text, re.IGNORECASE)) for text in known], dtype=bool))
        for name, pattern in WORDS.items()
    ]


def _by_label(table: ExampleTable) -> list[Slice]:
    """A slice for each class, if they are not too many; of numbers equal bands of their range."""
    labels, about = table.labels, table.about
    if about.classes:
        names = about.classes if len(about.classes) <= MOST_CLASSES else ()
        return [Slice(f"true {at} {name}"[:LONGEST_NAME], labels == at, True) for at, name in enumerate(names)]
    # 0.6 of 5 is 3.0000000000000004, below which a label of 3 would lie.
    ends = [round(about.label_at(share), 9) for share in np.linspace(0, 1, LABEL_BANDS + 1)]
    found = []
    for low, high in pairwise(ends):
        last = high == ends[-1]
        chosen = (labels >= low) & ((labels <= high) if last else (labels < high))
        found.append(Slice(f"label {low:g} to {'' if last else 'below '}{high:g}", chosen, True))
    return found


def _by_training(table: ExampleTable, remarks: list[str]) -> list[Slice]:
    """Examples of which a sentence stands in the training split, word for word, and the others."""
    trained = _training_data(table, remarks)
    if trained is None:
        return []
    texts = {text for each in trained for text in (each.first, each.second) if text is not None}
    chosen = np.array([each.first in texts or each.second in texts for each in table.examples], dtype=bool)
    if not table.about.pair:
        return [Slice("in training", chosen), Slice("not in training", ~chosen)]
    pairs = {(each.first, each.second) for each in trained}
    if chosen.any():
        whole = sum((each.first, each.second) in pairs for each in table.examples)
        remarks.append(
            f"{counted(int(chosen.sum()), 'pair has', 'pairs have')} one sentence at least that stands in "
            f"{table.about.title}'s training data; {whole:,} of them {'stands' if whole == 1 else 'stand'} there whole."
        )
    return [Slice("one sentence in training", chosen), Slice("no sentence in training", ~chosen)]


def _training_data(table: ExampleTable, remarks: list[str]) -> list[Example] | None:
    """The data that the run trained this task on; None, and a remark, where that cannot be read any more."""
    run, name = table.run, table.task
    expected = run.submission.fingerprints.get(f"{name}-train")
    unknown = f"Which {table.about.title} examples stand in the training data is not known: "
    if expected is None:
        remarks.append(f"{unknown}run {run.id} has no fingerprint of its training data.")
        return None
    try:
        train = read_split(run.submission.data, table.about, "train")
        examples = list(train.examples)
        if fingerprint(examples) != expected:
            remarks.append(f"{unknown}the data are no longer those that run {run.id} was trained on.")
            return None
        if table.about.extra_pairs and run.recipe.get("extra_data"):
            limit = run.recipe.get("extra_data_limit") or 0
            examples += read_extra_pairs(run.submission.extra_data_file, table.about, limit).examples
    except DataError as problem:
        remarks.append(f"{unknown}{problem}")
        return None
    return examples


def _by_column(table: ExampleTable, column: str) -> list[Slice]:
    """A slice for each of the values that most examples have in a column of the dev file.

    Raises:
        UsageError: the task has no file with columns, or it is another than the run was evaluated on.
        DataError: it cannot be read, or has no such column.
    """
    about = table.about
    if about.source is None:
        raise UsageError(f"{about.title} has the course's files, which have no further columns; use NAME=REGEX.")
    dev = read_split("", about, "dev").first(len(table.examples))
    if fingerprint(dev.examples) != table.fingerprint:
        raise UsageError(f"{about.source.dev} is not what run {table.run.id} was evaluated on; its columns do not fit.")
    values = read_source_column(about, "dev", column)[: len(table.examples)]
    return [
        Slice(f"{column} = {value}"[:LONGEST_NAME], np.array([each == value for each in values], dtype=bool))
        for value, _ in Counter(values).most_common(MOST_VALUES)
    ]
