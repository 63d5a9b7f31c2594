"""A run that is a job of a cluster, in the cells and lines of the dashboard and of the command line."""

from pathlib import Path

import pytest
from present import present
from registry_builder import RegistryBuilder

from bertmt.cli.records import run_record
from bertmt.cli.run_lines import detail_line
from bertmt.drawing.styled import plain
from bertmt.registry.claims import claim_next
from bertmt.registry.jobs.record import Job
from bertmt.registry.jobs.rows import store_job
from bertmt.registry.records import Run, Worker
from bertmt.registry.runs import run_by_key
from bertmt.services.browse.run_formatting import seconds_left, slot_words
from bertmt.services.upkeep.devices import Place, places_of
from tui.formatting.run_standing import standing
from tui.screens.devices.tables import PLACES, place_cell
from tui.screens.queue.columns import COLUMNS, QueueLine, queue_cell
from tui.screens.runs.columns import _progress


@pytest.fixture
def builder(tmp_path: Path) -> RegistryBuilder:
    return RegistryBuilder(tmp_path / "runs.db")


def as_job(builder: RegistryBuilder, *told: str) -> Run:
    builder.add("a")
    run = present(claim_next(builder.database, None, "cpu", launcher="slurm"))
    store_job(builder.database, run, Job("slurm", *told))
    return run_by_key(builder.database, run.key)


def cell(run: Run, key: str) -> str:
    return queue_cell(QueueLine(run), next(column for column in COLUMNS if column.key == key)).text


def test_a_job_that_waits_says_so_wherever_its_progress_would_stand(builder: RegistryBuilder) -> None:
    run = as_job(builder, "12", "pending", "Resources", "", "1:00:00")
    assert cell(run, "when") == _progress(run).text == "pending: Resources"
    assert standing(run).text == "pending: Resources; slurm job 12, pending (Resources), time limit 1:00:00"
    assert plain(detail_line(run, 0, None)[0]) == "pending: Resources"
    assert seconds_left(run) is None
    assert run_record(run)["job"] == {
        "launcher": "slurm", "handle": "12", "phase": "pending", "reason": "Resources", "node": "",
        "time_limit": "1:00:00",
    }  # fmt: skip


def test_words_of_a_scheduler_cannot_reach_the_terminal_as_they_are(builder: RegistryBuilder) -> None:
    run = as_job(builder, "12", "pending", "evil\x1b[2J", "n\x1b[1m1")
    assert "\x1b" not in cell(run, "when") + standing(run).text + cell(run, "device")


def test_a_job_that_runs_shows_its_node_as_its_device_and_host(builder: RegistryBuilder) -> None:
    run = as_job(builder, "12", "running", "", "n1", "1:00:00")
    assert (cell(run, "device"), cell(run, "when")) == ("n1", "starting")
    host = next(column for column in PLACES if column.key == "host")
    assert place_cell(Place("cpu-job-1", None, run, False), host, {}).text == "n1"


def test_jobs_that_may_still_be_submitted_are_no_idle_devices(builder: RegistryBuilder) -> None:
    run = as_job(builder, "12", "running", "", "n1")
    slots = tuple(f"cpu-job-{number}" for number in range(1, 21))
    worker = Worker(key=run.execution.worker or 0, host="h", pid=1, process_start="", slots=slots, started_at="",
                    heartbeat_at="", ended_at=None)  # fmt: skip
    assert [place.run for place in places_of([worker], [], [])] == []
    assert slot_words(slots) == "cpu-job-1 … cpu-job-20"
