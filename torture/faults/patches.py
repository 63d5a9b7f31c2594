"""Calls of the operating system and of SQLite, wrapped from outside: the program itself knows nothing of faults.

Only what happens to files below one folder counts: imports, terminals and /proc are nobody's business.
"""

import builtins
import contextlib
import datetime
import fcntl
import io
import os
import re
import shutil  # noqa: F401  decides at its import, by identity, which calls of os take a folder handle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torture.faults.injector import Injector

# Parts of names that differ from run to run.
RANDOM = re.compile(r"[0-9a-f]{12}|\d+")
SQL_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|TABLE|INDEX|TRIGGER)\s+(?:IF NOT EXISTS\s+)?[\"\[]?(\w+)", re.IGNORECASE)


class Patches:
    """The wrapped calls, counted by an injector where they concern a file below `root`."""

    def __init__(self, injector: Injector, root: Path):
        self.injector = injector
        self.root = os.path.realpath(root)

    def install(self) -> None:
        """Put every wrapped call in its place, for the rest of the process's life."""
        self._wrap_open()
        self._wrap_handles()
        self._wrap_paths()
        self._wrap_files()
        if self.injector.moves_the_clock:
            self._wrap_clock()

    def name(self, path: Any, folder: int | None = None) -> str | None:
        """What an operation on a path is called; None where it does not count."""
        if isinstance(path, int):
            return self._handle_name(path)
        text = os.fsdecode(path)
        if folder is not None:
            text = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)  # noqa: PTH115, PTH118
        text = os.path.abspath(text)  # noqa: PTH100
        if not text.startswith(self.root + "/"):
            return None
        folder_name, _, name = text.rpartition("/")
        return "RUN" if folder_name.endswith("/runs") else RANDOM.sub("#", name)

    def _handle_name(self, handle: int) -> str | None:
        try:
            return self.name(os.readlink(f"/proc/self/fd/{handle}"))  # noqa: PTH115
        except OSError:
            return None

    def _wrap_open(self) -> None:
        real = os.open

        def opened(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            name = self.name(path, dir_fd)
            if name is None:
                return real(path, flags, mode, dir_fd=dir_fd)
            kind = "create" if flags & os.O_CREAT else "open"
            return self.injector.perform(f"{kind} {name}", lambda: real(path, flags, mode, dir_fd=dir_fd))

        os.open = opened

    def _wrap_handles(self) -> None:
        real_write, real_fsync, real_lock, real_truncate = os.write, os.fsync, fcntl.flock, os.ftruncate

        def write(handle: int, data: Any) -> int:
            name = self._handle_name(handle)
            if name is None:
                return real_write(handle, data)
            half = bytes(data)[: len(data) // 2]
            return self.injector.perform(
                f"write {name}", lambda: real_write(handle, data), lambda: real_write(handle, half)
            )

        def fsync(fd: Any) -> None:
            name = self._handle_name(fd if isinstance(fd, int) else fd.fileno())
            if name is None:
                return real_fsync(fd)
            return self.injector.perform(f"fsync {name}", lambda: real_fsync(fd))

        def flock(handle: Any, how: int) -> None:
            name = self._handle_name(handle if isinstance(handle, int) else handle.fileno())
            if name is None:
                return real_lock(handle, how)
            return self.injector.perform(f"lock {name}", lambda: real_lock(handle, how))

        def ftruncate(handle: int, length: int) -> None:
            name = self._handle_name(handle)
            if name is None:
                return real_truncate(handle, length)
            return self.injector.perform(f"truncate {name}", lambda: real_truncate(handle, length))

        os.write, os.fsync, fcntl.flock, os.ftruncate = write, fsync, flock, ftruncate

    def _wrap_paths(self) -> None:
        for word in ("mkdir", "unlink", "rmdir", "rename", "replace"):
            setattr(os, word, self._path_call(getattr(os, word), "rename" if word == "replace" else word))

    def _path_call(self, real: Callable[..., Any], word: str) -> Callable[..., Any]:
        def call(path: Any, *others: Any, **named: Any) -> Any:
            name = self.name(path, named.get("dir_fd"))
            if name is None:
                return real(path, *others, **named)
            return self.injector.perform(f"{word} {name}", lambda: real(path, *others, **named))

        return call

    def _wrap_files(self) -> None:
        """`open`, in its three names: what is written through a buffer is one operation per call of `write`."""
        real = io.open

        def opened(file: Any, mode: str = "r", *others: Any, **named: Any) -> Any:
            name = self.name(file)
            if name is None:
                return real(file, mode, *others, **named)
            if not set(mode) & set("wax+"):
                return self.injector.perform(f"open {name}", lambda: real(file, mode, *others, **named))
            if isinstance(file, int):
                return CountedFile(real(file, mode, *others, **named), name, self.injector)
            made = self.injector.perform(f"create {name}", lambda: real(file, mode, *others, **named))
            return CountedFile(made, name, self.injector)

        builtins.open = io.open = opened

    def _wrap_clock(self) -> None:
        injector, real_datetime, real_time = self.injector, datetime.datetime, time.time

        class Jumping(real_datetime):  # type: ignore[misc, valid-type]
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return real_datetime.now(tz) + datetime.timedelta(seconds=injector.clock_seconds)

        datetime.datetime = Jumping  # type: ignore[misc]
        time.time = lambda: real_time() + injector.clock_seconds

    def install_sql(self, sqlite3: Any) -> None:
        """Wrap the connections of an SQLite module; `bertmt.registry.database` asks for them in one place."""
        injector, real = self.injector, sqlite3.connect

        class CountedConnection(sqlite3.Connection):  # type: ignore[misc]
            def execute(self, sql: str, *parameters: Any) -> Any:
                return injector.perform(
                    sql_label(sql), lambda: super(CountedConnection, self).execute(sql, *parameters)
                )

            def executemany(self, sql: str, rows: Any) -> Any:
                stored = list(rows)
                return injector.perform(
                    sql_label(sql),
                    lambda: super(CountedConnection, self).executemany(sql, stored),
                    lambda: super(CountedConnection, self).executemany(sql, stored[: len(stored) // 2]),
                )

            def backup(self, target: Any, **named: Any) -> None:
                def half() -> None:
                    def stop(*_: int) -> None:
                        raise InterruptedError

                    with contextlib.suppress(InterruptedError):
                        super(CountedConnection, self).backup(target, pages=20, progress=stop)

                injector.perform("sql BACKUP", lambda: super(CountedConnection, self).backup(target, **named), half)

        def connect(address: Any, *others: Any, **named: Any) -> Any:
            name = self.name(address) or "registry"
            return injector.perform(
                f"sql CONNECT {name}", lambda: real(address, *others, factory=CountedConnection, **named)
            )

        sqlite3.connect = connect


class CountedFile:
    """A file opened for writing, each call of `write` an operation that may be done by half."""

    def __init__(self, file: Any, name: str, injector: Injector):
        self._file, self._name, self._injector = file, name, injector

    def write(self, content: Any) -> Any:
        def half() -> None:
            self._file.write(content[: len(content) // 2])
            self._file.flush()

        return self._injector.perform(f"write {self._name}", lambda: self._file.write(content), half)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "CountedFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def __iter__(self) -> Any:
        return iter(self._file)


def sql_label(sql: str) -> str:
    """What an SQL statement is called: its verb and its table."""
    verb = sql.split(None, 1)[0].upper().rstrip(";")
    if verb == "PRAGMA":
        return f"sql PRAGMA {re.split(r'[^a-z_]', sql.split(None, 1)[1])[0]}"
    table = SQL_TABLE.search(sql)
    return f"sql {verb} {table[1]}" if table else f"sql {verb}"
