"""Plain examples, and the fingerprint by which two runs know that they saw the same ones."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

_ROWS = json.JSONEncoder(ensure_ascii=False)  # `json.dumps` makes one per row, in a third of a fingerprint's time


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence or pair with its label.

    Attributes:
        id: unique within its split.
        first: the sentence, or the first of a pair.
        second: the second of a pair; None for single sentences.
        label: a class, from 0, or a number; None where the split has no labels.
    """

    id: str
    first: str
    second: str | None = None
    label: float | None = None


@dataclass(frozen=True)
class Split:
    """The examples of one task's train, dev or test split, in file order.

    Attributes:
        warnings: sentences about rows that were skipped, each with file and line.
    """

    task: str
    name: str
    examples: tuple[Example, ...]
    warnings: tuple[str, ...] = ()

    def first(self, count: int) -> "Split":
        """The split cut to its first `count` examples; 0 keeps all."""
        return self if not count else Split(self.task, self.name, self.examples[:count], self.warnings)


def fingerprint(examples: Iterable[Example]) -> str:
    """16 hex digits of a SHA-256 over (id, texts, label) of the parsed examples, not over the file."""
    digest = hashlib.sha256()
    for example in examples:
        row = [example.id, example.first, example.second, example.label]
        digest.update(_ROWS.encode(row).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()[:16]


def is_plain_id(text: str) -> bool:
    """Whether an id is one printable word without a comma, so that every file of ours and the course's can hold it."""
    return bool(text) and text.isprintable() and " " not in text and "," not in text


def with_unique_ids(examples: Sequence[Example]) -> tuple[tuple[Example, ...], list[int]]:
    """The same examples, where an id that an earlier one has gets the suffix -2, -3, …; and the indices of those.

    A suffixed id never equals one that another example had from the start, so only repeated ids change.
    """
    given = {example.id for example in examples}
    if len(given) == len(examples):
        return tuple(examples), []
    used: set[str] = set()
    following: dict[str, int] = {}
    renamed: list[int] = []
    unique: list[Example] = []
    for index, example in enumerate(examples):
        if example.id in used:
            number = following.get(example.id, 2)
            while f"{example.id}-{number}" in given:
                number += 1
            following[example.id] = number + 1
            example = replace(example, id=f"{example.id}-{number}")
            renamed.append(index)
        used.add(example.id)
        unique.append(example)
    return tuple(unique), renamed
