"""Runs of tasks that a person defined, in the tables of the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_outcome import Outcome
from made_up_tasks import WITH_COLA
from registry_builder import RegistryBuilder

from bertmt.drawing.styled import cells

FOUR: dict[str, Any] = {"tasks": ["sst", "para", "sts", "cola"]}


@pytest.fixture
def four(registry: Path) -> None:
    builder = RegistryBuilder(registry, WITH_COLA)
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    builder.finished("four", right=0.8, **FOUR)
    builder.finished("alone", right=0.8, tasks=["cola"])


def test_a_list_has_columns_of_the_tasks_of_its_runs(bertmt: Callable[..., Outcome], four: None) -> None:
    assert "CoLA φ" in bertmt("runs").out and "CoLA" not in bertmt("runs", "--filter", "cola:none").out
    alone = bertmt("runs", "--filter", "name=alone").out
    assert alone.split()[:9] == ["id", "name", "seed", "state", "done", "CoLA", "φ", "overall", "Δ"]


@pytest.mark.parametrize(("columns", "shown"), [(64, 2), (72, 3), (80, 4)])
def test_what_there_is_no_room_for_is_named(
    bertmt: Callable[..., Outcome], four: None, monkeypatch: pytest.MonkeyPatch, columns: int, shown: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    outcome = bertmt("runs", "--filter", "name=four")
    assert all(cells(line) <= columns for line in outcome.out.splitlines())
    titles = [title for title in ("SST", "PARA", "STS ρ", "CoLA φ") if title in outcome.out.splitlines()[0]]
    assert len(titles) == shown
    assert ("No room for CoLA φ" in outcome.err) == (shown == 3) and ("STS ρ, CoLA φ" in outcome.err) == (shown == 2)


def test_show_has_each_score_and_its_part_in_the_overall_one(
    bertmt: Callable[..., Outcome], four: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    out = bertmt("show", "four").out
    heads = next(line for line in out.splitlines() if "STS ρ" in line).split()
    assert heads == ["step", "SST", "PARA", "STS", "ρ", "S=(1+ρ)/2", "CoLA", "φ", "S=(1+φ)/2", "overall", "time"]
    shown = json.loads(bertmt("show", "four", "--json").out)["details"]["epochs"][-1]
    unit = (1 + shown["scores"]["cola"]) / 2
    assert f"{shown['scores']['cola']:.3f}      {unit:.3f}" in out
    monkeypatch.setenv("COLUMNS", "50")
    narrow = bertmt("show", "four").out
    assert "No room for" in narrow and "S=(1+" not in narrow


def test_a_run_of_one_task_shows_no_other(bertmt: Callable[..., Outcome], four: None) -> None:
    out = bertmt("show", "alone").out
    assert "CoLA φ" in out and "SST" not in out.partition("Dev scores")[2].partition("Effort")[0]
    assert "cola 0." in bertmt("wait", "alone").out
