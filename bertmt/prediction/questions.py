"""What the prediction child is asked, one JSON object per line."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bertmt.errors import UsageError
from bertmt.tasks.task import TASKS


@dataclass(frozen=True)
class Question:
    """A sentence (SST) or a pair (PARA, STS) for one task."""

    task: str
    id: str
    first: str
    second: str | None


def read_questions(lines: Iterable[str], tasks: tuple[str, ...]) -> list[Question]:
    """The questions of a stream, in order.

    Args:
        tasks: those that the model was trained on.

    Raises:
        UsageError: a line is no question, or of a task that the model lacks; the sentence names the line.
    """
    return [_question(line, number, tasks) for number, line in enumerate(lines, start=1) if line.strip()]


def _question(line: str, number: int, tasks: tuple[str, ...]) -> Question:
    try:
        document: Any = json.loads(line)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise UsageError(f"Line {number} must be a JSON object with task, id, first and second, but is {line[:80]!r}.")
    task, second = document.get("task"), document.get("second")
    if task not in tasks:
        raise UsageError(f"Line {number}: task must be one that was trained ({', '.join(tasks)}), but is {task!r}.")
    texts = [document.get("id"), document.get("first"), *([second] if TASKS[task].pair else [])]
    if not all(isinstance(text, str) for text in texts):
        pair = "id, first and second" if TASKS[task].pair else "id and first"
        raise UsageError(f"Line {number}: {pair} must be text.")
    return Question(task, document["id"], document["first"], second if TASKS[task].pair else None)
