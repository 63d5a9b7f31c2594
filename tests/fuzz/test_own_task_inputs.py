"""A user's own files, definitions and presets, damaged: usable examples, or a sentence that names the file."""

import gzip
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged_bytes, damaged_text
from sentences import answered, is_sentence

from bertmt.errors import BertmtError
from bertmt.services.plan.known_tasks import known_tasks, read_definition
from bertmt.services.plan.preset_list import broken_presets, known_presets
from bertmt.services.tasks.adding import Wanted, definition_text, understood, write_definition
from bertmt.tasks.examples import fingerprint, is_plain_id
from bertmt.tasks.loading import read_split
from bertmt.tasks.task import Source, Task

TEXTS = ('one, "two"', "café \u2028", "'n", "plain words", '"', "a;b\tc")
LABELS = ("good", "bad")


def table(kind: str, rows: int) -> bytes:
    """A sound file: CSV, TSV (without quotes) or JSON lines."""
    made = [(f"{TEXTS[number % len(TEXTS)]} {number}", LABELS[number % 2]) for number in range(rows)]
    if kind == "jsonl":
        return b"".join(json.dumps({"id": n, "text": text, "label": each}).encode() + b"\n"
                        for n, (text, each) in enumerate(made))  # fmt: skip
    if kind == "tsv":
        lines = ["text\tlabel", *(f"{text.replace(chr(9), ' ')}\t{label}" for text, label in made)]
    else:
        lines = ["text,label", *('"{}",{}'.format(text.replace('"', '""'), label) for text, label in made)]
    return "\r\n".join(lines).encode() + b"\n"


@st.composite
def damaged_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file's name and its damaged content; some are archives, damaged inside or outside."""
    kind = draw(st.sampled_from(["csv", "tsv", "jsonl"]))
    content = draw(damaged_bytes(st.just(table(kind, draw(st.sampled_from([1, 3, 130]))))))
    if draw(st.integers(0, 3)) == 0:
        return f"a.{kind}.gz", draw(damaged_bytes(st.just(gzip.compress(content, 1, mtime=0)), 1))
    if draw(st.integers(0, 9)) == 0:
        content = b"PAR1" + content
    return f"a.{draw(st.sampled_from(['csv', 'tsv', 'jsonl']))}", content


@given(given_file=damaged_files(), split=st.sampled_from(["train", "test"]))
def test_any_file_is_a_split_or_a_sentence_that_names_it(
    tmp_path: Path, given_file: tuple[str, bytes], split: str
) -> None:
    name, content = given_file
    file = tmp_path / name
    file.write_bytes(content)
    source = Source(train=str(file), dev=str(file), test=str(file), text="text", label="label")
    task = Task(name="mine", title="M", inputs="single", classes=LABELS, metrics=("accuracy",), source=source)
    with answered():
        try:
            found = read_split("", task, split)
        except BertmtError as problem:
            assert "\n" not in str(problem) and name in str(problem)
            raise
        assert found.examples and len({each.id for each in found.examples}) == len(found.examples)
        for each in found.examples:
            assert is_plain_id(each.id) and each.first.strip() == each.first != ""
            assert each.label in ((0, 1) if split == "train" else (0, 1, None))
            each.first.encode()
        assert all("\n" not in warning for warning in found.warnings)
        fingerprint(found.examples)


@given(train=damaged_files(), dev=damaged_files(), kind=st.sampled_from([None, "classification", "regression"]))
def test_what_is_understood_of_any_two_files_can_be_written_and_read_again(
    tmp_path: Path, train: tuple[str, bytes], dev: tuple[str, bytes], kind: str | None
) -> None:
    files = {"train": tmp_path / f"train-{train[0]}", "dev": tmp_path / f"dev-{dev[0]}"}
    files["train"].write_bytes(train[1])
    files["dev"].write_bytes(dev[1])
    with answered():
        found = understood(Wanted(name="mine", files=files, kind=kind))
        write_definition(tmp_path, found.task, force=True)
        assert known_tasks(tmp_path)["mine"] == found.task
        assert all(is_sentence(remark) for remark in found.remarks)


@pytest.fixture
def definition(tmp_path: Path) -> str:
    """A sound definition."""
    source = Source(train="/a.csv", dev="/b.csv", text="text", pair="other", label="label", sha256=("0" * 64,))
    task = Task(name="mine", title="M", inputs="pair", classes=LABELS, metrics=("accuracy", "f1"), source=source)
    return definition_text(task, tmp_path)


@given(data=st.data())
def test_any_definition_is_a_task_or_a_sentence_that_names_the_file(
    tmp_path: Path, definition: str, data: st.DataObject
) -> None:
    file = tmp_path / "tasks" / "mine.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data.draw(damaged_text(st.just(definition))).encode("utf-8", "surrogatepass"))
    with answered():
        task = read_definition(file)
        assert task.name == "mine" and task.source is not None
        again = tomllib.loads(definition_text(task, tmp_path))
        assert again["source"]["text"] == task.source.text
    known = known_tasks(tmp_path)
    assert ("mine" in known) != ("mine" in known.broken)
    assert all(is_sentence(said) for said in known.broken.values())


@given(data=st.data())
def test_any_preset_of_ones_own_is_one_or_a_sentence(tmp_path: Path, data: st.DataObject) -> None:
    file = tmp_path / "presets" / "mine.toml"
    file.parent.mkdir(exist_ok=True)
    sound: Any = st.just('summary = "mine"\n\n[recipe]\nlora.rank = 4\ntasks = ["sst"]\n')
    file.write_bytes(data.draw(damaged_text(sound)).encode("utf-8", "surrogatepass"))
    known, broken = known_presets(tmp_path), broken_presets(tmp_path)
    assert ("mine" in known) != ("mine" in broken)
    assert all(is_sentence(said) for said in broken.values())
    if "mine" in known:
        with answered():
            known["mine"].recipe()
