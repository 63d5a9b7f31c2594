"""Classes that were read out of a column: whether they are classes at all, and how many of them are listed."""

from collections import Counter
from collections.abc import Iterable, Sequence

from bertmt.drawing.numbers import named
from bertmt.errors import UsageError
from bertmt.services.tasks.columns import ColumnProfile
from bertmt.services.tasks.guessing import MOST_RATINGS
from bertmt.tasks.examples import Example
from bertmt.tasks.malformed import shown
from bertmt.tasks.task import Task

# So many are listed whole; of more the first few.
MOST_LISTED, LISTED = 10, 5


def listed(classes: Sequence[str]) -> str:
    """Classes in one line: all of a few, else the first and how many more."""
    if len(classes) <= MOST_LISTED:
        return ", ".join(classes)
    return f"{', '.join(classes[:LISTED])}, … {len(classes) - LISTED:,} more"


def refuse_sentences(classes: Sequence[str], label: ColumnProfile, text: ColumnProfile, file: object) -> None:
    """Return if what was guessed to be classes can be some.

    Raises:
        UsageError: they are the sentences, or nearly each example has its own.
    """
    held = f"{file}: {shown(label.name)} holds {len(classes):,} different labels in {label.count:,} examples, such as "
    held += ", ".join(shown(each) for each in classes[:3])
    # Three words on average, and fewer different values where the sentences should be.
    if label.spaces >= 2 * label.count and not text.is_prose and len(text.words) < len(label.words):
        raise UsageError(f"{held}: is it the sentences, and {shown(text.name)} the labels?")
    singles = sum(times == 1 for times in label.words.values())
    if len(classes) > max(MOST_RATINGS, label.count // 2) and 2 * singles > len(label.words):
        raise UsageError(f"{held}: is it the column of the labels? --classes A,B,… says that these are the classes.")


def about_absent(task: Task, training: Iterable[Example]) -> str | None:
    """A sentence about classes of which there is no training example; None where each has one."""
    seen = Counter(int(each.label) for each in training if task.classes and each.label is not None)
    absent = [shown(name) for place, name in enumerate(task.classes) if not seen[place]]
    return (
        f"No example of train is of {'the class' if len(absent) == 1 else 'the classes'} {named(absent)}."
        if absent
        else None
    )
