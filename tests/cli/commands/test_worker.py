"""`bertmt worker` and `workers`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from message_servers import HttpServer, serving
from present import present

from bertmt.errors import BertmtError
from bertmt.registry import workers
from bertmt.registry.file.opening import open_registry
from bertmt.services.lifecycle.worker_start import await_worker
from bertmt.services.lifecycle.workers import alive_workers

PATIENCE_SECONDS = 120  # only bounds a test that would hang


def test_a_worker_in_the_foreground_is_the_process_itself(registry: Path) -> None:
    # With a run in the queue it would wait for a child that imports torch, which takes long on a busy machine.
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    process = subprocess.Popen(
        [sys.executable, "-m", "bertmt", "worker"], cwd=registry.parent, stdout=subprocess.PIPE, text=True
    )
    try:
        assert present(process.stdout).readline().startswith("Worker ")
        with open_registry(registry) as database:
            assert [worker.pid for worker in alive_workers(database)] == [process.pid]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 130
    finally:
        process.kill()
        present(process.stdout).close()


def test_a_worker_of_a_device_that_is_not_here_is_a_usage_error(registry: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bertmt", "worker", "--device", "nonsense"],
        cwd=registry.parent, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "nonsense" in done.stderr


def test_a_worker_does_not_follow_a_launchers_settings_that_others_may_write(registry: Path) -> None:
    settings = registry.parent / "bertmt.toml"
    settings.write_text("[launcher.slurm]\nsetup = 'touch here'\nmax_jobs = 0\n")
    settings.chmod(0o666)
    command = [sys.executable, "-m", "bertmt", "worker", "--drain", "--launcher", "slurm"]
    done = subprocess.run(command, cwd=registry.parent, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == 2
    assert "Its [launcher] is not followed." in done.stderr


def test_a_worker_of_this_machine_does_not_read_launchers_settings(registry: Path) -> None:
    (registry.parent / "bertmt.toml").write_text("[launcher\n")
    command = [sys.executable, "-m", "bertmt.worker", "--db", str(registry), "--device", "nonsense"]
    done = subprocess.run(command, cwd=registry.parent, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert "nonsense" in done.stderr and "is no TOML" not in done.stderr


def test_a_detached_worker_is_listed_and_outlives_the_command(bertmt: Callable[..., Outcome], registry: Path) -> None:
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    outcome = bertmt("worker", "--detach")
    assert outcome.code == 0
    pid = int(outcome.out.split()[-1].rstrip("."))
    try:
        assert str(pid) in bertmt("workers").out
        assert os.getsid(pid) == pid, "a session of its own"
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    assert "No worker is running" in bertmt("workers").err


def test_a_worker_is_stopped_by_its_number(bertmt: Callable[..., Outcome], registry: Path) -> None:
    with open_registry(registry) as database:
        key = workers.register(database, ["cpu"])
    assert f"Worker {key} on" in bertmt("workers", "--drain", str(key)).out
    assert "stops once the queue is empty" in bertmt("workers").out
    assert "stops; its runs go back" in bertmt("workers", "--stop", str(key)).out
    [listed] = json.loads(bertmt("workers", "--json").out)["workers"]
    assert (listed["key"], listed["request"]) == (key, "stop")


def test_a_mistyped_worker_leaves_the_others_as_they_are(bertmt: Callable[..., Outcome], registry: Path) -> None:
    with open_registry(registry) as database:
        key = workers.register(database, ["cpu"])
        outcome = bertmt("workers", "--stop", str(key), "--stop", "99")
        assert (outcome.code, workers.request_of(database, key)) == (3, None)
        assert "There is no live worker 99" in outcome.err


def test_a_detached_worker_that_ends_at_once_is_heard(bertmt: Callable[..., Outcome], registry: Path) -> None:
    outcome = bertmt("worker", "--detach", "--device", "nonsense")
    assert outcome.code == 1
    assert "The worker exited immediately: bertmt: --device" in outcome.err


def test_a_worker_that_never_begins_is_not_waited_for_for_ever(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertmt.services.lifecycle.worker_start.WAIT_SECONDS", 0.0)
    with open_registry(registry) as database, pytest.raises(BertmtError, match="has not started"):
        await_worker(database, os.getpid())


def test_without_a_channel_it_says_where_one_is_named(bertmt: Callable[..., Outcome]) -> None:
    outcome = bertmt("notify")
    assert outcome.code == 2 and "bertmt.toml names no channel under [notify]" in outcome.err


def test_a_message_arrives(bertmt: Callable[..., Outcome], folder: Path) -> None:
    with serving(HttpServer()) as server:
        (folder / "bertmt.toml").write_text(f'[notify]\nntfy = "{server.address}"\n')
        outcome = bertmt("notify", "hello \x1b[2J")
    assert (outcome.code, outcome.out) == (0, "Sent.\n")
    assert server.got[0].body.decode() == "hello \N{REPLACEMENT CHARACTER}[2J"


def test_one_that_does_not_arrive_is_an_error(bertmt: Callable[..., Outcome], folder: Path) -> None:
    (folder / "bertmt.toml").write_text('[notify]\nntfy = "http://127.0.0.1:1/topic"\n')
    outcome = bertmt("notify")
    assert outcome.code == 1 and "notify.ntfy failed: " in outcome.err and outcome.out == ""
