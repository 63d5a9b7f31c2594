"""What is taken for the classes of a user's own task, how many are shown, and files that are not there."""

from pathlib import Path
from typing import Any

import pytest

from bertmt.drawing.styled import plain
from bertmt.errors import DataError, UsageError
from bertmt.recipe.rules import recipe_from
from bertmt.services.tasks.adding import Understood, Wanted, understood
from bertmt.services.tasks.audit import audit
from bertmt.services.tasks.formatting import audit_lines, task_lines
from bertmt.tasks.loading import read_split

TOY = {"data": "toy", "encoder": "tiny"}


def table(folder: Path, name: str, header: str, *rows: str) -> Path:
    file = folder / name
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


def look(train: Path, dev: Path, **said: Any) -> Understood:
    return understood(Wanted(name="mine", files={"train": train, "dev": dev}, **said))


def test_a_missing_file_is_told_with_what_helps(tmp_path: Path) -> None:
    train = table(tmp_path, "a.csv", "text,label", "one two,good", "three four,bad")
    dev = table(tmp_path, "b.csv", "text,label", "five six,good")
    task = look(train, dev).task
    dev.unlink()
    for said, read in (
        ("name another file, or put it there", lambda: look(train, dev)),
        ("put it back, or name its new place as `dev` in tasks/mine.toml", lambda: read_split("", task, "dev")),
    ):
        with pytest.raises(DataError) as caught:
            read()
        assert str(caught.value) == f"{dev} is not there: {said}."


def swapped(folder: Path, sentences: int) -> tuple[Path, Path]:
    rows = [f"the film number {at % sentences} was seen,{at % 2}" for at in range(90)]
    dev = [f"another film number {at} was seen,{at % 2}" for at in range(40)]
    return table(folder, "a.csv", "text,label", *rows), table(folder, "b.csv", "text,label", *dev)


@pytest.mark.parametrize("sentences", [90, 30])
def test_sentences_are_not_taken_for_classes_unless_they_are_named(tmp_path: Path, sentences: int) -> None:
    """Text and labels swapped by the options: few enough sentences in train passed for classes."""
    train, dev = swapped(tmp_path, sentences)
    with pytest.raises(UsageError) as caught:
        look(train, dev, text="label", label="text")
    said = str(caught.value)
    assert f"'text' holds {sentences + 40} different labels in 90 examples, such as 'another film number 0" in said
    assert said.endswith("is it the sentences, and 'label' the labels?") and said.count("film number") == 3
    names = ",".join(line.partition(",")[0] for file in (train, dev) for line in file.read_text().splitlines()[1:])
    named = ",".join(dict.fromkeys(names.split(",")))
    assert len(look(train, dev, text="label", label="text", classes=named).task.classes) == sentences + 40


def test_a_class_for_nearly_each_example_is_refused_unless_it_is_named(tmp_path: Path) -> None:
    rows = [f"some words {at},intent{at}" for at in range(60)]
    train, dev = table(tmp_path, "a.csv", "text,label", *rows), table(tmp_path, "b.csv", "text,label", *rows[:3])
    with pytest.raises(UsageError, match=r"60 different labels in 60 examples, such as 'intent0'.*--classes A,B,…"):
        look(train, dev)
    named = look(train, dev, classes=",".join(f"intent{at}" for at in range(60))).task
    assert len(named.classes) == 60
    twice = table(tmp_path, "c.csv", "text,label", *rows, *(row.replace("some", "more") for row in rows))
    assert len(look(twice, dev).task.classes) == 60, "each has two examples"


def test_a_long_list_of_classes_is_cut_where_it_is_shown(tmp_path: Path) -> None:
    rows = [f"some words {at},intent{at % 40:02d}" for at in range(120)]
    train, dev = table(tmp_path, "a.csv", "text,label", *rows), table(tmp_path, "b.csv", "text,label", *rows[:3])
    task = look(train, dev).task
    text = "\n".join(map(plain, task_lines(task)))
    assert "40 classes: intent00, intent01, intent02, intent03, intent04, … 35 more" in text
    lines = [plain(line) for line in audit_lines(audit(task, recipe_from(TOY)))]
    assert len(lines) < 60 and any("… 10 more" in line for line in lines)


def test_classes_without_a_training_example_are_told(tmp_path: Path) -> None:
    train = table(tmp_path, "a.csv", "text,label", "one two,good", "three four,bad")
    dev = table(tmp_path, "b.csv", "text,label", "five six,good", "seven,odd")
    found = look(train, dev)
    assert "No example of train is of the class 'odd'." in found.remarks
    assert "No example of train is of the class 'odd'." in audit(found.task, recipe_from(TOY)).remarks
    whole = table(tmp_path, "c.csv", "text,label", "five six,good")
    assert not any("No example" in each for each in look(train, whole).remarks)
