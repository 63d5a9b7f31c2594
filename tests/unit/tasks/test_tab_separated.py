"""Rows of tab-separated files: the csv module's rules, with a guard against runaway quotes."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmt.tasks.readers.lines import MAX_LINES
from bertmt.tasks.tab_separated import rows

HEADER = b"a\tb\tc\n"


def fields(content: bytes) -> list[list[str]]:
    return [list(row.fields) for row in rows(content)]


def problems(content: bytes) -> list[tuple[int, str]]:
    return [(row.line, str(row.problem)) for row in rows(content) if row.problem]


def test_lines_may_end_in_lf_or_crlf() -> None:
    assert fields(b"a\tb\r\n1\t2\r\n3\t4\n") == [["a", "b"], ["1", "2"], ["3", "4"]]


def test_a_byte_order_mark_is_not_part_of_the_first_name() -> None:
    assert fields(b"\xef\xbb\xbfa\tb\n") == [["a", "b"]]


def test_blank_lines_are_no_rows_but_count_as_lines() -> None:
    assert [row.line for row in rows(b"a\tb\n\n\r\n1\t2\n")] == [1, 4]


def test_doubled_quotes_in_a_quoted_field_are_one_quote() -> None:
    assert fields(HEADER + b'1\t"say ""hi"""\t2\n')[1] == ["1", 'say "hi"', "2"]


def test_a_quote_inside_a_plain_field_is_a_character() -> None:
    assert fields(HEADER + b'1\tsay "hi"\t2\n')[1] == ["1", 'say "hi"', "2"]


def test_a_quoted_field_may_hold_line_ends_or_tabs() -> None:
    content = HEADER + b'1\t"two\r\nlines"\t2\n3\t"a\ttab"\t5\n'
    assert fields(content)[1:] == [["1", "two\nlines", "2"], ["3", "a\ttab", "5"]]


@pytest.mark.parametrize("following", [b'6\tends with "\t7', b'6\t"\t7', b'6\t"open too\t7', b"6\t7\t8"])
def test_a_quote_never_swallows_a_row(following: bytes) -> None:
    found = list(rows(HEADER + b'1\t"open\t2\n' + following + b"\n9\t9\t9\n"))
    assert [row.line for row in found] == [1, 2, 3, 4]
    assert str(found[1].problem) == "a quote that is not closed"


def test_an_unbalanced_quote_costs_its_own_row_only() -> None:
    content = HEADER + b'1\t"open\t2\n3\t4\t5\n6\t"closed"\t7\n'
    assert problems(content) == [(2, "a quote that is not closed")]
    assert fields(content)[2:] == [["3", "4", "5"], ["6", "closed", "7"]]


def test_an_unbalanced_quote_in_the_last_row_is_a_problem_too() -> None:
    assert problems(HEADER + b'1\t2\t"open\n') == [(2, "a quote that is not closed")]


def test_a_row_does_not_go_on_for_ever() -> None:
    content = HEADER + b'1\t"open\n' + b"word\n" * MAX_LINES + b'end"\t2\n'
    assert problems(content)[0] == (2, "a quote that is not closed")


def test_a_row_of_another_width_is_a_problem() -> None:
    assert problems(HEADER + b"1\t2\n1\t2\t3\t4\n") == [(2, "2 fields instead of 3"), (3, "4 fields instead of 3")]


def test_bytes_that_are_no_text_are_a_problem() -> None:
    assert problems(HEADER + b"1\t\xff\t2\n1\t\x00\t2\n1\ta\rb\t2\n") == [
        (2, "no UTF-8"),
        (3, "a NUL byte"),
        (4, "a stray carriage return"),
    ]


def test_an_absurdly_long_line_is_a_problem() -> None:
    assert problems(HEADER + b"1\t" + b"x" * 200_000 + b"\t2\n") == [(2, "longer than 131,072 bytes")]


def test_a_field_that_grows_too_long_over_several_lines_is_a_problem() -> None:
    content = HEADER + b'1\t"' + (b"x" * 100_000 + b"\n") * 3 + b'"\t2\n'
    assert problems(content)[0][0] == 2


def test_nothing_at_all_has_no_rows() -> None:
    assert fields(b"") == []


texts = st.text(st.sampled_from('ab"\n é'), max_size=8)


@given(st.lists(st.tuples(texts, texts, texts), max_size=8))
def test_what_the_csv_module_writes_is_read_as_the_csv_module_reads_it(table: list[Any]) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter="\t", lineterminator="\n").writerows([("a", "b", "c"), *table])
    expected = list(csv.reader(io.StringIO(stream.getvalue()), delimiter="\t"))
    assert fields(stream.getvalue().encode()) == expected


@given(st.lists(st.sampled_from([b'"', b"\t", b"\n", b"\r\n", b"x", b'\t"', b'"\t', b"1\t2\t3\n"]), max_size=60))
def test_every_line_begins_a_row_or_belongs_to_one(pieces: list[Any]) -> None:
    content = HEADER + b"".join(pieces)
    found = list(rows(content))
    covered = {row.line + more for row in found for more in range(1 + sum(each.count("\n") for each in row.fields))}
    lines = [line.removesuffix(b"\r") for line in content.split(b"\n")]
    assert {number for number, line in enumerate(lines, 1) if line} <= covered
    assert len({row.line for row in found}) == len(found)
