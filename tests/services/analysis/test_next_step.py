"""What is said to be typed next, after runs were worked."""

from typing import Any

import pytest
from call_types import AddRun

from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.next_step import next_command


@pytest.fixture
def finished(database: Database, add_run: AddRun) -> Any:
    """Adds a finished run of a preset, named after it."""

    def add(preset: str, **values: Any) -> Run:
        run = add_run(preset, preset_name=preset, **values)
        database.execute("UPDATE runs SET state = 'finished', preset = ? WHERE key = ?", (preset, run.key))
        return run

    return add


def test_a_first_run_wants_the_baseline_at_its_own_scale(database: Database, finished: Any) -> None:
    run = finished("final")
    assert next_command(database, {run.id}, {}) == "bertmt queue --preset baseline --work"
    given = {"data": "my data", "encoder": "tiny", "epochs": "2", "pearson": "true", "precision": "fp32"}
    assert next_command(database, {run.id}, given) == (
        "bertmt queue --preset baseline --data 'my data' --encoder tiny --set epochs=2 --work"
    )


def test_a_first_baseline_wants_something_to_compare(database: Database, finished: Any) -> None:
    run = finished("baseline")
    assert next_command(database, {run.id}, {}) == "bertmt queue --preset final --work"


@pytest.mark.parametrize("order", [("final", "baseline"), ("baseline", "final")])
def test_two_that_can_be_compared_are(database: Database, finished: Any, order: tuple[str, str]) -> None:
    last = [finished(preset) for preset in order][-1]
    assert next_command(database, {last.id}, {}) == "bertmt compare baseline final"


def test_a_name_that_several_have_is_said_by_its_id(database: Database, finished: Any) -> None:
    finished("baseline", epochs=7)
    baseline, final = finished("baseline"), finished("final")
    assert next_command(database, {final.id}, {}) == f"bertmt compare {baseline.id} final"


def test_where_nothing_has_finished_nothing_is_said(database: Database, add_run: AddRun) -> None:
    assert next_command(database, {add_run("final").id}, {}) == ""
