"""A registry with runs in every state, made as children make them: events and predictions in run folders, then synced.

It is built once per session without torch, and copied for each test.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bertmt.cli.main import run as run_command_line
from bertmt.recipe.loading import preset, to_json
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.registry.database import Database, open_registry
from bertmt.registry.records import Run, Snapshot
from bertmt.registry.runs import NewRun, add_runs, all_runs, claim_next, run_by_key
from bertmt.registry.states import State
from bertmt.run_folder.events import EventWriter
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.run_folder.predictions import Predictions, write_examples, write_predictions
from bertmt.services.sync import folder_of, sync
from bertmt.tasks.examples import Example, fingerprint
from bertmt.tasks.scores import overall, score

STEPS, EPOCHS, COUNT = 6, 2, 60
# OSC (sets the title), CSI (clears the screen), a bidirectional override, rich's markup and Textual's.
HOSTILE = "evil\x1b]0;pwned\x07\x1b[2J\u202e[red]x[/red][/"
EXAMPLES = {
    "sst": tuple(Example(f"s{i}", f"sentence {i} {HOSTILE}", None, i % 5) for i in range(COUNT)),
    "para": tuple(Example(f"p{i}", f"question {i}", f"other {i}", i % 2) for i in range(COUNT)),
    "sts": tuple(Example(f"t{i}", f"scene {i}", f"other {i}", (i % 11) / 2) for i in range(COUNT)),
}


@dataclass(frozen=True)
class Outcome:
    """What one command line did."""

    code: int
    out: str
    err: str


class RegistryBuilder:
    """Adds runs to a registry and lets them come to their end."""

    def __init__(self, path: Path):
        self.database: Database = open_registry(path, create=True)

    def add(self, name: str, preset_name: str = "baseline", state: State = State.QUEUED, **values: object) -> Run:
        """A run that waits; it goes before those that are added later."""
        scale = {"data": "toy", "encoder": "tiny", "epochs": EPOCHS, "epoch_steps": STEPS // EPOCHS}
        recipe = resolved(recipe_from({**scale, **values}, preset(preset_name).recipe()))
        marks = {f"{task}-dev": fingerprint(EXAMPLES[task]) for task in recipe.tasks}
        new = NewRun(
            name=name, preset=preset_name, from_preset=preset_name, recipe_json=to_json(recipe), digest=recipe.digest(),
            seed=recipe.seed, data="toy", extra_data_file="", fingerprints=marks, state=state,
        )  # fmt: skip
        snapshot = Snapshot("code", {"version": "0", "commit": "c0ffee"}, {"python": "3"})
        [run_id] = add_runs(self.database, [new], snapshot)
        return all_runs(self.database, "runs.id = ?", (run_id,))[0]

    def started(self, name: str, preset_name: str = "baseline", **values: object) -> tuple[Run, RunFolder, EventWriter]:
        """A run whose child has begun; nothing else may wait when this is called."""
        added = self.add(name, preset_name, **values)
        run = claim_next(self.database, None, "cpu")
        assert run is not None and run.id == added.id
        folder = folder_of(self.database, run)
        folder.create(RunOrder(run.id, run.name, run.attempt, run.data, ""), run.recipe_json)
        folder.log(1).write_text("".join(f"line {number} {HOSTILE}\n" for number in range(50)), encoding="utf-8")
        events = EventWriter(folder.events(run.attempt))
        events.write("started", attempt=1, pid=1, steps_total=STEPS, epochs_total=EPOCHS)
        return run, folder, events

    def finished(self, name: str, preset_name: str = "baseline", right: float = 0.5, **values: object) -> Run:
        """A finished run that gets about the share `right` of its dev examples right in its last epoch."""
        run, folder, events = self.started(name, preset_name, **values)
        tasks = run.recipe["tasks"]
        for epoch in range(EPOCHS + 1):
            if epoch:
                for step in range((epoch - 1) * 3, epoch * 3):
                    losses = {f"loss/{task}": 1 / (step + 1) for task in tasks}
                    speed = {"tokens_per_second": 100.0 + step, "padding_share": 0.25}
                    events.step(step, epoch, "train", {**losses, **speed}, seconds_left=60.0)
            evaluate(folder, events, tasks, epoch, right * epoch / EPOCHS)
        events.write(
            "finished", epoch=EPOCHS, step=STEPS, selected_epoch=EPOCHS, scores={}, seconds={"training": 61.5},
            peak_memory_mib=460, examples=dict.fromkeys(tasks, 48), passes=dict.fromkeys(tasks, 0.024),
            tokens=dict.fromkeys(tasks, 900), model=False, remarks=["Said by the run."],
        )  # fmt: skip
        events.close()
        return sync(self.database, run)

    def failed(self, name: str, failure: str) -> Run:
        run, _, events = self.started(name)
        events.write("failed", error=failure, step=2)
        events.close()
        return sync(self.database, run)


def evaluate(folder: RunFolder, events: EventWriter, tasks: list[str], epoch: int, right: float) -> None:
    """Write predictions of one epoch as a child does, and the event that tells of them."""
    entries, scores = [], {}
    for task in tasks:
        mark = fingerprint(EXAMPLES[task])
        write_examples(folder.examples(task, "dev"), EXAMPLES[task])
        predictions = Predictions(task, "dev", epoch, mark, guesses(task, right))
        path = folder.predictions(epoch, task, "dev")
        write_predictions(path, predictions)
        entries.append({"task": task, "split": "dev", "file": path.name, "fingerprint": mark})
        scores[task] = score(task, predictions.labels(), [each.label for each in EXAMPLES[task]])
    events.write(
        "evaluated", epoch=epoch, step=epoch * 3, scores=scores, overall=overall(scores), losses={},
        predictions=entries, seconds=0.5,
    )  # fmt: skip


def guesses(task: str, right: float) -> np.ndarray:
    """Predictions of which the first so many are right."""
    labels = np.array([each.label for each in EXAMPLES[task]])
    is_right = np.arange(COUNT) < right * COUNT
    if task == "sts":
        noise = np.random.default_rng(0).normal(size=COUNT)
        return np.where(is_right, labels / 5, 0.5 + noise / 10).astype(np.float32)
    if task == "para":
        return np.where(is_right, labels, 1 - labels).astype(np.float32)
    chosen = np.where(is_right, labels, (labels + 1) % 5).astype(int)
    return np.eye(5, dtype=np.float32)[chosen]


@pytest.fixture(scope="session")
def built_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs.db: base, better, twins (two seeds), sts, evil (failed), and evil, later, held that wait."""
    folder = tmp_path_factory.mktemp("built")
    builder = RegistryBuilder(folder / "runs.db")
    builder.finished("base", right=0.3)
    builder.finished("better", "final-shared", right=0.9, **{"lora.rank": 16})
    for seed in (1, 2):
        builder.finished("twins", "pearson", right=0.4 + seed / 10, seed=seed)
    builder.failed(HOSTILE, f"ValueError: {HOSTILE}")
    first = builder.add("later")
    builder.add("held", state=State.HELD)
    builder.database.execute("UPDATE runs SET note = ? WHERE key = ?", (HOSTILE, first.key))
    builder.database.execute("INSERT INTO tags VALUES (?, ?)", (first.key, HOSTILE))
    builder.database.close()
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one, on a machine of which nothing is known."""
    for name in ("BERTMT_DB", "COLUMNS", "LINES", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "")  # `--no-color` sets it; the fixture takes it back
    monkeypatch.setenv("BERTMT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def registry(folder: Path, built_registry: Path) -> Path:
    """A copy of the built registry in the current folder."""
    shutil.copytree(built_registry, folder, dirs_exist_ok=True)
    return folder / "runs.db"


@pytest.fixture
def builder(registry: Path):
    """To add more to the copy."""
    made = RegistryBuilder(registry)
    yield made
    made.database.close()


@pytest.fixture
def bertmt(folder: Path, capsys: pytest.CaptureFixture[str]):
    """Runs one command line in this process: `bertmt("runs", "--json")`."""

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = run_command_line(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def run_named(registry: Path):
    """The run of that name, as it is in the registry now."""

    def find(name: str) -> Run:
        with open_registry(registry) as database:
            return run_by_key(database, all_runs(database, "runs.name = ?", (name,))[0].key)

    return find
