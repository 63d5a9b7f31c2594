"""How often each length comes, as columns, with the length behind which a sentence is cut."""

from collections.abc import Mapping

from bertmt.drawing.styled import Line, Span, ascii_lines, line

LEVELS = " ▁▂▃▄▅▆▇█"
NEAR = 1.5  # a cut that lies farther than so many times the longest is not drawn, but said


def draw_histogram(
    counts: Mapping[int, int], width: int, height: int, cut: int | None = None, *, ascii_only: bool = False
) -> list[Line]:
    """`height` lines of columns and two of the axis, at most `width` cells wide; a column is as many lengths as needed.

    Args:
        counts: how many there are of each length.
        cut: what is longer is in another colour, behind a rule.
    """
    known = {length: number for length, number in counts.items() if number > 0}
    if not known or width < 1 or height < 1:
        return []
    longest = max(known)
    reach = cut + 1 if cut is not None and longest <= cut <= NEAR * longest else longest
    size = -(-(reach + 1) // width)
    columns = -(-(reach + 1) // size)
    heights = [0] * columns
    for length, number in known.items():
        heights[length // size] += number
    most = max(heights)
    eighths = [max(1, round(number / most * height * 8)) if number else 0 for number in heights]
    edge = (cut + 1) // size if cut is not None and cut + 1 <= reach else None  # the first column beyond
    lines = [_row(eighths, height - 1 - row, edge) for row in range(height)]
    lines += _axis(columns, size, longest, cut, edge)
    return ascii_lines(lines) if ascii_only else lines


def _row(eighths: list[int], row: int, edge: int | None) -> Line:
    """One line of the columns, the lowest has the row 0."""
    text = "".join(LEVELS[max(0, min(each - 8 * row, 8))] for each in eighths)
    if edge is None:
        return line(Span(text.rstrip(), "series0"))
    beyond = text[edge:]
    if beyond[:1] == " ":
        return line(Span(text[:edge], "series0"), Span("│", "axis"), Span(beyond[1:].rstrip(), "bad"))
    return line(Span(text[:edge], "series0"), Span(beyond.rstrip(), "bad"))


def _axis(columns: int, size: int, longest: int, cut: int | None, edge: int | None) -> list[Line]:
    """The rule, and below it 0, the cut and the longest, where each has room."""
    labels = [" "] * columns
    end = -1
    places = [(0, "0"), *([(edge, f"cut {cut}")] if edge is not None else []), (longest // size, str(longest))]
    for column, text in places:
        start = max(0, min(column, columns - len(text)))
        if start > end:
            labels[start : start + len(text)] = text
            end = start + len(text)
    rule = "".join("┬" if column in {place for place, _ in places} else "─" for column in range(columns))
    return [line(Span(rule, "axis")), line(Span("".join(labels)[:columns].rstrip(), "axis"))]
