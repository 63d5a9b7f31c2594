"""The tally of the fuzzer, gathered from all processes of pytest and shown at the end of `make fuzz`."""

import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from fuzzing import INPUTS_VARIABLE, ROWS, SEED_VARIABLE, Row, merged, tally_lines
from registry_builder import RegistryBuilder

from bertmt.registry.states import State
from bertmt.services.ingest.ingest import ingest

_PARTS: list[dict[str, Row]] = []


def pytest_sessionfinish(session):
    output = getattr(session.config, "workeroutput", None)
    if output is not None:  # a process of pytest-xdist
        output["fuzz_tally"] = {target: asdict(row) | {"outcomes": dict(row.outcomes)} for target, row in ROWS.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    told = getattr(node, "workeroutput", {}).get("fuzz_tally", {})
    _PARTS.append(merged([{target: Row(**row)} for target, row in told.items()]))


def pytest_terminal_summary(terminalreporter):
    rows = merged([*_PARTS, ROWS])
    if rows and INPUTS_VARIABLE in os.environ:
        terminalreporter.section(f"fuzz, SEED={os.environ.get(SEED_VARIABLE, '0')}")
        for line in tally_lines(rows):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
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
def place(built, tmp_path, monkeypatch) -> Path:
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
