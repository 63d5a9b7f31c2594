"""Jobs in the registry: a schema without them brought up to date, and who hears of their changes."""

from pathlib import Path

from call_types import AddRun
from present import present
from sqlite_utils import Database as SqliteUtilsDatabase

from bertmt.registry.changes import changed_runs, newest_change
from bertmt.registry.claims import claim_next
from bertmt.registry.database import SCHEMA_VERSION, Database, sqlite3
from bertmt.registry.file.opening import open_registry
from bertmt.registry.jobs.record import Job
from bertmt.registry.jobs.rows import store_job, store_obeyed
from bertmt.registry.migrations import m014_jobs, migrations
from bertmt.registry.runs import all_runs, forget, run_by_key


def test_a_registry_without_jobs_is_brought_up_to_date_and_its_runs_have_none(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrations.apply(SqliteUtilsDatabase(connection), stop_before=m014_jobs.__name__)
    connection.execute("PRAGMA user_version = 13")
    connection.execute("INSERT INTO snapshots VALUES (1, 'code', '{}', '{}')")
    connection.execute(
        "INSERT INTO runs (key, id, name, recipe, digest, seed, data, extra_data_file, fingerprints, state, position,"
        " submitted_at, snapshot, attempt) VALUES (1, 'abc234', 'old', '{}', '', 0, 'toy', '', '{}', 'running', 1,"
        " 'now', 1, 1)"
    )
    connection.execute("INSERT INTO summaries (run) VALUES (1)")
    connection.close()
    with open_registry(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        [run] = all_runs(database)
        assert (run.name, run.execution.job) == ("old", None)


def test_an_attempt_is_a_job_from_its_claim_on_and_the_next_may_be_none(database: Database, add_run: AddRun) -> None:
    add_run("finish")
    run = present(claim_next(database, None, "cpu", launcher="slurm"))
    assert run.execution.job == Job("slurm")
    told = ("slurm", "12", "pending", "Resources", "", "10:00")
    store_job(database, run, Job(*told))
    with database.immediate():
        store_obeyed(database, run, "SIGTERM")
    assert run_by_key(database, run.key).execution.job == Job(*told, "SIGTERM")
    with database.immediate():
        database.execute("UPDATE runs SET state = 'queued'")
    again = present(claim_next(database, None, "cpu"))
    assert (again.attempt, again.execution.job) == (2, None)
    forget(database, run.key)
    assert database.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


def test_who_keeps_a_list_hears_that_a_job_waits_for_something_else(database: Database, add_run: AddRun) -> None:
    add_run("finish")
    run = present(claim_next(database, None, "cpu", launcher="slurm"))
    before = newest_change(database)
    store_job(database, run, Job("slurm", "12", "pending", "Priority"))
    [changed] = changed_runs(database, before).runs
    assert present(changed.execution.job).reason == "Priority"
