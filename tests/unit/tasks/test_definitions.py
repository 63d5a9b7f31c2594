"""What a task is: the built-in ones, contradictions in a definition, and definitions as JSON."""

from typing import Any

import msgspec
import pytest

from bertmt.errors import DataError
from bertmt.tasks import definitions
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import METRICS, Source, Task, is_task_name

SINGLE: dict[str, Any] = {
    "name": "t",
    "title": "T",
    "inputs": "single",
    "classes": ("a", "b"),
    "metrics": ("accuracy",),
}
NUMBER: dict[str, Any] = {"name": "t", "title": "T", "inputs": "pair", "metrics": ("pearson",)}


def test_the_papers_tasks_are_what_section_5_1_says() -> None:
    assert list(BUILTIN) == ["sst", "para", "sts"]
    sst, para, sts = BUILTIN.values()
    assert (sst.inputs, len(sst.classes), sst.outputs, sst.metric.name, sst.score_title) == (
        "single", 5, 5, "accuracy", "SST"
    )  # fmt: skip
    assert (para.inputs, para.classes, para.outputs, para.metric.name, para.extra_pairs) == (
        "pair", ("different", "paraphrase"), 1, "accuracy", True
    )  # fmt: skip
    assert (sts.inputs, sts.range, sts.prediction, sts.metric.name, sts.score_title) == (
        "pair", (0, 5), "cosine", "pearson", "STS ρ"
    )  # fmt: skip
    assert [task.has_head for task in (sst, para, sts)] == [True, True, False]
    assert [(task.minimum, task.maximum) for task in (sst, para, sts)] == [(0, 4), (0, 1), (0, 5)]
    assert all(task.course and task.grammar and not task.source for task in BUILTIN.values())


@pytest.mark.parametrize(("classes", "outputs"), [(("a", "b"), 1), (("a", "b", "c"), 3), ((), 1)])
def test_two_classes_and_a_number_have_one_output(classes: tuple[str, ...], outputs: int) -> None:
    given: dict[str, Any] = SINGLE | {"classes": classes, "metrics": ("accuracy",) if classes else ("mse",)}
    assert Task(**(given if classes else NUMBER)).outputs == outputs


def test_a_share_of_a_range_is_a_label() -> None:
    task = Task(**NUMBER, range=(1, 5))
    assert [task.label_at(share) for share in (0, 0.5, 1)] == [1, 3, 5]
    assert Task(**SINGLE).label_at(1) == 1


@pytest.mark.parametrize("name", METRICS)
def test_a_signed_score_is_half_as_wide_in_an_overall_score(name: str) -> None:
    signed = name in ("matthews", "pearson", "spearman")
    assert METRICS[name].unit(0.0) == (0.5 if signed else 0.0) and METRICS[name].unit(1.0) == 1.0


@pytest.mark.parametrize(
    ("base", "changed", "complaint"),
    [
        (SINGLE, {"name": "../x"}, "`name` must be a word of at most 32 small letters"),
        (
            SINGLE,
            {"name": "overall"},
            "`name` must be .* and none of overall, mlm, mnr, cosine_embedding, but is 'overall'",
        ),
        (SINGLE, {"metrics": ("recall",)}, "`metrics` must be some of accuracy, .*, but is recall"),
        (SINGLE, {"metrics": ()}, "`metrics` must be some of .*, but is empty"),
        (SINGLE, {"metrics": ("accuracy", "pearson")}, "`metrics` of a task with classes are of accuracy, macro_f1"),
        (NUMBER, {"metrics": ("accuracy",)}, "`metrics` of a task with range are of pearson, spearman, mse"),
        (
            NUMBER,
            {"metrics": ("mse", "pearson")},
            "`metrics` must begin with one of which more is better, not with mse",
        ),
        (SINGLE, {"classes": ("a",)}, "`classes` must be at least two different names"),
        (SINGLE, {"classes": ("a", "b", "a")}, "`classes` must be at least two different names"),
        (SINGLE, {"classes": ("a", "b", "c"), "metrics": ("f1",)}, "`f1` is of two classes; with more use macro_f1"),
        (SINGLE, {"prediction": "cosine"}, "`prediction` by the cosine is for pairs with a number as label"),
        (NUMBER, {"prediction": "cosine", "inputs": "single"}, "`prediction` by the cosine is for pairs"),
        (SINGLE, {"prediction": "cosine", "inputs": "pair"}, "`prediction` by the cosine is for pairs"),
        (NUMBER, {"range": (1.0, 1.0)}, "`range` must go from a lower to a higher number"),
        (NUMBER, {"range": (float("nan"), 1.0)}, "`range` must go from a lower to a higher number"),
        (SINGLE, {"extra_pairs": True}, "`extra_pairs` is for pairs of two classes"),
        (NUMBER, {"extra_pairs": True}, "`extra_pairs` is for pairs of two classes"),
    ],
)
def test_a_contradiction_is_refused_with_its_key(base: dict[str, Any], changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{complaint}"):
        Task(**(base | changed))


@pytest.mark.parametrize("name", ["sst", "a", "sst_2", "x" * 32])
def test_a_small_word_can_be_the_name_of_a_task(name: str) -> None:
    assert is_task_name(name)


@pytest.mark.parametrize(
    "name", ["", "SST", "2nd", "sst-2", "a b", "a.b", "é", "sst\n", "../sst", "x" * 33, "overall", "mnr"]
)
def test_what_files_and_settings_cannot_hold_is_no_name(name: str) -> None:
    assert not is_task_name(name)


def own_task(name: str) -> Task:
    source = Source(train="train.tsv", dev="dev.tsv", text="sentence", label="label", hub="nyu-mll/glue:cola@abc")
    return Task(**SINGLE | {"name": name, "title": name.upper()}, source=source)


def test_definitions_come_back_as_they_were() -> None:
    tasks = {**BUILTIN, "cola": own_task("cola"), "number": Task(**NUMBER | {"name": "number"}, range=(1, 7))}
    assert dict(definitions.from_json(definitions.to_json(tasks))) == tasks
    assert dict(definitions.from_json(definitions.to_json({}))) == {}


def test_equal_definitions_give_equal_text_whatever_their_order() -> None:
    tasks = {name: own_task(name) for name in ("b", "a")}
    assert definitions.to_json(tasks) == definitions.to_json(dict(reversed(tasks.items())))


def test_the_built_in_tasks_come_first_in_their_order_then_the_others_by_name() -> None:
    assert definitions.in_order(["zebra", "sts", "ape", "para", "sst"]) == ["sst", "para", "sts", "ape", "zebra"]
    tasks = {"zebra": own_task("zebra"), "sts": BUILTIN["sts"], "ape": own_task("ape")}
    assert list(definitions.from_json(definitions.to_json(tasks))) == ["sts", "ape", "zebra"]


def test_no_definitions_are_those_of_the_paper_as_runs_once_had_no_others() -> None:
    assert definitions.from_json("") is BUILTIN


def test_what_has_its_default_is_not_written() -> None:
    assert "source" not in definitions.to_json({"t": Task(**SINGLE)})


@pytest.mark.parametrize(
    "text",
    ["{", "{}", "[1]", '[{"name": "t"}]', "[" * 5_000, '[{"name":"t","title":"T","inputs":"three","metrics":["f1"]}]'],
)
def test_what_is_no_definition_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(DataError, match=r"^Definitions of tasks cannot be read: .*\.$"):
        definitions.from_json(text)


def test_a_contradiction_in_stored_definitions_is_refused_too() -> None:
    text = msgspec.json.encode([SINGLE | {"metrics": ["pearson"]}]).decode()
    with pytest.raises(DataError, match="`metrics` of a task with classes"):
        definitions.from_json(text)


def test_stored_definitions_cannot_name_a_file_elsewhere() -> None:
    with pytest.raises(DataError, match="`name` must be a word"):
        definitions.from_json(msgspec.json.encode([SINGLE | {"name": "../../elsewhere"}]).decode())


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(DataError, match="colour"):
        definitions.from_json(msgspec.json.encode([SINGLE | {"colour": "red"}]).decode())
