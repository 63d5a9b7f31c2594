"""Token ids that are kept from run to run: the same ones to the bit, and none that cannot be trusted."""

import hashlib
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertmt import paths
from bertmt.models.tokenizing import Tokenizer, load_tokenizer
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.embedded.toy import toy_split
from bertmt.training.steps import token_cache
from bertmt.training.steps.token_cache import LEAST_SENTENCES, keep_tokens, read_tokens
from bertmt.training.steps.tokenised import TokenisedSplit

SPLIT = toy_split(BUILTIN["para"], "train")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTMT_CACHE", str(tmp_path / "cache"))


def files() -> list[Path]:
    folder = paths.tokens_folder()
    return sorted(folder.iterdir()) if folder.is_dir() else []


def tokenised(tokenizer: Tokenizer | None = None) -> tuple[Any, ...]:
    """All that a split has of its tokens, in bytes."""
    found = TokenisedSplit(SPLIT, tokenizer or load_tokenizer("tiny", 16))
    rows = np.arange(len(found))
    assert found.second is not None
    return found.sentences(rows), found.sentence_keys(), found.lengths.tobytes(), found.lengths.dtype


def no_tokenizing(*_: Any) -> Any:
    raise AssertionError("This was to be read from the cache.")


def test_kept_tokens_are_the_same_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = tokenised()
    assert len(files()) == 2  # the first sentences, and the second ones
    monkeypatch.setattr(Tokenizer, "encode", no_tokenizing)
    assert tokenised() == plain


def test_files_are_private_to_their_user() -> None:
    tokenised()
    assert {path.stat().st_mode & 0o777 for path in files()} == {0o600}
    assert paths.tokens_folder().stat().st_mode & 0o777 == 0o700


def test_another_length_another_tokenizer_or_another_library_has_files_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokenised()
    tokenised(load_tokenizer("tiny", 12))
    assert len(files()) == 4
    other = load_tokenizer("tiny", 16)
    other.backend.add_tokens(["zebra"])
    tokenised(other)
    assert len(files()) == 6
    monkeypatch.setattr("tokenizers.__version__", "0.0.1")
    tokenised()
    assert len(files()) == 8


@pytest.mark.parametrize("cut", [("ab", "c"), ("a", "bc")])
def test_sentences_that_are_cut_elsewhere_are_others(cut: tuple[str, str]) -> None:
    tokenizer = load_tokenizer("tiny", 16)
    lengths = np.full(LEAST_SENTENCES, 2)
    keep_tokens([*("x",) * (LEAST_SENTENCES - 2), "abc", ""], tokenizer, lengths, np.ones(lengths.sum(), np.int32))
    assert len(files()) == 1
    assert read_tokens([*("x",) * (LEAST_SENTENCES - 2), *cut], tokenizer) is None


def changed(change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """A change of the stored numbers, with a digest that fits."""

    def made(content: bytes) -> bytes:
        array = change(np.load(io.BytesIO(content), allow_pickle=False)[8:].copy())
        digest = np.frombuffer(hashlib.sha256(array.tobytes()).digest(), np.int32)
        stream = io.BytesIO()
        np.save(stream, np.concatenate([digest, array]), allow_pickle=False)
        return stream.getvalue()

    return made


def with_value(place: int, value: int) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array[place] = value
        return array

    return change


def one_longer_one_shorter_than_there_are(array: Any) -> Any:
    array[0], array[1] = -5, array[0] + array[1] + 5
    return array


def as_pickle(_: bytes) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([{}], dtype=object))
    return stream.getvalue()


def as_numbers(content: bytes) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.load(io.BytesIO(content), allow_pickle=False).astype(np.float32), allow_pickle=False)
    return stream.getvalue()


DAMAGE = {
    "empty": lambda _: b"",
    "cut off": lambda content: content[:-4],
    "a flipped bit": lambda content: content[:-3] + bytes([content[-3] ^ 1]) + content[-2:],
    "no array": lambda _: b"x" * 5000,
    "a pickle": as_pickle,
    "other numbers": as_numbers,
    "an id beyond the vocabulary": changed(with_value(-1, 1 << 20)),
    "an id below it": changed(with_value(-1, -1)),
    "a sentence longer than the model reads": changed(with_value(0, 17)),
    "a negative length": changed(one_longer_one_shorter_than_there_are),
    "fewer ids than the lengths say": changed(lambda array: array[:-1]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_counts_as_none_and_is_written_anew(damage: str) -> None:
    plain = tokenised()
    whole = [path.read_bytes() for path in files()]
    for path, content in zip(files(), whole, strict=True):
        path.write_bytes(DAMAGE[damage](content))
    assert tokenised() == plain
    assert [path.read_bytes() for path in files()] == whole


def test_a_pipe_in_its_place_is_not_waited_for() -> None:
    plain = tokenised()
    for path in files():
        path.unlink()
        os.mkfifo(path)
    assert tokenised() == plain
    assert all(path.is_file() for path in files())


def test_a_folder_that_cannot_be_written_costs_the_cache_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = tokenised()
    paths.tokens_folder().rename(paths.tokens_folder().with_name("elsewhere"))
    paths.tokens_folder().write_text("no folder")
    assert tokenised() == plain
    paths.tokens_folder().unlink()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bertmt.atomic_files.write_bytes", full)
    assert tokenised() == plain
    assert files() == []


def test_two_writers_at_once_leave_one_whole_file() -> None:
    found: list[Any] = []
    writers = [threading.Thread(target=lambda: found.append(tokenised())) for _ in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert len(files()) == 2 and found == [tokenised()] * 4


def test_the_files_that_were_not_used_for_longest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizers = [load_tokenizer("tiny", length) for length in (10, 16, 12)]
    by_length: list[set[Path]] = []
    for age, tokenizer in zip((300, 200), tokenizers[:2], strict=True):
        before = set(files())
        tokenised(tokenizer)
        by_length.append(set(files()) - before)
        for path in by_length[-1]:
            stamp = path.stat().st_mtime - age
            os.utime(path, (stamp, stamp))
    tokenised(tokenizers[0])  # used once more: now the second ones are the oldest
    size = sum(path.stat().st_size for path in files())
    monkeypatch.setattr(token_cache, "MOST_BYTES", size)
    tokenised(tokenizers[2])
    assert by_length[0] <= set(files()) and not by_length[1] & set(files())
    assert sum(path.stat().st_size for path in files()) <= size


def test_what_a_killed_writer_left_goes_after_an_hour() -> None:
    paths.tokens_folder().mkdir(parents=True)
    old, young = (paths.tokens_folder() / f".a.npy.{mark * 12}" for mark in "ab")
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (1.0, 1.0))
    tokenised()
    assert not old.exists() and young.exists()


def test_few_sentences_are_not_kept() -> None:
    TokenisedSplit(SPLIT.first(LEAST_SENTENCES - 1), load_tokenizer("tiny", 16))
    assert files() == []
