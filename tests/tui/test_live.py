"""What is live in a running run is the same wherever it stands: the time left, and how fast it is."""

import json
from pathlib import Path
from typing import Any

import pytest
from run_screen import open_run
from shown import Show

from bertmt.cli.main import run as run_command_line
from bertmt.registry.file.opening import open_registry
from bertmt.services.ingest.reconcile import ingest_running

LEFT, SHORT, SPEED = "4 m 12 s left", "4m12s", "2.0 steps/s"


async def test_list_queue_devices_and_run_say_the_same_time_left_and_speed(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show(size=(120, 40)) as shown:
        for key, found in (("1", (SHORT, LEFT, SPEED)), ("2", (SHORT,)), ("4", (SHORT, SPEED))):
            await shown.press(key)
            row = next(line for line in shown.text.splitlines() if "training" in line)
            assert SHORT in row, key
            assert all(each in shown.text for each in found), key
        await shown.press("1")
        await open_run(shown, "run006")
        assert LEFT in shown.text and SPEED in shown.text


def test_the_command_line_says_what_the_dashboard_says(
    alive: Any, registry: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(registry.parent)

    def out(*words: str) -> str:
        capsys.readouterr()
        assert run_command_line(words) == 0
        return capsys.readouterr().out

    assert LEFT in out("runs") and SPEED in out("runs")
    assert LEFT in out("show", "run006") and SPEED in out("show", "run006")
    listed = next(each for each in json.loads(out("runs", "--json"))["runs"] if each["id"] == "run006")
    shown = json.loads(out("show", "run006", "--json"))["run"]
    assert listed["seconds_left"] == shown["seconds_left"] == 252.0
    assert listed["steps_per_second"] == shown["steps_per_second"] == 2.0


def test_a_run_that_is_about_to_stop_or_has_stopped_has_no_time_left_anywhere(
    alive: Any, registry: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(registry.parent)
    with open_registry(registry) as database:
        ingest_running(database, silent_only=False)
    for change in ("request = 'pause'", "request = NULL, state = 'paused'"):
        with open_registry(registry) as database:
            database.execute(f"UPDATE runs SET {change} WHERE id = 'run006'")
        for words in (("runs", "--json"), ("show", "run006", "--json")):
            run_command_line(words)
            document = json.loads(capsys.readouterr().out)
            run = document["run"] if "run" in document else next(e for e in document["runs"] if e["id"] == "run006")
            assert run["seconds_left"] is None
        run_command_line(("show", "run006"))
        assert LEFT not in capsys.readouterr().out
