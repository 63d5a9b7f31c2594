"""Errors gathered into one message, and what the system says in a sentence."""

import errno
from typing import Any

import pytest

from bertmt.errors import BusyError, DataError, NotFoundError, Problems, RecipeError, UsageError, reason_of


def refuse(problem: Any) -> None:
    raise problem


def test_nothing_is_raised_where_nothing_was_found() -> None:
    problems = Problems()
    assert problems.attempt(max, 1, 2) == 2
    problems.raise_all()


def test_problems_of_one_class_keep_it_and_each_sentence_comes_once() -> None:
    problems = Problems()
    for said in ("One.", "Two.", "One."):
        assert problems.attempt(refuse, DataError(said)) is None
    with pytest.raises(DataError, match=r"^One\.\nTwo\.$"):
        problems.raise_all()


@pytest.mark.parametrize("other", [NotFoundError("Two."), UsageError("Two."), RecipeError(["Two."])])
def test_problems_of_several_classes_are_told_together(other: NotFoundError | UsageError | RecipeError) -> None:
    problems = Problems()
    problems.add(RecipeError(["One."]))
    problems.add(other)
    with pytest.raises(RecipeError) as caught:
        problems.raise_all()
    assert caught.value.problems == ("One.", "Two.")


def test_what_is_no_fault_of_a_request_is_raised_at_once() -> None:
    with pytest.raises(BusyError):
        Problems().attempt(refuse, BusyError("Later."))


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/a/file"), "No space left on device"),
        (OSError("of our own words"), "of our own words"),
        (ValueError("embedded null byte"), "embedded null byte"),
        (EOFError(), "EOFError"),
    ],
)
def test_a_reason_is_the_systems_words_or_the_errors_own(problem: OSError | ValueError | EOFError, said: str) -> None:
    assert reason_of(problem) == said
