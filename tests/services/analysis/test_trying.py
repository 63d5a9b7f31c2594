"""What several runs say of a text: what is kept of it, what is dropped, and how it is drawn."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bertmt.drawing.styled import cells, plain
from bertmt.errors import BertmtError
from bertmt.registry.records import Run
from bertmt.services.analysis.trying.board import Board, effects_of, shares_of
from bertmt.services.analysis.trying.formatting import board_lines
from bertmt.services.analysis.trying.said import (
    Done,
    Ended,
    Loaded,
    Ready,
    Refused,
    Told,
    WithoutWord,
    Words,
    parse,
)
from bertmt.tasks.builtin import BUILTIN

SHARES = (0.1, 0.1, 0.2, 0.5, 0.1)
WITHOUT = (0.6, 0.1, 0.1, 0.1, 0.1)
HOSTILE = "x\x1b[2J[b]"


@pytest.fixture
def board(add_run: Callable[..., Run]) -> Board:
    """Two runs, the second of SST alone; their models are there."""
    runs = [add_run("every", "baseline"), add_run(HOSTILE, "sst-only")]
    found = Board(runs=runs)
    for run in runs:
        found.hear(Loaded(run.id))
    found.hear(Ready())
    return found


def told(board: Board, number: int, place: int = 0, task: str = "sst", label: float = 3, shares: Any = SHARES) -> Told:
    return Told(number, board.runs[place].id, task, label, shares)


def drawn(board: Board, width: int = 90) -> str:
    return "\n".join(plain(each) for each in board_lines(board, width))


def test_answers_to_older_questions_are_dropped(board: Board) -> None:
    board.ask(1)
    board.hear(told(board, 1))
    board.ask(2)
    assert board.told, "until the first new answer the old ones stay"
    late = told(board, 1, place=1)
    board.hear(late)
    board.hear(Words(1, late.run, "sst", ()))
    board.hear(Refused(late.run, "It cannot.", 1))
    board.hear(Done(1))
    assert late not in board.told.values() and not board.words and not board.refused and board.answered == 1
    new = replace(late, number=2)
    board.hear(new)
    assert list(board.told.values()) == [new]


def test_a_question_that_nobody_answers_leaves_no_older_answers(board: Board) -> None:
    board.ask(1)
    board.hear(told(board, 1))
    board.ask(2)
    board.hear(Done(2))
    assert board.told == {} and board.answered == 2


def test_what_a_word_does_is_the_change_of_the_chosen_class() -> None:
    words = Words(1, "r", "sst", (WithoutWord("not", 0, WITHOUT), WithoutWord("a", 3, SHARES)))
    first, second = effects_of(BUILTIN["sst"], Told(1, "r", "sst", 3, SHARES), words)
    assert (first.text, first.change, first.chosen) == ("not", pytest.approx(0.1 - 0.5), 0)
    assert (second.change, second.chosen) == (0, None)


def test_of_two_classes_the_change_is_that_of_the_chosen_one_too() -> None:
    words = Words(1, "r", "para", (WithoutWord("not", 1, (0.75,)),))
    [effect] = effects_of(BUILTIN["para"], Told(1, "r", "para", 0, (0.25,)), words)
    assert (effect.change, effect.chosen) == (pytest.approx(-0.5), 1)
    assert shares_of(BUILTIN["para"], (0.25,)) == [0.75, 0.25]


def test_of_a_number_it_is_the_change_on_the_scale_of_the_labels() -> None:
    words = Words(1, "r", "sts", (WithoutWord("man", 0.2, (0.2,)),))
    [effect] = effects_of(BUILTIN["sts"], Told(1, "r", "sts", 0.8, (0.8,)), words)
    assert (effect.change, effect.chosen) == (pytest.approx(-3.0), None)
    assert shares_of(BUILTIN["sts"], (0.8,)) == []


def test_runs_stand_beside_each_other_with_the_chosen_class_marked(board: Board) -> None:
    board.ask(1)
    board.hear(told(board, 1))
    board.hear(told(board, 1, place=1, label=0, shares=WITHOUT))
    lines = drawn(board).splitlines()
    [negative] = [each for each in lines if each.startswith("negative")]
    assert "0.100 " in negative and negative.count("◂") == 1 and negative.rstrip().endswith("0.600 ◂")
    assert sum("◂" in each for each in lines) == 2 and "\x1b" not in drawn(board)


def test_a_number_stands_on_its_range_and_who_was_not_trained_on_it_is_named(board: Board) -> None:
    board.ask(1)
    board.hear(told(board, 1, task="sts", label=1.0, shares=(1.0,)))
    assert f"not trained on it: {board.runs[1].id}" in drawn(board) and "─● 5  5.00" in drawn(board)


def test_models_that_are_loading_or_cannot_be_asked_are_named(board: Board) -> None:
    board.loaded.clear()
    board.hear(Refused(board.runs[1].id, f"No memory {HOSTILE}."))
    assert drawn(board).startswith("No memory x�[2J[b].") and "loading …  every" in drawn(board)
    board.hear(Ended("It is gone."))
    assert board.ended == "It is gone." and "loading" not in drawn(board)


@pytest.mark.parametrize("width", [20, 40, 76, 120, 198])
def test_nothing_is_wider_than_its_room(board: Board, width: int) -> None:
    board.ask(1)
    for place in (0, 1):
        board.hear(told(board, 1, place=place))
        word = WithoutWord(f"{HOSTILE}{'y' * 300}", 0, WITHOUT)
        board.hear(Words(1, board.runs[place].id, "sst", (word, word)))
    wide = [plain(each) for each in board_lines(board, width) if cells(plain(each)) > width]
    assert wide == [] or width < 60


@pytest.mark.parametrize("bad", [b"nothing", b"[]", b"{}", b'{"ask": 1, "run": "r", "task": "sst", "label": "x"}'])
def test_a_line_that_is_no_answer_is_a_sentence(bad: bytes) -> None:
    with pytest.raises(BertmtError, match="is no answer"):
        parse(bad)
