"""A built registry, copied for each test of the command line; it is made once per session without torch."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import HOSTILE, RegistryBuilder

from bertmt.cli.main import run as run_command_line
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, run_by_key
from bertmt.registry.states import State


@pytest.fixture(scope="session")
def built_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs.db: base, better, twins (two seeds), sts, evil (failed), and evil, later, held that wait."""
    folder = tmp_path_factory.mktemp("built")
    builder = RegistryBuilder(folder / "runs.db")
    builder.add_ended()
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
def builder(registry: Path) -> Iterator[RegistryBuilder]:
    """To add more to the copy."""
    made = RegistryBuilder(registry)
    yield made
    made.database.close()


@pytest.fixture
def bertmt(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs one command line in this process: `bertmt("runs", "--json")`."""

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = run_command_line(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def run_named(registry: Path) -> Callable[..., Run]:
    """The run of that name, as it is in the registry now."""

    def find(name: str) -> Run:
        with open_registry(registry) as database:
            return run_by_key(database, all_runs(database, "runs.name = ?", (name,))[0].key)

    return find
