"""What is to go wrong, and when: faults as text, and who counts the operations until one is due."""

import atexit
import errno
import json
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

KILLS = ("kill-before", "kill-half", "kill-after")
ERRORS = ("enospc", "eio", "locked")
# What can fail for want of space: a read cannot, nor can a deletion.
NEEDS_SPACE = ("create", "write", "fsync", "rename", "mkdir", "sql")
SQL_WORDS = {"enospc": "database or disk is full", "eio": "disk I/O error", "locked": "database is locked"}
NUMBERS = {"enospc": errno.ENOSPC, "eio": errno.EIO}
WORD = re.compile(
    r"(?:(?P<attempt>\d+)/)?(?P<action>kill-before|kill-half|kill-after|enospc|eio|locked|clock(?P<shift>[+-]\d+))"
    r"(?:@(?P<number>\d+)(?P<stays>\+)?)?(?::(?P<label>.+))?"
)

Result = TypeVar("Result")
# The real ones: what is counted must not count itself.
os_open, os_write, os_close = os.open, os.write, os.close


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, in text `[ATTEMPT/]ACTION[@N[+]][:LABEL]`.

    Attributes:
        action: of `KILLS` or `ERRORS`, or "clock" with the seconds by which it jumps.
        number: the operation at which, counted from 1 among those that the action and the label fit.
        label: how the operation begins; "": any.
        stays: all later ones fail too.
        attempt: only the child of this attempt is concerned; None: whoever runs.
    """

    action: str
    number: int = 1
    label: str = ""
    stays: bool = False
    attempt: int | None = None

    def __str__(self) -> str:
        attempt = "" if self.attempt is None else f"{self.attempt}/"
        label = f":{self.label}" if self.label else ""
        return f"{attempt}{self.action}@{self.number}{'+' * self.stays}{label}"

    def fits(self, label: str) -> bool:
        """Whether an operation is one of those counted."""
        if self.label and not label.startswith(self.label):
            return False
        kind = label.partition(" ")[0]
        if self.action == "locked":
            return kind == "sql"
        return self.action != "enospc" or kind in NEEDS_SPACE


def parse_faults(text: str) -> list[Fault]:
    """The faults of a SPEC: words separated by semicolons.

    Raises:
        ValueError: a word is no fault.
    """
    found = []
    for word in filter(None, (each.strip() for each in text.split(";"))):
        match = WORD.fullmatch(word)
        if match is None:
            raise ValueError(f"A fault is [ATTEMPT/]ACTION[@N[+]][:LABEL], but found {word!r}.")
        attempt = None if match["attempt"] is None else int(match["attempt"])
        number = int(match["number"] or 1)
        found.append(Fault(match["action"], number, match["label"] or "", match["stays"] is not None, attempt))
    return found


class Injector:
    """Counts operations and lets those go wrong that are due.

    Args:
        record: a file that gets a line of JSON for every fault that happened; None: nobody asks.
        trace: a file that gets the labels of all operations when the process ends.
        sql_error: the exception that SQLite raises.

    Attributes:
        moves_the_clock: whether it jumps at all.
        clock_seconds: by how much it has jumped.
    """

    def __init__(
        self,
        faults: Sequence[Fault],
        record: Path | None = None,
        trace: Path | None = None,
        sql_error: type[Exception] = Exception,
    ):
        self._faults = tuple(faults)
        self._record = record
        self._counts: Counter[Fault] = Counter()
        self._sql_error = sql_error
        # The dashboard works in several threads.
        self._lock = threading.Lock()
        self._labels: list[str] | None = [] if trace is not None else None
        self.moves_the_clock = any(_is_clock(each) for each in faults)
        self.clock_seconds = sum(int(each.action[5:]) for each in faults if _is_clock(each) and each.number == 1)
        if trace is not None:
            atexit.register(lambda: _append(trace, "".join(f"{label}\n" for label in self._labels or ())))

    def perform(self, label: str, operation: Callable[[], Result], half: Callable[[], Any] | None = None) -> Result:
        """An operation, or what a fault makes of it.

        Args:
            half: does a part of it, where it can be done in part.
        """
        fault = self._due(label)
        if fault is None:
            return operation()
        if self._record is not None:
            _append(self._record, json.dumps({"fault": str(fault), "label": label, "pid": os.getpid()}) + "\n")
        if _is_clock(fault):
            self.clock_seconds += int(fault.action[5:])
            return operation()
        if fault.action in ERRORS:
            if fault.action == "enospc" and half is not None:
                half()
            raise self._error(fault.action, label)
        if fault.action == "kill-half" and half is not None:
            half()
        elif fault.action != "kill-before":
            operation()
        os.kill(os.getpid(), signal.SIGKILL)
        raise SystemExit("nobody survives SIGKILL")

    def _due(self, label: str) -> Fault | None:
        with self._lock:
            if self._labels is not None:
                self._labels.append(label)
            found = None
            for fault in self._faults:
                if fault.fits(label):
                    self._counts[fault] += 1
                    due = self._counts[fault] == fault.number or (fault.stays and self._counts[fault] > fault.number)
                    if due and not (_is_clock(fault) and fault.number == 1):
                        found = found or fault
            return found

    def _error(self, action: str, label: str) -> Exception:
        if label.startswith("sql "):
            return self._sql_error(SQL_WORDS[action])
        number = NUMBERS[action]
        return OSError(number, os.strerror(number), label.partition(" ")[2])


def _is_clock(fault: Fault) -> bool:
    return fault.action.startswith("clock")


def _append(path: Path, text: str) -> None:
    handle = os_open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os_write(handle, text.encode())
    finally:
        os_close(handle)
