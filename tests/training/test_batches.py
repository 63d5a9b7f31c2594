"""Streams of batches: what comes in which pass, in which company."""

from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmt.models.packed.layout import TokenBatch
from bertmt.recipe.pretraining import COSINE_EMBEDDING, MNR
from bertmt.training.steps.batches import BATCHES_PER_WINDOW, bucketed_order, distinct_batches, distinct_order

LENGTHS = np.random.default_rng(0).integers(3, 60, size=1_003)
ALL = np.arange(len(LENGTHS))


def rows_of(batches: list[np.ndarray] | list[Any]) -> list[Any]:
    return list(chain.from_iterable(batch.tolist() for batch in batches))


@pytest.mark.parametrize("count", [1, 7, 8, 9, 1_003])
def test_a_pass_uses_each_example_exactly_once(count: int) -> None:
    order = bucketed_order(LENGTHS[:count], ALL[:count], 8, seed=0, stream="sst")
    for pass_index in range(3):
        assert sorted(rows_of(order(pass_index))) == list(range(count))


def test_all_batches_but_one_are_full() -> None:
    sizes = Counter(map(len, bucketed_order(LENGTHS, ALL, 8, 0, "sst")(0)))
    assert sizes == {8: 125, 3: 1}


def test_batches_are_a_function_of_seed_stream_and_pass() -> None:
    def first_pass(seed: int = 0, stream: str = "sst", pass_index: int = 0) -> Any:
        return rows_of(bucketed_order(LENGTHS, ALL, 8, seed, stream)(pass_index))

    assert first_pass() == first_pass()
    others = [first_pass(seed=1), first_pass(stream="para"), first_pass(pass_index=1)]
    assert all(first_pass() != other for other in others)


def test_bucketing_saves_most_of_the_padding() -> None:
    def padding(batches: list[np.ndarray]) -> Any:
        return 1 - LENGTHS.sum() / sum(len(batch) * LENGTHS[batch].max() for batch in batches)

    naive = [ALL[start : start + 8] for start in range(0, len(ALL), 8)]
    assert padding(bucketed_order(LENGTHS, ALL, 8, 0, "sst")(0)) < 0.2 * padding(naive)


def test_batches_of_one_window_are_spread_over_the_pass() -> None:
    lengths = np.arange(8 * BATCHES_PER_WINDOW)
    starts = [batch.min() for batch in bucketed_order(lengths, lengths, 8, 0, "sst")(0)]
    assert abs(np.corrcoef(starts, range(len(starts)))[0, 1]) < 0.5


pairs = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40)


@given(pairs, st.integers(2, 8))
def test_no_mnr_batch_has_a_sentence_twice_or_a_single_pair(sentences: list[tuple[int, int]], batch_size: int) -> None:
    keys = [(str(first).encode(), str(second).encode()) for first, second in sentences]
    batches = distinct_batches(range(len(keys)), keys, batch_size)
    for batch in batches:
        seen = list(chain.from_iterable(set(keys[row]) for row in batch))
        assert len(batch) > 1 and len(seen) == len(set(seen))
    used = list(chain.from_iterable(batches))
    assert len(used) == len(set(used))
    # What is left out fits into no batch.
    for row in set(range(len(keys))) - set(used):
        assert all(any(set(keys[row]) & set(keys[other]) for other in batch) for batch in batches)


def test_an_mnr_pass_without_equal_sentences_uses_each_pair_once() -> None:
    keys = [(b"first %d" % row, b"second %d" % row) for row in range(17)]
    order = distinct_order(keys, np.arange(17), 8, seed=0, stream=MNR)
    batches = order(0)
    assert sorted(rows_of(batches)) == list(range(17))
    assert sorted(map(len, batches)) == [8, 9]  # the last pair would have been alone
    assert rows_of(order(0)) != rows_of(order(1))


def test_pretraining_streams_hold_the_pairs_of_their_thresholds(compose_run: Callable[..., Any]) -> None:
    run = compose_run({"tasks": "sts", "mnr": True, "cosine_embedding": True})
    labels = run.streams["sts"].data.labels
    assert run.streams[MNR].examples == (labels >= 4.0).sum()
    assert run.streams[COSINE_EMBEDDING].examples == ((labels >= 3.5) | (labels < 1.0)).sum()
    for _ in range(50):
        assert run.streams[MNR].next().labels.min() >= 4.0
        found = run.streams[COSINE_EMBEDDING].next().labels
        assert ((found >= 3.5) | (found < 1.0)).all()


def test_a_stream_goes_on_with_the_next_pass(compose_run: Callable[..., Any]) -> None:
    stream = compose_run({"tasks": "sst", "batch_size": 32}).streams["sst"]
    rows = [rows_of([stream.next().rows for _ in range(stream.batches_per_pass)]) for _ in range(2)]
    assert sorted(rows[0]) == sorted(rows[1]) == list(range(2_000)) and rows[0] != rows[1]
    assert (stream.pass_index, stream.batch_index) == (1, stream.batches_per_pass)


def test_a_batch_of_pairs_holds_first_sentences_then_second_ones(compose_run: Callable[..., Any]) -> None:
    run = compose_run({"tasks": "para"})
    stream = run.streams["para"]
    batch = stream.next()
    examples = [stream.data.split.examples[row] for row in batch.rows]
    texts = [each.first for each in examples] + [each.second for each in examples]
    expected = TokenBatch.of(run.tokenizer.encode(texts))
    assert batch.tokens.input_ids.equal(expected.input_ids) and batch.tokens.lengths == expected.lengths
    assert batch.labels.tolist() == [each.label for each in examples]
    assert batch.token_count == sum(expected.lengths)
