"""A run that was killed anywhere and goes on ends as if nothing had been: the same bytes everywhere.

Killed here means that an exception which nothing catches ends the attempt in the middle of a write; `torture` does the
same with SIGKILL and processes.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from attempts import Attempt

from bertmt.encoders.find import encoder_fingerprints, find_encoder
from bertmt.run_folder import event_files
from bertmt.run_folder.checkpoints import DOCUMENT, TENSORS
from bertmt.run_folder.event_files import read_events
from bertmt.run_folder.events import Evaluated, Resumed, Started, Step
from bertmt.run_folder.layout import RunFolder
from bertmt.training.checkpoints.checkpointing import Checkpointing, differences
from bertmt.training.stopping import StopFlag

SMALL_RANK = {"lora.rank": 4}
RECIPES: dict[str, dict[str, Any]] = {
    "baseline": {},
    "lora": SMALL_RANK,
    "ensembled": {"ensembling": True, "surgery": False},
    # The final model's toggles at a rank that suits `tiny`.
    "final": {
        "ensembling": True, "extra_data": True, "super_concat": True, "mnr": True, "cosine_embedding": True,
        "pearson": True, "head.sst.layers": 2, "lora.dropout": 0.1, **SMALL_RANK,
    },
    # What the paper does not have.
    "beyond the paper": {
        "learning_rate_schedule": "linear", "warmup": 0.2, "gradient_clip": 0.5, "mnr": True, "pooling": "max",
        "pair_features": "product", "number_loss": "cosent",
    },
    "hidden words": {"mlm_epochs": 1, "mnr": True, "weight_average": 0.8},
    "hidden words apart": {"mlm_epochs": 1, "ensembling": True, "surgery": False, **SMALL_RANK},
    "stages": {"stages": "multitask,single"},
    "stages of adapters": {"stages": "multitask,single", "weight_average": 0.8, "mnr": True, **SMALL_RANK},
    "pairs in both ways": {"pair_input": "both", "r_drop": 1.0, "pair_features": "difference", "weight_average": 0.8},
}  # fmt: skip
RESILIENCE: dict[str, Any] = {"checkpoint_steps": 3, "select": "best", "evaluate_steps": 3, "partial_examples": 5}
WALL_CLOCK = ("tokens_per_second",)


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of the program catches it."""


@pytest.fixture
def kill_at_write(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`kill_at_write(n)`: the n-th write of an event from now on leaves half a line and ends the attempt."""
    real = os.write

    def arm(number: int) -> None:
        left = [number]

        def write(handle: int, data: bytes) -> int:
            left[0] -= 1
            if left[0] == 0:
                real(handle, data[: len(data) // 2])
                raise KilledError
            return real(handle, data)

        monkeypatch.setattr(event_files.os, "write", write)  # type: ignore[attr-defined]  # its own name for it

    yield arm
    monkeypatch.undo()


@pytest.fixture
def killed_at(attempt: Callable[..., Attempt], kill_at_write: Callable[..., None]) -> Callable[..., None]:
    """`killed_at(folder, n)`: an attempt that is killed at its n-th write of an event; the next one is left alone."""

    def kill(folder: RunFolder, number: int) -> None:
        kill_at_write(number)
        with pytest.raises(KilledError):
            attempt(folder)
        kill_at_write(0)

    return kill


def test_no_checkpoint_is_on_disk_before_the_events_that_it_follows(
    attempt: Callable[..., Attempt], prepare: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    real = os.fsync

    def fsync(handle: int) -> None:
        order.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    folder = prepare(RESILIENCE)
    attempt(folder)
    events = str(folder.events(1))
    saved = [index for index, path in enumerate(order) if TENSORS in path and "checkpoints" in path]
    assert len(saved) > 2
    before = [0, *saved]
    assert all(events in order[start:end] for start, end in zip(before, saved, strict=False))


def next_attempt(folder: RunFolder, **order: Any) -> RunFolder:
    """The order of a later attempt, as a worker gives it."""
    before = folder.read_order()
    folder.create(replace(before, attempt=before.attempt + 1, **order), folder.recipe.read_text())
    return folder


def rows(folder: RunFolder) -> dict[tuple[str, int], Any]:
    """The points that an importer keeps of all attempts, without those that tell the time."""
    kept: dict[tuple[str, int], Any] = {}
    for attempt in range(1, folder.read_order().attempt + 1):
        for event in read_events(folder.events(attempt))[0]:
            if isinstance(event, Started) and not event.resumes:
                kept = {}
            elif isinstance(event, Resumed):
                dev, step = event.evaluated_step, event.step
                kept = {key: kept[key] for key in kept if (key[1] <= dev if key[0] == "dev" else key[1] < step)}
            elif isinstance(event, Step):
                for name, value in event.values.items():
                    if name not in WALL_CLOCK:
                        assert (name, event.step) not in kept, "a point came twice"
                        kept[name, event.step] = value
            elif isinstance(event, Evaluated):
                kept["dev", event.step] = (event.scores, event.losses, event.predictions)
    return kept


def final_state(folder: RunFolder) -> tuple[bytes, dict[str, Any]]:
    """The newest checkpoint's tensors, and the rest without the seconds."""
    found = folder.checkpoints().newest_intact(lambda path, why: pytest.fail(f"{path}: {why}"))
    assert found is not None
    document = json.loads(found.read(DOCUMENT))
    return found.read(TENSORS), {key: value for key, value in document.items() if key != "seconds"}


@pytest.fixture(scope="module")
def straight(prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]) -> Callable[..., Attempt]:
    """`straight("final")`: the run of a recipe that nobody interrupted, with its last checkpoint."""
    finished = {}

    def run(name: str) -> Attempt:
        if name not in finished:
            finished[name] = attempt(prepare({**RECIPES[name], **RESILIENCE}, keeps_checkpoints=True))
        assert finished[name].exit_code == 0, finished[name].last
        return finished[name]

    return run


KILLS = [(name, writes) for writes in [(2,), (6, 5), (9, 2, 7), (14,), (17, 3)] for name in RECIPES]
IN_THE_SECOND_STAGE = [(name, writes) for writes in [(26,), (31, 4)] for name in ("stages", "stages of adapters")]


@pytest.mark.parametrize(("name", "writes"), [*KILLS, *IN_THE_SECOND_STAGE])
def test_a_run_killed_in_the_middle_of_an_event_and_resumed_ends_with_the_same_bytes(
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    straight: Callable[..., Attempt],
    killed_at: Callable[..., None],
    name: str,
    writes: tuple[int, ...],
) -> None:
    folder = prepare({**RECIPES[name], **RESILIENCE}, keeps_checkpoints=True)
    for number in writes:
        killed_at(folder, number)
        next_attempt(folder)
    resumed, whole = attempt(folder), straight(name)
    assert resumed.exit_code == 0
    assert resumed.weights == whole.weights
    assert resumed.predictions == whole.predictions
    assert final_state(folder) == final_state(whole.folder)
    assert rows(folder) == rows(whole.folder)


@pytest.mark.parametrize("looks", [1, 4, 9, 13, 16])
def test_a_stopped_run_goes_on_with_the_very_next_step(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], straight: Callable[..., Attempt], looks: int
) -> None:
    class StopsLater(StopFlag):
        left = looks

        def check(self) -> None:
            self.left -= 1
            if self.left == 0:
                self.signal_number = 15
            super().check()

    folder = prepare({**RECIPES["final"], **RESILIENCE}, keeps_checkpoints=True)
    stopped = attempt(folder, StopsLater())
    assert (stopped.exit_code, stopped.last["event"], stopped.last["signal"]) == (143, "stopped", "SIGTERM")
    done = len(stopped.of_kind("step"))
    resumed = attempt(next_attempt(folder))
    if done:
        assert resumed.of_kind("resumed")[0]["step"] == done == stopped.last["step"]
    assert resumed.weights == straight("final").weights
    assert rows(folder) == rows(straight("final").folder)


def test_a_run_that_was_killed_while_its_model_was_saved_trains_no_step_again(
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    straight: Callable[..., Attempt],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = prepare({**RECIPES["baseline"], **RESILIENCE})
    with monkeypatch.context() as patched:
        patched.setattr("bertmt.training.loop.save_model", lambda *_: (_ for _ in ()).throw(KilledError()))
        with pytest.raises(KilledError):
            attempt(folder)
    resumed = attempt(next_attempt(folder))
    assert resumed.of_kind("step") == []
    assert resumed.weights == straight("baseline").weights
    assert resumed.last["seconds"]["training"] > 0


def test_the_older_checkpoint_is_used_when_the_newer_is_damaged(
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    straight: Callable[..., Attempt],
    killed_at: Callable[..., None],
) -> None:
    folder = prepare({**RECIPES["baseline"], **RESILIENCE}, keeps_checkpoints=True)
    killed_at(folder, 13)
    older, newer = sorted(folder.checkpoints().folder.glob("0*"))
    flipped = bytearray((newer / TENSORS).read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (newer / TENSORS).write_bytes(bytes(flipped))
    step = json.loads((older / DOCUMENT).read_text())["progress"]["step"]
    resumed = attempt(next_attempt(folder))
    assert resumed.of_kind("resumed")[0]["step"] == step
    assert resumed.weights == straight("baseline").weights


def test_without_an_intact_checkpoint_the_run_starts_from_the_beginning_and_says_so(
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    straight: Callable[..., Attempt],
    killed_at: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = prepare({**RECIPES["baseline"], **RESILIENCE})
    killed_at(folder, 9)
    for document in folder.checkpoints().folder.glob("0*/state.json"):
        document.write_text("{}")
    resumed = attempt(next_attempt(folder))
    assert not resumed.events[0]["resumes"] and "is passed over: state.json is not what was written" in caplog.text
    assert resumed.weights == straight("baseline").weights


def test_a_checkpoint_that_was_expected_and_is_gone_is_told_in_the_log_and_the_first_event(
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    killed_at: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = prepare(RESILIENCE, encoder_fingerprints=encoder_fingerprints(find_encoder("tiny")))
    killed_at(folder, 9)
    shutil.rmtree(folder.checkpoints().folder)
    resumed = attempt(next_attempt(folder, checkpoint_step=6))
    told = resumed.events[0]["begins_anew"]
    assert "No checkpoint is left" in told and "step 6" in told and told in caplog.text
    assert not resumed.events[0]["resumes"] and resumed.exit_code == 0


def test_an_attempt_of_which_no_checkpoint_was_expected_begins_without_a_word(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]
) -> None:
    assert attempt(prepare({"epochs": 1, "epoch_steps": 1})).events[0]["begins_anew"] == ""


def test_a_recipe_that_was_changed_since_starts_from_the_beginning(
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    killed_at: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = prepare(RESILIENCE)
    killed_at(folder, 9)
    next_attempt(folder)
    recipe = json.loads(folder.recipe.read_text())
    folder.recipe.write_text(json.dumps({**recipe, "learning_rate": 0.01}))
    assert not attempt(folder).events[0]["resumes"]
    assert "the recipe was changed since" in caplog.text


def test_the_checkpoints_of_a_finished_run_are_deleted(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]
) -> None:
    folder = prepare(RESILIENCE)
    run = attempt(folder)
    assert run.of_kind("checkpoint") and run.last["event"] == "finished"
    assert not folder.checkpoints().folder.exists()


def test_checkpoints_go_where_the_order_says(
    prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt], tmp_path: Path
) -> None:
    folder = prepare(RESILIENCE, checkpoint_dir=str(tmp_path), keeps_checkpoints=True)
    assert attempt(folder).exit_code == 0
    assert sorted(path.name for path in folder.checkpoints(str(tmp_path)).folder.iterdir())
    assert not (folder.path / "checkpoints").exists()


def test_a_disk_without_room_for_a_checkpoint_costs_the_checkpoint_not_the_run(
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    usage = shutil.disk_usage("/")._replace(free=1 << 20)
    monkeypatch.setattr("bertmt.run_folder.checkpoints.shutil.disk_usage", lambda path: usage)
    run = attempt(prepare(RESILIENCE))
    assert run.exit_code == 0 and run.of_kind("checkpoint") == []
    assert "A checkpoint needs" in caplog.text and "1 MiB are free" in caplog.text


def test_another_thread_count_is_said_and_marked_not_bit_exact(
    prepare: Callable[..., RunFolder],
    attempt: Callable[..., Attempt],
    killed_at: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = prepare(RESILIENCE)
    killed_at(folder, 9)
    threads = torch.get_num_threads()
    try:
        resumed = attempt(next_attempt(folder, threads=2))
    finally:
        torch.set_num_threads(threads)
    assert resumed.of_kind("resumed")[0]["differences"] == ["CPU threads 2 instead of 1."]
    assert any("not bit-exact: CPU threads 2 instead of 1." in remark for remark in resumed.last["remarks"])
    assert "Not bit-exact from here on: CPU threads 2 instead of 1." in caplog.text


def test_only_a_gpu_with_deterministic_algorithms_is_as_exact_as_a_cpu() -> None:
    cpu = {"device": "cpu", "precision": "fp32", "threads": 1, "torch": "2", "deterministic": True}
    gpu = {**cpu, "device": "A100", "deterministic": False}
    assert differences(cpu, cpu) == []
    assert differences(gpu, gpu) == ["its GPU may choose other algorithms (deterministic=false)."]
    assert differences({**gpu, "deterministic": True}, {**gpu, "deterministic": True}) == []
    assert differences(cpu, {**cpu, "precision": "bf16"}) == ["precision bf16 instead of fp32."]


def test_a_checkpoint_holds_every_tensor_that_a_step_changes(compose_run: Callable[..., Any]) -> None:
    from bertmt.recipe.pretraining import TRAIN  # noqa: PLC0415
    from bertmt.training.checkpoints.progress import Progress  # noqa: PLC0415
    from bertmt.training.checkpoints.state import TrainingState  # noqa: PLC0415
    from bertmt.training.timing import Stopwatch  # noqa: PLC0415

    state = TrainingState(
        compose_run({**RECIPES["final"], "surgery": True, "ensembling": False}), Progress(), Stopwatch()
    )
    state.model.train()
    optimizer = state.enter(TRAIN)
    state.stepper.take(state.run.recipe.tasks, optimizer)
    before = {name: each.clone() for name, each in state.tensors().items()}
    state.stepper.take(state.run.recipe.tasks, optimizer)
    after = state.tensors()
    same = {name for name in before if torch.equal(before[name], after[name])}
    # Nothing draws from Python's and numpy's generators, and they are kept all the same; NaN equals nothing.
    assert same == {"random/python", "random/numpy", "random/numpy_rest"}
    assert before["random/python_rest"].isnan().all()
    assert safetensors.torch.load(safetensors.torch.save(after)).keys() == after.keys()


def test_a_checkpoint_is_written_every_so_many_minutes(
    compose_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from bertmt.run_folder.checkpoints import Checkpoints  # noqa: PLC0415
    from bertmt.run_folder.event_files import EventWriter  # noqa: PLC0415
    from bertmt.training.checkpoints import checkpointing as module  # noqa: PLC0415
    from bertmt.training.checkpoints.progress import Progress  # noqa: PLC0415
    from bertmt.training.checkpoints.state import TrainingState  # noqa: PLC0415
    from bertmt.training.timing import Stopwatch  # noqa: PLC0415

    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])  # type: ignore[attr-defined]  # its own name for it
    state = TrainingState(compose_run({"checkpoint_minutes": 2}), Progress(), Stopwatch())
    store = Checkpoints(tmp_path / "checkpoints")
    writer = Checkpointing(state, store, EventWriter(tmp_path / "events.jsonl"))
    written = []
    for minute in (1, 2, 3, 4.5):
        clock[0] = 60.0 * minute
        state.progress.step += 1
        writer.after_step()
        written.append(len(list(store.folder.glob("0*"))) if store.folder.exists() else 0)
    assert written == [0, 1, 1, 2]
