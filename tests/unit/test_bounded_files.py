"""Files that others made: a pipe is never waited for, and of a file that is too large nothing is read."""

import gzip
import io
import os
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertmt import bounded_files, paths
from bertmt.bounded_files import MOST_JSON, inflated, open_plain, read_bytes, read_json, read_text
from bertmt.errors import BertmtError
from bertmt.recipe.loading import read_toml
from bertmt.run_folder import event_files, predictions
from bertmt.run_folder.event_files import read_events, tail_lines
from bertmt.run_folder.layout import RunFolder
from bertmt.run_folder.predictions import Predictions, read_examples, read_predictions, write_predictions
from bertmt.services.browse.log_reader import LogReader
from bertmt.services.ingest.import_run import Found, read_run_folder
from bertmt.services.plan.user_settings import read_user_settings
from bertmt.tasks import cs224n, extra
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.cs224n import read_cs224n_split
from bertmt.tasks.extra import read_extra_file
from bertmt.tasks.readers import lines
from tui.bindings import read_keymap
from tui.settings import read_settings


@pytest.fixture(autouse=True)
def never_hang() -> Iterator[None]:
    """What waits for a pipe is broken off."""

    def give_up(*_: Any) -> None:
        raise AssertionError("it waits for a pipe")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def read_recipe_of_a_run(folder: Path) -> Found:
    (folder / "run.json").write_text(
        '{"run_id": "abc234", "name": "n", "attempt": 1, "data": "", "extra_data_file": ""}'
    )
    return read_run_folder(folder)


READERS = {
    "bertmt.toml": lambda file: read_user_settings(file.parent),
    "recipe.toml": read_toml,
    "dashboard.toml": read_settings,
    "keys.toml": lambda file: read_keymap(file, ()),
    "ids-sst-train.csv": lambda file: read_cs224n_split(file.parent, BUILTIN["sst"], "train"),
    "pairs.jsonl": lambda file: read_extra_file(file, BUILTIN["para"], 10),
    "pairs.jsonl.gz": lambda file: read_extra_file(file, BUILTIN["para"], 10),
    "run.json": lambda file: RunFolder(file.parent).read_order(),
    "recipe.json": lambda file: read_recipe_of_a_run(file.parent),
    "events-1.jsonl": read_events,
    "log-1.txt": lambda file: tail_lines(file, 5),
    "001-sst-dev.npz": read_predictions,
    "sst-dev.jsonl.gz": read_examples,
}


@pytest.fixture
def _look_at_the_file_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """`is_file` is asked first in places, and answered before a pipe takes the file's place."""
    monkeypatch.setattr(paths, "nearest", lambda name, start: start / name)
    monkeypatch.setattr(Path, "is_file", Path.exists)


@pytest.mark.usefixtures("_look_at_the_file_itself")
@pytest.mark.parametrize("name", READERS)
def test_a_pipe_is_refused_in_a_sentence_and_never_waited_for(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(BertmtError, match=r"plain file|another kind") as caught:
        READERS[name](tmp_path / name)
    assert "\n" not in str(caught.value) and "Errno" not in str(caught.value)


@pytest.mark.usefixtures("_look_at_the_file_itself")
@pytest.mark.parametrize(
    "name", sorted(READERS.keys() - {"events-1.jsonl", "log-1.txt", "pairs.jsonl", "pairs.jsonl.gz"})
)
def test_a_file_beyond_its_bound_is_refused_before_it_is_read(name: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(1 << 40)  # sparse: it takes no room
    with pytest.raises(BertmtError, match=r"more than [\d,]+ MiB"):
        READERS[name](tmp_path / name)


def test_the_log_of_a_dashboard_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log-1.txt")
    assert LogReader(tmp_path / "log-1.txt").poll() == []


def test_a_link_leads_to_its_file_and_a_folder_or_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"here")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link", 4) == b"here"
    for path in (tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match=r"directory|plain file"):
            open_plain(path)


def test_a_bound_is_the_last_size_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_bytes(tmp_path / "file", 5) == b"12345"
    with pytest.raises(OSError, match="more than 0 MiB"):
        read_bytes(tmp_path / "file", 4)


def test_text_has_line_feeds_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\r\nb\rc\n")
    assert read_text(tmp_path / "file", 100) == "a\nb\nc\n"


def test_json_is_read_up_to_64_mebibytes(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(b"[1]" + b" " * (MOST_JSON - 3))
    assert read_json(file) == [1]
    file.write_bytes(b"[1]" + b" " * (MOST_JSON - 2))
    with pytest.raises(OSError, match="64 MiB"):
        read_json(file)


def test_an_archive_is_inflated_with_all_its_members_up_to_its_bound(tmp_path: Path) -> None:
    content = gzip.compress(b"one ", mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(b"two", mtime=0)
    assert inflated(tmp_path, content, 7) == b"one two"
    with pytest.raises(OSError, match="MiB"):
        inflated(tmp_path, content, 6)


def a_bomb(size: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("probabilities.npy", "about.npy"):
            with archive.open(name, "w") as member:
                member.write(b"\x93NUMPY\x01\x00" + bytes(size))
    return made.getvalue()


def test_predictions_whose_archive_holds_more_than_any_are_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "MOST_BYTES", 10 << 20)
    monkeypatch.setattr(np, "load", None)
    (tmp_path / "001-sst-dev.npz").write_bytes(a_bomb(6 << 20))
    with pytest.raises(BertmtError, match="more than 10 MiB"):
        read_predictions(tmp_path / "001-sst-dev.npz")


def test_a_member_that_holds_more_than_it_says_is_no_predictions(tmp_path: Path) -> None:
    """zipfile reads as much as is declared; what numpy then misses it says."""
    file = tmp_path / "001-para-dev.npz"
    write_predictions(file, Predictions("para", "dev", 1, "f" * 16, np.zeros(50_000)))
    content = bytearray(file.read_bytes())
    size = (200_128).to_bytes(4, "little")  # 4 bytes each, and numpy's header
    assert content.count(size)
    file.write_bytes(bytes(content).replace(size, (100).to_bytes(4, "little")))
    with pytest.raises(BertmtError, match="cannot be read"):
        read_predictions(file)


@pytest.mark.parametrize("content", [b"\n" * 3000, b'["a","b",null,1]\n' * 3000])
def test_examples_with_more_lines_than_any_split_are_refused_blank_ones_too(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "MOST_EXAMPLES", 2000)
    (tmp_path / "sst-dev.jsonl.gz").write_bytes(gzip.compress(content, mtime=0))
    with pytest.raises(BertmtError, match="more than 2,000 lines"):
        read_examples(tmp_path / "sst-dev.jsonl.gz")


def test_a_table_of_blank_lines_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cs224n, "MOST_LINES", 1000)
    (tmp_path / "ids-sst-train.csv").write_bytes(b"\tid\tsentence\tsentiment\n" + b"\n" * 1000)
    with pytest.raises(BertmtError, match="more than 1,000 lines"):
        read_cs224n_split(tmp_path, BUILTIN["sst"], "train")


def test_an_archive_of_blank_lines_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "MOST_BESIDES", 1000)
    file = tmp_path / "pairs.jsonl.gz"
    pair = b'["one title", "another"]\n'
    file.write_bytes(gzip.compress(pair + b"\n" * 900 + pair, mtime=0))
    assert len(read_extra_file(file, BUILTIN["para"], 10).examples) == 2
    file.write_bytes(gzip.compress(pair + b"\n" * 1100 + pair, mtime=0))
    with pytest.raises(BertmtError, match="1,000 of its lines are blank"):
        read_extra_file(file, BUILTIN["para"], 10)
    assert len(read_extra_file(file, BUILTIN["para"], 1).examples) == 1, (
        "what is behind the pairs that are taken is not looked at"
    )


@pytest.mark.parametrize("content", [b"x" * 5000, b"x" * 5000 + b"\n", b'["one title", "another"]\n' * 200])
def test_an_archive_that_never_ends_is_given_up(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MOST_DATA", 4000)
    monkeypatch.setattr(lines, "MAX_ROW", 100)
    (tmp_path / "pairs.jsonl.gz").write_bytes(gzip.compress(content, mtime=0))
    with pytest.raises(BertmtError, match="cannot be read"):
        read_extra_file(tmp_path / "pairs.jsonl.gz", BUILTIN["para"], 1000)


def test_a_line_of_events_that_no_memory_holds_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_files, "MOST_JSON", 300)
    good = b'{"event": "note", "at": "2024-01-01T00:00:00+00:00"}\n'
    file = tmp_path / "events-1.jsonl"
    file.write_bytes(good + b"x" * 5000 + b"\n" + good)
    found, end, _ = read_events(file, 0, 20)
    assert (len(found), end) == (1, len(good))
    assert read_events(file, end, 20) == ([], len(good) + 5001, 1)
    assert len(read_events(file, len(good) + 5001, 20)[0]) == 1
    file.write_bytes(b"x" * 5000)
    assert read_events(file, 0, 20) == ([], 0, 0), "it may still be written"


def test_the_bounds_are_what_the_reliability_page_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert f"{bounded_files.MOST_JSON >> 20} MiB" in page and f"{bounded_files.MOST_DATA >> 30} GiB" in page
