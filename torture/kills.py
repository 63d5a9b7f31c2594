"""SIGKILL at every instrumented point, and at random times: child, worker, dashboard, command, and all at once."""

import itertools
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

from sqlite_utils import Database as SqliteUtilsDatabase

from bertmt.registry.database import SCHEMA_VERSION, Database, sqlite3
from bertmt.registry.migrations import migrations
from bertmt.registry.states import State
from torture.faults.injector import KILLS
from torture.playing import Scenario
from torture.stage import Stage

CHUNK = 4
# No command line holds all of them; what is left of a child's life after so many of one kind is short.
FARTHEST = 40
OLD_TABLES = {"snapshots": "snapshots", "runs": "runs", "summaries": "summaries", "moves": "transitions"}  # old: new
MIGRATIONS = (
    "m001_first_schema",
    "m002_changes_of_runs",
    "m003_a_queue_that_survives",
    "m004_workers_known_by_more_than_the_clock",
    "m005_which_encoder",
)


def traced_labels(shape: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """The operations of a worker and of a child that nobody disturbs, with how often each comes.

    Args:
        shape: of the run, as for `Stage.add_run`.
    """
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        stage.add_run(0, **shape)
        worker, child = Path(folder) / "worker", Path(folder) / "child"
        stage.wait(stage.worker(trace=worker, child_trace=child))
        stage.close()
        return counted(worker), counted(child)


def counted(trace: Path) -> dict[str, int]:
    """How often each operation of a trace comes."""
    labels = trace.read_text(encoding="utf-8").splitlines()
    return {label: labels.count(label) for label in sorted(set(labels))}


def points_of(labels: dict[str, int], rng: Random, farthest: int = FARTHEST) -> Iterator[str]:
    """Kills at every point before any comes twice, each time at another moment of the process's life.

    Args:
        farthest: no later than the so-manyth of its kind: an attempt that goes on from a checkpoint has less to do.
    """
    while True:
        faults = [(action, label) for label in labels for action in KILLS]
        rng.shuffle(faults)
        for action, label in faults:
            yield f"{action}@{rng.randint(1, min(labels[label], farthest))}:{label}"


def child_kills(points: Sequence[str]) -> Scenario:
    """One run, each of its first attempts killed at a point."""

    def play(stage: Stage, rng: Random) -> None:
        stage.add_run(rng.randrange(1 << 30))
        stage.carry_on(";".join(f"{attempt}/{point}" for attempt, point in enumerate(points, 1)))

    return Scenario("child at a point", play)


def worker_kills(points: Sequence[str]) -> Scenario:
    """Workers, one after the other, each killed at a point; what they started lives on and is adopted."""

    def play(stage: Stage, rng: Random) -> None:
        for point in points:
            stage.requeue_ended()
            stage.add_run(rng.randrange(1 << 30), epochs=2, epoch_steps=rng.choice((10, 60, 150)))
            stage.wait(stage.worker(point, slots=2))
            if rng.random() < 0.25:
                stage.kill(stage.children())

    return Scenario("worker at a point", play)


def dashboard_kills(points: Sequence[str]) -> Scenario:
    """A dashboard that alone imports a run, since its worker is gone, and is killed at a point."""

    def play(stage: Stage, rng: Random) -> None:
        for point in points:
            stage.requeue_ended()
            stage.add_run(rng.randrange(1 << 30), epochs=2, epoch_steps=150, pause=8)
            worker = stage.worker(drain=False)
            _wait_for_child(stage)
            worker.kill()
            dashboard = stage.dashboard(point)
            end = time.monotonic() + 6
            while dashboard.poll() is None and time.monotonic() < end:
                time.sleep(0.02)
            dashboard.kill()
            stage.carry_on()

    return Scenario("dashboard at a point", play)


def _wait_for_child(stage: Stage) -> None:
    end = time.monotonic() + 10
    while not stage.children() and time.monotonic() < end:
        time.sleep(0.01)


COMMANDS: tuple[Callable[[str], list[str]], ...] = (
    lambda run: [
        "queue", "--preset", "sst-only", "--data", "toy", "--name", "walk-1", "--set", "encoder=tiny", "--set",
        "epochs=1", "--set", "epoch_steps=5", "--set", "checkpoint_steps=2", "--seed", "3,4", "--again",
    ],
    lambda run: ["cancel", run],
    lambda run: ["pause", run],
    lambda run: ["requeue", run],
    lambda run: ["hold", run],
    lambda run: ["release", run],
    lambda run: ["rm", run, "--yes"],
)  # fmt: skip


def command_kills(points: Sequence[tuple[str, int]]) -> Scenario:
    """Commands of a person, killed in the middle while a worker works: they were done, or were not."""

    def play(stage: Stage, rng: Random) -> None:
        stage.add_run(rng.randrange(1 << 30), epoch_steps=80)
        worker = stage.worker(drain=False, slots=2)
        commands = list(itertools.islice(itertools.cycle(COMMANDS), rng.randrange(7), None if not points else 100))
        for (action, number), command in zip(points, commands, strict=False):
            run = rng.choice(stage.runs()).id if stage.runs() else stage.add_run(1)
            words = ["--db", str(stage.path), *command(run)]
            stage.wait(stage.start("torture.command", *words, spec=f"{action}@{number}:sql"))
            states = {each.state for each in stage.runs()}
            if State.RUNNING not in states and State.QUEUED not in states:
                stage.add_run(rng.randrange(1 << 30))
        with stage.open() as database:
            database.execute("UPDATE runs SET state = state")
        worker.kill()
        release_all(stage)

    return Scenario("command at a point", play)


def release_all(stage: Stage) -> None:
    """Let what a command held be taken again."""
    for run in stage.runs():
        if run.state is State.HELD:
            stage.wait(stage.start("torture.command", "--db", str(stage.path), "release", run.id))


def migration_kills(points: Sequence[str]) -> Scenario:
    """Whoever opens an older registry brings it up to date, and is killed at it."""

    def play(stage: Stage, rng: Random) -> None:
        version = rng.choice((1, 2, 3))
        run_id = stage.add_run(rng.randrange(1 << 30))
        _put_back_to(stage, version)
        for point in points:
            if rng.random() < 0.5:
                stage.wait(stage.start("torture.command", "--db", str(stage.path), "runs", spec=point))
            else:
                stage.wait(stage.worker(point))
            found = sqlite3.connect(stage.path).execute("PRAGMA user_version").fetchone()[0]
            if found not in (version, SCHEMA_VERSION):
                stage.violations.append(f"the registry is at schema {found}, neither {version} nor {SCHEMA_VERSION}")
        if [run.id for run in stage.runs()] != [run_id]:
            stage.violations.append("the run of the older registry is not there any more")

    return Scenario("migration at a point", play)


def _put_back_to(stage: Stage, version: int) -> None:
    """The stage's registry as an older bertmt would have made it."""
    with stage.open() as database:
        new = SqliteUtilsDatabase(database.connection)
        kept = {table: list(new.table(name).rows) for table, name in OLD_TABLES.items()}
    for path in stage.root.glob("runs.db*"):
        path.unlink()
    connection = sqlite3.connect(stage.path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    with Database(stage.path, connection).immediate():
        old = SqliteUtilsDatabase(connection)
        migrations.apply(old, stop_before=MIGRATIONS[version])
        connection.execute(f"PRAGMA user_version = {version}")
        for table, rows in kept.items():
            columns = old.table(table).columns_dict
            then = ({"owner": row.get("actor"), **row} for row in rows)
            # A run that waits has no scores, which older tables had in columns of their own.
            old.table(table).insert_all({name: row.get(name) for name in columns} for row in then)
    connection.close()


def kills_at_random(count: int) -> Scenario:
    """A worker, a dashboard and several runs; whom a kill meets, and when, is chance."""

    def play(stage: Stage, rng: Random) -> None:
        workers = [stage.worker(drain=False, slots=2)]
        dashboard = stage.dashboard()
        killed = 0
        while killed < count:
            if not any(run.state in (State.QUEUED, State.RUNNING) for run in stage.runs()):
                stage.requeue_ended()
                stage.add_run(rng.randrange(1 << 30), epochs=2, epoch_steps=100, pause=4)
            time.sleep(rng.uniform(0.02, 1.0))
            target = rng.choice(("child", "child", "worker", "dashboard", "all", "all but the children"))
            pids = {
                "child": stage.children(),
                "worker": [each.pid for each in workers if each.poll() is None],
                "dashboard": [dashboard.pid] if dashboard.poll() is None else [],
                "all": stage.pids(),
                "all but the children": [pid for pid in stage.pids() if pid not in stage.children()],
            }[target]
            hit = stage.kill(pids, signal.SIGKILL)
            if hit:
                killed += 1
                _tell(stage, target)
            if all(each.poll() is not None for each in workers):
                workers = [stage.worker(drain=False, slots=2) for _ in range(rng.choice((1, 1, 2)))]
            if dashboard.poll() is not None and rng.random() < 0.3:
                dashboard = stage.dashboard()
        stage.kill([each.pid for each in workers if each.poll() is None], signal.SIGTERM)
        for each in workers:
            stage.wait(each)

    return Scenario("anyone at random", play)


def _tell(stage: Stage, target: str) -> None:
    with stage.record.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"fault": "kill-random@1", "label": target, "pid": os.getpid()}) + "\n")


def kill_scenarios(kills: int, rng: Random) -> list[Scenario]:
    """Scenarios that kill at least about so many times: not every point that is chosen is reached."""
    kills = round(kills * 1.4)
    worker_labels, child_labels = traced_labels({})
    child, worker = points_of(child_labels, rng), points_of(worker_labels, rng)
    importing = {label: count for label, count in worker_labels.items() if label.startswith(("sql", "open events"))}
    dashboard = points_of(importing, rng)
    sql = points_of(dict.fromkeys(("sql BEGIN", "sql CREATE", "sql ALTER", "sql COMMIT", "sql PRAGMA"), 1), rng)

    def chunks(share: float, points: Iterator[str], size: int = CHUNK) -> Iterator[list[str]]:
        for _ in range(max(1, round(kills * share / size))):
            yield list(itertools.islice(points, size))

    found = [child_kills(each) for each in chunks(0.42, child)]
    found += [worker_kills(each) for each in chunks(0.32, worker)]
    found += [dashboard_kills(each) for each in chunks(0.06, dashboard, 3)]
    found += [
        migration_kills([f"{rng.choice(KILLS)}@{rng.randint(1, 45)}:sql" for _ in each]) for each in chunks(0.05, sql)
    ]
    found += [
        command_kills([(rng.choice(KILLS), rng.randint(1, 16)) for _ in range(6)])
        for _ in range(max(1, round(kills * 0.08 / 6)))
    ]
    found += [kills_at_random(12) for _ in range(max(1, round(kills * 0.12 / 12)))]
    return found
