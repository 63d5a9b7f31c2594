"""The profiles of Hypothesis for the tests of this folder, and the registry that they play with."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from registry_builder import RegistryBuilder

from bertmt.registry.states import State
from bertmt.services.ingest.ingest import ingest

INPUTS = int(os.environ.get("INPUTS", "100000"))  # of `make fuzz`, shared out among all tests
TESTS = sum(
    path.read_text(encoding="utf-8").count("\n@given(") for path in Path(__file__).parent.glob("test_*_inputs.py")
)

settings.register_profile(
    "fuzz",
    max_examples=max(INPUTS // TESTS, 1),
    deadline=None,
    print_blob=True,
    # Inputs are built from whole files, large and slow by nature; each test brings its folder back to what it was.
    suppress_health_check=[
        HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example,
        HealthCheck.function_scoped_fixture,
    ],
)  # fmt: skip
# Not called `ci`: Hypothesis has one of that name, and loads it for all tests where CI is set.
settings.register_profile(
    "sample", settings.get_profile("fuzz"), max_examples=50, derandomize=True, database=None, print_blob=False
)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: Any) -> Any:
    """Without --hypothesis-profile the tests of this folder, and no others, have the profile `sample`."""
    before = settings.get_current_profile_name()
    if not collector.config.getoption("--hypothesis-profile"):
        settings.load_profile("sample")
    report = yield
    settings.load_profile(before)
    return report


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs.db and run folders: runs in every state but running."""
    folder = tmp_path_factory.mktemp("built")
    builder = RegistryBuilder(folder / "runs.db")
    builder.add_ended()
    for name, state in (("gone", State.CANCELLED), ("silent", State.LOST)):
        run, _, _ = builder.started(name)
        ingest(builder.database, run)
        builder.database.execute("UPDATE runs SET state = ? WHERE key = ?", (state, run.key))
    builder.add("later")
    builder.add("held", state=State.HELD)
    builder.database.close()
    return folder


@pytest.fixture
def place(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the built folder that is the current one, on a machine of which nothing is known."""
    for name in ("BERTMT_DB", "COLUMNS", "LINES", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("BERTMT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    here = tmp_path / "here"
    shutil.copytree(built, here)
    monkeypatch.chdir(here)
    return here
