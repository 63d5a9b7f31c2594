"""Events: what a training child tells, one JSON object per line of `events-<attempt>.jsonl`.

Every event has `event` (its kind) and `at` (UTC, ISO 8601). Kinds and their further keys:

    started    attempt, pid, process_start (of that pid: the machine's boot and when in it; see `processes.py`), device,
               precision, threads, steps_total, epochs_total, versions, split_sizes ("<task>-<split>" → examples),
               passes_per_epoch (task → passes over its data), pretraining (phase → {pairs, steps}),
               trainable_parameters, total_parameters, resumes (whether a `resumed` event follows), begins_anew (a
               sentence, left out where nothing is wrong: why the checkpoint that was expected is not gone on from)
    step       step (one counter per run from 0, pretraining included), epoch (0 while pretraining), phase ("mnr",
               "cosine_embedding", "train"), values (series name → number, of the weights before the step;
               pearson_undefined counts from the start), seconds_left
    evaluated  epoch (0: before any training), step (how many steps the weights have had), scores (task → score or
               null), overall (or null), losses (task → mean loss), sizes (task → examples), predictions (list of
               {task, split, file, fingerprint}), seconds
    resumed    step (how many were done at the checkpoint), evaluated_epoch, evaluated_step (of the last evaluation
               until then, −1 where there was none), differences (list of sentences: why it is not bit-exact)
    checkpoint step (how many steps it holds), mib, seconds
    stopped    step, signal (its name); a checkpoint was written before it where that was possible
    displaced  step, reason (a sentence): the process ends because its folder is no longer its own; its run is then lost
    finished   epoch, step, selected_epoch, scores, seconds (phase → wall seconds: load, pretraining, training,
               evaluation, saving), peak_memory_mib, examples, tokens, passes (each by task and pretraining phase),
               model (whether weights were kept), remarks (list of sentences)
    failed     error (one line), step (how many were done), out_of_memory (left out where it was not that)

A number that is not finite is written as null. One event is one line is one unbuffered `write`, so an event
whose call returned survives the death of the process; a torn last line has no newline and is not read.
"""

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from bertmt.bounded_files import MEBIBYTE, MOST_JSON, open_plain
from bertmt.errors import BusyError
from bertmt.run_folder.locks import lock
from bertmt.run_folder.unreadable import unreadable_as_sentence

LAST_EVENTS = frozenset({"finished", "failed", "stopped"})
STORED_WHOLE = frozenset({"started", "finished"})  # as JSON, with keys that this version does not know


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62


def _is_epoch(value: Any) -> bool:
    return value == -1 or _is_count(value)


def _is_optional_number(value: Any) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 1 << 62  # SQLite's integers have 64 bits
    return value is None or (isinstance(value, float) and abs(value) < 1e300)


def is_time(value: Any) -> bool:
    """Whether a value is a time as it is written here: ISO 8601, with its zone."""
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _are_optional_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_optional_number(each) for each in value.values())


def _are_predictions(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _are_sentences(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


# What an importer relies on. A key that may be left out is checked where it is there.
_REQUIRED: dict[str, dict[str, Callable[[Any], bool]]] = {
    "started": {},
    "step": {
        "step": _is_count,
        "epoch": _is_count,
        "phase": lambda v: isinstance(v, str),
        "values": _are_optional_numbers,
    },
    "evaluated": {"epoch": _is_count, "step": _is_count, "scores": _are_optional_numbers},
    "resumed": {"step": _is_count, "evaluated_epoch": _is_epoch, "evaluated_step": _is_epoch},
    "checkpoint": {"step": _is_count},
    "stopped": {"step": _is_count, "signal": lambda v: isinstance(v, str)},
    "displaced": {"step": _is_count, "reason": lambda v: isinstance(v, str)},
    "finished": {"epoch": _is_count, "step": _is_count, "selected_epoch": _is_count},
    "failed": {"error": lambda v: isinstance(v, str)},
}
_OPTIONAL: dict[str, Callable[[Any], bool]] = {
    "steps_total": _is_count,
    "epochs_total": _is_count,
    "seconds_left": _is_optional_number,
    "overall": _is_optional_number,
    "losses": _are_optional_numbers,
    "predictions": _are_predictions,
}
_OPTIONAL_OF_KIND: dict[str, dict[str, Callable[[Any], bool]]] = {
    "started": {
        "resumes": lambda v: isinstance(v, bool),
        "process_start": lambda v: isinstance(v, str),
        "begins_anew": lambda v: isinstance(v, str),
    },
    "evaluated": {"seconds": _is_optional_number},
    "resumed": {"differences": _are_sentences},
    "failed": {"out_of_memory": lambda v: isinstance(v, bool)},
    "finished": {
        "seconds": _are_optional_numbers,
        "examples": _are_optional_numbers,
        "tokens": _are_optional_numbers,
        "passes": _are_optional_numbers,
        "peak_memory_mib": _is_optional_number,
        "remarks": _are_sentences,
    },
}


def now() -> str:
    """The time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class EventWriter:
    """Appends events to one attempt's file.

    Args:
        fresh: the file must not be there yet: an attempt has one writer, and none once somebody declared it dead. It is
            locked until it is closed or the process dies: a second proof of life, should `alive` be deleted.

    Raises:
        BusyError: `fresh`, and the file is there.
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, fresh: bool = False):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | (os.O_EXCL if fresh else 0)
        try:
            self._handle = os.open(path, flags, 0o600)
        except FileExistsError:
            raise BusyError(f"Another process has begun this attempt, or declared it dead: {path} is there.") from None
        if fresh:
            lock(self._handle)
        self._torn = False

    def write(self, event: str, **content: Any) -> None:
        """Append one event; when this returns, the kernel has it.

        Raises:
            OSError: the disk is full or gone. Half a line may then stand at the end: readers skip it, and the
                next event starts on a line of its own.
        """
        document = {"event": event, "at": now(), **content}
        try:
            line = json.dumps(document, allow_nan=False, separators=(",", ":"))
        except ValueError:  # looked for only then: nearly every event is finite
            line = json.dumps(finite(document), allow_nan=False, separators=(",", ":"))
        data = b"\n" * self._torn + line.encode() + b"\n"
        self._torn = True
        while data:
            data = data[os.write(self._handle, data) :]
        self._torn = False

    def step(self, step: int, epoch: int, phase: str, values: Mapping[str, float], seconds_left: float | None) -> None:
        """Append a `step` event."""
        self.write("step", step=step, epoch=epoch, phase=phase, values=dict(values), seconds_left=seconds_left)

    def close(self) -> None:
        os.close(self._handle)


def finite(content: Any) -> Any:
    """`content` with null in place of every number that is not finite."""
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [finite(value) for value in content]
    return content


def read_events(path: Path, offset: int = 0, limit_bytes: int = 1 << 24) -> tuple[list[dict[str, Any]], int, int]:
    """The complete events from byte `offset` on.

    Returns:
        the events, the offset behind the last complete line read, and how many lines were no event (a torn
        line of a dead attempt, a flipped byte, more than 64 MiB): these are skipped.

    Raises:
        DataError: the file is there and cannot be read.
    """
    try:
        with unreadable_as_sentence(path), open_plain(path) as file:
            file.seek(offset)
            content = file.read(limit_bytes)
            if len(content) == limit_bytes:
                content += file.readline(MOST_JSON)  # a line longer than the limit must not stop the reader for good
            end = content.rfind(b"\n") + 1
            if not end and len(content) == limit_bytes + MOST_JSON:  # nor one that no memory holds
                behind = _behind_line(file)
                return [], behind or offset, int(behind is not None)
    except FileNotFoundError:
        return [], offset, 0
    events, broken = [], 0
    for line in filter(None, content[:end].split(b"\n")):
        event = parse_event(line)
        if event is None:
            broken += 1
        else:
            events.append(event)
    return events, offset + end, broken


def _behind_line(file: IO[bytes]) -> int | None:
    """Where the line ends that is being read; None where it has no end yet."""
    while piece := file.readline(MEBIBYTE):
        if piece.endswith(b"\n"):
            return file.tell()
    return None


def parse_event(line: bytes) -> dict[str, Any] | None:
    """One line as an event, or None where it is not one."""
    try:
        # Decoded here: `json.loads` would take other encodings than UTF-8, and half characters in it.
        event = json.loads(line.decode("utf-8"), parse_constant=_refuse)
        if b"\\u" in line:
            event = _storable(event)
    except (ValueError, RecursionError):
        return None
    if not (isinstance(event, dict) and isinstance(event.get("event"), str) and is_time(event.get("at"))):
        return None
    if event["event"] in STORED_WHOLE and not _is_json(event):
        return None
    required = _REQUIRED.get(event["event"], {})
    if not all(key in event and holds(event[key]) for key, holds in required.items()):
        return None
    optional = _OPTIONAL | _OPTIONAL_OF_KIND.get(event["event"], {})
    if not all(holds(event[key]) for key, holds in optional.items() if key in event):
        return None
    return event


def without_malformed(kind: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """An event that was stored by a version which checked less, without the keys that would mislead who reads it."""
    checks = _OPTIONAL | _OPTIONAL_OF_KIND.get(kind, {})
    return {key: value for key, value in event.items() if key not in checks or checks[key](value)}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_json(content: Any) -> bool:
    try:
        json.dumps(content, allow_nan=False)
    except ValueError:  # 1e999 is read as infinite
        return False
    return True


def _storable(content: Any) -> Any:
    """`content` with a question mark in place of half a character, which JSON can spell and UTF-8 cannot hold."""
    text = json.dumps(content, ensure_ascii=False)
    return json.loads(text.encode("utf-8", "replace"))


def tail_lines(path: Path, count: int, limit_bytes: int = 1 << 18) -> list[str]:
    """The last `count` lines of a log, without reading more than `limit_bytes` of it; none where there is no log.

    Raises:
        DataError: it is there and cannot be read.
    """
    try:
        with unreadable_as_sentence(path), open_plain(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit_bytes))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-count:] if count > 0 else []


def attempts(folder: Path) -> Iterator[int]:
    """The attempts that left an event file, ascending."""
    found = []
    for path in folder.glob("events-*.jsonl"):
        number = path.stem.removeprefix("events-")
        if number.isascii() and number.isdigit():
            found.append(int(number))
    return iter(sorted(found))
