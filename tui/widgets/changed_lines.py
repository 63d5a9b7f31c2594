"""Only what changed is sent to the terminal: over SSH every line that is drawn again is felt."""

from collections.abc import Sequence
from itertools import zip_longest

from textual.geometry import Region


def changed_regions(before: Sequence[object], after: Sequence[object], width: int) -> list[Region]:
    """The lines of a widget that differ, as regions of its content; neighbours together."""
    regions: list[Region] = []
    for y, (old, new) in enumerate(zip_longest(before, after)):
        if old == new:
            continue
        if regions and regions[-1].bottom == y:
            regions[-1] = regions[-1].grow((0, 0, 1, 0))
        else:
            regions.append(Region(0, y, width, 1))
    return regions
