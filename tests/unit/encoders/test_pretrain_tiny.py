"""The embedded encoder: what it was pretrained on, that it is what the script makes, and that it learned something."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench import pretrain_tiny
from bench.pretrain_tiny import Pretraining, padded, sentences, toy_sentences, vocabulary, write_encoder
from bertmt.encoders.find import TINY_FOLDER
from bertmt.encoders.vocabulary import read_vocabulary
from bertmt.models.encoder import load_encoder, random_encoder
from bertmt.models.tokenizing import load_tokenizer
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.embedded.toy import toy_split

SHA256 = {
    "config.json": "cda3a097eb94103902070aa42b4301614f6519c3eb077272b63243bfea8375c6",
    "model.safetensors": "4d3fe047d60463b9b71ee8c144b0a5431394745f3ccfb8bff8dde69a467f6414",
    "vocab.txt": "d61cde45b7327294518e12e5460f5420c7ae58d0474dde6e0bcf30e13ad938c2",
}


@pytest.fixture(scope="module")
def texts() -> Any:
    """What it was pretrained on."""
    return sentences()


def test_the_encoder_is_the_one_that_was_made_and_no_other_file_is_there() -> None:
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in TINY_FOLDER.iterdir()}
    assert found == SHA256
    assert sum(file.stat().st_size for file in TINY_FOLDER.iterdir()) < 2_000_000


def test_no_sentence_of_the_toy_data_is_among_those_it_was_pretrained_on(texts: list[str]) -> None:
    assert len(texts) == len(set(texts)) == pretrain_tiny.SENTENCES
    assert set(texts).isdisjoint(toy_sentences())
    dev = {example.first for example in toy_split(BUILTIN["sst"], "dev").examples}
    assert dev and dev <= set(toy_sentences())


def test_the_vocabulary_is_made_again_to_the_byte_and_spells_every_toy_sentence(
    texts: list[str], tmp_path: Path
) -> None:
    write_encoder(tmp_path, vocabulary(texts), {"none": torch.zeros(1)})
    for name in ("vocab.txt", "config.json"):
        assert (tmp_path / name).read_bytes() == (TINY_FOLDER / name).read_bytes()
    ids = load_tokenizer("tiny", 128).encode([*toy_sentences(), "Zürich's naïve x-ray, #7!"])
    assert not any(1 in each for each in ids)  # [UNK]


def test_a_few_steps_of_pretraining_give_the_same_bits_twice_and_begin_to_learn(texts: list[str]) -> None:
    torch.set_num_threads(1)
    pieces = read_vocabulary(TINY_FOLDER / "vocab.txt")
    losses, weights = [], []
    for _ in range(2):
        pretraining = Pretraining(texts[:2000], pieces)
        losses.append([pretraining.step() for _ in range(20)])
        weights.append(pretraining.weights())
    assert losses[0] == losses[1] and np.mean(losses[0][-5:]) < np.mean(losses[0][:5])
    assert all(torch.equal(each, weights[1][name]) for name, each in weights[0].items())


def test_a_linear_probe_finds_more_in_it_than_in_random_weights() -> None:
    """Which word is missing, by least squares from the frozen encoder's output at a [MASK] in its place."""
    torch.set_num_threads(1)
    pretrained = load_encoder("tiny").eval()
    at_random = random_encoder(pretrained.config, 0).eval()
    assert found_again(pretrained) > found_again(at_random) + 0.2


def found_again(encoder: Any) -> Any:
    """The share of dev sentences whose missing word is found."""
    tokenizer, random = load_tokenizer("tiny", 128), np.random.default_rng(0)
    states, words = [], []
    for name in ("train", "dev"):
        examples = [each for task in BUILTIN.values() for each in toy_split(task, name).examples]
        plain, mask = padded(tokenizer.encode([example.first for example in examples]))
        rows = torch.arange(len(examples))
        places = torch.tensor([random.integers(1, length - 1) for length in mask.sum(1)])
        words.append(plain[rows, places].numpy())
        ids = plain.index_put((rows, places), torch.tensor(4))  # [MASK]
        with torch.no_grad():
            output = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        states.append(np.c_[output[rows, places].numpy(), np.ones(len(examples))])
    weights, *_ = np.linalg.lstsq(states[0], np.eye(617)[words[0]], rcond=None)
    return (np.argmax(states[1] @ weights, axis=1) == words[1]).mean()
