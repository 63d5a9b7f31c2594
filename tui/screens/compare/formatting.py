"""The pages of a comparison as lines: differences and what to mind, recipes."""

from collections.abc import Sequence
from typing import Any

from bertmt.drawing.facts import facts, wrapped
from bertmt.drawing.numbers import MISSING, named
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Line, Span, beside, cells, cut, cut_name, line, pad, plain
from bertmt.recipe.recipe import SETTINGS
from bertmt.registry.records import Run
from bertmt.services.analysis.arms import Arm, recipe_differences
from bertmt.services.analysis.compare import Comparison
from bertmt.services.analysis.comparison_formatting import (
    NOTHING_DIFFERS,
    format_differences,
    format_effort,
    format_forest,
    format_tests,
    format_warnings,
)
from bertmt.services.analysis.groups.formatting import format_more_seeds
from bertmt.services.analysis.groups.more_seeds import MoreSeeds
from bertmt.services.browse.run_formatting import scale_line, value_text
from tui.screens.compare.arms import Looks, mark_line

SIDE_BY_SIDE = 120  # cells from which on differences and remarks stand beside each other
DIFFERENCES_WIDTH = 68  # cells of a table of differences
LEAST_ARM, LONGEST_ARM = 10, 20  # cells of an arm's column: its mark and title, and its settings below
ROLES = (("toggle", "method"), ("scale", "scale"), ("runtime", "runtime"))
GAP = 2
QUEUES = "^s queues them."


def forest_page(found: Comparison, looks: Looks, width: int) -> list[Line]:
    """All differences in one plot."""
    marks = {key: Span(look.mark, look.style) for key, look in looks.items()}
    return format_forest(found, width, marks=marks)


def score_page(
    found: Comparison, wanted: MoreSeeds, left_out: Sequence[Run], looks: Looks, width: int
) -> tuple[list[Line], dict[int, int]]:
    """Each arm against the reference, the tests, then what to mind and what more seeds would tell; beside each other
    where there is room.

    Returns:
        the lines, and where those of each arm begin, by the key of its first run.
    """
    left, right = (DIFFERENCES_WIDTH, width - DIFFERENCES_WIDTH - GAP) if width >= SIDE_BY_SIDE else (width, width)
    lines: list[Line] = []
    starts: dict[int, int] = {}
    for each in found.others:
        starts[each.arm.runs[0].key] = len(lines)
        title, *rest = format_differences(each, left - cells(plain(mark_line(each.arm, looks))))
        lines += [(*mark_line(each.arm, looks), *title), *rest, ()]
    lines += format_tests(found, left)
    more = _sections(
        format_warnings(found, right), format_more_seeds(wanted, right, QUEUES), format_left_out(left_out, right),
        format_effort(found, right),
    )  # fmt: skip
    if width >= SIDE_BY_SIDE:
        return beside((lines, more), (left, right)), starts
    return [*lines, (), *more], starts


def _sections(*sections: Sequence[Line]) -> list[Line]:
    """Sections with an empty line between them."""
    joined = [each for section in sections if section for each in (*section, ())]
    return joined[:-1]


def format_left_out(runs: Sequence[Run], width: int) -> list[Line]:
    """Who has no scores yet."""
    if not runs:
        return []
    listed = named([f"{run.id} ({run.name}, {run.state})" for run in runs])
    return sentence_lines(f"Left out, without scores so far: {listed}.", width)


def recipe_page(arms: Sequence[Arm], looks: Looks, current: int, width: int) -> list[Line]:
    """The settings that differ, a column per arm; of more arms than fit, the first and those about the current one."""
    differences = recipe_differences(arms)
    first = arms[0].runs[0]
    scale = facts({f"scale of {first.id}": scale_line(first)}, width)
    if not differences:
        return [line(NOTHING_DIFFERS), (), *scale]
    label = max(len(name) for name in differences) + 2 * GAP
    # Two arms always stand beside each other.
    longest = LONGEST_ARM if len(arms) > 2 else max(LEAST_ARM, min(LONGEST_ARM, (width - label) // 2 - GAP))
    wide = [
        _column_width(arm, [values[index] for values in differences.values()], looks, longest)
        for index, arm in enumerate(arms)
    ]
    shown = _arms_that_fit(wide, current, width - label)
    heads = (_filled(_head(arms[index], looks, longest), wide[index]) for index in shown)
    lines: list[Line] = [line(Span(pad("setting", label), "title"), *(span for head in heads for span in head))]
    for role, title in ROLES:
        names = [name for name in differences if SETTINGS[name].role == role]
        lines += [line(Span(title, "dim"))] if names else []
        lines += [line(pad(f"  {name}", label), *_values(differences[name], shown, wide)) for name in names]
    more = len(arms) - len(shown)
    if more:
        lines.append(line(Span(f"{more} more: the cursor in the list above brings its arm in.", "dim")))
    return [*lines, (), *scale]


def _values(values: Sequence[Any], shown: Sequence[int], wide: Sequence[int]) -> list[Span]:
    """A setting's values; what is as in the first arm is dim."""
    return [
        Span(
            pad(cut(safe_text(_text(values[index])), wide[index] - GAP), wide[index]),
            "dim" if index and values[index] == values[0] else "",
        )
        for index in shown
    ]


def _text(value: Any) -> str:
    """A setting's value; a recipe holds none of the head of a task that it does not train."""
    return MISSING if value is None else value_text(value)


def _head(arm: Arm, looks: Looks, longest: int) -> Line:
    return (*mark_line(arm, looks), Span(cut_name(safe_text(arm.name), longest - GAP), "title"))


def _filled(text: Line, width: int) -> Line:
    return (*text, Span(" " * (width - cells(plain(text)))))


def _column_width(arm: Arm, values: Sequence[Any], looks: Looks, most: int) -> int:
    longest = max(cells(_text(value)) for value in values)
    return max(cells(plain(_head(arm, looks, most))), min(longest, most)) + GAP


def _arms_that_fit(wide: Sequence[int], current: int, room: int) -> list[int]:
    """The first arm, and as many others in a row as there is room for, the current one among them."""
    for start in range(1, len(wide)):
        shown = [0]
        for index in range(start, len(wide)):
            if sum(wide[each] for each in (*shown, index)) - GAP > room:
                break
            shown.append(index)
        if current <= shown[-1] or start >= current:
            return shown
    return [0]


def sentence_lines(text: str, width: int) -> list[Line]:
    """A sentence in lines of a width."""
    return [line(Span(part, "dim")) for part in wrapped(safe_text(text), width)]
