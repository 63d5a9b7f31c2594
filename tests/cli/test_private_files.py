"""Everything that bertmt makes is for its user alone, whatever the umask; `bertmt.toml` alone is a project's."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.devices.slots import CPU, DeviceSlot
from bertmt.drawing.styled import Span
from bertmt.registry.file.opening import open_registry
from bertmt.run_folder.checkpoints import Checkpoints
from bertmt.services.lifecycle.workers import start_detached_worker
from bertmt.worker.worker import Worker
from tui.pictures import write_picture
from tui.settings import Settings, write_settings
from tui.styles.themes import THEMES


@pytest.fixture(params=[0o000, 0o022], ids=["000", "022"])
def umask(request: pytest.FixtureRequest) -> Iterator[Any]:
    previous = os.umask(request.param)
    yield request.param
    os.umask(previous)


def open_to_others(folder: Path) -> list[str]:
    """What others may read or write below a folder that they may enter: what lies in a private folder is not."""
    found = []
    for path in folder.iterdir():
        is_open = path.lstat().st_mode & 0o077
        found += [path.name] * bool(is_open)
        found += open_to_others(path) if path.is_dir() and is_open else []
    return found


def await_end(registry: Path) -> None:
    """Until the detached worker has nothing open beside the registry any more."""
    for _ in range(600):
        with open_registry(registry) as database:
            if database.execute("SELECT 1 FROM workers WHERE ended_at IS NOT NULL").fetchone():
                return
        time.sleep(0.05)
    pytest.fail("the worker did not end")


def test_what_commands_and_workers_make_is_private(
    bertmt: Callable[..., Outcome], folder: Path, umask: Any, stand_in_child: tuple[str, ...]
) -> None:
    registry = folder / "deep" / "runs.db"
    assert (
        bertmt("queue", "--preset", "sst-only", "--data", "toy", "--encoder", "tiny", "--db", str(registry)).code == 0
    )
    with open_registry(registry) as database:
        Worker(database, [DeviceSlot("cpu", CPU, 1)], lambda line: None, stand_in_child).work(drain=True)
        beside = {path.name for path in registry.parent.iterdir()}
        assert {"runs.db-wal", "runs.db-shm"} <= beside, "else this test looks too late"
        [run] = (path for path in (registry.parent / "runs").iterdir())
        assert {"log-1.txt", "events-1.jsonl", "predictions", "alive"} <= {path.name for path in run.iterdir()}
        assert {
            path.name for path in (registry.parent, *registry.parent.iterdir()) if path.stat().st_mode & 0o077
        } == set()
    registry.parent.chmod(0o777)
    (registry.parent / "runs").chmod(0o777)
    run.chmod(0o777)
    assert open_to_others(registry.parent) == ["runs", run.name]


def test_what_is_copied_and_saved_is_private(
    bertmt: Callable[..., Outcome], registry: Path, umask: Any, tmp_path: Path
) -> None:
    registry.parent.chmod(0o777)
    before = set(open_to_others(registry.parent))
    builder = RegistryBuilder(tmp_path / "other" / "runs.db")
    run = builder.finished("foreign")
    builder.database.close()
    assert bertmt("backup").code == 0
    assert bertmt("import-run", str(tmp_path / "other" / "runs" / run.id)).code == 0
    registry.write_bytes(os.urandom(20_000))
    registry.chmod(0o600)
    assert bertmt("repair").code == 0
    assert set(open_to_others(registry.parent)) <= before


def test_what_the_dashboard_and_detached_workers_write_is_private(folder: Path, umask: Any) -> None:
    write_settings(folder / "config" / "bertmt" / "dashboard.toml", Settings())
    write_picture([(Span("x"),)], THEMES[0], folder / "picture.svg")
    Checkpoints(folder / "scratch" / "abc234", is_elsewhere=True).write(
        {"state": lambda path: path.write_bytes(b"x")}, 1
    )
    registry = folder / "work" / "runs.db"
    open_registry(registry, create=True).close()
    start_detached_worker(registry, drain=True, device="cpu")
    await_end(registry)
    assert (registry.parent / "runs" / "worker.log").is_file()
    assert open_to_others(folder) == []


def test_the_defaults_of_a_project_follow_the_umask(bertmt: Callable[..., Outcome], folder: Path, umask: Any) -> None:
    assert bertmt("init", "--data", "toy").code == 0
    assert (folder / "bertmt.toml").stat().st_mode & 0o777 == 0o666 & ~umask
