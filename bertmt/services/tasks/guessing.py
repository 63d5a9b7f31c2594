"""Which columns have the sentences and the labels, and what the labels are: guessed where a person does not say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.drawing.numbers import named
from bertmt.errors import DataError, UsageError
from bertmt.services.tasks.columns import MOST_GUESSED, ColumnProfile, FileProfile
from bertmt.tasks.limits import LONGEST_TEXT, MOST_CLASSES
from bertmt.tasks.malformed import shown
from bertmt.tasks.readers.labels import number_of, word_of

# In order of preference; of pairs, the first sentence's column to the second's.
PAIRS = {
    "sentence1": "sentence2", "premise": "hypothesis", "question1": "question2", "text1": "text2", "text_a": "text_b",
    "sentence_a": "sentence_b", "sent1": "sent2", "first": "second", "query": "passage",
}  # fmt: skip
TEXTS = ("text", "sentence", "review", "content", "document", "tweet", "title", "question", "utterance")
LABELS = (
    "label", "labels", "gold_label", "class", "category", "target", "similarity", "score", "rating", "stars",
    "sentiment", "is_duplicate", "entailment", "acceptability", "acceptable", "gold", "y",
)  # fmt: skip
NO_TEXTS = ("id", "idx", "index", "")
MOST_RATINGS = 20  # different whole numbers that are taken for classes


@dataclass(frozen=True)
class Columns:
    """Names of columns; `pair` is "" for single sentences."""

    text: str
    pair: str
    label: str


def guess_columns(found: FileProfile, text: str | None, pair: str | None, label: str | None) -> Columns:
    """The columns that are named, or else those with the usual names, or else the only ones that it can be.

    Raises:
        DataError: one that is named is not there.
        UsageError: nothing tells which it is.
    """
    for column, option in ((text, "--text"), (pair, "--pair"), (label, "--label")):
        if column and column not in found.columns:
            raise DataError(f"{found.file} has no column {shown(column)} ({option}); it has {_list(found.columns)}.")
    taken = {each for each in (text, pair, label) if each}
    label = label or _usual(found, LABELS, taken)
    taken |= {label} if label else set()
    text = text or _usual(found, (*PAIRS, *TEXTS), taken) or _only(found, taken, is_prose=True)
    if not text:
        raise UsageError(_which("--text", "the sentences", found))
    if pair is None:
        pair = next((each for each in found.columns if each.lower() == PAIRS.get(text.lower()) and each != label), "")
    label = label or _only(found, taken | {text, pair}, is_prose=False)
    if not label:
        raise UsageError(_which("--label", "the labels", found))
    if len({text, pair or None, label}) < 3:
        raise UsageError("--text, --pair and --label name three different columns.")
    return Columns(text, pair, label)


def _usual(found: FileProfile, names: Sequence[str], taken: set[str]) -> str:
    free = {column.lower(): column for column in found.columns if column not in taken}
    return next((free[name] for name in names if name in free), "")


def _only(found: FileProfile, taken: set[str], is_prose: bool) -> str:
    """The only column left that looks like sentences, or like labels."""
    free = [each for name, each in found.columns.items() if name not in taken and name.lower() not in NO_TEXTS]
    fitting = [each.name for each in free if each.count and each.is_prose == is_prose]
    return fitting[0] if len(fitting) == 1 else ""


def _which(option: str, what: str, found: FileProfile) -> str:
    return f"Which column of {found.file} has {what}? Name it with {option}; it has {_list(found.columns)}."


def _list(columns: Sequence[str] | dict[str, ColumnProfile]) -> str:
    return named([shown(each) for each in columns], 8)


def guess_kind(column: ColumnProfile, file: object, text: ColumnProfile) -> tuple[str, str]:
    """ "classification" or "regression", and why, in a sentence.

    Raises:
        UsageError: there are too many different labels for classes, and they are no numbers.
    """
    if column.is_numeric and (column.whole < column.count or not _few(column, MOST_RATINGS)):
        return "regression", f"`{column.name}` holds numbers; --kind classification would read them as classes."
    if column.has_classes:
        other = "; --kind regression would read them as numbers." if column.is_numeric else "."
        return "classification", f"`{column.name}` holds {len(column.words)} different labels{other}"
    swapped = text.has_classes and not text.is_prose
    raise UsageError(
        f"{file}: {shown(column.name)} holds more than {MOST_GUESSED} different texts, or long ones: "
        + (
            f"is it the sentences, and {shown(text.name)} the labels?"
            if swapped
            else "is it the column of the labels? Then say --kind classification."
        )
    )


def _few(column: ColumnProfile, most: int) -> bool:
    return column.others == 0 and len(column.words) <= most


def classes_of(column: ColumnProfile, more: Sequence[ColumnProfile], names: Sequence[str]) -> tuple[str, ...]:
    """The classes in order: as the file names them, else whole numbers by size, else words by the alphabet.

    Args:
        more: the same column of other splits.

    Raises:
        UsageError: there are more than a task may have, or longer ones.
    """
    if names:
        return tuple(names)
    if any(each.others for each in (column, *more)):
        raise UsageError(
            f"{shown(column.name)} holds more than {MOST_CLASSES:,} different texts, or some of more than "
            f"{LONGEST_TEXT} characters, too many or too long for classes: is it the column of the labels?"
        )
    words = set(column.words).union(*(each.words for each in more))
    numbers = {word: number_of(word) for word in words}
    if None not in numbers.values():
        return tuple(sorted(words, key=lambda word: (numbers[word] or 0.0, word)))
    return tuple(sorted(words))


def named_classes(text: str) -> tuple[str, ...]:
    """What `--classes a,b,c` says.

    Raises:
        UsageError: fewer than two, or one twice.
    """
    names = tuple(word_of(word) or "" for word in text.split(","))
    if len(names) < 2 or "" in names or len(set(names)) < len(names):
        raise UsageError(f"--classes expects at least two different names, A,B,…, but found {shown(text)}.")
    return names


def range_of(columns: Sequence[ColumnProfile]) -> tuple[float, float]:
    """The least and the greatest label, rounded outwards to whole numbers."""
    return (
        float(math.floor(min(each.least for each in columns))),
        float(math.ceil(max(each.greatest for each in columns))),
    )


def named_range(text: str) -> tuple[float, float]:
    """What `--range 0,5` says.

    Raises:
        UsageError: it is no two numbers, the lower first.
    """
    numbers = [number_of(word.strip()) for word in text.split(",")]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None or numbers[0] >= numbers[1]:
        raise UsageError(f"--range expects LOW,HIGH, for example 0,5, but found {shown(text)}.")
    return numbers[0], numbers[1]
