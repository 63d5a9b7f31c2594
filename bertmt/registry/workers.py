"""Workers that are or were there, and what they last said."""

import json
import os
import socket
from collections.abc import Iterable
from typing import Any

from bertmt.registry.database import Database
from bertmt.registry.records import Worker
from bertmt.run_folder.events import now
from bertmt.run_folder.processes import process_start


def is_running(worker: Worker) -> bool:
    """Whether the worker's very process is there; only known on its own host."""
    if worker.ended_at:
        return False
    if worker.host != socket.gethostname():
        return True
    start = process_start(worker.pid)
    return bool(start) and start == worker.process_start


def register(database: Database, slots: list[str]) -> int:
    """Enter this process as a worker and return its key."""
    with database.immediate():
        key: int = database.execute(
            "INSERT INTO workers (host, pid, process_start, slots, started_at, heartbeat_at) VALUES (?,?,?,?,?,?)",
            (socket.gethostname(), os.getpid(), process_start(os.getpid()), json.dumps(slots), now(), now()),
        ).lastrowid
        return key


def beat(database: Database, key: int) -> None:
    """Say that the worker is alive."""
    with database.immediate():
        database.execute("UPDATE workers SET heartbeat_at = ? WHERE key = ?", (now(), key))


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
    rows: Iterable[Any] = database.execute(
        "SELECT key, host, pid, process_start, slots, started_at, heartbeat_at, ended_at, request, guard FROM workers"
        " WHERE ended_at IS NULL ORDER BY key"
    )
    return [
        Worker(key, host, pid, start, tuple(json.loads(slots)), *rest) for key, host, pid, start, slots, *rest in rows
    ]


def running_workers(database: Database) -> list[Worker]:
    """The workers whose process is there."""
    return [worker for worker in all_workers(database) if is_running(worker)]
