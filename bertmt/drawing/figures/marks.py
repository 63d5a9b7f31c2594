"""What figures are made of: a few kinds of marks, in points from the left and from the top; SVG, PDF and PNG alike.

A colour is a meaning, as in `styled`; whoever writes a figure maps the names in `COLOURS` to a light or a dark ground.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.drawing.styled import SERIES, cells

TEXT = 11.0  # points
# Cells are those of a terminal; a proportional font's letter takes about so much of its size.
LETTER = 0.6
Place = tuple[float, float]
# On a light ground, on a dark one. The series are colours that those who see few can tell apart (Okabe & Ito 2008),
# each darkened or lightened until it stands out from its ground; curves differ in their dashes too.
COLOURS: dict[str, tuple[str, str]] = {
    "ink": ("#1b2027", "#e7e9ec"),
    "dim": ("#59616d", "#a4acb8"),
    "grid": ("#dfe3e8", "#343b45"),
    "ground": ("#ffffff", "#14181d"),
    "good": ("#1a7f37", "#56c271"),
    "bad": ("#b3261e", "#ff8f87"),
    **dict(
        zip(
            SERIES,
            (
                ("#0b66b0", "#5cb3f5"), ("#b35900", "#f0a045"), ("#9b3d78", "#e394c4"), ("#00795a", "#3fc79c"),
                ("#5b52c7", "#a9a3ff"), ("#a33b00", "#ff8a5c"), ("#3f6b74", "#8cc3ce"), ("#6d6a00", "#d3cd4f"),
            ),
            strict=True,
        )
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """A line through places.

    Attributes:
        dashes: lengths of dashes and gaps; none is an unbroken line.
    """

    places: Sequence[Place]
    colour: str
    width: float = 1.0
    dashes: tuple[float, ...] = ()


@dataclass(frozen=True)
class Area:
    """What lies within an outline."""

    places: Sequence[Place]
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Dot:
    """A filled circle."""

    at: Place
    radius: float
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Words:
    """A text on one line, from outside or not: whoever writes it makes it safe.

    Attributes:
        at: on its baseline.
        anchor: what of it is there: start, middle or end.
    """

    at: Place
    text: str
    colour: str = "ink"
    anchor: str = "start"
    size: float = TEXT
    bold: bool = False


Mark = Rule | Area | Dot | Words


@dataclass(frozen=True)
class Figure:
    """A drawing.

    Attributes:
        marks: the later over the earlier.
        said: what it shows, in a sentence, for whoever does not see it.
    """

    width: float
    height: float
    marks: Sequence[Mark]
    said: str


def box(left: float, top: float, width: float, height: float, colour: str, opacity: float = 1.0) -> Area:
    """A filled rectangle."""
    right, bottom = left + width, top + height
    return Area(((left, top), (right, top), (right, bottom), (left, bottom)), colour, opacity)


def room_for(text: str, size: float = TEXT) -> float:
    """About how wide a text is."""
    return cells(text) * LETTER * size
