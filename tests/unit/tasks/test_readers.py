"""A user's own files: CSV, TSV, JSON lines and Parquet, whole and damaged."""

import gzip
import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from made_tasks import write_made_tasks

from bertmt.errors import DataError
from bertmt.tasks.examples import Split
from bertmt.tasks.loading import read_split
from bertmt.tasks.readers.table import opened_rows
from bertmt.tasks.task import Source, Task


def own_task(file: Path, **values: Any) -> Task:
    """A task whose splits are all this file: sentences in `text`, labels in `label`."""
    columns = {"text": "text", "label": "label", "pair": values.pop("pair", "")}
    source = Source(train=str(file), dev=str(file), test=str(file), **columns)
    about: dict[str, Any] = {
        "classes": ("bad", "good"),
        "metrics": ("accuracy",),
        "inputs": "pair" if columns["pair"] else "single",
    }
    fields: dict[str, Any] = {"name": "mine", "title": "MINE", "source": source} | about | values
    return Task(**fields)


def read(file: Path, content: bytes, split: str = "train", **values: Any) -> Split:
    file.write_bytes(content)
    return read_split("", own_task(file, **values), split)


def texts(split: Split) -> list[str]:
    return [each.first for each in split.examples]


ROWS = [("one, two", "good"), ('she said "no"', "bad"), ("café\u2028", "good")]
CSV = b'text,label\n"one, two",good\n"she said ""no""",bad\n' + "café\u2028,good\n".encode()
TSV = b'text\tlabel\none, two\tgood\nshe said "no"\tbad\n' + "café\u2028\tgood\n".encode()
JSON = b"".join(json.dumps({"text": text, "label": label}).encode() + b"\n" for text, label in ROWS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV),
        ("a.csv", CSV.replace(b"\n", b"\r\n")),
        ("a.csv", b"\xef\xbb\xbf" + CSV),
        ("a.csv", b"\n\n" + CSV + b"\n"),
        ("semicolons.csv", b'text;label\none, two;good\n"she said ""no""";bad\n' + "café\u2028;good".encode()),
        ("a.tsv", TSV),
        ("tabs.csv", TSV),
        ("a.jsonl", JSON),
        ("a.txt", JSON),
        ("a.jsonl", b"\xef\xbb\xbf" + JSON),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)),
        ("a.jsonl.gz", gzip.compress(JSON, mtime=0)),
    ],
)
def test_every_format_gives_the_same_examples(tmp_path: Path, name: str, content: bytes) -> None:
    found = read(tmp_path / name, content)
    assert texts(found) == [text.strip() for text, _ in ROWS]
    assert [each.label for each in found.examples] == [1, 0, 1]
    assert found.warnings == ()


def test_parquet_gives_the_same_examples_with_class_names_of_the_hub(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason='needs `pip install "bertmt[parquet]"`')
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"text": [text for text, _ in ROWS], "label": [1, 0, 1], "vector": [[1.0]] * 3})
    features = {"info": {"features": {"label": {"names": ["bad", "good"], "_type": "ClassLabel"}}}}
    file = tmp_path / "a.parquet"
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), file)
    found = read_split("", own_task(file), "train")
    assert [(each.first, each.label) for each in found.examples] == [
        (text.strip(), "bg".index(label[0])) for text, label in ROWS
    ]
    assert [each.id for each in found.examples] == ["1", "2", "3"]
    other_order = read_split("", own_task(file, classes=("good", "bad")), "train")
    assert [each.label for each in other_order.examples] == [0, 1, 0]
    with opened_rows(file) as rows:
        assert (rows.columns, rows.names, rows.unit) == (("text", "label"), {"label": ("bad", "good")}, "row")
    file.write_bytes(file.read_bytes()[:-30] + b"x" * 26 + b"PAR1")
    with pytest.raises(DataError, match=r"a\.parquet cannot be read: damaged Parquet"):
        read_split("", own_task(file), "train")


def test_without_pyarrow_a_parquet_file_is_refused_in_a_sentence_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DataError, match=r'needs pyarrow: `pip install "bertmt\[parquet\]"`'):
        read(tmp_path / "a.parquet", b"PAR1 and so on PAR1")


def test_ids_are_those_of_a_column_and_else_lines(tmp_path: Path) -> None:
    assert [each.id for each in read(tmp_path / "a.csv", CSV).examples] == ["2", "3", "4"]
    named = read(tmp_path / "b.csv", b"idx,text,label\n7,a,bad\nx y,b,bad\n7,c,good\n")
    assert [each.id for each in named.examples] == ["7", "3", "7-2"]
    assert "1 id was in use by an earlier row" in named.warnings[0]


@pytest.mark.parametrize(
    ("written", "label"),
    [("good", 1), ("0", 0), ("1.0", 1), ("1", 1)],
)
def test_a_class_is_written_by_name_or_by_number(tmp_path: Path, written: str, label: int) -> None:
    [example] = read(tmp_path / "a.csv", f"text,label\na,{written}\n".encode()).examples
    assert example.label == label


def test_classes_that_are_called_by_numbers_are_meant_by_these_alone(tmp_path: Path) -> None:
    stars: dict[str, Any] = {"classes": ("1", "2", "3")}
    found = read(tmp_path / "a.jsonl", b'{"text": "a", "label": 1}\n{"text": "b", "label": "3"}\n', **stars)
    assert [each.label for each in found.examples] == [0, 2]
    with pytest.raises(DataError, match=r"a\.csv, line 2: a label of MINE is one of '1', '2', '3', found '0'"):
        read(tmp_path / "a.csv", b"text,label\na,0\n", **stars)


def test_labels_of_a_test_split_may_be_missing(tmp_path: Path) -> None:
    assert [each.label for each in read(tmp_path / "a.csv", b"text\na\n", "test").examples] == [None]
    unlabelled = read(tmp_path / "a.jsonl", b'{"text": "a", "label": -1}\n{"text": "b", "label": 1}\n', "test")
    assert [each.label for each in unlabelled.examples] == [None, 1]


NUMBERS: dict[str, Any] = {"classes": (), "range": (0.0, 5.0), "metrics": ("pearson",), "pair": "other"}


def test_pairs_with_numbers(tmp_path: Path) -> None:
    found = read(tmp_path / "a.tsv", b"text\tother\tlabel\na\tb\t-0.0\nc\td\t3.75\n", **NUMBERS)
    assert [(each.first, each.second, each.label) for each in found.examples] == [("a", "b", 0.0), ("c", "d", 3.75)]
    assert str(found.examples[0].label) == "0.0"


@pytest.mark.parametrize(
    ("content", "values", "said"),
    [
        (b"", {}, r"a\.csv is empty"),
        (b"\n \n", {}, r"a\.csv is empty"),
        (b"text,label\n", {}, "has columns but no rows"),
        (b"text,other\na,b\n", {}, r"has no column 'label'; it has 'text', 'other'"),
        (b"text,label,label\na,b,c\n", {}, "several columns 'label'"),
        (b"\xff\xfet\0e\0x\0t\0\n\0", {}, r"line 1: the header cannot be read \(no UTF-8\)"),
        (b"text,label\na,neither\n", {}, "line 2: a label of MINE is one of 'bad', 'good', found 'neither'"),
        (b"text,label\na,2\n", {}, "found '2'"),
        (b"text,label\na,bad\n\xff,good\n", {}, r"1 of 2 rows are malformed .* line 3 \(no UTF-8\)"),
        (b"text,label\na\0b,good\n", {}, "a NUL byte"),
        (b"text,label\na,good,b\n", {}, "3 fields instead of 2"),
        (b'text,label\n"open,good\nb,good\n', {}, "a quote that is not closed"),
        (b"text,label\n ,good\n", {}, "no `text`"),
        (b"text,label\na,\n", {}, "no label"),
        (b'{"text": "a", "label": 1}\n[1]\n', {}, r"line 2 \(no JSON object"),
        (b'{"text": 7, "label": 1}\n', {}, "`text` is int, not text"),
        (b'{"text": "\\ud800", "label": 1}\n', {}, "no encoder can read"),
        (b'{"text": "a", "label": {}}\n', {}, "found \"'dict'\""),
        (b"text,other,label\na,b,5.1\n", NUMBERS, "a number from 0 to 5, found '5.1'"),
        (b"text,other,label\na,b,nan\n", NUMBERS, "found 'nan'"),
        (b"\x1f\x8bnonsense", {}, r"a\.csv cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read(tmp_path / "a.csv", content, **values)
    assert len(caught.value.problems) == 1 and "a.csv" in str(caught.value)


def test_a_split_that_is_not_named_and_a_file_that_is_not_there_are_said(tmp_path: Path) -> None:
    task = own_task(tmp_path / "nowhere.csv")
    with pytest.raises(
        DataError, match=r"nowhere\.csv is not there: put it back, or name its new place as `train` in tasks/mine"
    ):
        read_split("", task, "train")
    source = Source(train="a.csv", dev="b.csv", text="text", label="label")
    with pytest.raises(DataError, match=r"MINE has no test split: name its file as `test` in tasks/mine\.toml"):
        read_split("", own_task(tmp_path, source=source), "test")


def test_a_few_malformed_rows_are_skipped_with_a_warning_that_names_them(tmp_path: Path) -> None:
    rows = [b"sentence %d,good" % number for number in range(200)]
    rows[10] = b'"never closed,good'
    rows[77] = b"\xff,good"
    found = read(tmp_path / "a.csv", b"text,label\n" + b"\n".join(rows) + b"\n")
    assert len(found.examples) == 198
    assert found.warnings == (
        f"{tmp_path / 'a.csv'}: 2 of 200 rows were skipped as malformed, line 12 (a quote that is not closed), line 79 "
        "(no UTF-8).",
    )


def test_a_quote_that_opens_the_next_row_does_not_close_one_that_was_left_open(tmp_path: Path) -> None:
    rows = [b"sentence %d,good" % number for number in range(150)]
    rows[10:12] = [b'"never closed,good', b'"fine",bad']
    found = read(tmp_path / "a.csv", b"text,label\n" + b"\n".join(rows) + b"\n")
    assert len(found.examples) == 149 and found.examples[10].first == "fine"
    assert "line 12" in found.warnings[0]


def test_a_quote_that_is_a_plain_character_stays_one_in_a_file_with_tabs(tmp_path: Path) -> None:
    found = read(tmp_path / "a.tsv", b'text\tlabel\n"Oh no\tgood\nyes\tbad\n"quoted\ntwice"\tgood\n')
    assert texts(found) == ['"Oh no', "yes", "quoted\ntwice"]


def test_a_quoted_field_of_a_csv_file_goes_on_over_lines(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", b'text,label\n"one,\ntwo,\n\nthree",good\nfour,bad\n')
    assert texts(found) == ["one,\ntwo,\n\nthree", "four"]
    assert [each.id for each in found.examples] == ["2", "6"]


def test_an_endless_line_is_never_held_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    with file.open("wb") as opened:
        opened.write(b"text,label\n" + b"fine,good\n" * 150)
        opened.truncate(200 << 20)  # the rest is one line of NULs, which take no room on disk
    tracemalloc.start()
    try:
        found = read_split("", own_task(file), "train")
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert len(found.examples) == 150 and "longer than" in found.warnings[0]


def test_an_archive_that_holds_more_than_any_data_file_may_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.tasks.readers.lines.MOST_DATA", 10_000)
    content = gzip.compress(b"text,label\n" + b"a,good\n" * 10_000, mtime=0)
    assert len(content) < 10_000
    with pytest.raises(DataError, match="it has more than"):
        read(tmp_path / "a.csv.gz", content)


def test_a_file_of_the_hub_that_was_changed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    source = Source(train=str(file), dev=str(file), text="text", label="label", hub="o/n:c@1", sha256=("0" * 64, ""))
    with pytest.raises(DataError, match="is not what was brought from o/n:c@1: bring it again"):
        read(file, CSV, source=source)
    assert len(read(file, CSV, "dev", source=source).examples) == 3


def test_the_made_up_tasks_are_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    assert [file.read_bytes() for file in write_made_tasks(first).values()] == [
        file.read_bytes() for file in write_made_tasks(second).values()
    ]
