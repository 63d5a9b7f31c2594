"""The newest predictions of a run, read and as lines; of numpy, so imported where there is room to show them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bertmt.drawing import numbers
from bertmt.drawing.charts.heatmap import draw_confusion
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.sentences import matrix_sentences, sentence_page
from bertmt.drawing.styled import Line, Span, cut_line, line
from bertmt.errors import BertmtError, NotFoundError, RegistryError
from bertmt.registry.records import Run
from bertmt.services.analysis.confusion import counts_of
from bertmt.services.analysis.evaluations import evaluated_tasks
from bertmt.services.analysis.example_choice import ordered
from bertmt.services.analysis.examples import ExampleTable, by_error, examples_of, partial_examples_of, wrong
from tui.plain.words import in_words
from tui.registry_lane import Session

MOST_EXAMPLES = 40  # more than a screen has lines
SUBJECT = "What it predicts"


@dataclass(frozen=True)
class Predictions:
    """A run's newest predictions in its first task with classes, else in its first.

    Attributes:
        chosen: indices of the examples that are farthest from right, the first ones first; (n,).
        problem: why there are none, in a sentence.
    """

    table: ExampleTable | None = None
    chosen: Sequence[int] = ()
    problem: str = ""


def read_predictions(session: Session, run: Run, like: ExampleTable | None) -> Predictions:
    """On a thread of the registry.

    Args:
        like: a table that was read before, whose texts are taken over where they are the same.
    """
    names = [name for name, task in run.tasks.items() if task.classes] or list(run.tasks)
    try:
        found = next(iter(evaluated_tasks(session.database, run, SUBJECT, names).values()), None)
        if found is None:
            raise NotFoundError(f"{SUBJECT} is not known: it trains no task.")
        if found.now is not None:
            table = partial_examples_of(session.database, run, found.task, found.now, like)
        else:
            table = examples_of(session.database, run, found.task, found.selected, like)
    except RegistryError:
        raise
    except BertmtError as problem:
        return Predictions(problem=str(problem))
    return Predictions(table, _farthest(table))


def _farthest(table: ExampleTable) -> list[int]:
    indices = by_error(table) if table.confidence is None else ordered(table, wrong(table), "surest")
    return [int(each) for each in np.asarray(indices)[:MOST_EXAMPLES]]


def prediction_lines(table: ExampleTable, chosen: Sequence[int], width: int) -> list[Line]:
    """The matrix where the task has classes, and under it the examples."""
    lines: list[Line] = []
    if table.about.classes:
        counts, classes = counts_of(table), table.about.classes
        if in_words():
            lines += [*sentence_page(matrix_sentences(counts, classes), width), ()]
        else:
            lines += [*draw_confusion(counts, classes, width=width), ()]
        said = "wrong, the surest first" if chosen else "none is wrong"
    else:
        said = "farthest from the best fit first"
    return [*lines, line(Span(said, "dim")), *(_example(table, index, width) for index in chosen)]


def _example(table: ExampleTable, index: int, width: int) -> Line:
    """What is true, what was predicted, how sure that was, and the words; in one line."""
    if table.confidence is None:
        what = f"{table.labels[index]:.2f} → {table.predicted[index]:.2f}"
    else:
        what = f"{int(table.labels[index])} → {int(table.predicted[index])} {numbers.score(table.confidence[index], 2)}"
    example = table.examples[index]
    text = safe_text(example.first if example.second is None else f"{example.first} | {example.second}")
    return cut_line(line(Span(what, "bad"), "  ", text.strip()), width)
