"""What a report is made of. All text is as it came, from data and people too: whoever writes a format makes it safe."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bertmt.drawing.figures.marks import Figure
from bertmt.drawing.styled import plain
from bertmt.drawing.tables import Column, Row

# The columns of the numbers behind a report, in full precision: what its CSV holds.
RECORD = (
    "kind", "arm", "reference", "run", "seed", "task", "slice", "metric", "n", "value", "low", "high", "p", "p_holm",
    "verdict",
)  # fmt: skip
Record = Mapping[str, Any]
WIDE_FIGURE = 360.0  # points of width from which on a figure has a line of its own


@dataclass(frozen=True)
class Heading:
    """Within a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Sentences.

    Attributes:
        is_note: about how to read what stands above it.
    """

    text: str
    is_note: bool = False


@dataclass(frozen=True)
class Bullets:
    """One text an item."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Rows under titles; what stands below a row is about it."""

    columns: Sequence[Column]
    rows: Sequence[Row]


@dataclass(frozen=True)
class Code:
    """Lines to be typed, or read by a program.

    Attributes:
        language: sh or toml.
    """

    text: str
    language: str = "sh"


@dataclass(frozen=True)
class Picture:
    """A figure.

    Attributes:
        name: of its files; a word of small letters, digits and hyphens.
        caption: what it shows, and how to read it.
    """

    name: str
    figure: Figure
    caption: str


@dataclass(frozen=True)
class Pictures:
    """Figures beside each other where there is room."""

    pictures: Sequence[Picture]


Block = Heading | Paragraph | Bullets | Table | Code | Pictures


@dataclass(frozen=True)
class Section:
    """Part of a report."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Report:
    """All of it.

    Attributes:
        made: by what and when, a sentence.
        records: the numbers, by the names in `RECORD`; what is missing is None.
    """

    title: str
    made: str
    sections: Sequence[Section]
    records: Sequence[Record] = field(default_factory=tuple)

    @property
    def pictures(self) -> Iterator[Picture]:
        """All figures in their order."""
        for section in self.sections:
            for block in section.blocks:
                yield from block.pictures if isinstance(block, Pictures) else ()


def below(row: Row) -> str:
    """What stands below a row, in sentences."""
    said = [plain(each).strip() for each in row.below]
    return " ".join(each if each.endswith((".", "!", "?")) else f"{each}." for each in said if each)


def figure_name(*parts: str) -> str:
    """A name for the files of a figure: whatever is no letter or digit of ASCII becomes a hyphen."""
    words = "".join(each if each.isascii() and each.isalnum() else " " for each in "-".join(parts).lower())
    return "-".join(words.split())[:80]
