"""`bertmt runs`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.drawing.styled import cells
from bertmt.registry.records import Run
from bertmt.run_folder.events import Step, now
from bertmt.run_folder.layout import hold_alive


def line_of(outcome: Outcome, run: Run) -> str:
    return next(line for line in outcome.out.splitlines() if line.startswith(run.id))


@pytest.mark.parametrize("columns", [80, 60, 120])
def test_every_line_fits_the_columns(
    bertmt: Callable[..., Outcome],
    registry: Path,
    builder: RegistryBuilder,
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    builder.add("a name of a run that is far longer than any column of any terminal, and then some")
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = bertmt("runs").out.splitlines()
    least = 69  # the columns that never give way, and six cells of the name
    assert max(cells(line) for line in lines) <= max(columns, least)


def test_names_of_a_sweep_are_told_apart_on_a_narrow_terminal(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rate in ("1e-3", "1e-4", "1e-5"):
        builder.add(f"baseline-learning_rate{rate}")
    monkeypatch.setenv("COLUMNS", "80")
    shown = bertmt("runs").out
    assert all(f"rate{rate} " in shown for rate in ("1e-3", "1e-4", "1e-5"))


def test_a_pipe_gets_the_whole_names(bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder) -> None:
    name = "a name of a run that is far longer than any column of any terminal, and then some"
    builder.add(name)
    assert name in bertmt("runs").out


def test_scores_state_and_difference_stand_in_the_line_of_the_run(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    outcome, run = bertmt("runs"), run_named("better")
    words = line_of(outcome, run).split()
    assert words[:4] == [run.id, "better", "0", "finished"]
    assert words[6:10] == [
        f"{score:.3f}" for score in (run.score("sst"), run.score("para"), run.score("sts"), run.scores.overall)
    ]
    assert words[10].startswith("+")


def test_the_baseline_is_marked_and_a_run_of_another_scale_has_no_difference(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder, run_named: Callable[..., Run]
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    other = builder.finished("other", "sst-only", epochs=5)
    outcome = bertmt("runs")
    assert line_of(outcome, run_named("base")).split()[-1] == "base"
    assert line_of(outcome, other).split()[-1] == "–"


def test_a_failure_stands_below_its_run(bertmt: Callable[..., Outcome], registry: Path) -> None:
    lines = bertmt("runs").out.splitlines()
    index = next(index for index, line in enumerate(lines) if " failed " in line)
    assert "ValueError: evil" in lines[index + 1]


def test_a_filter_and_a_sort_choose_the_lines(bertmt: Callable[..., Outcome], registry: Path) -> None:
    names = [run["name"] for run in json.loads(bertmt("runs", "--filter", "state:queued,held", "--json").out)["runs"]]
    assert names == ["later", "held"]
    listed = json.loads(bertmt("runs", "--sort", "-overall", "--limit", "2", "--json").out)["runs"]
    assert listed[0]["name"] == "better"
    assert len(listed) == 2


def test_a_filter_that_is_none_is_a_usage_error(bertmt: Callable[..., Outcome], registry: Path) -> None:
    outcome = bertmt("runs", "--filter", "nonsense>3")
    assert outcome.code == 2
    assert "nonsense" in outcome.err


def test_a_queue_that_nobody_works_is_said_with_what_to_type(bertmt: Callable[..., Outcome], registry: Path) -> None:
    assert "1 run waits and no worker is running: `bertmt worker --drain`" in bertmt("runs").err


def test_an_empty_list_says_what_to_type(bertmt: Callable[..., Outcome], registry: Path) -> None:
    outcome = bertmt("runs", "--filter", "name:nobody-at-all")
    assert (outcome.code, outcome.out) == (0, "")
    assert "No run matches" in outcome.err


def test_a_live_run_is_imported_and_shows_how_far_it_is(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run, folder, events = builder.started("live")
    with hold_alive(folder):
        for step in range(3):
            events.write(Step(at=now(), step=step, epoch=1, phase="train", values={"loss/sst": 1.0}, seconds_left=75.0))
        lines = bertmt("runs").out.splitlines()
    index = next(index for index, line in enumerate(lines) if line.startswith(run.id))
    assert " running " in lines[index]
    assert "epoch 1 of 2, step 3 of 6, 1 m 15 s left" in lines[index + 1]
    events.close()


def test_a_run_whose_process_is_gone_is_queued_again_and_the_second_time_lost(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run, _, events = builder.started("gone")
    events.close()
    assert " queued " in line_of(bertmt("runs"), run)
    builder.database.execute("UPDATE runs SET state = 'running', synced_at = NULL WHERE key = ?", (run.key,))
    outcome = bertmt("runs")
    assert " lost " in line_of(outcome, run)
    assert f"`bertmt requeue {run.id}`" in outcome.out


def test_a_run_that_waits_again_shows_nothing_of_its_former_attempt(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder, run_named: Callable[..., Run]
) -> None:
    builder.database.execute("UPDATE runs SET state = 'queued' WHERE name = 'better'")
    assert line_of(bertmt("runs"), run_named("better")).split()[3:] == ["queued", *["–"] * 6]


def test_a_field_to_sort_by_that_is_like_no_other_gets_no_empty_suggestion(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    outcome = bertmt("runs", "--sort", "foo")
    assert outcome.code == 2 and "found 'foo'; settings are fields too" in outcome.err


def test_a_run_that_goes_on_from_a_checkpoint_keeps_its_scores_and_its_share_while_it_waits(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, run_named: Callable[..., Run]
) -> None:
    run = run_named("base")
    builder.database.execute("UPDATE runs SET state = 'queued' WHERE key = ?", (run.key,))
    builder.database.execute("UPDATE summaries SET checkpoint_step = NULL WHERE run = ?", (run.key,))

    def line() -> str:
        return next(each for each in bertmt("runs", "--filter", "name:base").out.splitlines() if run.id in each)

    assert "0.300" not in line() and "%" not in line()
    builder.database.execute("UPDATE summaries SET checkpoint_step = 3, steps_total = 6 WHERE run = ?", (run.key,))
    assert "50 %" in line() and "0.300" in line()
