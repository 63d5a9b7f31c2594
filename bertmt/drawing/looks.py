"""By which colour and mark a curve, a run or a task is known; without numpy, for lists that draw no curve."""

from collections.abc import Container
from dataclasses import dataclass

from bertmt.drawing.styled import SERIES

MARKS = "●▲■◆▼★✚✖"
SYMBOLS = "*+xo#@%&"  # their likenesses in ASCII
LOOKS = len(MARKS) * len(SERIES)


@dataclass(frozen=True)
class Look:
    """How a series is told from the others: colour is never the only cue."""

    style: str
    mark: str
    dotted: bool = False


def look_of(index: int, ascii_only: bool) -> Look:
    """The look of the series with that index; after eight, colours and marks meet in other pairs, 64 in all."""
    marks = SYMBOLS if ascii_only else MARKS
    return Look(SERIES[index % len(SERIES)], marks[(index + index // len(SERIES)) % len(marks)])


def place_of_run(number: int) -> int:
    """The place of the look of the run with that number in its registry: it goes with the run, wherever it is drawn.

    Neither the first colour nor the first mark is among them, which are the baseline's; runs whose numbers are less
    than six apart differ in both, less than 49 in one of them at least.
    """
    others = len(SERIES) - 1
    row, colour = divmod(number % (others * others), others)
    colour += 1
    # In each colour one row of pairs has the first mark: (colour + row) % 8 is 0 there, see `look_of`.
    return colour + len(SERIES) * (row + (row >= len(MARKS) - colour))


def free_place(wanted: int, taken: Container[int]) -> int:
    """The place that is wanted or, where another series has it, one of the same colour with another mark."""
    near = ((wanted + step * len(SERIES)) % LOOKS for step in range(len(MARKS)))
    return next((place for place in near if place not in taken), wanted)
