"""The query language over runs of a real registry: whatever is typed, it is answered or refused in a sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st
from mutations import WEIRD_TEXTS, damaged_text
from sentences import answered

from bertmt.registry.file.opening import open_registry
from bertmt.services.browse.rows import FIELDS
from bertmt.services.browse.run_list import RunList, check_filter

FIELD_WORDS = st.sampled_from([*sorted(FIELDS), "lora", "lr", "tag", "rank", "layers", "nothing"])
OPERATORS = st.sampled_from([":", "=", "!=", ">", ">=", "<", "<="])
VALUES = st.sampled_from(
    ["none", '"none"', "running", "0.5", "1e5", "-1", "nan", "inf", "true", "off", "'a b'", "", "1,2"]
)
TERMS = st.tuples(st.sampled_from(["", "-"]), FIELD_WORDS, OPERATORS, VALUES).map("".join)
QUERIES = st.lists(TERMS | st.sampled_from(["|", "twins", '"two words"', "-old", "base,later"]), max_size=5).map(
    " ".join
)
SORTS = st.tuples(st.sampled_from(["", "-", "--"]), FIELD_WORDS).map("".join) | st.just("") | WEIRD_TEXTS


@pytest.fixture
def runs(place: Path) -> Iterator[RunList]:
    with open_registry(place / "runs.db") as database:
        found = RunList(database)
        found.refresh()
        yield found


@given(query=QUERIES | damaged_text(QUERIES, 3) | WEIRD_TEXTS, sort=SORTS)
@example(query="-" * 50, sort="")
@example(query="\x00:\ud800", sort="")
@example(query="name<z", sort="tags")
@example(query="a" * 100_000, sort="")
@example(query='"' * 999, sort="-position")
def test_any_query_is_answered_or_refused_in_a_sentence(runs: RunList, query: Any, sort: str) -> None:
    whole = runs.rows()
    with answered():
        found = runs.rows(query, sort)
        assert check_filter(query) is None
        assert len({row.run.id for row in found}) == len(found) <= len(whole)
        if not sort:
            assert found == [row for row in whole if row in found]
        event("some match" if found else "none matches")
