"""Energy wherever it is shown: nothing where nobody measured it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.drawing import numbers
from bertmt.registry.records import Run
from bertmt.services.analysis.arms import wh_per_point

Bertmt = Callable[..., Outcome]
DRAW = "UPDATE summaries SET gpu_joules = ?, cpu_joules = ?, energy_shared = ? WHERE run = ?"


@pytest.fixture
def draw(builder: RegistryBuilder, run_named: Callable[..., Run]) -> Callable[..., None]:
    """Lets the run of that name have drawn so much."""

    def store(name: str, gpu: float | None = None, cpu: float | None = None, shared: int = 0) -> None:
        builder.database.execute(DRAW, (gpu, cpu, shared, run_named(name).key))

    return store


def test_without_a_measurement_nothing_is_said_of_energy(bertmt: Bertmt, registry: Path) -> None:
    for words in (("runs",), ("show", "base"), ("compare", "base", "better")):
        outcome = bertmt(*words)
        assert outcome.code == 0 and not re.search(r"energy|\bWh\b", outcome.out)
    [run] = [each for each in json.loads(bertmt("runs", "--json").out)["runs"] if each["name"] == "base"]
    assert (run["kwh"], run["gpu_joules"], run["cpu_joules"], run["energy_shared"]) == (None, None, None, False)


def test_a_run_tells_its_energy_and_whose_it_is(bertmt: Bertmt, draw: Callable[..., None]) -> None:
    draw("base", gpu=3_600_000.0, cpu=360_000.0, shared=1)
    shown = bertmt("show", "base").out
    assert "energy" in shown
    assert "1.10 kWh (card 1.00 kWh, processor 100 Wh), others that computed there meanwhile included" in " ".join(
        shown.split()
    )
    said = json.loads(bertmt("show", "base", "--json").out)["run"]
    assert said["kwh"] == pytest.approx(1.1) and said["energy_shared"] is True


def test_the_list_has_a_column_and_can_be_filtered_and_sorted_by_it(bertmt: Bertmt, draw: Callable[..., None]) -> None:
    draw("base", cpu=36_000.0)
    draw("better", cpu=72_000.0)
    lines = bertmt("runs", "--sort", "-kwh").out.splitlines()
    assert lines[0].endswith("energy") and lines[2].endswith("20 Wh") and lines[3].endswith("10 Wh")
    assert lines[4].endswith("–")
    assert "base" not in bertmt("runs", "--filter", "kwh>0.015").out


def test_a_gain_has_its_price_where_it_is_one(bertmt: Bertmt, draw: Callable[..., None]) -> None:
    draw("base", cpu=36_000.0)
    draw("better", cpu=108_000.0)
    found = json.loads(bertmt("compare", "base", "better", "--json").out)
    [arm] = found["arms"]
    for each in arm["differences"]:
        # 20 Wh more; a point is 0.01.
        expected = pytest.approx(20 / (100 * each["difference"])) if each["verdict"] == "better" else None
        assert each["wh_per_point"] == expected
    assert {each["verdict"] for each in arm["differences"]} == {"better"}
    assert found["energy"] == {
        name: {"kwh": pytest.approx(kwh), "shared": False}
        for name, kwh in zip(found["energy"], (0.01, 0.03), strict=True)
    }
    text = " ".join(bertmt("compare", "base", "better").out.split())
    assert "Wh per point" in text and "SST 0.33" in text and "; 30 Wh" in text
    worse = json.loads(bertmt("compare", "better", "base", "--json").out)["arms"][0]["differences"]
    assert {each["wh_per_point"] for each in worse} == {None}
    assert "Wh per point" not in bertmt("compare", "better", "base").out


@pytest.mark.parametrize(("first", "second"), [({}, {"cpu": 1.0}), ({"cpu": 1.0}, {"cpu": 1.0, "gpu": 1.0})])
def test_what_is_not_known_of_both_alike_has_no_price(
    bertmt: Bertmt, draw: Callable[..., None], first: dict[str, Any], second: dict[str, Any]
) -> None:
    draw("base", **first)
    draw("better", **second)
    found = json.loads(bertmt("compare", "base", "better", "--json").out)["arms"][0]["differences"]
    assert {each["wh_per_point"] for each in found} == {None}


def test_a_gain_that_saved_energy_has_a_price_below_nothing(
    draw: Callable[..., None], run_named: Callable[..., Run]
) -> None:
    draw("base", cpu=72_000.0)
    draw("better", cpu=36_000.0)
    assert wh_per_point([run_named("base")], [run_named("better")], 0.05) == pytest.approx(-2.0)
    assert wh_per_point([run_named("base")], [run_named("better")], -0.05) is None


def test_a_gain_that_is_not_sure_has_no_price(
    bertmt: Bertmt, builder: RegistryBuilder, draw: Callable[..., None]
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    builder.finished("alike", right=0.33)
    draw("base", cpu=36_000.0)
    draw("alike", cpu=108_000.0)
    found = json.loads(bertmt("compare", "base", "alike", "--json").out)["arms"][0]["differences"]
    unsure = [each for each in found if each["verdict"] == "undecided" and each["difference"] > 0]
    assert unsure and {each["wh_per_point"] for each in unsure} == {None}


def test_energies_are_in_words_that_fit_them() -> None:
    assert [numbers.energy(each) for each in (None, 0.0, 0.00042, 0.012, 0.9994, 1.25, 12.0)] == [
        "–", "0.00 Wh", "0.42 Wh", "12 Wh", "999 Wh", "1.25 kWh", "12.00 kWh",
    ]  # fmt: skip
