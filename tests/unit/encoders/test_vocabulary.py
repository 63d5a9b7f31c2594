"""The vocabulary of `tiny` is the same in every process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bertmt.encoders.vocabulary import (
    ALPHABET_SIZE,
    SPECIAL_TOKENS,
    read_vocabulary,
    train_vocabulary,
    whole_characters,
    word_pieces,
    write_vocabulary,
)
from bertmt.errors import EncoderError

PROGRAM = """
import random, sys
from bertmt.encoders.vocabulary import train_vocabulary
letters = random.Random(7)
words = ["".join(letters.choice("abcdefghij") for _ in range(6)) for _ in range(400)]  # hundreds of ties
sentences = [" ".join(words[i:i + 8]) for i in range(0, 400, 8)]
random.Random(int(sys.argv[1])).shuffle(sentences)
sys.stdout.write("\\n".join(train_vocabulary(sentences, 300)))
"""


def test_three_processes_and_three_orders_of_the_sentences_give_the_same_bytes() -> None:
    vocabularies = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, seed],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert vocabularies[0] == vocabularies[1] == vocabularies[2]
    assert len(vocabularies[0].split(b"\n")) == 300


def test_the_special_tokens_come_first_and_padding_is_0() -> None:
    assert train_vocabulary(["a lovely film"])[:5] == list(SPECIAL_TOKENS)


def test_frequent_words_become_one_piece() -> None:
    vocabulary = train_vocabulary(["the film was lovely"] * 50 + ["zebra"], size=80)
    assert {"the", "film", "lovely"} <= set(vocabulary)


def test_every_trained_sentence_can_be_spelled_without_an_unknown_piece() -> None:
    sentences = ["Ünïcode, naïve café!", "漢字 and かな", "don't  stop", "3.14 %"]
    encoded = word_pieces(train_vocabulary(sentences, size=10)).encode_batch(sentences)
    assert all("[UNK]" not in each.tokens for each in encoded)


def test_of_a_large_alphabet_the_most_frequent_characters_are_kept() -> None:
    rare = [chr(0x1E00 + 2 * i + 1) for i in range(20)]  # stripped of accents: no letters of their own
    symbols = [chr(code) for code in range(0x2200, 0x22FF)] + [chr(code) for code in range(0x2600, 0x26FF)]
    sentences = [*symbols, *rare, *["aye bee sea"] * 9]
    vocabulary = train_vocabulary(sentences)
    assert vocabulary == train_vocabulary(sentences[::-1])  # among equally frequent ones no order decides
    assert {"a", "b", "s"} <= set(vocabulary)
    assert len([token for token in vocabulary[5:] if len(token) == 1]) == ALPHABET_SIZE


@pytest.mark.parametrize("sentences", [[], [""], ["\0"], ["\ud800"], ["   \t\n"]])
def test_sentences_without_words_give_a_vocabulary_all_the_same(sentences: list[str]) -> None:
    assert train_vocabulary(sentences)[:5] == list(SPECIAL_TOKENS)


def test_no_piece_holds_a_line_break_so_that_a_line_is_a_piece(tmp_path: Path) -> None:
    odd = ["one\u2028two", "three\x85four", "five\rsix", "seven\x0beight", "nine\nten"]
    vocabulary = train_vocabulary(odd)
    write_vocabulary(tmp_path / "vocabulary.txt", vocabulary)
    assert read_vocabulary(tmp_path / "vocabulary.txt") == vocabulary


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert whole_characters("a\ud800b😀") == "a?b😀"


@pytest.mark.parametrize(
    "content", [b"", b"[PAD]\n[UNK]\n", b"\xff\xfe", "\n".join([*SPECIAL_TOKENS, "a", "a"]).encode()]
)
def test_a_damaged_vocabulary_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "vocab.txt"
    file.write_bytes(content)
    with pytest.raises(EncoderError, match=r"vocab\.txt"):
        read_vocabulary(file)


def test_a_missing_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="cannot be read"):
        read_vocabulary(tmp_path / "none.txt")


def test_a_vocabulary_with_windows_line_ends_is_read(tmp_path: Path) -> None:
    file = tmp_path / "vocab.txt"
    file.write_bytes("\r\n".join([*SPECIAL_TOKENS, "a", ""]).encode())
    assert read_vocabulary(file) == [*SPECIAL_TOKENS, "a"]
