"""Which examples of a table are shown, and in which order; all as indices, so that 40,000 of them are quick."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bertmt.services.analysis.examples import ExampleTable, flips_from, wrong
from bertmt.tasks.examples import Example

Kind = Literal["all", "wrong", "broken", "fixed"]
Order = Literal["file", "surest", "unsurest", "farthest", "nearest"]
# In the order in which a key goes through them.
KINDS: tuple[Kind, ...] = ("all", "wrong", "broken", "fixed")
KIND_MEANINGS: Mapping[Kind, str] = {
    "all": "all examples",
    "wrong": "wrong predictions",
    "broken": "wrong here, right in the baseline",
    "fixed": "right here, wrong in the baseline",
}
ORDER_MEANINGS: Mapping[Order, str] = {
    "file": "in data order",
    "surest": "most confident first",
    "unsurest": "least confident first",
    "farthest": "farthest from the best fit first",
    "nearest": "closest to the best fit first",
}


@dataclass(frozen=True, eq=False)
class Searched:
    """The texts of the examples of a fingerprint in a form in which words are looked for without regard to case."""

    fingerprint: str
    texts: tuple[str, ...]

    @classmethod
    def of(cls, table: ExampleTable) -> "Searched":
        """The texts of a table."""
        return cls.of_examples(table.fingerprint, table.examples)

    @classmethod
    def of_examples(cls, fingerprint: str, examples: Iterable[Example]) -> "Searched":
        """The texts of examples: ids, and both sentences of a pair."""
        texts = (f"{each.id}\n{each.first}\n{each.second or ''}".casefold() for each in examples)
        return cls(fingerprint, tuple(texts))

    def with_words(self, words: str) -> np.ndarray:
        """For each example whether it holds the words as they stand; bool (n,)."""
        wanted = words.casefold()
        return np.fromiter((wanted in text for text in self.texts), dtype=bool, count=len(self.texts))


def kinds_of(table: ExampleTable, baseline: ExampleTable | None) -> dict[Kind, np.ndarray]:
    """The indices of each kind, ascending; kinds that nothing can be said about are left out.

    Only tasks with classes have wrong predictions, and only a baseline on the same examples shows what it got right.
    """
    found: dict[Kind, np.ndarray] = {"all": np.arange(len(table.examples))}
    if table.confidence is not None:
        found["wrong"] = wrong(table)
        if baseline is not None:
            flips = flips_from(baseline, table)
            found |= {"broken": flips.broken, "fixed": flips.fixed}
    return found


def orders_of(table: ExampleTable) -> tuple[Order, ...]:
    """The orders that make sense for the task, the one to begin with first."""
    return ("file", "surest", "unsurest") if table.confidence is not None else ("farthest", "nearest", "file")


def ordered(table: ExampleTable, indices: np.ndarray, order: Order) -> np.ndarray:
    """Ascending indices in an order; equals stay in data order."""
    if order in ("surest", "unsurest") and table.confidence is not None:
        least_first = table.confidence[indices]
    elif order in ("farthest", "nearest"):
        least_first = np.abs(table.errors)[indices]
    else:
        return indices
    downwards = order in ("surest", "farthest")
    return indices[np.argsort(-least_first if downwards else least_first, kind="stable")]
