"""What a notebook gets: the same numbers as the commands, in columns of equal length."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from registry_builder import COUNT, RegistryBuilder

import bertmt
from bertmt.errors import NotFoundError, UsageError
from bertmt.registry.file.opening import open_registry
from bertmt.services.analysis.compare import compare
from bertmt.services.browse.lookup import find_run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    builder = RegistryBuilder(tmp_path / "runs.db")
    builder.finished("only sst", right=0.5, tasks=["sst"])
    builder.finished("baseline", right=0.4)
    builder.finished("final", "final", right=0.9, **{"lora.rank": 16})
    builder.add("waits", seed=3)
    builder.database.close()
    return tmp_path / "runs.db"


def lengths(columns: dict[str, list[Any]]) -> set[Any]:
    return {len(values) for values in columns.values()}


def test_a_row_per_run_with_scores_settings_and_the_difference_from_its_baseline(path: Path) -> None:
    found = bertmt.open(path).runs()
    assert lengths(found) == {4}
    assert found["name"] == ["only sst", "baseline", "final", "waits"]
    assert found["state"] == ["finished", "finished", "finished", "queued"]
    assert found["ensembling"][:3] == [False, False, True]
    assert found["lora.rank"][:3] == [0, 0, 16]
    assert found["para"][0] is None
    assert found["overall"][3] is None
    assert list(found).count("seed") == 1


def test_runs_are_filtered_and_sorted_as_on_the_command_line(path: Path) -> None:
    registry = bertmt.open(path)
    assert registry.runs("state:queued")["name"] == ["waits"]
    assert registry.runs("state:finished", "-sst")["name"] == ["final", "only sst", "baseline"]
    with pytest.raises(UsageError, match="--sort expects a field"):
        registry.runs(sort="beauty")


def test_scores_have_a_row_per_epoch_and_trained_task(path: Path) -> None:
    found = bertmt.open(path).scores("only sst", "final")
    assert lengths(found) == {len(found["run"])}
    rows = list(zip(found["name"], found["task"], strict=True))
    assert {task for name, task in rows if name == "only sst"} == {"sst", "overall"}
    assert {task for name, task in rows if name == "final"} == {"sst", "para", "sts", "overall"}
    assert sum(found["selected"]) == 6
    listed = bertmt.open(path).runs()
    chosen = [
        score for score, task, name, is_selected in
        zip(found["score"], found["task"], found["name"], found["selected"], strict=True)
        if is_selected and (name, task) == ("final", "sst")
    ]  # fmt: skip
    assert chosen == [listed["sst"][2]]


def test_curves_are_the_points_that_were_stored(path: Path) -> None:
    registry = bertmt.open(path)
    found = registry.curves("final", series=["loss/sst"])
    assert lengths(found) == {len(found["step"])}
    assert set(found["series"]) == {"loss/sst"}
    with open_registry(path) as database:
        run = find_run(database, "final")
        stored = database.execute(
            "SELECT step, value FROM metrics JOIN series ON series.key = metrics.series "
            "WHERE metrics.run = ? AND series.name = 'loss/sst' ORDER BY step", (run.key,)
        ).fetchall()  # fmt: skip
    assert list(zip(found["step"], found["value"], strict=True)) == stored
    assert len(set(registry.curves()["run"])) == 3
    with pytest.raises(NotFoundError, match="No series matches"):
        registry.curves("final", series=["beauty"])


def test_predictions_are_of_the_selected_epoch_unless_all_are_wanted(path: Path) -> None:
    registry = bertmt.open(path)
    found = registry.predictions("only sst")
    assert lengths(found) == {COUNT}
    assert set(found["epoch"]) == {registry.runs("only")["selected_epoch"][0]}
    assert min(lengths(registry.predictions("only sst", every_epoch=True))) > COUNT
    assert all(len(each) == 5 for each in found["probabilities"])
    right = sum(label == predicted for label, predicted in zip(found["label"], found["predicted"], strict=True))
    assert right / COUNT == registry.runs("only")["sst"][0]


def test_a_comparison_is_the_one_of_the_command(path: Path) -> None:
    found = bertmt.open(path).compare("baseline", "final")
    with open_registry(path) as database:
        expected = compare(database, [[find_run(database, "baseline")], [find_run(database, "final")]])
    [against] = expected.others
    assert found.warnings == expected.warnings
    assert found.differences["task"] == [each.task for each in against.examples]
    assert found.differences["p_corrected"] == [each.p_corrected for each in against.examples]
    assert found.differences["verdict"] == [str(each.verdict) for each in against.examples]
    assert found.differences["low"] == [each.low for each in against.examples]
    assert set(found.differences["paired_by"]) == {"example"}
    by_itself = bertmt.open(path).compare("final")
    assert by_itself.differences == found.differences


def test_it_changes_nothing_and_holds_nothing_open(path: Path) -> None:
    before = path.read_bytes()
    registry = bertmt.open(path)
    registry.runs()
    registry.predictions("final")
    assert path.read_bytes() == before
    path.rename(path.with_name("moved.db"))
    with pytest.raises(NotFoundError, match="No registry at"):
        registry.runs()
    with pytest.raises(NotFoundError, match="No registry at"):
        bertmt.open(path)


def test_importing_the_package_brings_none_of_it() -> None:
    code = (
        "import sys, bertmt; print('bertmt.api' in sys.modules, 'numpy' in sys.modules); "
        "bertmt.open; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "False"]
