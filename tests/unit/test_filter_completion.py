"""What may follow in a query that is being typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmt.errors import UsageError
from bertmt.filters.completion import Begun, begun_at, field_words, value_words
from bertmt.filters.fields import known_fields
from bertmt.filters.parsing import parse_filter
from bertmt.recipe.recipe import SETTINGS
from bertmt.tasks.builtin import BUILTIN

FIELDS = known_fields({name: setting.kind for name, setting in SETTINGS.items()}, BUILTIN)


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        ("", Begun(0, "")),
        ("sta", Begun(0, "sta")),
        ("-ta", Begun(1, "ta")),
        ("sst>0.5 ta", Begun(8, "ta")),
        ("state:fi", Begun(6, "fi", "state")),
        ("state:failed,lo", Begun(13, "lo", "state")),
        ("tag:", Begun(4, "", "tags")),
        ("lora>0|pre", Begun(7, "pre")),
        ('name:"my r', Begun(5, "my r", "name")),
        ('name:"my run"', None),
        ("unheard:x", None),
    ],
)
def test_the_word_before_the_cursor_is_a_key_or_a_value_of_one(text: str, begun: Begun | None) -> None:
    assert begun_at(text, len(text), FIELDS) == begun


def test_what_stands_behind_the_cursor_is_not_looked_at() -> None:
    assert begun_at("sta lora>0", 3, FIELDS) == Begun(0, "sta")


def test_keys_come_with_their_operator_and_those_that_people_use_most_first() -> None:
    assert field_words("", FIELDS, BUILTIN)[:9] == [
        "state:", "tag:", "preset:", "name:", "seed:", "overall>", "sst>", "para>", "sts>",
    ]  # fmt: skip
    assert field_words("lora", FIELDS, BUILTIN)[:2] == ["lora>", "lora.rank>"]
    assert field_words("rank", FIELDS)[0] == "lora.rank>"
    assert field_words("xyzzy", FIELDS) == []


def test_values_are_written_so_that_a_query_can_hold_them() -> None:
    known = ["plain", "two words", 'a "quoted" one', "none", """both ' and " """, "Plan"]
    assert value_words("", known) == ["plain", '"two words"', "'a \"quoted\" one'", '"none"', "Plan"]
    assert value_words("PLA", known) == ["plain", "Plan"]
    assert value_words("word", known) == ['"two words"'], "inside too"
    assert value_words("plain", known) == [], "nothing is left to be typed"


@given(st.lists(st.text(min_size=1), max_size=5), st.text(max_size=3))
def test_every_word_that_is_offered_can_be_understood(known: list[str], begun: str) -> None:
    for word in value_words(begun, known):
        parse_filter(f"name:{word}", FIELDS)
    for word in field_words(begun, FIELDS):
        with pytest.raises(UsageError, match="a value is expected"):
            parse_filter(word, FIELDS)
