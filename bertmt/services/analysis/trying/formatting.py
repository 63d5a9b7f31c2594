"""The answers of some runs side by side, in lines of a width: for the terminal and the dashboard alike."""

from collections.abc import Sequence

from bertmt.drawing import numbers
from bertmt.drawing.facts import wrapped
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import SERIES, Line, Span, beside, cells, cut, cut_line, line, pad
from bertmt.registry.records import Run
from bertmt.services.analysis.trying.board import Board, Effect, effects_of, shares_of
from bertmt.services.analysis.trying.said import Told
from bertmt.tasks.task import Task

LONGEST_LABEL = 20
COLUMN, GAP = 26, 2  # cells of a run at least, and between two
VALUE = 8  # behind a bar: its number, and the sign of the class that is chosen
MOST_BAR = 24
MOST_CLASSES = 12  # that have a bar; of more, the most probable ones
CHOSEN = "◂"
LOADING = "loading …"


def board_lines(board: Board, width: int) -> list[Line]:
    """Everything: what cannot be asked and why, then for each task the runs beside each other, then word by word."""
    lines = [
        line(Span(part, "bad")) for sentence in board.refused.values() for part in wrapped(safe_text(sentence), width)
    ]
    waiting = [run for run in board.runs if run.id not in board.loaded and run.id not in board.refused]
    if waiting and not board.ended:
        names = ", ".join(f"{safe_text(run.name)} ({run.id})" for run in waiting)
        lines.append(cut_line(line(Span(f"{LOADING}  ", "accent"), Span(names, "dim")), width))
    for task in board.answered_tasks():
        lines += [*([()] if lines else []), *_task_lines(board, task, width)]
    return lines


def _task_lines(board: Board, task: Task, width: int) -> list[Line]:
    """One task: a group of runs that fit beside each other, and the next below."""
    runs = [run for run in board.runs if (run.id, task.name) in board.told and run.tasks.get(task.name) == task]
    label = min(max([cells(safe_text(name)) for name in task.classes] + [8]), LONGEST_LABEL)
    at_once = max(1, min(len(runs), (width - label) // (COLUMN + GAP)))
    own = max((width - label - GAP * at_once) // at_once, 1)
    lines: list[Line] = [
        cut_line(line(Span(safe_text(task.title), "title"), Span(_without(board, task), "dim")), width)
    ]
    for start in range(0, len(runs), at_once):
        group = runs[start : start + at_once]
        lines += _group_lines(board, task, group, label, own)
    return lines


def _without(board: Board, task: Task) -> str:
    """The runs that were not trained on it."""
    without = [run.id for run in board.runs if run.id in board.loaded and run.tasks.get(task.name) != task]
    return f"  not trained on it: {', '.join(without)}" if without else ""


def _group_lines(board: Board, task: Task, runs: Sequence[Run], label: int, own: int) -> list[Line]:
    told = [board.told[run.id, task.name] for run in runs]
    names = [
        [cut_line(line(Span(safe_text(run.name), style_of(board, run)), Span(f" {run.id}", "dim")), own)]
        for run in runs
    ]
    widths = [label, *[own] * len(runs)]
    if task.classes:
        chosen = _drawn_classes(task, told)
        labels = [line(Span(pad(safe_text(task.classes[each]), label))) for each in chosen]
        columns = [_bars(task, each, chosen, own, style_of(board, run)) for run, each in zip(runs, told, strict=True)]
    else:
        labels = [line(Span(pad("score", label)))]
        columns = [[_scale(task, each, own, style_of(board, run))] for run, each in zip(runs, told, strict=True)]
    lines = beside([[()], *names], widths, GAP) + beside([labels, *columns], widths, GAP)
    return lines + _words(board, task, runs, label, own)


def style_of(board: Board, run: Run) -> str:
    """A run keeps its colour wherever it stands."""
    return SERIES[list(board.runs).index(run) % len(SERIES)]


def _drawn_classes(task: Task, told: Sequence[Told]) -> list[int]:
    """All classes; of very many those that some run finds most probable, in their order."""
    most = [max(shares_of(task, each.probabilities)[label] for each in told) for label in range(len(task.classes))]
    return sorted(sorted(range(len(most)), key=lambda label: -most[label])[:MOST_CLASSES])


def _bars(task: Task, told: Told, chosen: Sequence[int], width: int, style: str) -> list[Line]:
    shares = shares_of(task, told.probabilities)
    room = max(min(width - VALUE, MOST_BAR), 1)
    lines = []
    for label in chosen:
        is_chosen = label == int(told.label)
        value = Span(f" {numbers.score(shares[label])}", "" if is_chosen else "dim")
        lines.append(
            line(Span(_bar(shares[label], room), style), value, Span(f" {CHOSEN}", style) if is_chosen else "")
        )
    return lines


def _bar(share: float, room: int) -> str:
    return ("█" * round(max(0.0, min(share, 1.0)) * room)).ljust(room, "░")


def _scale(task: Task, told: Told, width: int, style: str) -> Line:
    """A number on the range of its labels; a cosine below 0 lies before its beginning."""
    low, high = f"{task.minimum:g}", f"{task.maximum:g}"
    score = numbers.score(task.label_at(told.label), 2)
    room = max(min(width - len(low) - len(high) - len(score) - 4, MOST_BAR), 1)
    place = round(max(0.0, min(told.label, 1.0)) * (room - 1))
    ruler = (Span("─" * place, "axis"), Span("●", style), Span("─" * (room - 1 - place), "axis"))
    return line(Span(f"{low} ", "dim"), *ruler, Span(f" {high}", "dim"), f"  {score}")


def _words(board: Board, task: Task, runs: Sequence[Run], label: int, own: int) -> list[Line]:
    """What leaving each word out does in each run; nothing while no run has said that."""
    effects: list[list[Effect] | None] = []
    for run in runs:
        words = board.words.get((run.id, task.name))
        effects.append(None if words is None else effects_of(task, board.told[run.id, task.name], words))
    known = next((each for each in effects if each), None)
    if known is None:
        return []
    what = "the probability of the chosen class" if task.classes else "the score"
    heading = line(Span(f"word by word: how leaving it out changes {what}", "dim"))
    largest = max((abs(effect.change) for each in effects if each for effect in each), default=0.0)
    texts = [line(Span(pad(cut(safe_text(each.text), label), label))) for each in known]
    columns = [
        [_effect(task, effect, largest, own, style_of(board, run)) for effect in each or ()]
        for run, each in zip(runs, effects, strict=True)
    ]
    return [
        cut_line(heading, label + (GAP + own) * len(runs)),
        *beside([texts, *columns], [label, *[own] * len(runs)], GAP),
    ]


def _effect(task: Task, effect: Effect, largest: float, width: int, style: str) -> Line:
    """To the left what the word had spoken for, to the right what it had spoken against."""
    half = max(min((width - 10) // 4, MOST_BAR // 4), 1)
    length = round(abs(effect.change) / largest * half) if largest else 0
    left, right = ("█" * length, "") if effect.change < 0 else ("", "█" * length)
    bars = Span(left.rjust(half) + "│" + right.ljust(half), style)
    other = "" if effect.chosen is None else f" → {safe_text(task.classes[effect.chosen])}"
    return cut_line(line(bars, f" {numbers.difference(effect.change, 2):>5}", Span(other, "accent")), width)
