"""The lines that come in: which models to load, and what to ask them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt.errors import UsageError

MOST_CHARACTERS = 2000  # of a text; encoders read a few hundred tokens of it
MOST_WORDS = 64  # that are left out in turn, of both texts together


@dataclass(frozen=True)
class ModelToLoad:
    """A run's folder, and the digests of the user's own code that it may run."""

    run: str
    folder: Path
    allowed: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A sentence, or a pair.

    Attributes:
        number: given back with the answers.
        words: whether to leave out each word in turn.
    """

    number: int
    first: str
    second: str | None
    words: bool


@dataclass(frozen=True)
class WithoutWord:
    """The texts without one word, and that word."""

    text: str
    first: str
    second: str | None


def read_models(line: bytes) -> list[ModelToLoad]:
    """The first line.

    Raises:
        UsageError: it is none.
    """
    try:
        return [
            ModelToLoad(str(each["run"]), Path(each["folder"]), tuple(map(str, each["allowed"])))
            for each in json.loads(line)["models"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError('The first line must be {"models": [{"run", "folder", "allowed"}, …]}.') from None


def read_question(line: bytes) -> Asked:
    """Any later line.

    Raises:
        UsageError: it is no question.
    """
    try:
        document: dict[str, Any] = json.loads(line)
        number, first, second, words = (document.get(key) for key in ("ask", "first", "second", "words"))
    except (ValueError, AttributeError, RecursionError):
        raise UsageError('A question must be {"ask", "first", "second", "words"} in one line.') from None
    if not isinstance(number, int) or not isinstance(first, str) or not isinstance(second, str | None):
        raise UsageError("A question must have a number, `ask`, and one or two texts, `first` and `second`.")
    if max(len(first), len(second or "")) > MOST_CHARACTERS:
        raise UsageError(f"A text may have {MOST_CHARACTERS:,} characters at most.")
    return Asked(number, first, second, bool(words))


def without_each(asked: Asked) -> list[WithoutWord]:
    """The question without each of its first words, in their order; none of a text that would be empty then."""
    return [
        *(WithoutWord(word, rest, asked.second) for word, rest in _left_out(asked.first)),
        *(WithoutWord(word, asked.first, rest) for word, rest in _left_out(asked.second or "")),
    ][:MOST_WORDS]


def _left_out(text: str) -> Iterator[tuple[str, str]]:
    words = text.split()
    if len(words) > 1:
        for place, word in enumerate(words):
            yield word, " ".join([*words[:place], *words[place + 1 :]])
