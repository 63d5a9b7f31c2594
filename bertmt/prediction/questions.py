"""Questions as they come in: one JSON object per line."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bertmt.errors import UsageError
from bertmt.tasks.task import Tasks


@dataclass(frozen=True)
class Question:
    """A sentence, or a pair, for one task.

    Attributes:
        id: given back with the answer, whatever JSON it is.
    """

    task: str
    id: Any
    first: str
    second: str | None


def read_groups(lines: Iterable[bytes], tasks: Tasks) -> Iterator[list[Question]]:
    """Questions up to each empty line and up to the end.

    Args:
        tasks: those that the model was trained on.

    Raises:
        UsageError: a line is no question that the model can answer; the sentence names the line.
    """
    group: list[Question] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            group.append(parse_question(line, number, tasks))
        elif group:
            yield group
            group = []
    if group:
        yield group


def parse_question(line: bytes, number: int, tasks: Tasks) -> Question:
    """One line as a question.

    Raises:
        UsageError: it is none that the model can answer.
    """
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        example = json.dumps({"task": next(iter(tasks)), "id": 1, "first": "a film"})
        raise UsageError(f"Line {number} must be a JSON object such as {example}.")
    task, first, second = (document.get(key) for key in ("task", "first", "second"))
    if not isinstance(task, str) or task not in tasks:
        raise UsageError(
            f"Line {number} asks for the task {task!r}, but the model was trained on {', '.join(tasks)} only."
        )
    if not isinstance(first, str) or not isinstance(second, str if tasks[task].pair else type(None)):
        wanted = "two texts, `first` and `second`" if tasks[task].pair else "one text, `first`, and no `second`"
        raise UsageError(f"Line {number} must have {wanted}, since its task is {task}.")
    return Question(task, document.get("id"), first, second)
