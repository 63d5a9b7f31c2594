"""The readers on the course's own files."""

import csv
from pathlib import Path

import pytest

from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.loading import read_extra_pairs, read_split, with_extra_pairs

# From the data's README; quora-train.csv holds two malformed rows among its 14,214.
COUNTS = {
    ("sst", "train"): 8_544,
    ("sst", "dev"): 1_101,
    ("sst", "test"): 2_210,
    ("para", "train"): 14_212,
    ("para", "dev"): 3_000,
    ("para", "test"): 3_000,
    ("sts", "train"): 6_040,
    ("sts", "dev"): 863,
    ("sts", "test"): 1_725,
}


@pytest.mark.parametrize(("task", "split"), COUNTS)
def test_every_usable_row_is_read(real_data: Path, task: str, split: str) -> None:
    found = read_split(str(real_data), BUILTIN[task], split)
    assert len(found.examples) == COUNTS[task, split]
    assert len({example.id for example in found.examples}) == COUNTS[task, split]
    assert all((example.label is None) == (split == "test") for example in found.examples)


def test_the_two_malformed_rows_of_quora_are_skipped_with_one_warning(real_data: Path) -> None:
    assert read_split(str(real_data), BUILTIN["para"], "train").warnings == (
        f"{real_data}/quora-train.csv: 2 of 14,214 rows were skipped as malformed, "
        "line 14214 (no label), line 14215 (no sentence2).",
    )


@pytest.mark.parametrize(("task", "file"), [("para", "quora-dev.csv"), ("sts", "sts-dev.csv")])
def test_sentences_are_those_that_the_courses_reader_finds(real_data: Path, task: str, file: str) -> None:
    with (real_data / file).open(newline="", encoding="utf-8") as stream:
        expected = [
            (row["id"].lower().strip(), row["sentence1"].strip(), row["sentence2"].strip())
            for row in csv.DictReader(stream, delimiter="\t")
        ]
    found = read_split(str(real_data), BUILTIN[task], "dev").examples
    assert [(example.id, example.first, example.second) for example in found] == expected


def test_all_extra_pairs_are_read(real_extra_pairs: Path) -> None:
    assert len(read_extra_pairs(str(real_extra_pairs), BUILTIN["para"], 50_000).examples) == 2_755


def test_extra_pairs_follow_the_training_split(real_data: Path, real_extra_pairs: Path) -> None:
    read = read_split(str(real_data), BUILTIN["para"], "train")
    split = with_extra_pairs(read, read_extra_pairs(str(real_extra_pairs), BUILTIN["para"], 100))
    assert len(split.examples) == 14_212 + 100
    assert {example.label for example in split.examples[14_212:]} == {1}
