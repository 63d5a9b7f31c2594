"""Stored predictions and examples: what was written comes back, and damage is a sentence."""

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bertmt.errors import DataError
from bertmt.run_folder import predictions
from bertmt.run_folder.predictions import (
    Predictions,
    read_examples,
    read_predictions,
    write_examples,
    write_predictions,
)
from bertmt.tasks.examples import Example, fingerprint

FLOATS = st.floats(0, 1, width=32)


def sst_predictions(rows: int = 4) -> Predictions:
    probabilities = np.linspace(0, 1, rows * 5, dtype=np.float32).reshape(rows, 5)
    return Predictions("sst", "dev", 3, "0123456789abcdef", probabilities)


@given(arrays.arrays(np.float32, st.tuples(st.integers(0, 6), st.just(5)), elements=FLOATS), st.integers(0, 999))
def test_predictions_come_back_as_they_were_stored(
    tmp_path_factory: pytest.TempPathFactory, probabilities: np.ndarray, epoch: int
) -> None:
    path = tmp_path_factory.mktemp("predictions") / "000-sst-dev.npz"
    write_predictions(path, Predictions("sst", "dev", epoch, "0123456789abcdef", probabilities))
    found = read_predictions(path)
    assert (found.task, found.split, found.epoch, found.fingerprint) == ("sst", "dev", epoch, "0123456789abcdef")
    np.testing.assert_array_equal(found.probabilities, probabilities, strict=True)


def test_probabilities_are_stored_as_float32(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_predictions(path, Predictions("sts", "dev", 1, "f", np.array([0.1, -0.5], dtype=np.float64)))
    assert read_predictions(path).probabilities.dtype == np.float32


def test_missing_predictions_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Predictions in .*none\.npz cannot be read"):
        read_predictions(tmp_path / "none.npz")


@given(where=st.integers(0, 10_000), byte=st.integers(1, 255))
@settings(max_examples=300)
def test_a_damaged_byte_gives_the_same_predictions_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, where: int, byte: int
) -> None:
    path = tmp_path_factory.mktemp("damage") / "a.npz"
    write_predictions(path, sst_predictions())
    content = bytearray(path.read_bytes())
    content[where % len(content)] ^= byte
    path.write_bytes(content)
    try:
        found = read_predictions(path)
    except DataError:
        return
    np.testing.assert_array_equal(found.probabilities, sst_predictions().probabilities)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_predictions_are_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "a.npz"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_predictions(path)


def test_a_pickle_in_place_of_predictions_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        np.savez(file, about=np.array(["sst", "dev", "1", "f"]), probabilities=np.array([{"an": "object"}]))
    with pytest.raises(DataError, match="cannot be read"):
        read_predictions(path)


TEXTS = st.text(max_size=20)
EXAMPLES = st.lists(
    st.builds(Example, TEXTS, TEXTS, st.none() | TEXTS, st.none() | st.floats(0, 5)),
    max_size=5,
)


@given(EXAMPLES)
def test_examples_come_back_with_their_fingerprint(
    tmp_path_factory: pytest.TempPathFactory, examples: list[Example]
) -> None:
    path = tmp_path_factory.mktemp("examples") / "sst-dev.jsonl.gz"
    write_examples(path, examples)
    assert read_examples(path) == tuple(examples)
    assert fingerprint(read_examples(path)) == fingerprint(examples)


def test_equal_examples_are_equal_bytes_on_disk(tmp_path: Path) -> None:
    examples = [Example("1", "line\u2028one", "two\n", 2.5)]
    write_examples(tmp_path / "a.gz", examples)
    write_examples(tmp_path / "b.gz", examples)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert read_examples(tmp_path / "a.gz") == tuple(examples)


@given(where=st.integers(0, 10_000), byte=st.integers(1, 255))
@settings(max_examples=300)
def test_a_damaged_byte_gives_the_same_examples_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, where: int, byte: int
) -> None:
    path = tmp_path_factory.mktemp("damage") / "sst-dev.jsonl.gz"
    examples = tuple(Example(str(number), f"sentence {number}", None, float(number % 5)) for number in range(20))
    write_examples(path, examples)
    content = bytearray(path.read_bytes())
    content[where % len(content)] ^= byte
    path.write_bytes(content)
    try:
        assert read_examples(path) == examples
    except DataError as refused:
        assert "cannot be read" in str(refused)


def test_missing_examples_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_examples(tmp_path / "none.gz")


def test_a_disk_that_fails_for_a_moment_costs_no_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "000-para-dev.npz"
    write_predictions(path, Predictions("para", "dev", 0, "mark", np.array([0.25, 0.75], dtype=np.float32)))
    real, failures = predictions.read_bytes, [OSError(errno.EIO, "Input/output error")]  # type: ignore[attr-defined]  # its own name for it

    def read_bytes(path: Any, most: Any) -> bytes:
        if failures:
            raise failures.pop()
        return real(path, most)

    monkeypatch.setattr(predictions, "read_bytes", read_bytes)
    assert read_predictions(path).probabilities.tolist() == [0.25, 0.75]
    assert failures == []
