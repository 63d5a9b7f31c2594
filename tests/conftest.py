"""Fixtures that every test may use."""

import importlib
import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from jaxtyping import install_import_hook

from bertmt.recipe.loading import matching_preset, preset, to_json
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run, Snapshot
from bertmt.registry.runs import NewRun, add_runs, all_runs
from bertmt.registry.states import State

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FIXTURES = Path(__file__).parent / "fixtures"
STAND_IN_CHILD = (sys.executable, str(FIXTURES / "stand_ins" / "stand_in_child.py"))

# Shapes and types in the signatures of these are checked at each call, here and nowhere else. (An int where a float is
# asked for is what PEP 484 allows.)
CHECKED = ("bertmt.losses", "bertmt.models", "bertmt.own_code", "bertmt.prediction", "bertmt.training")
# beartype draws which element of a list to look at, with the global generator: one that checkpoints hold.
with patch("random.getrandbits", random.Random(0).getrandbits):
    importlib.import_module("beartype")
install_import_hook(CHECKED, "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

# What several folders of tests build with: `from registry_builder import RegistryBuilder`.
sys.path[:0] = [
    str(FIXTURES),
    *(str(FIXTURES / each) for each in ("dashboard", "encoders", "reference", "stand_ins", "tasks")),
]

# Children of parallel tests must not fight for the cores; torch reads this at its import.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def own_state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests leave nothing in the state folder of who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def own_cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nor token ids in the cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """A CS224N folder with real data, beside the checkout; tests that need it skip where there is none."""
    folder = REAL_DATA / "cs224n"
    if not folder.is_dir():
        pytest.skip(f"NO REAL DATA: {folder} is missing, so this test measured nothing")
    return folder


@pytest.fixture(scope="session")
def real_extra_pairs(real_data: Path) -> Path:
    """Real extra paraphrase pairs, 2,755 of them."""
    return real_data.parent / "extra" / "duplicates.jsonl.gz"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty registry."""
    with open_registry(tmp_path / "runs.db", create=True) as opened:
        yield opened


@pytest.fixture
def add_run(database: Database) -> Callable[..., Run]:
    """Adds a queued run: `add_run("finish", preset="sst-only", seed=1, **values)`."""

    def add(name: str = "finish", preset_name: str = "sst-only", state: State = State.QUEUED, **values: object) -> Run:
        recipe = resolved(recipe_from({"data": "toy", "encoder": "tiny", **values}, preset(preset_name).recipe()))
        new = NewRun(
            name=name, preset=matching_preset(recipe), from_preset=preset_name,
            recipe_json=to_json(recipe), digest=recipe.digest(),
            seed=recipe.seed, data="toy", extra_data_file="", fingerprints={}, state=state,
        )  # fmt: skip
        [run_id] = add_runs(database, [new], Snapshot("code", {"version": "0"}, {"python": "3"}))
        return all_runs(database, "runs.id = ?", (run_id,))[0]

    return add


@pytest.fixture
def stand_in_child() -> tuple[str, ...]:
    """The command of a child without torch; see `fixtures/stand_ins/stand_in_child.py`."""
    return STAND_IN_CHILD
