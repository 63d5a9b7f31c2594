"""Run folders on the toy data with the tiny encoder, and attempts at them within the test's own process."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attempts import Attempt

from bertmt.recipe.loading import to_json
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.run_folder.held_folder import HeldFolder
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Tasks
from bertmt.training.__main__ import train_folder
from bertmt.training.stopping import StopFlag

SMALL = {
    "data": "toy",
    "encoder": "tiny",
    "epochs": 2,
    "epoch_steps": 4,
    "batch_size": 4,
    "max_length": 16,
    "evaluate_examples": 12,
}


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a child sets in its environment is gone after the test."""
    for name in ("HF_HUB_OFFLINE", "TOKENIZERS_PARALLELISM", "OMP_WAIT_POLICY", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RunFolder]:
    """`prepare({"lora.rank": 4}, fingerprints={…})`: a run folder as a worker makes it, of the tasks in `known`."""

    def make(settings: dict[str, Any] | None = None, known: Tasks = BUILTIN, **order: Any) -> RunFolder:
        recipe = resolved(recipe_from({**SMALL, **(settings or {})}, known=known))
        folder = RunFolder(tmp_path_factory.mktemp("run"))
        extra = "toy" if recipe.extra_data else ""
        given = {"attempt": 1, "data": recipe.data, "extra_data_file": extra, "threads": 1, **order}
        folder.create(RunOrder(run_id="test", name="test", **given), to_json(recipe), recipe.trained())
        return folder

    return make


@pytest.fixture(scope="session")
def attempt() -> Callable[..., Attempt]:
    """`attempt(folder)`: train it in this process."""

    def run(folder: RunFolder, stop: StopFlag | None = None) -> Attempt:
        order = folder.read_order()
        with HeldFolder(folder) as held:
            return Attempt(train_folder(held, order, stop or StopFlag()), folder, order.attempt)

    return run


@pytest.fixture(scope="session")
def trained(prepare: Callable[..., RunFolder], attempt: Callable[..., Attempt]) -> Iterator[Callable[..., Attempt]]:
    """`trained({"pearson": True})`: a finished run, trained once per session; it is only to be looked at."""
    finished: dict[str, Attempt] = {}

    def run(settings: dict[str, Any] | None = None) -> Attempt:
        key = json.dumps(settings or {}, sort_keys=True)
        if key not in finished:
            finished[key] = attempt(prepare(settings))
        found = finished[key]
        assert found.exit_code == 0, found.last
        return found

    yield run


@pytest.fixture
def compose_run(prepare: Callable[..., RunFolder]) -> Callable[..., Any]:
    """`compose_run({"mnr": True})`: everything that the loop works with, before any step."""
    import torch  # noqa: PLC0415 - a child imports torch late, and the tests of its failures need none

    from bertmt.recipe.loading import from_json  # noqa: PLC0415
    from bertmt.training.composition import compose  # noqa: PLC0415

    torch.set_num_threads(1)

    def build(settings: dict[str, Any], **given: Any) -> Any:
        folder: RunFolder = prepare(settings, **given)
        recipe = from_json(Path(folder.recipe).read_text(encoding="utf-8"), folder.read_tasks())
        return compose(folder, folder.read_order(), recipe, StopFlag())

    return build
