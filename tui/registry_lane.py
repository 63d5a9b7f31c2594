"""The registry as the dashboard reaches it: one thread, one connection, one question after another.

SQLite connections belong to a thread, and the screens' thread must never wait for a lock or a disk. So what a screen
wants to know it asks a lane and awaits the answer.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bertmt.errors import BertmtError, RegistryError, reason_of
from bertmt.services.browse.run_list import RunList
from bertmt.services.browse.times.throughput import Speeds
from bertmt.services.ingest.watch import Watch
from bertmt.services.opening import Registry, opened_registry, sqlite_errors_as_sentences
from bertmt.services.upkeep.device_history import DeviceHistory

if TYPE_CHECKING:
    from bertmt.services.browse.alarms.watching import AlarmWatch
    from bertmt.services.browse.live_curves import LiveCurves
    from bertmt.services.browse.times.along import Axes

T = TypeVar("T")
BUSY_SECONDS = 2.0  # nobody waits longer before a screen that says nothing


class Session:
    """What a lane keeps between questions: the open registry, and what was read from it.

    What needs numpy, 0.1 s of every start, is made when it is asked for: the first picture is a list.
    """

    def __init__(self, database: Registry):
        self.database = database
        self.watch = Watch(database)
        self.runs = RunList(database)
        self.history = DeviceHistory()
        self.speeds = Speeds(database)

    @cached_property
    def curves(self) -> "LiveCurves":
        """The curves that were looked at."""
        from bertmt.services.browse.live_curves import LiveCurves  # noqa: PLC0415

        return LiveCurves(self.database)

    @cached_property
    def axes(self) -> "Axes":
        """What curves can be put along."""
        from bertmt.services.browse.times.along import Axes  # noqa: PLC0415

        return Axes(self.database)

    @cached_property
    def alarms(self) -> "AlarmWatch":
        """The alarms of runs that train now."""
        from bertmt.services.browse.alarms.watching import AlarmWatch  # noqa: PLC0415

        return AlarmWatch(self.database)


class RegistryLane:
    """Answers questions about one registry on a separate thread; opens it with the first one."""

    def __init__(self, path: Path, read_only: bool | None = None):
        self.path = path
        self._read_only = read_only
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="registry")
        self._opened = ExitStack()
        self._session: Session | None = None
        self._file: tuple[int, int] | None = None
        self._is_closed = False

    async def ask(self, act: Callable[[Session], T], create: bool = False) -> T:
        """What `act` returns; it runs on the lane's thread.

        Args:
            create: make the registry where there is none.

        Raises:
            BertmtError: the registry cannot be used, or `act` refuses.
            CancelledError: the lane is closed; nobody waits for the answer any more.
        """
        if self._is_closed:
            raise asyncio.CancelledError
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, act, create)

    def _answer(self, act: Callable[[Session], T], create: bool) -> T:
        try:
            with sqlite_errors_as_sentences(self.path):
                return act(self._session_now(create))
        except OSError as problem:
            where = f" ({problem.filename})" if problem.filename else ""
            raise BertmtError(f"A file cannot be used: {reason_of(problem)}{where}.") from problem

    def _session_now(self, create: bool) -> Session:
        """The session with the file that is at the path now.

        SQLite goes on with a file that was deleted or replaced, and what is written there is lost with it.
        """
        if self._session is not None and _identity(self.path) != self._file:
            self._close()
        if self._session is not None:
            self._session.database.reopen_if_written()  # a file that nobody may write is read as if it never changed
            return self._session
        try:
            opened = opened_registry(self.path, create, self._read_only, BUSY_SECONDS)
            self._session = Session(self._opened.enter_context(opened))
        except OSError as problem:
            sentence = f"The registry {self.path} cannot be reached: {reason_of(problem)}; name another with --db."
            raise RegistryError(sentence) from problem
        self._file = _identity(self.path)
        return self._session

    def _close(self) -> None:
        self._session = None
        self._opened.close()

    def close(self, wait: bool = True) -> None:
        """Close the connection; what is being answered is finished first.

        Args:
            wait: until then.
        """
        self._is_closed = True
        self._thread.submit(self._close)
        self._thread.shutdown(wait=wait)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file is at a path; None where there is none, or none that can be reached."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
