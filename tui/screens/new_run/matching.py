"""Which lines of the form have some letters in their name."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui.widgets.fields import Field, FieldKind


@dataclass(frozen=True)
class Sought:
    """A line of the form.

    Attributes:
        section: the title that it stands below; "": none.
    """

    key: str
    section: str


def matching(fields: Sequence[Field], letters: str) -> list[Sought]:
    """The settings with these letters: those whose name, or the part behind its dot, begins with them come first, then
    those that have them elsewhere in their name, then those in whose meaning they are. Spaces are as good as `_`.

    Args:
        fields: all lines, none folded.
    """
    wanted = letters.strip().lower().replace(" ", "_")
    ranked: list[tuple[int, Sought]] = []
    section = ""
    for each in fields:
        if each.kind is FieldKind.SECTION:
            section = each.key
        elif each.kind is not FieldKind.DONE and (rank := _rank(each, wanted)) is not None:
            ranked.append((rank, Sought(each.key, section)))
    return [sought for _, sought in sorted(ranked, key=lambda pair: pair[0])]


def _rank(field: Field, wanted: str) -> int | None:
    name = field.name.lower()
    if not wanted:
        return None
    if name.startswith(wanted) or name.rpartition(".")[2].startswith(wanted):
        return 0
    if wanted in name:
        return 1
    return 2 if wanted in field.meaning.lower().replace(" ", "_") else None
