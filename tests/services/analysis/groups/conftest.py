"""Seeds of three recipes with predictions, and a plan that has their data."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from registry_builder import EXAMPLES, RegistryBuilder

from bertmt.registry.database import Database
from bertmt.services.browse.run_list import RunList
from bertmt.services.plan.submit import Plan, Request, plan
from bertmt.tasks.examples import fingerprint

SCALE = {"data": "toy", "encoder": "tiny", "epochs": "2", "epoch_steps": "3"}  # that of `RegistryBuilder.add`


@pytest.fixture
def seeds(tmp_path: Path) -> Iterator[Database]:
    """Six seeds of `plain` and of `lora`, three of `mnr` and one of them that still waits."""
    builder = RegistryBuilder(tmp_path / "runs.db")
    lora: dict[str, Any] = {"lora.rank": 4}
    noise = np.random.default_rng(0).normal(size=15) / 25
    for seed in range(6):
        builder.finished("plain", right=0.45 + noise[seed], seed=seed)
        builder.finished("lora", right=0.60 + noise[seed + 6], seed=seed, **lora)
    for seed in range(3):
        builder.finished("mnr", right=0.5 + noise[12 + seed], seed=seed, mnr=True)
    builder.add("mnr", seed=7, mnr=True)
    yield builder.database
    builder.database.close()


@pytest.fixture
def listed(seeds: Database) -> RunList:
    """All of them."""
    runs = RunList(seeds)
    runs.refresh()
    return runs


@pytest.fixture
def planned() -> Callable[..., Plan]:
    """Plans runs on the dev examples of the registry's runs, without reading data that they do not have."""

    def make(preset: str = "baseline", planned_seeds: tuple[int, ...] = (0,), **values: Any) -> Plan:
        made = plan(Request(preset=preset, values={**SCALE, **values}, seeds=planned_seeds))
        marks = {f"{task}-dev": fingerprint(EXAMPLES[task]) for task in ("sst", "para", "sts")}
        return dataclasses.replace(made, runs=tuple(dataclasses.replace(run, fingerprints=marks) for run in made.runs))

    return make
