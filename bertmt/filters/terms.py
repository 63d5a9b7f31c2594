"""A parsed filter: frozen terms that say whether a run's fields match."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

WORD_FIELDS = ("name", "id", "preset", "tags")  # where a bare word is searched
NUMERIC_KINDS = ("int", "float")
ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class Fields(Protocol):
    """A run's fields, plain values by name; `fields.with_recipe` says which. None where there is none."""

    def get(self, name: str, /) -> Any: ...


@dataclass(frozen=True)
class Word:
    """Text that is part of a run's name, id, preset or of one of its tags; any of the alternatives."""

    texts: tuple[str, ...]
    negated: bool = False

    def matches(self, fields: Fields) -> bool:
        """Whether any alternative is found, or none if negated."""
        places = [text for name in WORD_FIELDS for text in _texts(fields.get(name))]
        return any(text in place for text in self.texts for place in places) != self.negated


@dataclass(frozen=True)
class Comparison:
    """A field compared with one value or several alternatives.

    Attributes:
        operator: ":" (contains, for text; equals, for all else), "=", "!=", ">", ">=", "<" or "<=".
        values: of the field's kind: casefolded text, float, bool; None asks for an empty field.
    """

    field: str
    kind: str
    operator: str
    values: tuple[Any, ...]
    negated: bool = False

    def matches(self, fields: Fields) -> bool:
        """Whether the comparison holds. An empty field holds for no comparison but `none`, so only for `-`."""
        return self._holds(fields.get(self.field)) != self.negated

    def _holds(self, found: Any) -> bool:
        if _is_empty(found):
            return None in self.values
        wanted = [value for value in self.values if value is not None]
        if self.operator in ORDERINGS:
            return any(self._ordered(found, value) for value in wanted)
        equal = any(self._equal(found, value) for value in wanted)
        return not equal if self.operator == "!=" else equal

    def _ordered(self, found: Any, value: Any) -> bool:
        if self.kind in NUMERIC_KINDS:
            return isinstance(found, int | float) and ORDERINGS[self.operator](found, value)
        return ORDERINGS[self.operator](str(found).casefold(), value)

    def _equal(self, found: Any, value: Any) -> bool:
        if self.kind in NUMERIC_KINDS:
            return isinstance(found, int | float) and math.isclose(found, value, rel_tol=1e-9)
        if self.kind == "bool":
            return bool(bool(found) == value)
        if self.kind in ("list", "texts"):
            return value in _texts(found)
        text = str(found).casefold()
        return value in text if self.operator == ":" else value == text


Term = Word | Comparison


@dataclass(frozen=True)
class Filter:
    """Alternatives (joined by `|`) of terms that must all match; without terms, everything matches."""

    alternatives: tuple[tuple[Term, ...], ...] = ()

    def matches(self, fields: Fields) -> bool:
        """Whether a run with these fields is meant."""
        if not self.alternatives:
            return True
        return any(all(term.matches(fields) for term in terms) for terms in self.alternatives)


def _is_empty(value: Any) -> bool:
    if value is None or (isinstance(value, str | tuple | list) and not value):
        return True
    return isinstance(value, float) and math.isnan(value)


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    values = value if isinstance(value, tuple | list | set | frozenset) else [value]
    return [str(each).casefold() for each in values]
