"""Checked data: what is known of a split lasts as long as its file stays the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bertmt.errors import DataError
from bertmt.recipe.loading import preset
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.services.plan.data_check import check_data, pretraining_pairs
from bertmt.tasks.examples import Example, fingerprint

HEADERS = {
    "sst": ("ids-sst", "\tid\tsentence\tsentiment\n"),
    "sts": ("sts", "\tid\tsentence1\tsentence2\tsimilarity\n"),
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    """Writes a split of a CS224N folder: `write("sst", "train", ["a\\tfine\\t3"])`."""

    def written(task: Any, split: Any, rows: Any) -> None:
        stem, header = HEADERS[task]
        lines = "".join(f"{number}\t{row}\n" for number, row in enumerate(rows))
        (tmp_path / f"{stem}-{split}.csv").write_text(header + lines)

    return written


def recipe(data: Path | str, *tasks: Any, **values: Any) -> Recipe:
    told = {"data": str(data), "encoder": "tiny", "tasks": ",".join(tasks), **values}
    return resolved(recipe_from(told, preset("baseline").recipe()))


def test_data_that_changed_have_other_fingerprints_in_the_same_process(
    write: Callable[..., None], tmp_path: Path
) -> None:
    write("sst", "train", ["a\tfine\t3"])
    write("sst", "dev", ["b\tbad\t1"])
    before = check_data(recipe(tmp_path, "sst"))
    write("sst", "train", ["a\tfine\t4"])  # as many bytes as before
    after = check_data(recipe(tmp_path, "sst"))
    assert before.fingerprints["sst-train"] == fingerprint([Example("a", "fine", None, 3)])
    assert after.fingerprints["sst-train"] == fingerprint([Example("a", "fine", None, 4)])
    assert after.fingerprints["sst-dev"] == before.fingerprints["sst-dev"]
    write("sst", "train", ["a\tfine\t4", "c\tgrand\t4"])
    assert check_data(recipe(tmp_path, "sst")).sizes == {"sst-train": 2, "sst-dev": 1}


def test_extra_pairs_that_changed_are_counted_anew(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    told = {"data": "toy", "encoder": "tiny", "extra_data": "true", "extra_data_file": str(file)}
    wanted = resolved(recipe_from(told, preset("baseline").recipe()))
    pair = '["one question", "the same question"]\n'
    for count in (1, 3):
        file.write_text(pair * count)
        assert check_data(wanted).sizes["para-extra"] == count


def test_data_that_are_gone_are_missed_in_the_same_process(write: Callable[..., None], tmp_path: Path) -> None:
    for split in ("train", "dev"):
        write("sst", split, ["a\tfine\t3"])
    check_data(recipe(tmp_path, "sst"))
    (tmp_path / "ids-sst-dev.csv").unlink()
    with pytest.raises(DataError, match="ids-sst-dev"):
        check_data(recipe(tmp_path, "sst"))


def test_a_home_that_the_machine_does_not_know_is_refused_in_a_sentence() -> None:
    with pytest.raises(DataError, match="~nobody-of-that-name/x"):
        check_data(recipe("~nobody-of-that-name/x", "sst"))


def test_pairs_of_pretraining_are_counted_by_their_labels(write: Callable[..., None], tmp_path: Path) -> None:
    """MNR takes pairs from its threshold on; the cosine loss those from 4 on and those below 2."""
    similarities = (5.0, 4.0, 4.0, 3.0, 1.0, 0.0)
    rows = [f"{number}\tone\tother\t{each}" for number, each in enumerate(similarities)]
    for split in ("train", "dev"):
        write("sts", split, rows)
    bounds = {"mnr_threshold": 4.0, "cosine_positive": 4.0, "cosine_negative": 2.0}
    wanted = recipe(tmp_path, "sts", mnr="true", cosine_embedding="true", **bounds)
    assert pretraining_pairs(wanted) == {"mnr": 3, "cosine_embedding": 5}
