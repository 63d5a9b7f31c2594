"""What an audit finds, in data that were made to have it."""

from pathlib import Path
from typing import Any

import pytest

from bertmt.drawing.styled import Line, plain
from bertmt.errors import UsageError
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from
from bertmt.services.tasks.adding import Wanted, understood
from bertmt.services.tasks.audit import Conflict, Lengths, TaskAudit, audit
from bertmt.services.tasks.formatting import audit_lines
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task

RECIPE = {"data": "toy", "encoder": "tiny", "max_length": 8}
TRAIN = ["one two,good", "one two,bad", "one two,good", "three,good", "four \x1b[2J five,bad", "six " * 30 + ",bad"]
DEV = ["three,bad", "new words here,good", "four \x1b[2J five,bad"]
TEST = ["one two,good", "seven,", "eight,bad"]


def made_task(folder: Path, **splits: list[str]) -> Task:
    files = {}
    for split, rows in splits.items():
        files[split] = folder / f"{split}.csv"
        files[split].write_text("\n".join(["text,label", *rows]) + "\n")
    return understood(Wanted(name="mine", files=files)).task


def recipe(**values: Any) -> Recipe:
    return recipe_from(RECIPE | values)


@pytest.fixture
def found(tmp_path: Path) -> TaskAudit:
    return audit(made_task(tmp_path, train=TRAIN, dev=DEV, test=TEST), recipe())


def test_sizes_classes_and_missing_labels_are_counted(found: TaskAudit) -> None:
    assert {name: split.size for name, split in found.splits.items()} == {"train": 6, "dev": 3, "test": 3}
    assert found.splits["train"].classes == {"bad": 3, "good": 3}
    assert found.splits["test"].classes == {"bad": 1, "good": 1} and found.splits["test"].unlabelled == 1


def test_repetitions_and_what_stands_in_train_are_counted(found: TaskAudit) -> None:
    assert {name: split.repeated for name, split in found.splits.items()} == {"train": 2, "dev": 0, "test": 0}
    assert {name: split.in_training for name, split in found.splits.items()} == {"train": None, "dev": 2, "test": 1}


def test_equal_texts_with_different_labels_are_found_in_training_and_dev_together(found: TaskAudit) -> None:
    assert found.conflicts == 2
    assert found.examples == (Conflict("one two", None, ("bad", "good")), Conflict("three", None, ("bad", "good")))


def test_lengths_and_what_is_cut_are_told_of_the_encoders_tokens(found: TaskAudit) -> None:
    train = found.splits["train"]
    assert train.words == Lengths(median=2, high=30, most=30)
    assert train.tokens is not None and train.tokens.most >= 32 and train.truncated == pytest.approx(2 / 6, abs=0.18)
    assert found.splits["dev"].truncated is not None


def test_only_sentences_longer_than_max_length_count_as_cut(tmp_path: Path) -> None:
    task = made_task(tmp_path, train=["a b c d,good", "a b c d e,bad"] * 40, dev=["a,good"])
    # "a" to "e" are pieces of their own, and two special tokens stand around them.
    shares = [audit(task, recipe(max_length=length)).splits["train"].truncated for length in (5, 6, 7)]
    assert shares == [1.0, 0.5, 0.0]


def test_numbers_have_quartiles_in_place_of_classes(tmp_path: Path) -> None:
    rows = [f"text {number},{number / 2}" for number in range(5)]
    for name in ("train", "dev"):
        (tmp_path / f"{name}.csv").write_text(
            "\n".join(["text,label", *rows, *(["x y,0.25"] if name == "dev" else [])])
        )
    files = {name: tmp_path / f"{name}.csv" for name in ("train", "dev")}
    split = audit(understood(Wanted(name="mine", files=files)).task, recipe()).splits["train"]
    assert (split.classes, split.quantiles) == ({}, (0.0, 0.5, 1.0, 1.5, 2.0))


@pytest.mark.parametrize("task", BUILTIN.values(), ids=str)
def test_built_in_tasks_are_audited_too(task: Task) -> None:
    found = audit(task, recipe(max_length=128))
    assert [split.size for split in found.splits.values()] == [2_000, 1_000, 400]
    assert found.conflicts == 0 and found.splits["dev"].in_training == 0 and found.splits["train"].truncated == 0.0
    assert found.splits["test"].unlabelled == 400


def test_built_in_tasks_need_data_and_a_missing_encoder_costs_only_the_tokens(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No data is named"):
        audit(BUILTIN["sst"], recipe(data=""))
    found = audit(BUILTIN["sst"], recipe(encoder="nobody/has-this"))
    assert (found.encoder, found.splits["dev"].tokens, found.splits["dev"].truncated) == ("", None, None)
    assert "Tokens were not counted: Encoder 'nobody/has-this' was not found" in found.remarks[0]


def test_where_nobody_named_an_encoder_and_it_is_not_here_the_embedded_one_counts_and_is_named() -> None:
    found = audit(BUILTIN["sst"], recipe(encoder="nobody/has-this"), chose_encoder=False)
    assert (found.encoder, found.missing_encoder, found.remarks) == ("tiny", "nobody/has-this", ())
    assert found.splits["dev"].tokens == audit(BUILTIN["sst"], recipe()).splits["dev"].tokens
    assert "nobody/has-this is not at hand, so tokens are those of tiny" in shown(audit_lines(found))


def shown(lines: list[Line]) -> str:
    return "\n".join(map(plain, lines))


def test_an_audit_is_shown_within_the_width_and_with_nothing_raw(found: TaskAudit) -> None:
    text = shown(audit_lines(found, 80))
    assert "2 texts have different labels in training and dev." in text
    assert "2 examples of dev stand in the training data too: scores on it are optimistic." in text
    assert "bad / good: one two" in text and "3 (50.0 %)" in text
    assert "\x1b" not in shown(audit_lines(found)) and max(map(len, text.splitlines())) <= 80


def test_of_pairs_whole_ones_and_single_sentences_in_training_are_told_apart(tmp_path: Path) -> None:
    rows = {
        "train": [f"a {at},b {at},{at / 2}" for at in range(10)],
        "dev": ["a 1,b 1,0.5", "a 2,other,1.5", "new,b 3,2.5", "new,new too,1.0"],
    }
    files = {}
    for name, of_split in rows.items():
        files[name] = tmp_path / f"{name}.csv"
        files[name].write_text("\n".join(["first,second,label", *of_split]) + "\n")
    task = understood(Wanted(name="mine", files=files, text="first", pair="second", label="label")).task
    found = audit(task, recipe())
    assert (found.splits["dev"].in_training, found.splits["dev"].touching) == (1, 3)
    text = shown(audit_lines(found, 200))
    assert "1 whole pair of dev stands in the training data too: scores" in text
    assert "3 pairs of dev have one sentence at least that stands in the training data." in text


def test_what_the_commonest_class_scores_is_said(found: TaskAudit) -> None:
    assert found.splits["dev"].commonest == ("bad", pytest.approx(2 / 3))
    assert "Always the commonest class of dev, bad: accuracy 0.667." in shown(audit_lines(found))
