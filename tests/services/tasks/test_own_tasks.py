"""Tasks of a user's own: what is guessed, what is refused, and definitions beside the registry."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from made_tasks import write_made_tasks

from bertmt.errors import BertmtError, BusyError, DataError, NotFoundError, RecipeError, UsageError
from bertmt.registry.database import Database
from bertmt.services.plan.data_check import check_data
from bertmt.services.plan.known_tasks import known_tasks
from bertmt.services.plan.recipes import chosen_recipe, setting_words
from bertmt.services.plan.submit import Request, plan, submit
from bertmt.services.tasks.adding import Understood, Wanted, definition_text, understood, write_definition
from bertmt.services.tasks.own_tasks import find_task, remove_definition
from bertmt.services.tasks.requests import with_files
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.loading import read_split

TOY = {"data": "toy", "encoder": "tiny"}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "data").mkdir()
    return write_made_tasks(tmp_path / "data")


def table(folder: Path, name: str, header: str, *rows: str) -> Path:
    file = folder / name
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


def look(train: Path, dev: Path, **said: Any) -> Understood:
    return understood(Wanted(**({"name": "mine", "files": {"train": train, "dev": dev}} | said)))


def add_made(folder: Path, made: dict[str, Path], name: str, stem: str, **said: Any) -> Understood:
    files = {split: made[f"{stem}-{split}"] for split in ("train", "dev")}
    found = understood(Wanted(name=name, files=files, **said))
    write_definition(folder, found.task)
    return found


def test_sentences_with_words_for_labels_are_a_classification(made: dict[str, Path]) -> None:
    found = look(made["acceptability-train"], made["acceptability-dev"], metric="matthews")
    task = found.task
    assert (task.inputs, task.classes, task.metrics[0]) == ("single", ("acceptable", "unacceptable"), "matthews")
    assert found.sizes == {"train": 300, "dev": 90} and len(found.examples) == 3
    assert found.remarks[0] == "Guessed: the sentences are in `sentence`, the labels are in `label`."


def test_premises_and_hypotheses_are_pairs_of_three_classes(made: dict[str, Path]) -> None:
    task = look(made["inference-train"], made["inference-dev"]).task
    assert (task.inputs, task.classes) == ("pair", ("contradiction", "entailment", "neutral"))
    assert task.source is not None and (task.source.text, task.source.pair) == ("premise", "hypothesis")
    assert task.metrics == ("accuracy", "macro_f1") and task.has_head


def test_pairs_with_fractions_are_predicted_by_the_cosine_in_a_range_rounded_outwards(tmp_path: Path) -> None:
    train = table(tmp_path, "a.csv", "sentence1,sentence2,score", "a b,c d,0.4", "e f,g h,3.2")
    dev = table(tmp_path, "b.csv", "sentence1,sentence2,score", "i j,k l,4.6")
    found = look(train, dev)
    assert (found.task.range, found.task.prediction, found.task.metric.name) == ((0.0, 5.0), "cosine", "pearson")
    said = " ".join(found.remarks)
    assert "taken to be 0 to 5" in said and "--prediction logits takes a head" in said
    logits = look(train, dev, prediction="logits", label_range="0,10", metric="spearman").task
    assert (logits.has_head, logits.range, logits.metrics[0]) == (True, (0.0, 10.0), "spearman")


def test_whole_numbers_are_classes_in_their_order_and_numbers_where_one_says_so(tmp_path: Path) -> None:
    rows = [f"some words here,{number}" for number in (10, 9, 1, 10)]
    train, dev = table(tmp_path, "a.csv", "text,stars", *rows), table(tmp_path, "b.csv", "text,stars", "other words,2")
    assert look(train, dev).task.classes == ("1", "2", "9", "10")
    assert look(train, dev, kind="regression").task.range == (1.0, 10.0)


def test_columns_of_unusual_names_are_told_apart_where_only_one_fits(tmp_path: Path) -> None:
    rows = [f"{number},the {word} words of {number},{word}" for number, word in enumerate(["red", "blue"] * 3)]
    train, dev = table(tmp_path, "a.csv", "id,utter,hue", *rows), table(tmp_path, "b.csv", "id,utter,hue", *rows[:2])
    task = look(train, dev).task
    assert task.source is not None and (task.source.text, task.source.label) == ("utter", "hue")


def test_class_names_for_numbers_are_taken_from_what_is_said(tmp_path: Path) -> None:
    train = table(tmp_path, "a.csv", "text,label", "one two,0", "three four,1")
    dev = table(tmp_path, "b.csv", "text,label", "five,1")
    task = look(train, dev, classes="bad,good").task
    assert task.classes == ("bad", "good")
    assert [each.label for each in read_split("", task, "train").examples] == [0, 1]


SAID: list[tuple[dict[str, Any], str]] = [
    ({"text": "nonsense"}, r"no column 'nonsense' \(--text\); it has 'text', 'label'"),
    ({"label": "text"}, "--text, --pair and --label name three different columns|Which column"),
    ({"kind": "ranking"}, "--kind expects one of classification, regression, but found 'ranking'"),
    ({"metric": "bleu"}, "--metric expects one of accuracy, macro_f1"),
    ({"metric": "pearson"}, "`metrics` of a task with classes are of accuracy"),
    ({"classes": "good"}, "--classes expects at least two different names"),
    ({"classes": "good,good"}, "--classes expects at least two different names"),
    ({"classes": "awful,bad"}, "line 2: a label of MINE is one of 'awful', 'bad', found 'good'"),
    ({"label_range": "0,5"}, "regression needs numbers in 'label', but found 'good'"),
    ({"label_range": "5,0"}, "--range expects LOW,HIGH"),
    ({"label_range": "0,5", "classes": "a,b"}, "name one of them"),
    ({"prediction": "cosine"}, "by the cosine is for pairs with a number as label"),
    ({"name": "sst"}, "sst is a built-in task; choose another name"),
    ({"name": "Mine"}, "a small letter, then at most 31"),
    ({"name": "../x"}, "a small letter, then at most 31"),
    ({"name": "epoch"}, "has a meaning of its own; choose another, such as my_epoch"),
    ({"name": "layers"}, "has a meaning of its own"),
    (
        {"name": "overall"},
        "overall is the name of the mean of all scores; choose another, such as my_overall",
    ),
    ({"name": "mnr"}, "mnr is the name of a phase of pretraining"),
]


@pytest.mark.parametrize(("said", "message"), SAID)
def test_what_is_said_wrongly_is_refused_in_one_sentence(tmp_path: Path, said: dict[str, Any], message: str) -> None:
    train = table(tmp_path, "a.csv", "text,label", "one two three,good", "four five six,bad")
    dev = table(tmp_path, "b.csv", "text,label", "seven eight nine,good")
    if "label_range" in said and said["label_range"] != "0,5":
        train = table(tmp_path, "a.csv", "text,label", "one two three,1", "four five six,2")
    with pytest.raises(BertmtError, match=message) as caught:
        look(train, dev, **said)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        (
            "text,label",
            ["good,seven eight nine", "bad,ten eleven"],
            r"b\.csv: 'text' holds labels and 'label' sentences",
        ),
        ("text,other", ["seven,good"], r"b\.csv has no column 'label', which the training file has"),
        ("label,words", ["good,seven"], r"b\.csv has no column 'text', which the training file has"),
        ("text,label", ["seven,better"], "found 'better'|MINE"),
    ],
)
def test_a_dev_file_that_does_not_go_with_the_training_file_is_refused(
    tmp_path: Path, header: str, rows: list[str], message: str
) -> None:
    train = table(tmp_path, "a.csv", "text,label", "one two three,good", "four five six,bad")
    with pytest.raises(DataError, match=message):
        look(train, table(tmp_path, "b.csv", header, *rows), classes="good,bad")


def test_swapped_columns_of_pairs_with_numbers_are_noticed_too(tmp_path: Path) -> None:
    train = table(tmp_path, "a.csv", "text,label", "one two three,0.5", "four five six,1.5")
    dev = table(tmp_path, "b.csv", "text,label", "0.5,one two four", "0.7,one two five")
    with pytest.raises(DataError, match=r"b\.csv: 'text' holds labels and 'label' sentences: its columns are swapped"):
        look(train, dev, label_range="0,2", kind="regression")


def test_sentences_named_as_labels_are_noticed(tmp_path: Path) -> None:
    rows = [f"sentence number {number},{'good' if number % 2 else 'bad'}" for number in range(150)]
    train, dev = table(tmp_path, "a.csv", "text,label", *rows), table(tmp_path, "b.csv", "text,label", *rows[:9])
    with pytest.raises(UsageError, match="'text' holds more than 100 different texts, or long ones: is it the "):
        look(train, dev, text="label", label="text")


def test_more_classes_than_one_would_guess_are_taken_where_one_says_so(tmp_path: Path) -> None:
    rows = [f"say {number},intent {number % 150}" for number in range(300)]
    train = table(tmp_path, "a.csv", "text,label", *rows)
    dev = table(tmp_path, "b.csv", "text,label", *(f"ask {row[4:]}" for row in rows[:200]))
    with pytest.raises(UsageError, match="Then say --kind classification"):
        look(train, dev)
    found = look(train, dev, kind="classification")
    assert len(found.task.classes) == 150 and found.sizes == {"train": 300, "dev": 200}


@pytest.mark.parametrize("labels", [[f"c{number}" for number in range(10_001)], ["good", "x" * 201]])
def test_labels_that_are_too_many_or_too_long_are_refused_in_one_sentence(tmp_path: Path, labels: list[str]) -> None:
    rows = [f"say {number},{label}" for number, label in enumerate(labels)]
    train, dev = table(tmp_path, "a.csv", "text,label", *rows), table(tmp_path, "b.csv", "text,label", "ask,good")
    with pytest.raises(UsageError, match="more than 10,000 different texts, or some of more than 200 characters"):
        look(train, dev, kind="classification")


LIMITS: list[tuple[str, str, str]] = [
    ("title", '""', "a title of mood must be a printable text of 1 to 200 characters, but is ''"),
    ("title", f'"{"x" * 201}"', "a title of mood"),
    ("data_set", '"a\\u001b[2J"', "a data set of mood"),
    ("classes", '["a\\u00a0b", "c"]', "a class of mood"),
    ("classes", str([f"c{number}" for number in range(10_001)]), "mood has 10,001 classes, and may have 10,000"),
    ("range", "[0, inf]", "`range` must be numbers from -1e.30 to 1e.30"),
    ("range", "[-1e308, 1e308]", "`range` must be numbers from"),
]


@pytest.mark.parametrize(("key", "value", "message"), LIMITS)
def test_a_definition_that_a_run_folder_could_not_tell_is_refused_before_it_is_queued(
    tmp_path: Path, key: str, value: str, message: str
) -> None:
    lines = {"title": '"Mood"', "inputs": '"single"', "classes": '["a", "b"]', "metrics": '["accuracy"]'}
    if key == "range":
        lines = {"title": '"Mood"', "inputs": '"single"', "metrics": '["pearson"]'}
    text = "".join(f"{name} = {said}\n" for name, said in (lines | {key: value}).items())
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "mood.toml").write_text(
        f'{text}[source]\ntrain = "a.csv"\ndev = "b.csv"\ntext = "t"\nlabel = "l"\n', encoding="utf-8"
    )
    known = known_tasks(tmp_path)
    assert "mood" not in known and re.search(message, known.broken["mood"])


@pytest.mark.parametrize(("key", "value"), [("title", "x" * 201), ("classes", "bad\u00a0one,good")])
def test_what_a_definition_may_not_hold_is_refused_when_it_is_added(tmp_path: Path, key: str, value: str) -> None:
    train = table(tmp_path, "a.csv", "text,label", "one two three,0", "four five six,1")
    dev = table(tmp_path, "b.csv", "text,label", "seven eight nine,0")
    with pytest.raises(UsageError, match=r"cannot be as it is said: a (title|class) of mine must be a printable text"):
        look(train, dev, **{key: value})


def test_a_definition_that_would_be_too_long_to_read_is_not_written(tmp_path: Path) -> None:
    train = table(tmp_path, "a.csv", "text,label", "one two three,0", "four five six,1")
    task = look(train, table(tmp_path, "b.csv", "text,label", "seven eight,0")).task
    names = tuple(f"{number:0180}" for number in range(9_000))
    wide = msgspec.structs.replace(task, metrics=("accuracy",), classes=names)
    with pytest.raises(UsageError, match="more than 1,048,576 bytes: shorten its classes"):
        write_definition(tmp_path, wide)
    assert not (tmp_path / "tasks").exists()


def test_one_file_for_training_and_dev_says_nothing(tmp_path: Path) -> None:
    train = table(tmp_path, "a.csv", "text,label", "one,good", "two,bad")
    with pytest.raises(UsageError, match="--train and --dev are one file"):
        look(train, tmp_path / "." / "a.csv")


def test_labels_that_are_all_alike_are_refused(tmp_path: Path) -> None:
    train, dev = table(tmp_path, "a.csv", "text,label", "one,good"), table(tmp_path, "b.csv", "text,label", "two,good")
    with pytest.raises(DataError, match="All labels in 'label' are 'good': nothing can be learned"):
        look(train, dev)
    train, dev = table(tmp_path, "a.csv", "text,label", "one,2"), table(tmp_path, "b.csv", "text,label", "two,2")
    empty = table(tmp_path, "c.csv", "text,label", "one,two,three")
    with pytest.raises(DataError, match=r"c\.csv: no row has a label in 'label'"):
        look(empty, dev, kind="classification")
    with pytest.raises(DataError, match="All labels in 'label' are 2: nothing can be learned"):
        look(train, dev, kind="regression")


def test_a_definition_is_read_as_it_was_written_with_paths_relative_to_it(
    tmp_path: Path, made: dict[str, Path]
) -> None:
    found = add_made(tmp_path, made, "cola", "acceptability", metric="matthews")
    file = tmp_path / "tasks" / "cola.toml"
    document = tomllib.loads(file.read_text())
    assert document["source"]["train"] == "../data/acceptability-train.csv"
    assert known_tasks(tmp_path)["cola"] == found.task
    assert list(known_tasks(tmp_path)) == [*BUILTIN, "cola"]
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    tmp_path.rename(moved)
    tmp_path.mkdir()
    assert len(read_split("", known_tasks(moved)["cola"], "dev").examples) == 90


def test_a_built_in_task_is_shown_as_toml_too() -> None:
    for name, task in BUILTIN.items():
        document = tomllib.loads(definition_text(task, Path()))
        assert document["title"] == task.title and document["course"]["stem"], name


def test_a_task_is_not_replaced_unless_one_says_so(tmp_path: Path, made: dict[str, Path]) -> None:
    found = add_made(tmp_path, made, "cola", "acceptability")
    with pytest.raises(BusyError, match="--force replaces it"):
        write_definition(tmp_path, found.task)
    assert write_definition(tmp_path, found.task, force=True).is_file()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ]", r"cola\.toml is no TOML file: .*line 1"),
        ('title = "X"', r"cola\.toml: .*inputs"),
        ('title = 7\ninputs = "single"\nmetrics = ["accuracy"]', r"cola\.toml: .*title"),
        ('title = "X"\ninputs = "single"\nclasses = ["a", "b"]\nmetrics = ["accuracy"]', r"cola\.toml: `source`"),
        ('title = "X"\ninputs = "single"\nclasses = ["a"]\nmetrics = ["accuracy"]', r"cola\.toml: .*`classes` must"),
        ('title = "X"\ninputs = "single"\nmetrics = ["mse"]\nnonsense = 1', r"cola\.toml: .*nonsense"),
        (f'title = "X"\ninputs = "{"x" * 900}"\nmetrics = ["mse"]', r"^.{1,600}$"),
    ],
)
def test_a_broken_definition_is_said_where_its_task_is_named_and_hinders_nobody_else(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "cola.toml").write_text(text)
    (tmp_path / "tasks" / "sts.toml").write_text(text)
    assert list(known_tasks(tmp_path)) == list(BUILTIN)
    assert plan(Request(preset="sst-only", values=TOY, folder=tmp_path)).runs
    with pytest.raises(RecipeError, match=said) as caught:
        plan(Request(preset="baseline", values=TOY | {"tasks": "sst,cola"}, folder=tmp_path))
    assert len(caught.value.problems) == 1
    with pytest.raises(DataError, match=said):
        find_task(tmp_path, "cola")


def test_a_misspelt_task_is_answered_with_those_there_are(tmp_path: Path, made: dict[str, Path]) -> None:
    add_made(tmp_path, made, "cola", "acceptability")
    with pytest.raises(RecipeError, match=r"one of sst, para, sts, cola, but is 'colla'\. Did you mean `cola`\?"):
        plan(Request(preset="baseline", values=TOY | {"tasks": "sst,colla"}, folder=tmp_path))
    with pytest.raises(NotFoundError, match="did you mean `cola`"):
        find_task(tmp_path, "colla")


def test_recipes_name_own_tasks_beside_built_in_ones_with_heads_of_their_own(
    tmp_path: Path, made: dict[str, Path]
) -> None:
    add_made(tmp_path, made, "cola", "acceptability")
    values = TOY | {"tasks": "cola,sst", "head.cola.layers": "2", "sampling": "proportional"}
    [run] = plan(Request(preset="baseline", values=values, folder=tmp_path)).runs
    assert run.recipe.tasks == ("sst", "cola") and run.recipe.value("head.cola.layers") == 2
    assert set(run.fingerprints) == {"sst-train", "sst-dev", "cola-train", "cola-dev"}
    assert set(run.recipe.named()) == {"sst", "cola"}
    assert chosen_recipe("baseline", None, None, {"tasks": "cola"}, tmp_path).tasks == ("cola",)


def test_data_need_not_be_named_where_all_tasks_have_their_own(tmp_path: Path, made: dict[str, Path]) -> None:
    add_made(tmp_path, made, "cola", "acceptability")
    known = known_tasks(tmp_path)
    recipe = chosen_recipe("baseline", None, None, {"tasks": "cola", "encoder": "tiny"}, tmp_path)
    checked = check_data(recipe)
    assert (checked.data, checked.sizes) == ("", {"cola-train": 300, "cola-dev": 90})
    with pytest.raises(UsageError, match="No data is named"):
        check_data(recipe.with_values({"tasks": ("sst", "cola")}))
    assert known["cola"].source is not None


def test_pretraining_losses_train_any_pairs_with_numbers(tmp_path: Path) -> None:
    rows = [f"word {number} of it,word {number} of that,{number % 5}.5" for number in range(40)]
    train, dev = (table(tmp_path, name, "sentence1,sentence2,score", *rows) for name in ("a.csv", "b.csv"))
    write_definition(tmp_path, look(train, dev, name="alike", label_range="0,5").task)
    values = {"tasks": "alike", "encoder": "tiny", "mnr": "true", "cosine_embedding": "true", "pearson": "true"}
    assert plan(Request(preset="baseline", values=values, folder=tmp_path)).runs


def test_data_that_change_are_read_anew(tmp_path: Path, made: dict[str, Path]) -> None:
    add_made(tmp_path, made, "cola", "acceptability")
    recipe = chosen_recipe("baseline", None, None, {"tasks": "cola", "encoder": "tiny"}, tmp_path)
    before = check_data(recipe).fingerprints
    with made["acceptability-dev"].open("a") as file:
        file.write("One more.,acceptable\n")
    assert check_data(recipe).fingerprints["cola-dev"] != before["cola-dev"]


def test_a_task_is_removed_and_its_data_stay(tmp_path: Path, made: dict[str, Path]) -> None:
    add_made(tmp_path, made, "cola", "acceptability")
    remove_definition(tmp_path, "cola")
    assert "cola" not in known_tasks(tmp_path) and made["acceptability-dev"].is_file()
    with pytest.raises(NotFoundError, match="No task is called 'cola'"):
        remove_definition(tmp_path, "cola")
    with pytest.raises(UsageError, match="built-in"):
        remove_definition(tmp_path, "sst")
    (tmp_path / "notes.toml").write_text("")
    with pytest.raises(NotFoundError):
        remove_definition(tmp_path, "../notes")
    assert (tmp_path / "notes.toml").is_file()


def test_neither_files_nor_a_data_set_is_said_with_the_names_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known by name are sst5, qqp, stsb, cola, mrpc, mnli"):
        with_files(tmp_path, Wanted(name="mine", files={}), {"train": None, "dev": None, "test": None})
    with pytest.raises(UsageError, match="name it with --dev FILE"):
        understood(with_files(tmp_path, Wanted(name="mine", files={}), {"train": "a.csv"}))


def test_settings_are_offered_with_own_tasks(tmp_path: Path, made: dict[str, Path]) -> None:
    add_made(tmp_path, made, "cola", "acceptability")
    assert setting_words(tmp_path, "tasks=sst,") == ["tasks=sst,para", "tasks=sst,sts", "tasks=sst,cola"]
    assert {"head.cola.layers=", "head.sst.layers=", "epochs="} <= set(setting_words(tmp_path, "hea"))


def test_a_run_of_own_tasks_alone_is_stored_without_data(
    tmp_path: Path, made: dict[str, Path], database: Database
) -> None:
    add_made(tmp_path, made, "cola", "acceptability")
    [run] = submit(database, plan(Request(preset="baseline", values=TOY | {"tasks": "cola"}, folder=tmp_path)))
    assert run.submission.data == "" and run.recipe["tasks"] == ["cola"]
