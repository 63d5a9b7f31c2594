"""Whatever bytes a file holds, a reader gives a split or one sentence."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmt.errors import DataError
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.cs224n import parse_split
from bertmt.tasks.examples import Split, fingerprint, is_plain_id
from bertmt.tasks.extra import read_extra_file

HEADERS = {
    "sst": b"\tid\tsentence\tsentiment\n",
    "para": b"\tid\tsentence1\tsentence2\tis_duplicate\r\n",
    "sts": b"\tid\tsentence1\tsentence2\tsimilarity\n",
}
pieces = st.sampled_from(
    [
        *(
            b"\t",
            b"\n",
            b"\r",
            b'"',
            b'""',
            b"\0",
            b"\xff",
            b"\xef\xbb\xbf",
            b"1",
            b"-0.0",
            b"1e5",
            b"nan",
            b"word",
            b" ",
        ),
        *(
            b"0\tx\tone\t1\n",
            b"0\ty\tone\ttwo\t1.0\n",
            b"\xe2\x80\xa8",
            b"[",
            b'["a", "b"]\n',
            b"\\ud800",
            b"x" * 140_000,
        ),
    ]
)
contents = st.one_of(st.binary(max_size=300), st.lists(pieces, max_size=30).map(b"".join))


def check(split: Split) -> None:
    """What every consumer relies on."""
    assert split.examples
    assert len({example.id for example in split.examples}) == len(split.examples)
    assert all(is_plain_id(example.id) for example in split.examples)
    assert all(text.strip() for example in split.examples for text in (example.first, example.second or "-"))
    assert all("\n" not in warning for warning in split.warnings)
    fingerprint(split.examples)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("task", HEADERS)
@given(content=contents, with_header=st.booleans())
def test_any_bytes_make_a_split_or_a_data_error(task: str, split: str, content: bytes, with_header: bool) -> None:
    good = b"".join(b"0\tok%d\t%s\t1\n" % (n, b"a" if task == "sst" else b"a\tb") for n in range(300))
    try:
        check(
            parse_split((HEADERS[task] + good if with_header else b"") + content, Path("f.csv"), BUILTIN[task], split)
        )
    except DataError as error:
        assert "\n" not in str(error)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@given(content=contents, compressed=st.booleans(), kept=st.floats(0, 1), limit=st.integers(1, 5))
def test_any_bytes_make_extra_pairs_or_a_data_error(
    folder: Path, content: bytes, compressed: bool, kept: float, limit: int
) -> None:
    file = folder / ("pairs.jsonl.gz" if compressed else "pairs.jsonl")
    if compressed:
        whole = gzip.compress(b'["a", "b"]\n' * 150 + content, mtime=0)
        content = whole[: int(len(whole) * kept)]
    file.write_bytes(content)
    try:
        split = read_extra_file(file, BUILTIN["para"], limit)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        check(split)
        assert len(split.examples) <= limit
