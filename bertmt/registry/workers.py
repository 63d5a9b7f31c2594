"""Workers that are or were there, and what they last said."""

import json
import os
import socket
from dataclasses import fields

from bertmt.registry.database import Database
from bertmt.registry.records import Worker
from bertmt.run_folder.events import now
from bertmt.run_folder.processes import moment, process_start


def is_running(worker: Worker) -> bool:
    """Whether the worker's very process is there; only known on its own host."""
    if worker.ended_at:
        return False
    if not is_on_this_host(worker):
        return True
    start = process_start(worker.pid)
    return bool(start) and start == worker.process_start


def is_on_this_host(worker: Worker) -> bool:
    """Whether `is_running` is a proof: the worker is of this machine."""
    return worker.host == socket.gethostname()


def register(database: Database, slots: list[str]) -> int:
    """Enter this process as a worker and return its key."""
    with database.immediate():
        key: int = database.execute(
            "INSERT INTO workers (host, pid, process_start, slots, started_at, heartbeat_at, beat, registry)"
            " VALUES (?,?,?,?,?,?,?,?)",
            (
                socket.gethostname(),
                os.getpid(),
                process_start(os.getpid()),
                json.dumps(slots),
                now(),
                now(),
                moment(),
                database.identity or "",
            ),
        ).lastrowid
        return key


def beat(database: Database, key: int) -> None:
    """Say that the worker is alive."""
    with database.immediate():
        database.execute("UPDATE workers SET heartbeat_at = ?, beat = ? WHERE key = ?", (now(), moment(), key))


def ask(database: Database, key: int, request: str) -> None:
    """Ask a worker to "drain", to "stop" or to "go on"; who was asked to stop is not asked for less."""
    with database.immediate():
        database.execute(
            "UPDATE workers SET request = ? WHERE key = ? AND ended_at IS NULL AND request IS NOT 'stop'",
            (request, key),
        )


def request_of(database: Database, key: int) -> str | None:
    """What was asked of a worker."""
    row = database.execute("SELECT request FROM workers WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def guard(database: Database, key: int, reason: str | None) -> None:
    """Say why the worker takes nothing for now, or that it takes runs again; a request to go on is then met."""
    with database.immediate():
        database.execute(
            "UPDATE workers SET guard = ?, request = iif(request = 'go on', NULL, request) WHERE key = ?", (reason, key)
        )


def end(database: Database, key: int) -> None:
    """Say that the worker has stopped."""
    with database.immediate():
        database.execute("UPDATE workers SET ended_at = ?, heartbeat_at = ? WHERE key = ?", (now(), now(), key))


def all_workers(database: Database) -> list[Worker]:
    """All workers that have not said that they ended; `is_running` tells which of them are there."""
    columns = [each.name for each in fields(Worker)]
    rows = database.execute(f"SELECT {', '.join(columns)} FROM workers WHERE ended_at IS NULL ORDER BY key")
    found = (dict(zip(columns, row, strict=True)) for row in rows)
    return [Worker(**values | {"slots": tuple(json.loads(values["slots"]))}) for values in found]


def running_workers(database: Database) -> list[Worker]:
    """The workers whose process is there; those of the registry that this one is a copy of are not its own."""
    own = ("", database.identity)
    return [worker for worker in all_workers(database) if worker.registry in own and is_running(worker)]


def last_beat(database: Database, key: int | None) -> str:
    """When a worker was last heard of, ended or not, as `moment` tells it; "" where nobody knows."""
    row = database.execute("SELECT beat FROM workers WHERE key = ?", (key,)).fetchone()
    return row[0] if row else ""


def is_of_a_copied_registry(database: Database, key: int | None) -> bool:
    """Whether a worker opened another file than this one, which is then a copy: what it started is not this one's."""
    row = database.execute("SELECT registry FROM workers WHERE key = ?", (key,)).fetchone()
    return row is not None and row[0] not in ("", database.identity)
