"""The embedded data: the same everywhere, balanced, without leaks, neither hopeless nor trivial."""

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from present import present

from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.embedded.scenes import Scene, similarity
from bertmt.tasks.embedded.toy import toy_extra_pairs, toy_split
from bertmt.tasks.examples import Example, fingerprint
from bertmt.tasks.metrics import accuracy, pearson

TASKS = tuple(BUILTIN)
# Figures in the docs were measured on these examples: a change of the grammar changes them all.
FINGERPRINTS = """
2e1577b8077dc2e1 cee1ed8b8f50f04e 2ee214ef1b6c9fdb
1d7bb139c57d13ec b24576fcd7e228b8 e0d72d9601a6af6b
080f63831a8c5ead 741eab5f60b2d53c d43f2334771a8242
3ca618ee6b2d7c2d
"""
PRINT_FINGERPRINTS = """
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.examples import fingerprint
from bertmt.tasks.embedded.toy import toy_extra_pairs, toy_split
splits = [toy_split(BUILTIN[task], name) for task in BUILTIN for name in ("train", "dev", "test")]
print(*(fingerprint(split.examples) for split in [*splits, toy_extra_pairs(BUILTIN["para"])]))
"""


def sentences(examples: list[Example] | tuple[Example, ...]) -> list[str]:
    return [text for example in examples for text in (example.first, example.second) if text is not None]


@pytest.mark.parametrize("hash_seed", ["0", "1", "4294967295"])
def test_every_process_makes_the_same_data(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    child = subprocess.run(
        [sys.executable, "-c", PRINT_FINGERPRINTS], env=environment, capture_output=True, text=True, check=True
    )
    assert child.stdout.split() == FINGERPRINTS.split()


@pytest.mark.parametrize("task", TASKS)
def test_splits_have_their_sizes_and_unique_ids(task: str) -> None:
    splits = [toy_split(BUILTIN[task], name) for name in ("train", "dev", "test")]
    assert [len(split.examples) for split in splits] == [2_000, 1_000, 400]
    assert len({example.id for split in splits for example in split.examples}) == 3_400


@pytest.mark.parametrize("task", TASKS)
def test_no_sentence_stands_twice_in_the_data_of_a_task(task: str) -> None:
    examples = [example for name in ("train", "dev", "test") for example in toy_split(BUILTIN[task], name).examples]
    if task == "para":
        examples += toy_extra_pairs(BUILTIN["para"]).examples
    counts = Counter(sentences(examples))
    assert max(counts.values()) == 1


@pytest.mark.parametrize("task", TASKS)
def test_test_labels_are_hidden(task: str) -> None:
    assert {example.label for example in toy_split(BUILTIN[task], "test").examples} == {None}


@pytest.mark.parametrize("name", ["train", "dev"])
@pytest.mark.parametrize(("task", "classes"), [("sst", 5), ("para", 2)])
def test_classes_are_equally_frequent(task: str, classes: int, name: str) -> None:
    examples = toy_split(BUILTIN[task], name).examples
    assert Counter(example.label for example in examples) == dict.fromkeys(range(classes), len(examples) // classes)


def test_similarities_are_graded_over_the_whole_range() -> None:
    labels = np.array([example.label for example in toy_split(BUILTIN["sts"], "train").examples])
    assert labels.min() < 0.5
    assert labels.max() == 5.0
    assert len(np.unique(labels)) > 50
    assert np.histogram(labels, bins=[0, 1, 2, 3, 4, 5])[0].tolist() == [400] * 5


def test_extra_pairs_are_600_paraphrases() -> None:
    examples = toy_extra_pairs(BUILTIN["para"]).examples
    assert len(examples) == 600
    assert {example.label for example in examples} == {1}


def test_the_vocabulary_is_a_few_hundred_words() -> None:
    words = {
        word
        for task in TASKS
        for text in sentences(toy_split(BUILTIN[task], "train").examples)
        for word in text.split()
    }
    assert 300 <= len(words) <= 900


@pytest.mark.parametrize("task", TASKS)
def test_dev_holds_no_word_that_training_lacks(task: str) -> None:
    train, dev = (
        {w for t in sentences(toy_split(BUILTIN[task], name).examples) for w in t.split()} for name in ("train", "dev")
    )
    assert dev <= train


def test_equal_scenes_are_fully_similar_and_foreign_ones_not_at_all() -> None:
    scene = Scene(domain=0, subject=1, verb=2, object=3, place=4, time=None)
    assert similarity(scene, scene) == 5.0
    assert similarity(scene, Scene(domain=1, subject=2, verb=2, object=3, place=5, time=1)) <= 0.5


def test_similarity_does_not_depend_on_the_order() -> None:
    first, second = Scene(0, 1, 2, 3, 4, None), Scene(0, 1, 1, 3, None, 2)
    assert similarity(first, second) == similarity(second, first)


# How far a bag of words gets: far above chance, so that there is something to learn; well below all, so that there is
# something left which needs the order of the words.


def counts(examples: tuple[Example, ...], side: str, vocabulary: dict[str, int]) -> np.ndarray:
    matrix = np.zeros((len(examples), len(vocabulary)))
    for row, example in enumerate(examples):
        for word in getattr(example, side).split():
            matrix[row, vocabulary[word]] += 1
    return matrix


def ridge(train: np.ndarray, targets: np.ndarray, dev: np.ndarray) -> np.ndarray:
    train, dev = (np.hstack([each, np.ones((len(each), 1))]) for each in (train, dev))
    return dev @ np.linalg.solve(train.T @ train + np.eye(train.shape[1]), train.T @ targets)


def bags(task: str) -> tuple[list[list[np.ndarray]], list[np.ndarray]]:
    train, dev = toy_split(BUILTIN[task], "train").examples, toy_split(BUILTIN[task], "dev").examples
    vocabulary = {word: index for index, word in enumerate(sorted({w for t in sentences(train) for w in t.split()}))}
    sides = ("first",) if task == "sst" else ("first", "second")
    labels = [np.array([example.label for example in examples]) for examples in (train, dev)]
    return [[counts(examples, side, vocabulary) for side in sides] for examples in (train, dev)], labels


def test_words_alone_tell_sentiments_in_part() -> None:
    ((train,), (dev,)), (targets, labels) = bags("sst")
    found = accuracy(ridge(train, np.eye(5)[targets], dev).argmax(axis=1), labels)
    assert 0.4 < present(found) < 0.85


def test_what_each_question_says_on_its_own_tells_paraphrases_in_part() -> None:
    (train, dev), (targets, labels) = bags("para")
    found = accuracy(ridge(np.hstack(train), targets, np.hstack(dev)) >= 0.5, labels)
    assert 0.57 < present(found) < 0.75


def test_comparing_words_tells_paraphrases_better_but_not_all() -> None:
    (train, dev), (targets, labels) = bags("para")
    features = [np.hstack([first + second, np.abs(first - second)]) for first, second in (train, dev)]
    found = accuracy(ridge(features[0], targets, features[1]) >= 0.5, labels)
    assert 0.75 < present(found) < 0.95


def test_how_many_words_a_pair_shares_does_not_tell_paraphrases() -> None:
    (_, (first, second)), (_, labels) = bags("para")
    overlap = np.minimum(first, second).sum(axis=1) / np.maximum(first, second).sum(axis=1)
    assert abs(present(pearson(overlap, labels))) < 0.15


def test_shared_words_tell_similarities_in_part() -> None:
    (_, (first, second)), (_, labels) = bags("sts")
    overlap = np.minimum(first, second).sum(axis=1) / np.maximum(first, second).sum(axis=1)
    assert 0.3 < present(pearson(overlap, labels)) < 0.75


def test_fingerprints_of_the_splits_differ() -> None:
    assert fingerprint(toy_split(BUILTIN["sst"], "train").examples) != fingerprint(
        toy_split(BUILTIN["sst"], "dev").examples
    )
