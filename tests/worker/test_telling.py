"""A worker tells people of what ended, and a server that does not answer costs no run anything."""

import json
import os
import subprocess
import sys

import pytest
from call_types import AddRun
from message_servers import HttpServer, serving

from bertmt.registry.database import Database
from bertmt.worker import telling


def test_a_worker_that_drains_tells_of_the_last_run_too(database: Database, add_run: AddRun) -> None:
    """Its encoder is not here: a run that fails."""
    run = add_run("broken", encoder="/nowhere")
    with serving(HttpServer()) as server:
        (database.path.parent / "bertmt.toml").write_text('[notify]\nwebhook = "$HOOK"\n')
        command = [sys.executable, "-m", "bertmt.worker", "--db", str(database.path), "--drain", "--device", "cpu"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HOOK": server.address}
        subprocess.run(command, capture_output=True, text=True, env=environment)
    said = "\n".join(json.loads(each.body)["text"] for each in server.got)
    assert f"{run.id} broken (seed 0) failed: " in said and said.endswith("The queue is empty.")
    assert said.count(run.id) == 1


def test_what_goes_wrong_is_said_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = iter(["one", "", "two", "three"])
    monkeypatch.setattr(telling, "what_happened", lambda database, on: next(texts))
    (database.path.parent / "bertmt.toml").write_text('[notify]\nntfy = "http://127.0.0.1:1/topic"\n')
    said: list[str] = []
    looks = iter([False, False, True])
    telling.tell(database.path, said.append, lambda seconds: next(looks))
    assert len(said) == 1 and "notify.ntfy failed: " in said[0]
    assert next(texts, None) is None, "each was tried"


def test_settings_that_are_wrong_are_said_once_and_read_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = database.path.parent / "bertmt.toml"
    settings.write_text("[notify]\nntfy = 3\n")
    said: list[str] = []
    sent: list[str] = []
    monkeypatch.setattr(telling, "what_happened", lambda database, on: "news")
    monkeypatch.setattr(telling, "send", lambda settings, title, text: sent.append(text) or [])
    looks = 0

    def ended_within(seconds: float) -> bool:
        nonlocal looks
        looks += 1
        if looks == 2:
            assert sent == []
            settings.write_text('[notify]\nntfy = "http://127.0.0.1:1/topic"\n')
        return looks == 3

    telling.tell(database.path, said.append, ended_within)
    assert len(said) == 1 and "notify.ntfy expects text" in said[0]
    assert sent == ["news", "news"]
