"""What is typed first, in an empty folder: two presets queued and worked, compared, and the dashboard."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome

from bench.terminal import Terminal

SMALL = ("--set", "epochs=1", "--set", "epoch_steps=1", "--set", "evaluate_examples=12", "--set", "batch_size=4")


@pytest.mark.slow
def test_the_three_commands_work_as_they_are(bertmt: Callable[..., Outcome], folder: Path) -> None:
    small = " ".join(("--set epochs=1", "--set epoch_steps=1", "--set evaluate_examples=12", "--set batch_size=4"))
    first = bertmt("queue", "--preset", "final", *SMALL, "--work")
    assert first.code == 0, first.err
    assert first.err.startswith("Nothing is named, so the data are toy and the encoder is tiny")
    assert "toy · tiny" in first.out
    assert f"Next: `bertmt queue --preset baseline {small} --work`; `bertmt-tui`" in first.err
    second = bertmt("queue", "--preset", "baseline", *SMALL, "--work")
    assert second.code == 0 and "Next: `bertmt compare baseline final`; `bertmt-tui`" in second.err
    compared = bertmt("compare", "baseline", "final")
    assert compared.code == 0 and "verdict" in compared.out
    titles, scale, *runs = bertmt("runs").out.splitlines()
    assert (titles.split()[0], scale.strip(), len(runs)) == ("id", "on toy · tiny", 2)
    dashboard = Terminal([sys.executable, "-m", "tui"], 80, 24)
    try:
        dashboard.wait_for("toy · tiny")
        dashboard.wait_for("final")
    finally:
        dashboard.close()


def test_as_json_nothing_is_said_of_what_to_type_next(
    bertmt: Callable[..., Outcome], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.services.lifecycle.workers.work_until_empty", lambda registry: 0)
    monkeypatch.setattr("bertmt.services.analysis.next_step.next_command", lambda *given: "bertmt compare a b")
    assert "Next: `bertmt compare a b`" in bertmt("queue", "--preset", "baseline", "--work").err
    assert "Next:" not in bertmt("queue", "--preset", "final", "--work", "--json").err


def test_runs_of_several_scales_stand_below_theirs(bertmt: Callable[..., Outcome], registry: Path) -> None:
    bertmt("queue", "--preset", "baseline", "--name", "own", "--data", "toy", "--encoder", "minilm")
    lines = bertmt("runs").out.splitlines()
    heads = [line.strip() for line in lines if line.strip().startswith("on ")]
    own = next(number for number, line in enumerate(lines) if " own " in line)
    assert heads == ["on toy · tiny", "on toy · minilm"] and lines[own - 1].strip() == "on toy · minilm"
