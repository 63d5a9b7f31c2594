"""Data files of every kind, damaged: usable examples, or a sentence that names the file."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged_bytes, damaged_document
from present import present
from sentences import answered

from bertmt.errors import BertmtError
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.run_folder.predictions import (
    Predictions,
    read_examples,
    read_predictions,
    write_examples,
    write_predictions,
)
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.course_files import course_file_content
from bertmt.tasks.cs224n import read_cs224n_split
from bertmt.tasks.examples import Example, Split, fingerprint, is_plain_id
from bertmt.tasks.extra import read_extra_file
from bertmt.tasks.scores import predicted_labels

HEADERS = {
    "sst": b"\tid\tsentence\tsentiment\n",
    "para": b"\tid\tsentence1\tsentence2\tis_duplicate\r\n",
    "sts": b"\tid\tsentence1\tsentence2\tsimilarity\n",
}
LABELS = {"sst": b"3", "para": b"1.0", "sts": b"3.75"}
TEXTS = (b"one", b'"a ""quoted"" one"', b'open " quote', b"caf\xc3\xa9 \xe2\x80\xa8", b"'n")


def row(task: str, number: int) -> bytes:
    texts = [TEXTS[number % len(TEXTS)]] * (1 if task == "sst" else 2)
    return b"\t".join(
        [b"%d" % number, b"id%d" % (number // 2 * 2 if number % 7 == 0 else number), *texts, LABELS[task]]
    )


def table(task: str, rows: int, end: bytes) -> bytes:
    return HEADERS[task] + b"".join(row(task, number) + end for number in range(rows))


tables = st.tuples(
    st.sampled_from(sorted(HEADERS)), st.sampled_from([0, 1, 2, 120]), st.sampled_from([b"\n", b"\r\n", b"\r"])
)


@contextmanager
def naming(file: Path | None = None) -> Iterator[None]:
    """What is refused is refused in one line, which names the file."""
    try:
        yield
    except BertmtError as problem:
        assert "\n" not in str(problem) and (file is None or file.name in str(problem))
        raise


def check_split(split: Split) -> None:
    """What every consumer relies on."""
    assert split.examples
    assert len({each.id for each in split.examples}) == len(split.examples)
    assert all(is_plain_id(each.id) for each in split.examples)
    assert all(text.strip() for each in split.examples for text in (each.first, each.second or "-"))
    about = BUILTIN[split.task]
    for each in split.examples:
        assert each.label is None or about.minimum <= each.label <= about.maximum
        assert (each.second is not None) == about.pair
        each.first.encode(), (each.second or "").encode()
    assert all("\n" not in warning for warning in split.warnings)
    fingerprint(split.examples)


@st.composite
def files_of_the_course(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """A file of the course, damaged, and the split that it is taken for."""
    task, rows, end = draw(tables)
    content = draw(damaged_bytes(st.just(table(task, rows, end))))
    return task, draw(st.sampled_from(["train", "dev", "test"])), content


@given(given_file=files_of_the_course())
def test_any_file_of_the_course_is_a_split_or_a_sentence_that_names_it(
    tmp_path: Path, given_file: tuple[str, str, bytes]
) -> None:
    task, split, content = given_file
    file = tmp_path / f"{present(BUILTIN[task].course).stem}-{split}.csv"
    file.write_bytes(content)
    with answered(), naming(file):
        found = read_cs224n_split(tmp_path, BUILTIN[task], split)
        check_split(found)
        written = course_file_content(BUILTIN[task], [(each.id, each.label or 0) for each in found.examples])
        assert written.count("\n") == len(found.examples) + 1


@st.composite
def files_of_pairs(draw: st.DrawFn) -> tuple[str, bytes, int]:
    """A file of extra pairs, damaged as text, or compressed and then damaged as an archive."""
    lines = draw(st.sampled_from([1, 3, 150]))
    text = draw(damaged_bytes(st.just(b'["first title", "second \\u00e9"]\n' * lines)))
    name = draw(st.sampled_from(["pairs.jsonl", "pairs.jsonl.gz"]))
    if name.endswith(".gz"):
        text = draw(damaged_bytes(st.just(gzip.compress(text, 1, mtime=0)), 1))
    return name, text, draw(st.integers(1, 200))


@given(given_file=files_of_pairs())
def test_any_file_of_pairs_is_a_split_or_a_sentence_that_names_it(
    tmp_path: Path, given_file: tuple[str, bytes, int]
) -> None:
    name, content, limit = given_file
    file = tmp_path / name
    file.write_bytes(content)
    with answered(), naming(file):
        found = read_extra_file(file, BUILTIN["para"], limit)
        check_split(found)
        assert len(found.examples) <= limit and all(each.label == 1 for each in found.examples)


READERS: dict[str, Callable[[Path], Any]] = {
    "001-sst-dev.npz": read_predictions,
    "sst-dev.jsonl.gz": read_examples,
    "run.json": lambda file: RunFolder(file.parent).read_order(),
}


@st.composite
def files_of_a_run(draw: st.DrawFn, folder: Path) -> tuple[str, bytes]:
    """A file of a run folder by its name, damaged."""
    name = draw(st.sampled_from(sorted(READERS)))
    content = (folder / name).read_bytes()
    if name == "run.json" and draw(st.booleans()):
        content = json.dumps(draw(damaged_document(json.loads(content)))).encode()
    elif name.endswith(".gz") and draw(st.booleans()):
        content = gzip.compress(draw(damaged_bytes(st.just(gzip.decompress(content)))), 1, mtime=0)
    return name, draw(damaged_bytes(st.just(content), 2))


@pytest.fixture(scope="module")
def whole_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one whole file for each of the readers."""
    import numpy as np  # noqa: PLC0415 - the other readers work without it

    folder = tmp_path_factory.mktemp("run")
    examples = tuple(Example(f"e{index}", f"sentence {index}", None, index % 5) for index in range(10))
    RunFolder(folder).create(RunOrder(run_id="abc234", name="name", attempt=1, data="toy", extra_data_file=""), "{}")
    write_examples(folder / "sst-dev.jsonl.gz", examples)
    predictions = Predictions("sst", "dev", 1, fingerprint(examples), np.eye(5)[[0] * 10])
    write_predictions(folder / "001-sst-dev.npz", predictions)
    return folder


@given(data=st.data())
def test_any_file_of_a_run_folder_is_read_or_refused_in_a_sentence(
    whole_folder: Path, tmp_path: Path, data: st.DataObject
) -> None:
    name, content = data.draw(files_of_a_run(whole_folder))
    (tmp_path / name).write_bytes(content)
    with answered(), naming():
        found = READERS[name](tmp_path / name)
        if isinstance(found, Predictions):
            assert len(predicted_labels(BUILTIN["sst"], found.probabilities)) == len(found.probabilities)
        elif isinstance(found, RunOrder):
            RunFolder(tmp_path / "again").create(found, "{}")
        else:
            fingerprint(found)
