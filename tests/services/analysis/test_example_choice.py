"""Which examples are shown: kinds, orders and words, on tables written by hand."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from call_types import AddRun

from bertmt.services.analysis.confusion import counts_of, most_mistaken
from bertmt.services.analysis.example_choice import Searched, kinds_of, ordered, orders_of
from bertmt.services.analysis.examples import ExampleTable
from bertmt.tasks.examples import Example

LABELS = [0, 1, 2, 3]


@pytest.fixture
def table_of(add_run: AddRun) -> Callable[..., ExampleTable]:
    """A table of SST with these predicted classes and their confidence."""
    run = add_run()

    def make(predicted: Any, confidence: tuple[float, float, float, float] = (0.5, 0.9, 0.5, 0.7)) -> ExampleTable:
        examples = tuple(Example(f"id{index}", f"Sentence {index}", None, label) for index, label in enumerate(LABELS))
        return ExampleTable(
            run=run,
            task="sst",
            epoch=0,
            fingerprint="print",
            examples=examples,
            labels=np.array(LABELS),
            predicted=np.array(predicted),
            confidence=np.array(confidence),
            probabilities=np.eye(5)[:4],
        )

    return make


@pytest.fixture
def similarities(table_of: Callable[..., ExampleTable]) -> ExampleTable:
    """A table of STS; of the best straight line, 0.5 + x / 2, the errors are 0.5, 1, −1, −0.5."""
    predicted = np.array([0, 3, 1, 4], dtype=np.float32)
    return dataclasses.replace(table_of(LABELS), task="sts", predicted=predicted, confidence=None)


def test_examples_are_of_four_kinds_relative_to_a_baseline(table_of: Callable[..., ExampleTable]) -> None:
    kinds = kinds_of(table_of([0, 1, 0, 0]), table_of([0, 0, 2, 0]))
    assert {kind: found.tolist() for kind, found in kinds.items()} == {
        "all": [0, 1, 2, 3], "wrong": [2, 3], "broken": [2], "fixed": [1],
    }  # fmt: skip


def test_without_a_baseline_nothing_is_broken_or_fixed(table_of: Callable[..., ExampleTable]) -> None:
    assert list(kinds_of(table_of([0, 1, 0, 0]), None)) == ["all", "wrong"]


def test_a_task_without_classes_has_no_wrong_predictions(similarities: ExampleTable) -> None:
    assert list(kinds_of(similarities, None)) == ["all"]
    assert orders_of(similarities)[0] == "farthest"


def test_equally_confident_examples_stay_in_the_order_of_the_data(table_of: Callable[..., ExampleTable]) -> None:
    table = table_of(LABELS)
    assert ordered(table, np.arange(4), "surest").tolist() == [1, 3, 0, 2]
    assert ordered(table, np.arange(4), "unsurest").tolist() == [0, 2, 3, 1]
    assert ordered(table, np.array([0, 3]), "file").tolist() == [0, 3]


def test_pairs_are_ordered_by_how_far_the_best_fit_is_from_their_label(similarities: ExampleTable) -> None:
    assert ordered(similarities, np.arange(4), "farthest").tolist() == [1, 2, 0, 3]
    assert ordered(similarities, np.array([0, 2, 3]), "nearest").tolist() == [0, 3, 2]


def test_words_are_found_in_texts_and_ids_without_regard_to_case(table_of: Callable[..., ExampleTable]) -> None:
    searched = Searched.of(table_of(LABELS))
    assert searched.with_words("SENTENCE 2").tolist() == [False, False, True, False]
    assert searched.with_words("id3").tolist() == [False, False, False, True]
    assert searched.with_words("").all()


def test_counts_of_a_table_have_the_true_class_in_rows(table_of: Callable[..., ExampleTable]) -> None:
    counts = counts_of(table_of([0, 1, 0, 0]))
    assert counts.sum() == 4 and counts[2, 0] == counts[3, 0] == 1 and counts[0, 0] == 1


def test_the_most_mistaken_cell_is_the_largest_beside_the_diagonal() -> None:
    assert most_mistaken(np.array([[90, 2, 0], [1, 80, 7], [3, 7, 70]])) == (1, 2)
    assert most_mistaken(np.array([[5, 0], [0, 9]])) == (1, 1), "where nothing was mistaken, the largest of all"
