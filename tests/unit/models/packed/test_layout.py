"""Where packed sentences stand, for all lists of lengths."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmt.models.packed.layout import Pass, TokenBatch

LENGTHS = st.lists(st.integers(1, 150), min_size=1, max_size=40)
BATCHES = st.lists(LENGTHS, min_size=1, max_size=4)
HEADS = st.sampled_from([1, 2, 12])


def packed(batches: Sequence[Sequence[int]], heads: int, apart: bool) -> Pass:
    """Tokens that tell where they stand: batch · 10⁶ + sentence · 10³ + position + 1."""
    tasks = {
        str(batch): TokenBatch.of(
            [[batch * 10**6 + row * 10**3 + place + 1 for place in range(length)] for row, length in enumerate(lengths)]
        )
        for batch, lengths in enumerate(batches)
    }
    return Pass.of(tasks, heads, apart=apart)


def test_a_pair_as_one_input_has_one_start_and_types_that_tell_its_sentences_apart() -> None:
    first, second = [[1, 10, 11, 2], [1, 2]], [[1, 20, 2], [1, 21, 22, 2]]
    joint = TokenBatch.joint(first, second)
    assert joint.input_ids.tolist() == [1, 10, 11, 2, 20, 2, 1, 2, 21, 22, 2] and joint.lengths == (6, 5)
    assert joint.all_types.tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1]
    roberta = TokenBatch.joint(first, second, ends_between=2)
    assert roberta.input_ids.tolist() == [1, 10, 11, 2, 2, 20, 2, 1, 2, 2, 21, 22, 2] and roberta.lengths == (7, 6)


def test_types_stay_with_their_tokens_among_batches_that_have_none() -> None:
    alone, joint = TokenBatch.of([[1] * 35]), TokenBatch.joint([[1, 2]], [[1, 3, 4]])
    assert alone.types is None and Pass.of({"a": alone}, 2).types is None
    both = alone + joint
    assert both.all_types.tolist() == [0] * 37 + [1, 1] and both.lengths == (35, 4)
    current = Pass.of({"a": alone, "b": joint, "c": TokenBatch.of([[1, 2]])}, 2, apart=True)
    assert current.types is not None and len(current.types) == len(current.input_ids)
    assert current.input_ids[current.types == 1].tolist() == [3, 4]


@settings(max_examples=60, deadline=None)
@given(batches=BATCHES, heads=HEADS, apart=st.booleans())
def test_every_token_knows_its_sentence_and_its_place(batches: list[list[int]], heads: int, apart: bool) -> None:
    current = packed(batches, heads, apart)
    expected = [
        (batch * 10**6 + row * 10**3 + place + 1, place, sentence)
        for sentence, (batch, row, length) in enumerate(
            (batch, row, length) for batch, lengths in enumerate(batches) for row, length in enumerate(lengths)
        )
        for place in range(length)
    ]
    of_none = current.sentence_of_token == len(current.lengths)
    columns = (current.input_ids, current.positions, current.sentence_of_token)
    assert [tuple(row) for row in torch.stack(columns, dim=1)[~of_none].tolist()] == expected
    assert current.lengths.tolist() == current.counts.flatten().tolist() == [each for some in batches for each in some]
    assert (current.positions[current.first_tokens] == 0).all()
    assert current.sentence_of_token[current.first_tokens].tolist() == list(range(len(current.lengths)))
    assert {int(task): count for task, count in current.sentences.items()} == dict(enumerate(map(len, batches)))


@settings(max_examples=60, deadline=None)
@given(batches=BATCHES, heads=HEADS)
def test_parts_hold_the_tokens_of_their_task_and_together_all(batches: list[list[int]], heads: int) -> None:
    current = packed(batches, heads, apart=True)
    assert len(current.parts) == len(batches)
    tokens = np.arange(len(current.input_ids))
    assert np.concatenate([tokens[part] for part in current.parts]).tolist() == tokens.tolist()
    for batch, (part, lengths) in enumerate(zip(current.parts, batches, strict=True)):
        assert set((current.input_ids[part] // 10**6).tolist()) == {batch}
        inside = current.sentence_of_token[part] < len(current.lengths)
        assert int(inside.sum()) == sum(lengths)
    assert packed(batches, heads, apart=False).parts == (slice(None),)


@settings(max_examples=60, deadline=None)
@given(batches=BATCHES, heads=HEADS, apart=st.booleans())
def test_fillers_are_few_and_belong_to_nothing(batches: list[list[int]], heads: int, apart: bool) -> None:
    current = packed(batches, heads, apart)
    fillers = (current.sentence_of_token == len(current.lengths)).nonzero().flatten()
    assert len(fillers) <= sum(sum(lengths) for lengths in batches) / 8 + len(batches)
    assert not set(fillers.tolist()) & set(current.first_tokens.tolist())
    places = current.groups.places.view(-1, heads)[fillers]
    assert (places == len(current.groups.padded)).all(), "their place is the 0 behind all groups"
    vectors = fillers[:, None] * heads + torch.arange(heads)
    assert not set(vectors.flatten().tolist()) & set(current.groups.padded.tolist())


@settings(max_examples=60, deadline=None)
@given(batches=BATCHES, heads=HEADS, apart=st.booleans())
def test_groups_hold_each_token_once_per_head_among_those_of_its_sentence(
    batches: list[list[int]], heads: int, apart: bool
) -> None:
    current = packed(batches, heads, apart)
    groups = current.groups
    real = (current.sentence_of_token < len(current.lengths)).nonzero().flatten()
    vectors = (real[:, None] * heads + torch.arange(heads)).flatten()
    # There and back again, and no two at one place.
    assert groups.padded[groups.places[vectors]].equal(vectors)
    assert len(groups.places[vectors].unique()) == len(vectors)
    seen, sentences = 0, 0
    for group in groups.each:
        assert group.rows.start == seen
        seen = group.rows.stop
        sentences += group.sentences
        at = groups.padded[group.rows].view(group.sentences, heads, group.longest)
        assert (at % heads == torch.arange(heads)[:, None]).all()
        tokens = at[:, 0] // heads
        keys = torch.ones(group.sentences, group.longest, dtype=torch.bool) if group.keys is None else group.keys
        owners = current.sentence_of_token[tokens]
        assert (owners == owners[:, :1]).all(), "each row is one sentence's"
        assert keys.sum(1).tolist() == current.lengths[owners[:, 0].numpy()].tolist()
        places = current.positions[tokens]
        assert (places == torch.arange(group.longest) * keys).all(), "in order, and at padding the first token"
    assert seen == len(groups.padded) and sentences == len(current.lengths)


@settings(max_examples=60, deadline=None)
@given(batches=BATCHES, apart=st.booleans())
def test_words_are_each_once_and_lead_back_to_the_tokens(batches: list[list[int]], apart: bool) -> None:
    current = packed(batches, 2, apart)
    found, which = current.words
    assert len(found.unique()) == len(found) and found[which].equal(current.input_ids)


def test_lengths_that_differ_little_give_few_shapes() -> None:
    counts = {len(packed([[length] * 8], 2, apart=True).input_ids) for length in range(64, 128)}
    assert len(counts) <= 17


def test_tokens_that_do_not_belong_to_the_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="The sentences have 5 tokens, but 4 are there"):
        TokenBatch(torch.arange(4), (2, 3))
