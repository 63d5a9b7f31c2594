"""Labels as files have them, as classes from 0 or as numbers of a range."""

import math
import re

from bertmt.errors import DataError
from bertmt.tasks.malformed import Malformed, shown
from bertmt.tasks.task import Task

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
REMEDY = "repair it, or add the task anew with the right --label, --classes or --range"
NO_LABEL = -1  # in the hub's test sets
LONGEST_NUMBER = 40  # characters


def label_of(task: Task, value: object, place: str, optional: bool = False) -> float | None:
    """A label: a class by its name (or, where no class is called by a number, by its place from 0), or a number.

    Args:
        place: file and line, for what is raised.
        optional: there may be none, as in test sets.

    Raises:
        Malformed: there is none.
        DataError: it is out of range.
    """
    text = word_of(value)
    if text is None or (optional and text == str(NO_LABEL) and text not in task.classes):
        if optional:
            return None
        raise Malformed("no label")
    if isinstance(value, str) and value.strip() in task.classes:  # also where a number is not written as usual: "01"
        return task.classes.index(value.strip())
    found = _class_of(task, text) if task.classes else _number_in(task, text)
    if found is None:
        raise DataError(f"{place}: a label of {task.title} is {_expected(task)}, found {shown(text)}; {REMEDY}.")
    return found


def word_of(value: object) -> str | None:
    """A label as a word: 1.0 and 1 are one; None where there is none."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value).strip() if isinstance(value, str | int | float) else shown(str(type(value).__name__))
    if text and (number := number_of(text)) is not None and number.is_integer():
        return f"{number:.0f}"
    return text or None


def number_of(text: str) -> float | None:
    """A number as files write them; None for other text, and for what is not finite."""
    if len(text) > LONGEST_NUMBER or not NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _class_of(task: Task, word: str) -> int | None:
    if word in task.classes:
        return task.classes.index(word)
    number = number_of(word)
    if number is None or any(number_of(name) is not None for name in task.classes):
        return None
    return int(number) if number.is_integer() and 0 <= number < len(task.classes) else None


def _number_in(task: Task, word: str) -> float | None:
    number = number_of(word)
    return None if number is None or not task.minimum <= number <= task.maximum else number + 0.0  # -0.0 becomes 0.0


def _expected(task: Task) -> str:
    if not task.classes:
        return f"a number from {task.minimum:g} to {task.maximum:g}"
    named = ", ".join(shown(name) for name in task.classes[:8])
    return f"one of {named}" + (", …" if len(task.classes) > 8 else "")
