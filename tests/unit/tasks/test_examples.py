"""Examples, their ids and fingerprints."""

import pytest

from bertmt.tasks.examples import Example, Split, fingerprint, is_plain_id, with_unique_ids


def named(*ids: str) -> list[Example]:
    return [Example(each, "text") for each in ids]


def test_unique_ids_stay_as_they_are() -> None:
    assert with_unique_ids(named("a", "b")) == (tuple(named("a", "b")), [])


def test_repeated_ids_are_numbered_in_order() -> None:
    unique, renamed = with_unique_ids(named("a", "a", "b", "a"))
    assert [example.id for example in unique] == ["a", "a-2", "b", "a-3"]
    assert renamed == [1, 3]


def test_a_suffix_never_takes_an_id_that_another_example_has() -> None:
    unique, _ = with_unique_ids(named("a", "a", "a-2"))
    assert [example.id for example in unique] == ["a", "a-3", "a-2"]


@pytest.mark.parametrize("text", ["", "a b", "a,b", "a\nb", "a\u2028b", "a\x1bb", "\ud800", "a\u00a0b"])
def test_an_id_that_would_break_a_file_is_not_plain(text: str) -> None:
    assert not is_plain_id(text)


def test_ids_of_the_course_are_plain() -> None:
    assert is_plain_id("a7d575c9ed86ea9633660c67e")


@pytest.mark.parametrize(
    "other",
    [
        Example("2", "a", "b", 1),
        Example("1", "c", "b", 1),
        Example("1", "a", None, 1),
        Example("1", "a", "b", 0),
        Example("1", "a", "b", None),
    ],
)
def test_a_fingerprint_depends_on_every_part_of_an_example(other: Example) -> None:
    assert fingerprint([Example("1", "a", "b", 1)]) != fingerprint([other])


def test_a_fingerprint_depends_on_the_order() -> None:
    assert fingerprint(named("a", "b")) != fingerprint(named("b", "a"))


def test_cutting_a_split_keeps_its_first_examples_and_warnings() -> None:
    split = Split("sst", "dev", tuple(named("a", "b", "c")), ("beware",))
    assert [example.id for example in split.first(2).examples] == ["a", "b"]
    assert split.first(2).warnings == ("beware",)


def test_cutting_a_split_to_zero_keeps_all() -> None:
    split = Split("sst", "dev", tuple(named("a", "b")))
    assert split.first(0) == split
