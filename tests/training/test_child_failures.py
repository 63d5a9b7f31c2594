"""How a training child ends when it does not finish."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from attempts import Attempt
from present import present

from bertmt.recipe.rules import recipe_from, resolved
from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import Started
from bertmt.run_folder.layout import RunFolder, hold_alive, is_alive
from bertmt.run_folder.processes import process_of
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.embedded.toy import toy_split
from bertmt.tasks.examples import Split, fingerprint
from bertmt.tasks.loading import read_extra_pairs, read_split
from bertmt.tasks.task import Task
from bertmt.training.__main__ import main, one_line
from bertmt.training.run_data import read_run_data
from bertmt.training.stopping import SIGNALS, StopFlag, StoppedError


def marks(**changed: Any) -> dict[Any, Any]:
    """Fingerprints of the toy data as `submit` stores them."""
    names = [(task, split) for task in BUILTIN for split in ("train", "dev")]
    found = {f"{task}-{split}": fingerprint(read_split("toy", BUILTIN[task], split).examples) for task, split in names}
    found["para-extra"] = fingerprint(read_extra_pairs("toy", BUILTIN["para"], 50_000).examples)
    return found | changed


def test_data_with_the_fingerprints_of_submit_is_accepted(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]
) -> None:
    run = attempt(prepare({"extra_data": True, "epochs": 1}, fingerprints=marks()))
    assert run.exit_code == 0


@pytest.mark.parametrize("name", ["sts-dev", "para-extra"])
def test_data_that_changed_since_submit_is_refused_by_name(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], name: str
) -> None:
    run = attempt(prepare({"extra_data": True}, fingerprints=marks(**{name: "0" * 16})))
    assert run.exit_code == 1
    assert [event["event"] for event in run.events] == ["failed"]
    assert f"{name} differs" in run.last["error"] and "bertmt requeue" in run.last["error"]


def test_what_is_trained_on_is_what_was_checked_though_files_change_meanwhile(
    prepare: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each split is read once; of all later reads this one has another sentence everywhere."""
    order = prepare({"extra_data": True}, fingerprints=marks()).read_order()
    read: set[tuple[str, ...]] = set()

    def changing(reader: Callable[..., Split]) -> Callable[..., Split]:
        def changed(data: str, task: Task, part: Any) -> Split:
            found = reader(data, task, part)
            name = (task.name, str(part))
            if name in read:
                found = replace(found, examples=tuple(replace(each, first="Exchanged.") for each in found.examples))
            read.add(name)
            return found

        return changed

    monkeypatch.setattr("bertmt.training.run_data.read_split", changing(read_split))
    monkeypatch.setattr("bertmt.training.run_data.read_extra_pairs", changing(read_extra_pairs))
    data = read_run_data(order, resolved(recipe_from({"data": "toy", "extra_data": True})))
    grown = [
        task for task in BUILTIN if len(data.train[task].examples) > len(toy_split(BUILTIN[task], "train").examples)
    ]
    assert grown == ["para"]
    assert not [
        each for split in (*data.train.values(), *data.dev.values()) for each in split.examples
        if each.first == "Exchanged."
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["speed-dev", "sst", "sst-held"])
def test_fingerprints_of_no_task_are_refused_in_a_sentence(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], name: str
) -> None:
    run = attempt(prepare({"epochs": 1}, fingerprints={name: "0" * 16}))
    assert run.exit_code == 1
    assert f"The run has a fingerprint of '{name}', which is of none of its tasks" in run.last["error"]


def test_a_loss_that_is_no_number_fails_the_run_with_step_and_batch(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]
) -> None:
    run = attempt(prepare({"learning_rate": 1e30}))
    assert run.exit_code == 1 and run.last["event"] == "failed"
    step = run.of_kind("step")[-1]
    assert run.last["step"] == step["step"]
    assert step["values"]["loss"] is None
    error = run.last["error"]
    assert f"at step {step['step']}" in error and "sst-train-" in error and "learning_rate" in error


def test_a_fault_of_ours_is_told_in_one_line_and_its_traceback_is_logged(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], caplog: pytest.LogCaptureFixture
) -> None:
    folder = prepare({})
    folder.recipe.unlink()
    run = attempt(folder)
    assert run.exit_code == 1 and run.last["error"].startswith("FileNotFoundError: ")
    assert "Traceback" in caplog.text


def test_an_error_of_several_lines_becomes_one_of_limited_length() -> None:
    assert one_line("first\n  second\tthird") == "first second third"
    assert len(one_line("word " * 1_000)) == 1_000


def test_a_missing_cuda_device_is_one_sentence(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]
) -> None:
    run = attempt(prepare({}, device="cuda:GPU-none"))
    assert run.exit_code == 1 and "finds no CUDA device" in run.last["error"]


def test_mnr_without_two_similar_pairs_is_refused_before_training(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = read_split("toy", BUILTIN["sts"], "train")
    dissimilar = replace(toy, examples=tuple(each for each in toy.examples if present(each.label) < 4))
    monkeypatch.setattr("bertmt.training.run_data.read_split", lambda *_: dissimilar)
    run = attempt(prepare({"tasks": "sts", "mnr": True}))
    assert run.exit_code == 1 and "`mnr` needs two different STS pairs" in run.last["error"]


def test_a_second_child_on_a_folder_is_refused_and_writes_no_event(
    prepare: Callable[..., RunFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = prepare({})
    with hold_alive(folder):
        assert main([str(folder.path)]) == 4
    assert "already being worked" in capsys.readouterr().err
    assert not folder.events(1).exists()


def test_a_folder_that_is_no_run_is_refused_and_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 1
    assert "is no run folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_sigterm_stops_a_child_between_steps_with_a_checkpoint_and_a_last_event(
    prepare: Callable[..., RunFolder],
) -> None:
    folder = prepare({"epoch_steps": 0, "epochs": 1_000})
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "bertmt.training", folder.path], stdout=subprocess.PIPE, text=True
    ) as child:
        assert any("Training sst" in line for line in present(child.stdout))
        assert is_alive(folder)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)
    assert child.returncode == 143
    *_, checkpoint, stopped = (json.loads(line) for line in folder.events(1).read_text().splitlines())
    assert (checkpoint["event"], stopped["event"], stopped["signal"]) == ("checkpoint", "stopped", "SIGTERM")
    assert checkpoint["step"] == stopped["step"]
    assert not is_alive(folder)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_only_sets_the_flag_which_the_next_look_obeys(number: signal.Signals, exit_code: int) -> None:
    before = {each: signal.getsignal(each) for each in SIGNALS}
    flag = StopFlag()
    try:
        flag.install()
        flag.check()
        signal.raise_signal(number)
        with pytest.raises(StoppedError) as stopped:
            flag.check()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert stopped.value.exit_code == exit_code


class StopAtLook(StopFlag):
    """A flag that a signal sets just before it is looked at for the nth time."""

    def __init__(self, look: int):
        super().__init__()
        self.looks_left = look

    def check(self) -> None:
        self.looks_left -= 1
        if not self.looks_left:
            self.signal_number = signal.SIGTERM
        super().check()


def test_whenever_a_signal_comes_no_evaluation_is_half_told(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]
) -> None:
    folder = prepare({"tasks": "sst,sts", "epochs": 1, "epoch_steps": 2, "keep_model": False})
    last_events = set()
    for look in count(1):  # while loading, in evaluations, between steps
        folder.events(1).unlink(missing_ok=True)
        folder.checkpoints().delete()
        run = attempt(folder, StopAtLook(look))
        if run.exit_code == 0:  # it has no more looks than that
            break
        assert run.exit_code == 143 and run.last["event"] == "stopped"
        last_events.add(run.events[-2]["event"] if run.events[1:] else None)
        assert all(set(event["scores"]) == {"sst", "sts"} for event in run.of_kind("evaluated"))
    assert look > 10 and last_events == {None, "checkpoint"}


def test_the_next_attempt_writes_events_of_its_own(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]
) -> None:
    folder = prepare({"epochs": 1, "epoch_steps": 1})
    attempt(folder, StopAtLook(3))
    order = json.loads(folder.order.read_text()) | {"attempt": 2}
    folder.order.write_text(json.dumps(order))
    run = attempt(folder)
    assert run.exit_code == 0 and run.events[0]["attempt"] == 2 and folder.events(1).exists()


class SpoilAtLook(StopFlag):
    """A flag before whose nth look something is done, and after it no look is spared."""

    def __init__(self, look: int, spoil: Callable[..., None] | Callable[..., Path]):
        super().__init__()
        self.looks_left, self.spoil = look, spoil

    def check(self) -> None:
        self.looks_left -= 1
        if not self.looks_left:
            self.spoil()
        super().check()


TRAINED_A_LITTLE = 12  # looks: loading is over


def test_a_child_whose_lock_is_replaced_writes_a_checkpoint_and_ends_displaced(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.run_folder.held_folder.LOOK_SECONDS", 0)
    folder = prepare({"tasks": "sst", "epochs": 2})

    def replace_lock() -> None:
        folder.alive.unlink()
        folder.alive.touch()

    run = attempt(folder, SpoilAtLook(TRAINED_A_LITTLE, replace_lock))
    assert run.exit_code == 6
    assert [event["event"] for event in run.events[-2:]] == ["checkpoint", "displaced"]
    assert run.events[-2]["step"] == run.last["step"] > 0 and not is_alive(folder)


def test_a_child_whose_lock_is_deleted_puts_it_back_and_trains_to_its_end(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.run_folder.held_folder.LOOK_SECONDS", 0)
    folder = prepare({"tasks": "sst", "epochs": 2})
    run = attempt(folder, SpoilAtLook(TRAINED_A_LITTLE, folder.alive.unlink))
    assert run.exit_code == 0 and folder.alive.is_file()


@pytest.mark.parametrize("look", [2, TRAINED_A_LITTLE])
def test_a_child_whose_folder_is_moved_ends_displaced_where_it_needs_it_and_makes_none(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], look: int
) -> None:
    folder = prepare({"tasks": "sst", "epochs": 2})
    away = folder.path.with_name(f"{folder.path.name}-away")
    code = attempt(folder, SpoilAtLook(look, lambda: folder.path.rename(away))).exit_code
    assert code == 6 and not folder.path.exists()
    last = json.loads((away / "events-1.jsonl").read_text().splitlines()[-1])
    assert last["event"] == "displaced" and "moved or deleted" in last["reason"]


def test_the_first_event_says_which_process_it_is(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]
) -> None:
    run = attempt(prepare({"epochs": 1, "epoch_steps": 1}))
    [started, *_], _, _ = read_events(run.folder.events(1))
    assert isinstance(started, Started) and present(process_of(started)).lives()
