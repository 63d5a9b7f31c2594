"""What the child says, line by line, as records."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertmt.errors import BertmtError


@dataclass(frozen=True)
class Loaded:
    """A run's model is in memory."""

    run: str


@dataclass(frozen=True)
class Refused:
    """A run's model cannot be loaded, or not be asked; `number`: of the question, None while loading."""

    run: str
    sentence: str
    number: int | None = None


@dataclass(frozen=True)
class Ready:
    """All models are in memory, or refused."""


@dataclass(frozen=True)
class Told:
    """What a run says for a task; `label` and `probabilities` as of `predict.Answer`."""

    number: int
    run: str
    task: str
    label: float
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class WithoutWord:
    """What it says without a word, the first where that stands twice being before the second."""

    text: str
    label: float
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Words:
    """What a run says for a task without each word."""

    number: int
    run: str
    task: str
    words: tuple[WithoutWord, ...]


@dataclass(frozen=True)
class Done:
    """A question is answered, as far as none came after it."""

    number: int


@dataclass(frozen=True)
class Ended:
    """There is no child any more; why, in a sentence."""

    sentence: str


Said = Loaded | Refused | Ready | Told | Words | Done | Ended


def parse(line: bytes) -> Said:
    """One line of the child's.

    Raises:
        BertmtError: it is none.
    """
    try:
        return _parsed(json.loads(line))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BertmtError(f"The child that answers wrote a line that is no answer: {line[:100]!r}.") from None


def _parsed(said: Mapping[str, Any]) -> Said:
    match said:
        case {"ready": _}:
            return Ready()
        case {"ask": number, "done": _}:
            return Done(int(number))
        case {"run": run, "problem": sentence}:
            return Refused(str(run), str(sentence), said.get("ask"))
        case {"problem": sentence}:
            return Refused("", str(sentence))
        case {"run": run, "tasks": _}:
            return Loaded(str(run))
        case {"ask": number, "run": run, "task": task, "words": words}:
            found = tuple(WithoutWord(str(each["text"]), float(each["label"]), _shares(each)) for each in words)
            return Words(int(number), str(run), str(task), found)
        case _:
            return Told(int(said["ask"]), str(said["run"]), str(said["task"]), float(said["label"]), _shares(said))


def _shares(said: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(float(each) for each in said["probabilities"])
