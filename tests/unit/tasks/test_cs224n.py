"""The reader of the course's folder: headers, labels, malformed rows, errors as one sentence."""

from pathlib import Path

import pytest

from bertmt.errors import DataError
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.cs224n import parse_split, read_cs224n_split
from bertmt.tasks.examples import Example, Split

SST = "\tid\tsentence\tsentiment\n"
PARA = "\tid\tsentence1\tsentence2\tis_duplicate\r\n"
STS = "\tid\tsentence1\tsentence2\tsimilarity\n"
FILE = Path("some-file.csv")


def parse(text: str, task: str = "sst", split: str = "train") -> Split:
    return parse_split(text.encode(), FILE, BUILTIN[task], split)


def sst_rows(count: int) -> str:
    return "".join(f"{n}\tid{n}\tfine\t3\n" for n in range(count))


def test_an_sst_row_has_a_sentence_and_an_integer_label() -> None:
    split = parse(SST + "0\tA7F \t A fine film . \t3\n")
    assert split == Split("sst", "train", (Example("a7f", "A fine film .", None, 3),))
    assert isinstance(split.examples[0].label, int)


def test_a_quora_label_is_stored_as_a_float_and_means_an_integer() -> None:
    split = parse(PARA + "0\tx\tone ?\ttwo ?\t1.0\r\n", "para")
    assert split.examples == (Example("x", "one ?", "two ?", 1),)
    assert isinstance(split.examples[0].label, int)


def test_an_sts_label_is_a_float() -> None:
    label = parse(STS + "0\tx\tone\ttwo\t5\n", "sts").examples[0].label
    assert label == 5.0
    assert isinstance(label, float)


@pytest.mark.parametrize("header", ["0\t\tid\tsentence\n", "\tid\tsentence\n", "id\tsentence\n"])
def test_the_headers_of_sst_test_files_differ_and_all_are_read(header: str) -> None:
    row = "\t".join(["7"] * (header.count("\t") - 1) + ["x", "fine"]) + "\n"
    assert parse(header + row, split="test").examples == (Example("x", "fine"),)


def test_labels_of_a_test_file_are_read_where_there_are_any() -> None:
    assert parse(SST + "0\tx\tfine\t3\n", split="test").examples[0].label == 3


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("9\tx\tfine", "3 fields instead of 4"),
        ("9\tx\tfine\t3\t4", "5 fields instead of 4"),
        ("9\tx\tfine\t", "no label"),
        ("9\tx\tfine\tgood", "the label is 'good'"),
        ("9\tx\tfine\tnan", "the label is 'nan'"),
        ("9\tx\tfine\t1_0", "the label is '1_0'"),
        ("9\tx\t  \t3", "no sentence"),
        ("9\t\tfine\t3", "no id"),
        ("9\ta,b\tfine\t3", "the id is 'a,b'"),
        ('9\tx\t"fine\t3', "a quote that is not closed"),
    ],
)
def test_a_malformed_row_is_skipped_with_a_warning_that_names_file_and_line(row: str, problem: str) -> None:
    split = parse(SST + sst_rows(60) + row + "\n" + sst_rows(100).replace("id", "more"))
    assert len(split.examples) == 160
    assert split.warnings == (f"some-file.csv: 1 of 161 rows was skipped as malformed, line 62 ({problem}).",)


def test_a_missing_second_sentence_is_named() -> None:
    good = "".join(f"{n}\tid{n}\tone\ttwo\t1.0\n" for n in range(100))
    assert "line 102 (no sentence2)" in parse(PARA + good + "9\tx\tone\t\t1.0\n", "para").warnings[0]


def test_all_malformed_rows_of_a_file_make_one_warning_that_names_the_first_five() -> None:
    split = parse(SST + sst_rows(693) + "bad\n" * 7)
    assert len(split.warnings) == 1
    assert split.warnings[0].startswith("some-file.csv: 7 of 700 rows were skipped as malformed, line 695 (")
    assert split.warnings[0].endswith("line 699 (1 fields instead of 4) and 2 more.")


def test_exactly_one_percent_is_still_skipped() -> None:
    assert len(parse(SST + sst_rows(99) + "bad\n").examples) == 99


def test_more_than_one_percent_is_refused() -> None:
    with pytest.raises(DataError, match=r"some-file.csv: 2 of 199 rows are malformed where at most 1 % may be, line"):
        parse(SST + sst_rows(197) + "bad\nbad\n")


def test_an_unbalanced_quote_does_not_swallow_the_rows_behind_it() -> None:
    split = parse(SST + sst_rows(100) + '9\tx\t"never closed\t3\n' + sst_rows(100).replace("id", "more"))
    assert len(split.examples) == 200


def test_a_sentence_over_two_lines_is_read_as_the_csv_module_reads_it() -> None:
    assert parse(SST + '0\tx\t"two\nlines"\t3\n').examples[0].first == "two\nlines"


def test_a_repeated_id_gets_a_suffix_and_a_warning() -> None:
    split = parse(SST + "0\tx\tone\t3\n1\tx\ttwo\t2\n")
    assert [example.id for example in split.examples] == ["x", "x-2"]
    assert split.warnings == ("some-file.csv: 1 id was in use by an earlier row and got a suffix, line 3 (now x-2).",)


@pytest.mark.parametrize(
    ("task", "header", "label", "expected"),
    [
        ("sst", SST, "7", "a whole number from 0 to 4, found '7'"),
        ("sst", SST, "2.5", "a whole number from 0 to 4, found '2.5'"),
        ("sst", SST, "-1", "a whole number from 0 to 4, found '-1'"),
        ("para", PARA, "0.5", "a whole number from 0 to 1, found '0.5'"),
        ("sts", STS, "5.1", "a number from 0 to 5, found '5.1'"),
        ("sts", STS, "1e999", "a number from 0 to 5, found '1e999'"),
    ],
)
def test_a_label_out_of_range_is_refused(task: str, header: str, label: str, expected: str) -> None:
    sentences = "one" if task == "sst" else "one\ttwo"
    with pytest.raises(DataError) as caught:
        parse(f"{header}0\tx\t{sentences}\t{label}\n", task)
    assert str(caught.value).startswith("some-file.csv, line 2: a label of ")
    assert expected in str(caught.value)
    assert "bertmt init --data DIR" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "some-file.csv is empty"),
        ("\n\n", "some-file.csv is empty"),
        (SST, "some-file.csv has a header but no rows"),
        (PARA, "expected a header with the tab-separated columns id, sentence, sentiment, found '', 'id', 'sentence1'"),
        ("id,sentence,sentiment\n", "found 'id,sentence,sentiment'"),
        ("\tid\tsentence\tsentence\tsentiment\n", "expected a header"),
        ('"\n', "line 1: the header cannot be read (a quote that is not closed)"),
        ("\0", "line 1: the header cannot be read (a NUL byte)"),
    ],
)
def test_a_file_without_a_usable_header_or_row_is_refused(text: str, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        parse(text)
    assert expected in str(caught.value)
    assert str(caught.value).endswith("with `bertmt init --data DIR`.")


def test_a_training_file_without_labels_is_refused() -> None:
    with pytest.raises(DataError, match="sentiment"):
        parse("\tid\tsentence\n0\tx\tfine\n")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere cannot be read \(No such file or directory\).*--data toy"):
        read_cs224n_split(tmp_path / "nowhere", BUILTIN["sst"], "train")


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no file quora-dev\.csv, which PARA's dev split is read from"):
        read_cs224n_split(tmp_path, BUILTIN["para"], "dev")


def test_a_folder_in_place_of_a_file_counts_as_missing(tmp_path: Path) -> None:
    (tmp_path / "sts-dev.csv").mkdir()
    with pytest.raises(DataError, match=r"has no file sts-dev\.csv"):
        read_cs224n_split(tmp_path, BUILTIN["sts"], "dev")


@pytest.mark.parametrize("name", ["ids-sst-test-student.csv", "ids-sst-test.csv"])
def test_both_names_of_a_test_file_are_known(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("0\t\tid\tsentence\n1\t0.0\tx\tfine\n")
    assert read_cs224n_split(tmp_path, BUILTIN["sst"], "test").examples == (Example("x", "fine"),)


def test_the_courses_own_name_of_a_test_file_wins(tmp_path: Path) -> None:
    (tmp_path / "ids-sst-test-student.csv").write_text("\tid\tsentence\n0\tstudent\tfine\n")
    (tmp_path / "ids-sst-test.csv").write_text("\tid\tsentence\n0\tother\tfine\n")
    assert read_cs224n_split(tmp_path, BUILTIN["sst"], "test").examples[0].id == "student"
