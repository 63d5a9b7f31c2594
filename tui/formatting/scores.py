"""How scores of tasks are headed where they have columns, and from how many tasks on the overall score goes first."""

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import cells, cut
from bertmt.tasks.task import Task

FEW = 3  # tasks whose scores have room everywhere; of more, the overall score goes first
SHORTEST, LONGEST = 5, 9  # cells of a column of scores


def score_head(task: Task) -> str:
    """The head of a column of a task's scores; a long title is cut, never what the score is: "Inte… mF1"."""
    title, symbol = safe_text(task.title), task.metric.symbol
    room = LONGEST - (cells(symbol) + 1 if symbol else 0)
    return f"{cut(title, room)} {symbol}".rstrip()


def width_of(head: str) -> int:
    """Cells of a column of scores."""
    return max(SHORTEST, cells(head))
