"""The event file: one line per event, whatever happens to the process, the disk or the bytes."""

import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from present import present

from bertmt.run_folder.event_files import EventWriter, attempts, read_events, tail_lines
from bertmt.run_folder.events import (
    Evaluated,
    Event,
    Failed,
    Finished,
    PredictionFile,
    Started,
    Step,
    Unknown,
    now,
    parse_event,
    stored,
    to_json,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events-1.jsonl"


def write_steps(path: Path, numbers: list[Any] | range) -> None:
    writer = EventWriter(path)
    for number in numbers:
        writer.write(
            Step(at=now(), step=number, epoch=1, phase="train", values={"loss/sst": number / 2}, seconds_left=1.5)
        )
    writer.close()


def steps_of(events: list[Event]) -> list[Any]:
    return [event.step for event in events if isinstance(event, Step)]


def test_an_event_comes_back_as_it_was_written(path: Path) -> None:
    writer = EventWriter(path)
    predictions = [PredictionFile(task="sst", split="dev", file="a", fingerprint="b")]
    written = Evaluated(at=now(), epoch=0, step=0, scores={"sst": 0.2, "sts": None}, predictions=predictions)
    writer.write(written)
    writer.close()
    [event], offset, broken = read_events(path)
    assert event == written
    assert (offset, broken) == (path.stat().st_size, 0)


def test_time_is_utc_in_iso_8601_and_sorts_as_text() -> None:
    first, second = now(), now()
    assert first.endswith("+00:00") and len(first) == len("2026-01-01T00:00:00.000+00:00")
    assert first <= second


def test_a_reader_goes_on_where_it_stopped(path: Path) -> None:
    write_steps(path, [0, 1])
    first, offset, _ = read_events(path)
    write_steps(path, [2])
    second, _, _ = read_events(path, offset)
    assert (steps_of(first), steps_of(second)) == ([0, 1], [2])


def test_a_missing_file_is_an_empty_one(path: Path) -> None:
    assert read_events(path, offset=7) == ([], 7, 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_written_as_null_in_every_event(path: Path, value: float) -> None:
    writer = EventWriter(path)
    writer.write(
        Step(
            at=now(),
            step=3,
            epoch=1,
            phase="train",
            values={"loss/sts": value, "gradient_norm": 1.0},
            seconds_left=value,
        )
    )
    writer.write(Evaluated(at=now(), epoch=1, step=3, scores={"sts": value}, overall=value))
    writer.write(Started(at=now(), passes_per_epoch={"sst": value}))
    writer.close()
    told, _, broken = read_events(path)
    step, evaluated, started = list[Any](told)
    assert step.values == {"loss/sts": None, "gradient_norm": 1.0} and step.seconds_left is None
    assert (evaluated.scores, evaluated.overall, broken) == ({"sts": None}, None, 0)
    assert started.passes_per_epoch == {"sst": None}


@given(st.dictionaries(st.text(), st.floats()), st.text(st.characters()))
def test_every_event_that_is_written_can_be_read(values: dict[Any, Any], text: str) -> None:
    """Also with half a character, as in the name of a file that is no UTF-8, which becomes a question mark."""
    event: Any = parse_event(
        to_json(Finished(at=now(), epoch=1, step=1, selected_epoch=1, seconds=values, remarks=[text]))
    )
    whole = {name.encode("utf-8", "replace").decode(): value for name, value in values.items()}
    if all(not math.isfinite(value) or abs(value) < 1e300 for value in values.values()):
        assert event.seconds == {name: value if math.isfinite(value) else None for name, value in whole.items()}
        assert event.remarks == [text.encode("utf-8", "replace").decode()]
    else:
        assert event is None


def test_a_torn_last_line_waits_until_it_is_complete(path: Path) -> None:
    write_steps(path, [0, 1])
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    events, offset, broken = read_events(path)
    assert (steps_of(events), broken) == ([0], 0)
    path.write_bytes(whole)
    assert steps_of(read_events(path, offset)[0]) == [1]


@given(cut=st.integers(0, 400))
def test_a_file_cut_anywhere_gives_its_complete_lines_and_no_more(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "events-1.jsonl"
    write_steps(path, range(3))
    content = path.read_bytes()[:cut]
    path.write_bytes(content)
    events, offset, broken = read_events(path)
    assert (steps_of(events), offset, broken) == (list(range(content.count(b"\n"))), content.rfind(b"\n") + 1, 0)


@given(where=st.integers(0, 2000), bit=st.integers(0, 7))
@settings(max_examples=150)
def test_a_flipped_bit_costs_at_most_the_lines_it_touches(
    tmp_path_factory: pytest.TempPathFactory, where: int, bit: int
) -> None:
    path = tmp_path_factory.mktemp("flip") / "events-1.jsonl"
    write_steps(path, range(10))
    content = bytearray(path.read_bytes())
    content[where % len(content)] ^= 1 << bit
    path.write_bytes(content)
    events, offset, broken = read_events(path)
    assert len(events) >= 8
    assert broken <= 2
    assert offset == content.rfind(b"\n") + 1


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "events-1.jsonl"
    path.write_bytes(content)
    events, offset, broken = read_events(path)
    assert offset == content.rfind(b"\n") + 1
    assert len(events) + broken <= content.count(b"\n")


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[]", b"null", b'{"event": 1, "at": "x"}', b'{"event": "step"}', b"[" * 100_000, b"\xff\xfe",
     b'{"event": "step", "at": "x", "values": {"loss": NaN}}'],
)  # fmt: skip
def test_a_line_that_is_no_event_is_none(line: bytes) -> None:
    assert parse_event(line) is None


STEP: dict[str, Any] = {
    "event": "step",
    "at": "2026-01-01T00:00:00Z",
    "step": 3,
    "epoch": 1,
    "phase": "train",
    "values": {"loss/sst": 0.5},
}


@pytest.mark.parametrize(
    "change",
    [
        {"step": -1}, {"step": True}, {"step": "3"}, {"step": 2**62}, {"epoch": None}, {"phase": 1}, {"values": []},
        {"values": {"loss/sst": "low"}}, {"values": {"loss/sst": True}}, {"seconds_left": "soon"}, {"at": 5},
        {"at": "now"}, {"at": "2026-01-01T00:00:00"}, {"values": {"loss/sst": 10**30}},
    ],
    ids=str,
)  # fmt: skip
def test_an_event_that_an_importer_could_not_use_is_none(change: Any) -> None:
    assert json.loads(to_json(present(parse_event(json.dumps(STEP).encode())))) == STEP | {"seconds_left": None}
    assert parse_event(json.dumps(STEP | change).encode()) is None


@pytest.mark.parametrize("key", ["step", "epoch", "phase", "values"])
def test_a_step_without_one_of_its_keys_is_none(key: str) -> None:
    assert parse_event(json.dumps({name: value for name, value in STEP.items() if name != key}).encode()) is None


def test_a_number_too_large_for_a_float_is_none() -> None:
    assert parse_event(json.dumps(STEP).replace("0.5", "1e999").encode()) is None


def test_an_event_of_a_later_version_is_passed_on() -> None:
    event = parse_event(b'{"event": "celebrated", "at": "2026-01-01T00:00:00Z", "how": 1}')
    assert event == Unknown(at="2026-01-01T00:00:00Z", kind="celebrated")
    assert parse_event(b'{"event": "celebrated", "at": "2026-01-01T00:00:00Z", "how": "caf\\u00e9"}') == event
    assert parse_event(b'{"event": "celebrated", "at": "yesterday"}') is None


def test_keys_of_a_later_version_are_passed_over() -> None:
    line = json.dumps(STEP | {"temperature": {"gpu": [81]}, "values": {"loss": 1, "new/series": 2}})
    assert parse_event(line.encode()) == Step(
        at=STEP["at"], step=3, epoch=1, phase="train", values={"loss": 1, "new/series": 2}
    )


def test_reading_in_pieces_gives_what_reading_at_once_gives(path: Path) -> None:
    write_steps(path, range(40))
    pieces, offset = [], 0
    while (step := read_events(path, offset, limit_bytes=333))[1] > offset:
        pieces += step[0]
        offset = step[1]
    assert pieces == read_events(path)[0]


def test_a_line_longer_than_the_limit_does_not_stop_the_reader(path: Path) -> None:
    writer = EventWriter(path)
    writer.write(Started(at=now(), versions={"long": "x" * 5000}))
    writer.write(Step(at=now(), step=0, epoch=1, phase="train", values={}, seconds_left=None))
    writer.close()
    events, offset, _ = read_events(path, limit_bytes=100)
    assert [type(event) for event in events] == [Started]
    assert steps_of(read_events(path, offset)[0]) == [0]


def test_a_writer_interrupted_by_kill_leaves_every_acknowledged_event(path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Step, now
writer = EventWriter(Path({str(path)!r}))
for step in range(500):
    writer.write(Step(at=now(), step=step, epoch=1, phase="train", values={{"loss/sst": 0.5}}))
    os.write(1, b"%d\\n" % step)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert done.returncode < 0
    acknowledged = [int(line) for line in done.stdout.split()]
    assert steps_of(read_events(path)[0]) == acknowledged == list(range(500))


def test_an_event_after_a_half_written_one_stands_on_a_line_of_its_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = EventWriter(path)
    writer.write(Step(at=now(), step=0, epoch=1, phase="train", values={}, seconds_left=None))
    really_write, calls = os.write, []

    def disk_that_fills_up(handle: Any, data: Any) -> int:
        calls.append(data)
        if len(calls) == 1:
            return really_write(handle, data[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(os, "write", disk_that_fills_up)
        writer.write(Step(at=now(), step=1, epoch=1, phase="train", values={}, seconds_left=None))
    writer.write(Failed(at=now(), error="No space left on device", step=1))
    writer.close()
    events, offset, broken = read_events(path)
    assert [type(event) for event in events] == [Step, Failed]
    assert (offset, broken) == (path.stat().st_size, 1)


def test_a_real_limit_of_the_file_size_is_an_os_error_and_readers_see_whole_lines(path: Path) -> None:
    program = f"""
import resource, signal
from pathlib import Path
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Step, now
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = EventWriter(Path({str(path)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    for step in range(100):
        writer.write(Step(at=now(), step=step, epoch=1, phase="train", values={{"loss/sst": 0.5}}))
except OSError:
    print("full")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "full"
    assert path.stat().st_size == 1000
    events, _, broken = read_events(path)
    assert (steps_of(events), broken) == (list(range(len(events))), 0)
    assert len(events) > 3


def test_two_writers_of_one_file_do_not_mix_their_lines(path: Path) -> None:
    one, other = EventWriter(path), EventWriter(path)
    for step in range(50):
        one.write(Step(at=now(), step=2 * step, epoch=1, phase="train", values={}, seconds_left=None))
        other.write(Step(at=now(), step=2 * step + 1, epoch=1, phase="train", values={}, seconds_left=None))
    events, _, broken = read_events(path)
    assert (steps_of(events), broken) == (list(range(100)), 0)


def test_a_closed_writer_refuses_further_events(path: Path) -> None:
    writer = EventWriter(path)
    writer.close()
    with pytest.raises(OSError):
        writer.write(Failed(at=now(), error="no"))


def test_attempts_are_found_in_numeric_order(tmp_path: Path) -> None:
    for name in ("events-10.jsonl", "events-2.jsonl", "events-x.jsonl", "events-1.jsonl", "log-3.txt"):
        (tmp_path / name).touch()
    assert list(attempts(tmp_path)) == [1, 2, 10]


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log-1.txt"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert tail_lines(log, 2) == ["line 98", "line 99"]
    assert tail_lines(log, 3, limit_bytes=30) == ["line 97", "line 98", "line 99"]
    assert tail_lines(log, 0) == []
    assert tail_lines(tmp_path / "none.txt", 5) == []


def test_the_tail_of_a_log_survives_bytes_that_are_no_text(tmp_path: Path) -> None:
    log = tmp_path / "log-1.txt"
    log.write_bytes(b"\xff\xfe\nlast")
    assert tail_lines(log, 1) == ["last"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seconds", 12.5),
        ("passes", 3),
        ("examples", "x"),
        ("tokens", [1]),
        ("peak_memory_mib", []),
        ("remarks", "one"),
        ("remarks", [1]),
    ],
)
def test_a_last_event_whose_account_has_another_shape_is_none(key: str, value: float | str | list[int]) -> None:
    event: dict[str, Any] = {
        "event": "finished",
        "at": "2026-01-01T00:00:00Z",
        "epoch": 1,
        "step": 2,
        "selected_epoch": 1,
    }
    finished = Finished(at=event["at"], epoch=1, step=2, selected_epoch=1)
    assert parse_event(json.dumps(event).encode()) == finished
    assert parse_event(json.dumps({**event, key: value}).encode()) is None
    assert stored(Finished, json.dumps({**event, key: value})) == finished, "of an older version"
