"""What the tests beside take for a sentence, and what they let through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import answered, is_sentence

from bertmt.errors import UsageError


def test_a_sentence_is_not_empty_not_endless_and_ends() -> None:
    assert is_sentence("It is so.") and is_sentence("It is.\nSo it is; type `bertmt runs`")
    assert not any(is_sentence(each) for each in ("", "It is", "It is.\n", "two\n\nlines.", "x" * 3000 + "."))


@pytest.mark.parametrize("problem", [ValueError("No."), UsageError("no end"), UsageError("x" * 3000 + ".")])
def test_what_is_no_sentence_fails(problem: ValueError | UsageError) -> None:
    @given(st.booleans())
    def broken(_: bool) -> None:
        with answered():
            raise problem

    with pytest.raises((ValueError, AssertionError)):
        broken()


@given(st.booleans())
def test_a_sentence_is_an_answer(_: bool) -> None:
    with answered():
        raise UsageError("It is odd: take another.")
