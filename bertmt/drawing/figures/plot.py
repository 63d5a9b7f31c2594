"""The frame of a plot: where values stand in it, its grid, ticks and titles."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertmt.drawing.charts.ticks import linear_ticks, tick_texts
from bertmt.drawing.figures.marks import TEXT, Mark, Place, Rule, Words, room_for

TICK = 9.5  # points, of their numbers
TICK_SPACING = 46.0  # points between two numbers of the x axis at least
ROW_SPACING = 26.0  # of the y axis


@dataclass(frozen=True)
class Span:
    """A range of values, and where its ends are, in points; a range of nothing is widened."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, low: float, high: float, start: float, end: float) -> "Span":
        """With some room about the values."""
        room = 0.04 * (high - low) or abs(low) * 0.05 or 0.5
        return cls(low - room, high + room, start, end)

    def place(self, value: float) -> float:
        """Where a value stands; one beyond the range at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int, whole: bool = False) -> list[tuple[float, str]]:
        """Round numbers within the range, and their texts."""
        values = linear_ticks(self.low, self.high, max(most, 2), whole)
        return list(zip(values, tick_texts(values), strict=True))


@dataclass(frozen=True)
class Plot:
    """Two spans; the one of y goes up, so that it starts at the bottom."""

    x: Span
    y: Span

    def at(self, x: float, y: float) -> Place:
        """Where a pair of values stands."""
        return self.x.place(x), self.y.place(y)


def frame(plot: Plot, x_title: str, y_title: str = "", whole: bool = False) -> list[Mark]:
    """Grid, numbers and titles.

    Args:
        whole: x counts something.
    """
    left, right, bottom, top = plot.x.start, plot.x.end, plot.y.start, plot.y.end
    marks: list[Mark] = []
    for value, text in plot.y.ticks(int((bottom - top) // ROW_SPACING)):
        place = plot.y.place(value)
        marks.append(Rule(((left, place), (right, place)), "grid"))
        marks.append(Words((left - 6, place + TICK / 3), text, "dim", "end", TICK))
    ticks = plot.x.ticks(int((right - left) // TICK_SPACING), whole)
    marks += [Words((plot.x.place(value), bottom + TICK + 4), text, "dim", "middle", TICK) for value, text in ticks]
    marks.append(Rule(((left, bottom), (right, bottom)), "dim"))
    marks.append(Words(((left + right) / 2, bottom + 2 * TICK + 9), x_title, "dim", "middle", TICK))
    if y_title:
        marks.append(Words((left - 6, top - 8), y_title, "dim", "start", TICK))
    return marks


def shortened(text: str, room: float, size: float = TEXT) -> str:
    """A text that is about as wide as there is room, cut with an ellipsis where it is longer."""
    if room_for(text, size) <= room:
        return text
    kept = text
    while kept and room_for(f"{kept}…", size) > room:
        kept = kept[:-1]
    return f"{kept}…"


def legend(names: Sequence[tuple[str, Rule]], left: float, top: float, width: float) -> tuple[list[Mark], float]:
    """Samples of lines with their names, one below the other, and how much room they take.

    Args:
        names: each with a line of the same look, whose places do not matter.
    """
    marks: list[Mark] = []
    line = 1.45 * TEXT
    for number, (name, look) in enumerate(names):
        y = top + (number + 0.7) * line
        marks.append(Rule(((left, y - TEXT / 3), (left + 24, y - TEXT / 3)), look.colour, look.width, look.dashes))
        marks.append(Words((left + 30, y), shortened(name, width - 30), "ink"))
    return marks, len(names) * line
