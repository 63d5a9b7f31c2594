"""Extra paraphrase pairs from JSON lines, plain or compressed."""

import gzip
import json
from pathlib import Path

import pytest

from bertmt.errors import DataError
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.examples import Example
from bertmt.tasks.extra import read_extra_file

PARA = BUILTIN["para"]
GOOD = b'["how old is he", "what is his age"]\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pairs.jsonl"


def test_every_pair_is_a_paraphrase(file: Path) -> None:
    file.write_bytes(GOOD)
    split = read_extra_file(file, PARA, 10)
    assert (split.task, split.name) == ("para", "extra")
    assert split.examples == (Example("extra-1", "how old is he", "what is his age", 1),)


def test_only_the_first_pairs_are_taken(file: Path) -> None:
    file.write_bytes(GOOD * 5)
    assert [example.id for example in read_extra_file(file, PARA, 2).examples] == ["extra-1", "extra-2"]


def test_a_compressed_file_is_read_alike(tmp_path: Path, file: Path) -> None:
    file.write_bytes(GOOD * 3)
    compressed = tmp_path / "pairs.jsonl.gz"
    compressed.write_bytes(gzip.compress(GOOD * 3, mtime=0))
    assert read_extra_file(compressed, PARA, 10).examples == read_extra_file(file, PARA, 10).examples


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"how old is he\n", "no JSON: 'how old is he'"),
        (b'{"a": 1}\n', "no list of two strings"),
        (b'["one"]\n', "no list of two strings"),
        (b'["one", 2]\n', "no list of two strings"),
        (b'["one", " "]\n', "an empty title"),
        (b'["one", "\\ud800"]\n', "a character that no encoder can read"),
        (b'["one", "\\u0000"]\n', "a character that no encoder can read"),
        (b'["one", "\xff"]\n', "no UTF-8"),
        (b"[" * 100_000 + b"\n", "no JSON: '[[[[[[[[[[[[[[[[[[[['…"),
        (b"9" * 10_000 + b"\n", "no JSON: '99999999999999999999'…"),
        (b'["' + b"x" * 500_000 + b'", "y"]\n', "longer than 131,072 bytes"),
    ],
)
def test_a_malformed_line_is_skipped_with_a_warning_that_names_file_and_line(
    file: Path, line: bytes, problem: str
) -> None:
    file.write_bytes(GOOD * 60 + line + GOOD * 60)
    split = read_extra_file(file, PARA, 1_000)
    assert len(split.examples) == 120
    assert split.warnings == (f"{file}: 1 of 121 rows was skipped as malformed, line 61 ({problem}).",)


def test_blank_lines_are_no_rows(file: Path) -> None:
    file.write_bytes(GOOD + b"\n\r\n" + GOOD)
    assert [example.id for example in read_extra_file(file, PARA, 9).examples] == ["extra-1", "extra-4"]


def test_more_than_one_percent_is_refused(file: Path) -> None:
    file.write_bytes(GOOD * 50 + b"bad\n")
    with pytest.raises(DataError, match=r"1 of 51 rows are malformed.*line 51.*bertmt init --extra-data FILE"):
        read_extra_file(file, PARA, 1_000)


def test_the_share_is_that_of_the_file_and_not_of_the_excerpt(file: Path) -> None:
    file.write_bytes(b"bad\n" + GOOD * 200)
    split = read_extra_file(file, PARA, 3)
    assert [example.id for example in split.examples] == ["extra-2", "extra-3", "extra-4"]
    assert split.warnings[0].startswith(f"{file}: 1 of 100 rows was skipped")


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_pairs_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(DataError, match="holds no pairs"):
        read_extra_file(file, PARA, 10)


def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(DataError, match=r"pairs.jsonl cannot be read \(No such file or directory\)"):
        read_extra_file(file, PARA, 10)


@pytest.mark.parametrize("damage", ["cut", "flipped", "plain"])
def test_a_damaged_archive_is_refused(tmp_path: Path, damage: str) -> None:
    text = "".join(json.dumps([f"title {n}", f"heading {n * n}"]) + "\n" for n in range(2_000))
    whole = gzip.compress(text.encode(), mtime=0)
    middle = len(whole) // 2
    content = {
        "cut": whole[:middle],
        "flipped": whole[:middle] + bytes(255 - byte for byte in whole[middle : middle + 40]) + whole[middle + 40 :],
        "plain": text.encode(),
    }[damage]
    file = tmp_path / "pairs.jsonl.gz"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be read|malformed"):
        read_extra_file(file, PARA, 10_000)


def test_damage_behind_the_pairs_that_are_taken_does_not_matter(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b'["a %d", "b"]\n' % (n * n) for n in range(50_000)), mtime=0)
    file = tmp_path / "pairs.jsonl.gz"
    file.write_bytes(whole[: len(whole) // 2])
    assert len(read_extra_file(file, PARA, 10).examples) == 10
