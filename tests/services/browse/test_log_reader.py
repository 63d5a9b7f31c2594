"""Following a log: whole lines once each, however the file grows, is cut or is replaced."""

import random
from pathlib import Path

import pytest

from bertmt.services.browse.log_reader import LONGEST_LINE_BYTES, TAIL_BYTES, LogReader, error_blocks, is_error_line


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log-1.txt"


def append(log: Path, content: bytes) -> None:
    with log.open("ab") as file:
        file.write(content)


def test_a_log_that_is_not_there_yet_has_no_lines(log: Path) -> None:
    reader = LogReader(log)
    assert reader.poll() == []
    append(log, b"first\n")
    assert reader.poll() == ["first"]


def test_only_whole_lines_come_and_each_once(log: Path) -> None:
    reader = LogReader(log)
    append(log, b"one\ntw")
    assert reader.poll() == ["one"]
    assert reader.unfinished == "tw"
    append(log, b"o\n\nfour\n")
    assert reader.poll() == ["two", "", "four"]
    assert reader.poll() == []
    assert list(reader.lines) == ["one", "two", "", "four"]


def test_any_portions_of_a_log_give_the_same_lines(log: Path) -> None:
    text = "".join(f"líne {index} \U0001f600\n" for index in range(500)).encode()
    reader, position, generator = LogReader(log), 0, random.Random(1)
    log.touch()
    while position < len(text):
        size = generator.randint(0, 90)
        append(log, text[position : position + size])
        position += size
        reader.poll()
    assert list(reader.lines) == text.decode().splitlines()


def test_of_a_big_log_the_whole_lines_of_its_end_are_read(log: Path) -> None:
    lines = [b"%09d" % index for index in range(100_000)]
    append(log, b"\n".join(lines) + b"\n")
    reader = LogReader(log, most=1000)
    found = reader.poll()
    assert found == [line.decode() for line in lines[-len(found) :]]
    assert len(found) * 10 <= TAIL_BYTES < (len(found) + 2) * 10
    assert list(reader.lines) == found[-1000:]
    assert reader.skipped_bytes == 1_000_000 - TAIL_BYTES


def test_of_what_came_too_fast_the_end_is_read(log: Path) -> None:
    reader = LogReader(log)
    append(log, b"first\nhalf a li")
    reader.poll()
    append(log, b"ne\n" + b"x" * 99 * TAIL_BYTES + b"\nlast\n")
    assert reader.poll() == ["last"]


def test_a_cut_log_is_read_from_its_start(log: Path) -> None:
    reader = LogReader(log)
    append(log, b"old one\nold two\nunfini")
    reader.poll()
    log.write_bytes(b"new\n")
    assert reader.poll() == ["new"]
    assert list(reader.lines) == ["new"]


def test_a_replaced_log_is_read_from_its_start_though_it_is_longer(log: Path, tmp_path: Path) -> None:
    reader = LogReader(log)
    append(log, b"old\n")
    reader.poll()
    other = tmp_path / "other"
    other.write_bytes(b"new and longer\n")
    other.replace(log)
    assert reader.poll() == ["new and longer"]


def test_a_log_that_vanished_keeps_what_was_read(log: Path) -> None:
    reader = LogReader(log)
    append(log, b"kept\n")
    reader.poll()
    log.unlink()
    assert (reader.poll(), list(reader.lines)) == ([], ["kept"])


def test_an_endless_line_comes_in_pieces_and_takes_bounded_memory(log: Path) -> None:
    reader = LogReader(log)
    for _ in range(20):
        append(log, b"x" * LONGEST_LINE_BYTES)
        reader.poll()
    append(log, b"\nend\n")
    reader.poll()
    assert [len(line) for line in reader.lines] == [LONGEST_LINE_BYTES] * 20 + [0, 3]


def test_a_progress_bar_is_its_last_state(log: Path) -> None:
    reader = LogReader(log)
    append(log, b"10%\r50%\r100%\nwindows\r\n 5%\r 6%")
    assert reader.poll() == ["100%", "windows"]
    assert reader.unfinished == " 6%"


def test_bytes_that_are_no_text_are_replaced(log: Path) -> None:
    reader = LogReader(log)
    append(log, b"\xff\xfe ok\n")
    assert reader.poll() == ["\ufffd\ufffd ok"]


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "ValueError: no",
        "KeyboardInterruptError",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20 MiB",
        "RuntimeError: DataLoader worker (pid 7) is killed by signal: Killed.",
        "2026-01-01 12:00:00,000 ERROR something",
        "error: the following arguments are required",
        "Killed",
        "Segmentation fault (core dumped)",
    ],
)
def test_lines_that_tell_of_an_error_are_known(line: str) -> None:
    assert is_error_line(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Epoch 1, step 10 of 20: loss 0.5.",
        "0 errors",
        "mean absolute error 0.3",
        "the unskilled Errors",
        "killed time",
    ],
)
def test_lines_of_a_healthy_run_are_no_errors(line: str) -> None:
    assert not is_error_line(line)


def test_a_traceback_with_its_exception_is_one_error_and_other_lines_are_others() -> None:
    lines = [
        "step 1",
        "Traceback (most recent call last):",
        '  File "loop.py", line 3, in train',
        "    loss.backward()",
        "",
        "RuntimeError: no",
        "ERROR: disk full",
        "step 2",
        "Killed",
        "Traceback (most recent call last):",
        "  torn",
    ]
    assert error_blocks(lines) == [range(1, 6), range(6, 7), range(8, 9), range(9, 11)]
    assert error_blocks([]) == error_blocks(["step 1"]) == []


def test_two_tracebacks_in_a_row_are_two_errors() -> None:
    one = ["Traceback (most recent call last):", '  File "a.py", line 1', "ValueError: x"]
    assert error_blocks(one * 2) == [range(3), range(3, 6)]
    assert error_blocks([one[0], *one]) == [range(1), range(1, 4)]
