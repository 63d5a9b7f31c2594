"""The child that several runs are tried with: its protocol, over real toy models, and once as a real process."""

import json
import queue
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import pytest
from attempts import Attempt

from bertmt.errors import UsageError
from bertmt.prediction.several.conversation import converse
from bertmt.prediction.several.inbox import Inbox
from bertmt.prediction.several.lines import (
    MOST_CHARACTERS,
    MOST_WORDS,
    Asked,
    ModelToLoad,
    read_models,
    read_question,
    without_each,
)
from bertmt.registry.records import Run
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import read_examples, read_predictions
from bertmt.services.analysis.predict import Model
from bertmt.services.analysis.trying import conversation as service
from bertmt.services.analysis.trying.runs import TriedRun
from bertmt.services.analysis.trying.said import Done, Ended, Ready, Said, Told, Words
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.scores import predicted_labels

# One text at a time and many together are other sums of the same numbers, in another order.
ROUNDING = 1e-5


def line(**asked: Any) -> bytes:
    return json.dumps({"second": None, "words": False, **asked}).encode() + b"\n"


class Typed(Inbox):
    """An inbox in which each line waits until the one before is answered; then it says that something newer is there
    where `newer` is."""

    def __init__(self, *lines: bytes, newer: bool = False):
        self._typed = list(lines)
        self.newer = newer

    def take(self) -> bytes | None:
        return self._typed.pop(0) if self._typed else None

    @property
    def has_newer(self) -> bool:
        return self.newer


def talk(folders: dict[str, RunFolder], *lines: bytes, newer: bool = False) -> list[dict[str, Any]]:
    models = [ModelToLoad(run, folder.path, ()) for run, folder in folders.items()]
    with tempfile.TemporaryFile() as output:
        converse(models, Typed(*lines, newer=newer), output)
        output.seek(0)
        return [json.loads(each) for each in output]


@pytest.fixture
def two(trained: Callable[..., Attempt]) -> dict[str, RunFolder]:
    """A run of all tasks, and one with ensembling and LoRA."""
    return {"plain": trained({}).folder, "adapted": trained({"ensembling": True, "lora.rank": 4}).folder}


def test_models_are_loaded_and_answer_side_by_side(two: dict[str, RunFolder]) -> None:
    said = talk(two, line(ask=1, first="a lovely film"), line(ask=2, first="a man eats", second="a man is eating"))
    assert said[:3] == [{"run": run, "tasks": ["sst", "para", "sts"]} for run in two] + [{"ready": True}]
    found = [(each["ask"], each.get("run"), each.get("task")) for each in said[3:]]
    assert found == [
        (1, "plain", "sst"), (1, "adapted", "sst"), (1, None, None),
        (2, "plain", "para"), (2, "plain", "sts"), (2, "adapted", "para"), (2, "adapted", "sts"), (2, None, None),
    ]  # fmt: skip
    assert said[3]["probabilities"] != said[4]["probabilities"]
    assert sum(said[3]["probabilities"]) == pytest.approx(1) and len(said[6]["probabilities"]) == 1
    assert said[5] == {"ask": 1, "done": True}


def test_several_models_of_one_run_answer_as_one_by_their_mean(two: dict[str, RunFolder]) -> None:
    models = [ModelToLoad("mean", folder.path, ()) for folder in two.values()]
    asked = [line(ask=1, first="a lovely film", words=True), line(ask=2, first="a man eats", second="a man is eating")]
    alone = {(each["run"], each["task"]): each for each in talk(two, *asked) if "label" in each}
    with tempfile.TemporaryFile() as output:
        converse(models, Typed(*asked), output)
        output.seek(0)
        said = [json.loads(each) for each in output]
    assert said[:2] == [{"run": "mean", "tasks": ["sst", "para", "sts"]}, {"ready": True}]
    answers = [each for each in said if "label" in each]
    assert [(each["run"], each["task"]) for each in answers] == [("mean", "sst"), ("mean", "para"), ("mean", "sts")]
    for each in answers:
        of_two = [alone[run, each["task"]]["probabilities"] for run in two]
        by_hand = [(one + other) / 2 for one, other in zip(*of_two, strict=True)]
        assert each["probabilities"] == pytest.approx(by_hand, abs=ROUNDING)
        label = predicted_labels(BUILTIN[each["task"]], np.array([by_hand] if len(by_hand) > 1 else by_hand))[0]
        assert each["label"] == pytest.approx(label, abs=ROUNDING)
    words = [each for each in said if "words" in each]
    assert [word["text"] for word in words[0]["words"]] == ["a", "lovely", "film"] and len(words) == 1


def test_a_run_of_several_models_is_refused_where_one_cannot_be_loaded(
    two: dict[str, RunFolder], tmp_path: Any
) -> None:
    models = [ModelToLoad("mean", path, ()) for path in (two["plain"].path, tmp_path / "no")]
    with tempfile.TemporaryFile() as output:
        converse(models, Typed(), output)
        output.seek(0)
        said = [json.loads(each) for each in output]
    assert [list(each) for each in said] == [["run", "problem"], ["ready"]]


def test_each_word_is_left_out_in_turn(two: dict[str, RunFolder]) -> None:
    run = {"plain": two["plain"]}
    [whole, words, _] = talk(run, line(ask=1, first="not  a bad film", words=True))[2:]
    assert [each["text"] for each in words["words"]] == ["not", "a", "bad", "film"]
    [alone, _] = talk(run, line(ask=1, first="a bad film"))[2:]
    assert words["words"][0]["probabilities"] == pytest.approx(alone["probabilities"], abs=ROUNDING)
    assert words["words"][0]["probabilities"] != pytest.approx(whole["probabilities"], abs=ROUNDING)


def test_of_a_pair_the_words_of_both_texts_are_left_out(two: dict[str, RunFolder]) -> None:
    said = talk({"plain": two["plain"]}, line(ask=1, first="a man", second="men eat", words=True))
    assert [[each["text"] for each in words["words"]] for words in said if "words" in words] == [
        ["a", "man", "men", "eat"]
    ] * 2


def test_what_is_newer_is_not_kept_waiting_by_words(two: dict[str, RunFolder]) -> None:
    said = talk({"plain": two["plain"]}, line(ask=1, first="a bad film", words=True), newer=True)
    assert [each for each in said if "words" in each] == [] and said[-1] == {"ask": 1, "done": True}


def test_a_model_that_cannot_be_loaded_is_a_sentence_and_the_others_go_on(
    two: dict[str, RunFolder], tmp_path: Any
) -> None:
    said = talk({"gone": RunFolder(tmp_path / "no"), "plain": two["plain"]}, line(ask=1, first="a film"))
    assert said[0]["run"] == "gone" and said[0]["problem"].endswith(".") and "\n" not in said[0]["problem"]
    assert said[1]["tasks"] and said[3]["run"] == "plain"


@pytest.mark.parametrize(
    "bad", [b"no json\n", b"[]\n", b"3\n", line(ask="x", first="a"), line(ask=1, first=None),
            line(ask=1, first="a", second=3), line(ask=1, first="x" * (MOST_CHARACTERS + 1)), b"[" * 9999 + b"\n"],
)  # fmt: skip
def test_what_is_no_question_is_refused_in_a_sentence_and_the_next_is_answered(bad: bytes) -> None:
    with pytest.raises(UsageError, match=r"must|may have"):
        read_question(bad)
    said = talk({}, bad, line(ask=2, first="a film"))
    assert list(said[1]) == ["problem"] and said[2] == {"ask": 2, "done": True}


@pytest.mark.parametrize("bad", [b"", b"[]", b'{"models": [{}]}', b'{"models": 3}'])
def test_a_first_line_that_names_no_models_is_refused(bad: bytes) -> None:
    with pytest.raises(UsageError, match="first line"):
        read_models(bad)


def test_only_so_many_words_are_left_out_and_never_the_only_one() -> None:
    many = without_each(Asked(1, " ".join(map(str, range(500))), None, True))
    assert len(many) == MOST_WORDS and many[1].text == "1" and many[1].first.startswith("0 2 3 ")
    assert without_each(Asked(1, "film", None, True)) == []
    assert without_each(Asked(1, "", "", True)) == []


def test_the_inbox_keeps_the_newest_line_alone() -> None:
    with tempfile.TemporaryFile() as lines:
        lines.write(b"1\n2\n3\n")
        lines.seek(0)
        inbox = Inbox(lines)
        while not inbox._has_ended:
            pass
    assert inbox.has_newer and inbox.take() == b"3\n" and not inbox.has_newer and inbox.take() is None


def is_ready(said: Said) -> bool:
    return isinstance(said, Ready)


def has_ended(said: Said) -> bool:
    return isinstance(said, Ended)


@pytest.fixture
def heard() -> Iterator[Any]:
    """`heard(folders)`: a real child, and all that it says; closed afterwards."""
    opened: list[service.Conversation] = []
    said: queue.Queue[Said] = queue.Queue()

    def begin(folders: dict[str, RunFolder]) -> tuple[service.Conversation, Callable[..., Any]]:
        tried = [
            TriedRun(cast(Run, type("R", (), {"id": run})), (Model(folder.path, ()),))
            for run, folder in folders.items()
        ]
        opened.append(service.Conversation(tried, said.put))

        def until(last: Callable[[Said], bool]) -> list[Any]:
            found = [said.get(timeout=300)]
            while not last(found[-1]):
                found.append(said.get(timeout=300))
            return found

        return opened[-1], until

    yield begin
    for each in opened:
        each.close()


def test_a_real_child_says_what_the_runs_stored_for_their_dev_examples(two: dict[str, RunFolder], heard: Any) -> None:
    conversation, until = heard(two)
    until(is_ready)
    for task in BUILTIN:
        stored = {run: read_predictions(folder.predictions(2, task, "dev")) for run, folder in two.items()}
        examples = read_examples(two["plain"].examples(task, "dev"))
        labels = {run: predicted_labels(BUILTIN[task], each.probabilities) for run, each in stored.items()}
        for place, example in enumerate(examples):
            number = conversation.ask(example.first, example.second)
            told = until(lambda said, number=number: said == Done(number))
            answers = [each for each in told if isinstance(each, Told) and each.task == task]
            assert [(each.run, each.number) for each in answers] == [("plain", number), ("adapted", number)]
            for each in answers:
                expected = np.atleast_1d(stored[each.run].probabilities[place])
                assert np.allclose(each.probabilities, expected, atol=ROUNDING, rtol=0)
                assert each.label == pytest.approx(labels[each.run][place], abs=ROUNDING)
    number = conversation.ask("a lovely film", words=True)
    words = [each for each in until(lambda said: said == Done(number)) if isinstance(each, Words)]
    assert [(each.run, [word.text for word in each.words]) for each in words] == [
        (run, ["a", "lovely", "film"]) for run in two
    ]
    conversation._child.kill()
    assert until(has_ended)[-1].sentence == "The child that answers was ended by signal 9."
    conversation.ask("nobody hears this, and nothing is raised")


def test_a_child_ends_where_its_input_does(two: dict[str, RunFolder], heard: Any) -> None:
    conversation, until = heard({"plain": two["plain"]})
    until(is_ready)
    conversation._child._process.stdin.close()
    assert until(has_ended)[-1].sentence == "The child that answers ended with exit code 0."


@pytest.mark.parametrize(
    ("first", "second"), [("", None), (" \t", None), ("a", " "), ("x" * 2001, None), ("a", "x" * 2001)]
)
def test_texts_that_are_empty_or_too_long_never_reach_the_child(first: str, second: str | None) -> None:
    with pytest.raises(UsageError, match=r"must not be empty|at most, not 2,001"):
        service.Conversation.ask(cast(Any, None), first, second)


def test_both_sides_know_the_same_bound() -> None:
    assert service.MOST_CHARACTERS == MOST_CHARACTERS
