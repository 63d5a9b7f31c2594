"""Which sentences are in which slice, the user's own among them, and what cannot be sliced."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from present import present

from bertmt.comparison.verdicts import Verdict
from bertmt.drawing.styled import plain
from bertmt.errors import DataError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.services.analysis.changes.flips import two_runs
from bertmt.services.analysis.changes.slice_formatting import format_differences, format_notes
from bertmt.services.analysis.changes.slices import Sliced, parse_own, slice_differences, slice_scores, sliced
from bertmt.services.analysis.examples import examples_of
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.examples import Example, fingerprint
from bertmt.tasks.loading import read_split
from bertmt.tasks.readers.source import read_source_column
from bertmt.tasks.task import Source, Task

TEXTS = (
    "It is n't good", "Never again", "An honest film", "rather slow , but charming", "Knotty", "very moving",
    "A masterpiece", "It doesn't work\nat all",
)  # fmt: skip
SST = tuple(Example(f"s{at}", text, None, float(at % 5)) for at, text in enumerate(TEXTS))
STS = tuple(Example(f"t{at}", f"a {at}", "b " * at + "b", at / 2) for at in range(11))


def members(found: Sliced) -> dict[str, list[int]]:
    return {each.name: np.flatnonzero(each.chosen).tolist() for each in found.slices}


def table_of(database: Database, predicted: Callable[..., Run], task: str, examples: Any) -> Any:
    uniform = np.full((len(examples), 5), 0.2) if task == "sst" else np.linspace(0, 1, len(examples))
    return examples_of(database, predicted(task, examples, uniform), task)


def test_words_find_what_they_mean_and_no_parts_of_others(database: Database, predicted: Callable[..., Run]) -> None:
    found = members(sliced(table_of(database, predicted, "sst", SST)))
    assert found["negation"] == [0, 1, 7]
    assert (found["hedges"], found["contrast"], found["intensifiers"]) == ([3], [3], [5])
    assert found["all"] == list(range(8)) and found["true 1 somewhat negative"] == [1, 6]


def test_lengths_and_bands_of_labels_hold_every_example_once(database: Database, predicted: Callable[..., Run]) -> None:
    found = members(sliced(table_of(database, predicted, "sts", STS)))
    for kind, parts in (("words", 4), ("label", 5)):
        chosen = [own for name, own in found.items() if kind in name]
        assert len(chosen) == parts and sorted(at for own in chosen for at in own) == list(range(11))
    assert found["label 2 to below 3"] == [4, 5] and found["label 4 to 5"] == [8, 9, 10]


def test_a_slice_of_ones_own_is_a_pattern_without_regard_to_case(
    database: Database, predicted: Callable[..., Run]
) -> None:
    own = [parse_own(r"films=\bFILM\b"), parse_own("a = b=x$|slow"), parse_own("nothing=zzz")]
    found = members(sliced(table_of(database, predicted, "sst", SST), own))
    assert (found["films"], found["a"], found["nothing"]) == ([2], [3], [])


@pytest.mark.parametrize("text", ["", "x", "x=", "=x", "x=(", "x=" + "(" * 300, "x=a{99999999999}"])
def test_what_is_no_slice_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="--slice"):
        parse_own(text)


def test_names_and_columns_that_cannot_be_are_refused(database: Database, predicted: Callable[..., Run]) -> None:
    table = table_of(database, predicted, "sst", SST)
    with pytest.raises(UsageError, match="Two slices are called 'negation'"):
        sliced(table, [parse_own("negation=x")])
    with pytest.raises(UsageError, match="no further columns"):
        sliced(table, [parse_own("column=genre")])


def test_examples_in_training_are_those_whose_sentence_stands_there(
    database: Database, predicted: Callable[..., Run]
) -> None:
    train = read_split("toy", BUILTIN["sst"], "train").examples
    mixed = (*SST, Example("seen", train[3].first, None, 1.0))
    table = table_of(database, predicted, "sst", mixed)
    assert "no fingerprint" in sliced(table).remarks[0] and "in training" not in members(sliced(table))
    marks = {"sst-train": fingerprint(train)}
    table = examples_of(database, with_marks(database, table.run, marks), "sst")
    found = members(sliced(table))
    assert found["in training"] == [8] and found["not in training"] == list(range(8))
    table = examples_of(database, with_marks(database, table.run, {"sst-train": "0" * 16}), "sst")
    assert "no longer those" in sliced(table).remarks[0]


def test_of_pairs_one_sentence_in_training_is_told_from_the_whole_pair(
    database: Database, predicted: Callable[..., Run]
) -> None:
    train = read_split("toy", BUILTIN["sts"], "train").examples
    half, whole = (Example("h", train[0].first, "other", 1.0), Example("w", train[1].first, train[1].second, 2.0))
    table = table_of(database, predicted, "sts", (*STS, half, whole))
    table = examples_of(database, with_marks(database, table.run, {"sts-train": fingerprint(train)}), "sts")
    found = sliced(table)
    assert members(found)["one sentence in training"] == [11, 12]
    assert members(found)["no sentence in training"] == list(range(11))
    assert "2 pairs have one sentence at least that stands in STS's training data; 1 of them stands" in found.remarks[0]
    assert not any("seen" in each for each in (*members(found), *found.remarks)), "nobody knows what a run passed over"


def with_marks(database: Database, run: Run, marks: dict[str, str]) -> Run:
    database.execute("UPDATE runs SET fingerprints = ? WHERE key = ?", (json.dumps(marks), run.key))
    return run_by_key(database, run.key)


def test_a_difference_by_slice_is_said_with_what_it_was_corrected_for(
    database: Database, predicted: Callable[..., Run]
) -> None:
    many = tuple(Example(f"s{at}", "not good" if at % 2 else "fine \x1b[2J", None, float(at % 2)) for at in range(100))
    right = np.eye(5)[[at % 2 for at in range(100)]]
    wrong = np.eye(5)[[3 if at % 2 and at < 80 else at % 2 for at in range(100)]]
    runs = two_runs(database, predicted("sst", many, wrong), predicted("sst", many, right), "sst")
    found, made = slice_differences(runs, [parse_own("evil\x1b]0;x\x07=fine")])
    lines = [*format_differences(found, runs.about, 100), *format_notes(found, runs.about, made, 100)]
    page = "\n".join(plain(each) for each in lines)
    assert "\x1b" not in page and "\x07" not in page
    row = next(each for each in page.splitlines() if each.startswith("negation"))
    assert row.split()[1:5] == ["50", "0.200", "1.000", "+0.800"] and row.endswith("better")
    assert f"over {len(found) - 1} slices" in page
    row = next(each for each in page.splitlines() if each.startswith("all "))
    assert row.rstrip().endswith("]"), "neither a corrected p nor a verdict: those are compare's"
    words = " ".join(page.split())
    assert "All examples together are judged by `bertmt compare`." in words
    assert "p by exact McNemar. 95 % intervals: Tango score." in words
    at = next(place for place, each in enumerate(found) if each.name == "negation")
    unsure = replace(
        present(found[at].result), verdict=Verdict.UNDECIDED, p=0.03, p_corrected=0.2, level=0.01, family=9
    )
    changed = [*found[:at], replace(found[at], result=unsure), *found[at + 1 :]]
    page = "\n".join(plain(each) for each in format_differences(changed, runs.about, 100))
    assert "  p is above 0.01, the level after Holm over 9 comparisons." in page.splitlines()


def test_a_score_says_how_its_interval_is_computed(database: Database, predicted: Callable[..., Run]) -> None:
    many = tuple(Example(f"s{at}", "not good" if at % 2 else "fine", None, float(at % 2)) for at in range(100))
    found, made = slice_scores(table_of(database, predicted, "sst", many))
    words = " ".join(plain(each) for each in format_notes(found, BUILTIN["sst"], made, 200))
    assert "95 % intervals: Wilson score." in words and "p by" not in words


def test_a_column_of_the_dev_file_makes_a_slice_of_each_value(tmp_path: Path) -> None:
    rows = ["text,label,genre", "one,no,web", "two,yes,news", ",no,web", "three,yes,", "four,no,web"]
    (tmp_path / "dev.csv").write_text("\n".join(rows), encoding="utf-8")
    file = str(tmp_path / "dev.csv")
    source = Source(train=file, dev=file, text="text", label="label")
    about = Task(
        name="mine", title="Mine", inputs="single", classes=("no", "yes"), metrics=("accuracy",), source=source
    )
    malformed = read_source_column(about, "dev", "genre")
    assert malformed == ["web", "news", "", "web"], "the row without a text is skipped as it is when examples are read"
    with pytest.raises(DataError, match="no column 'topic'; it has 'text', 'label', 'genre'"):
        read_source_column(about, "dev", "topic")
