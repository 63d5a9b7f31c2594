"""What the columns of a file hold: enough to guess which has the sentences, and which the labels."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bertmt.tasks.limits import LONGEST_TEXT, MOST_CLASSES
from bertmt.tasks.readers.labels import number_of, word_of
from bertmt.tasks.readers.table import opened_rows

# What is taken for classes where nobody says so.
MOST_GUESSED = 100
LONGEST_GUESSED = 60  # characters


@dataclass(kw_only=True)
class ColumnProfile:
    """What a column holds.

    Attributes:
        count: values that are not empty.
        words: how often each of the first `MOST_CLASSES` different ones comes, as labels are written, none of them
            longer than a class may be.
        others: values beside those.
        spaces: words beyond the first of each value, in all.
        numbers: how many are numbers; `whole`: how many of them are whole.
        least, greatest: of the numbers.
    """

    name: str
    count: int = 0
    words: Counter[str] = field(default_factory=Counter)
    others: int = 0
    spaces: int = 0
    numbers: int = 0
    whole: int = 0
    least: float = float("inf")
    greatest: float = float("-inf")

    def add(self, value: object) -> None:
        """Look at one more value."""
        word = word_of(value)
        if word is None:
            return
        self.count += 1
        self.spaces += len(word.split()) - 1 if isinstance(value, str) else 0
        if word in self.words or (len(self.words) < MOST_CLASSES and len(word) <= LONGEST_TEXT):
            self.words[word] += 1
        else:
            self.others += 1
        number = number_of(word)
        if number is not None:
            self.numbers += 1
            self.whole += number.is_integer()
            self.least, self.greatest = min(self.least, number), max(self.greatest, number)

    @property
    def is_prose(self) -> bool:
        """Whether it looks like sentences: three words on average, and more different ones than classes."""
        return (
            self.count > 0
            and self.spaces >= 2 * self.count
            and (self.others > 0 or len(self.words) > min(MOST_GUESSED, self.count // 2))
        )

    @property
    def is_numeric(self) -> bool:
        """Whether all are numbers."""
        return 0 < self.count == self.numbers

    @property
    def has_classes(self) -> bool:
        """Whether there are few different values, each short enough for a name."""
        return (
            len(self.words) <= MOST_GUESSED
            and self.others == 0
            and all(len(word) <= LONGEST_GUESSED for word in self.words)
        )


@dataclass(frozen=True)
class FileProfile:
    """The columns of a file, in order.

    Attributes:
        names: of columns of classes, their names in order, where the file itself tells them.
    """

    file: Path
    format: str
    columns: dict[str, ColumnProfile]
    names: dict[str, tuple[str, ...]]


def profile(file: Path) -> FileProfile:
    """Read a file through once.

    Raises:
        DataError: it is missing, empty or damaged.
    """
    with opened_rows(file) as rows:
        found = {name: ColumnProfile(name=name) for name in rows.columns}
        for record in rows.records:
            for name, column in found.items():
                if not record.problem:
                    column.add(record.values.get(name))
        return FileProfile(file, rows.format, found, dict(rows.names))
