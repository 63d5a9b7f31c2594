"""Looking for a text in all that is known of the runs."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from registry_builder import RegistryBuilder

from bertmt.errors import UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.browse.find import in_logs
from bertmt.services.browse.find import search as search_module
from bertmt.services.browse.find.found import LONGEST, Found, Where
from bertmt.services.browse.find.in_logs import lines_with
from bertmt.services.browse.find.search import Search, by_run
from bertmt.services.browse.log_reader import lines_about
from bertmt.services.ingest.ingest import folder_of


@pytest.fixture
def builder(tmp_path: Path) -> RegistryBuilder:
    """base and two twins, finished, and one that waits."""
    found = RegistryBuilder(tmp_path / "registry" / "runs.db")
    found.finished("base", tasks=["sst"])
    for seed in (1, 2):
        found.finished("twins", tasks=["sst"], seed=seed)
    found.add("later")
    return found


def search(database: Database, text: str, first: Sequence[str] = (), runs: Sequence[Run] | None = None) -> Search:
    return Search(database, all_runs(database)[::-1] if runs is None else runs, text, first)


def everything(found: Search) -> list[Found]:
    return found.go_on(float("inf"))


def test_names_tags_notes_and_failures_are_found_in_capitals_or_not(builder: RegistryBuilder) -> None:
    database = builder.database
    database.execute("UPDATE runs SET note = 'An Odd case' WHERE name = 'base'")
    database.execute("UPDATE runs SET failure = 'ValueError: odd shape' WHERE name = 'later'")
    database.execute("INSERT INTO tags SELECT key, 'oddity' FROM runs WHERE seed = 2")
    found = [(each.run.name, each.where, each.text) for each in everything(search(database, "ODD"))]
    assert found == [
        ("later", Where.FAILURE, "ValueError: odd shape"),
        ("twins", Where.TAG, "oddity"),
        ("base", Where.NOTE, "An Odd case"),
    ]


def test_a_sentence_is_told_of_the_newest_run_and_of_those_that_were_asked_for(builder: RegistryBuilder) -> None:
    newest, older, base = (run for run in all_runs(builder.database)[::-1] if run.name != "later")
    [found] = everything(search(builder.database, "sentence 17 "))
    assert (found.run.id, found.where, found.task, found.example) == (newest.id, Where.SENTENCE, "sst", 17)
    assert found.others == 2 and found.text.startswith("sentence 17 ")
    asked = everything(search(builder.database, "sentence 17 ", first=[base.id, older.id]))
    assert {each.run.id for each in asked} == {base.id, older.id} and {each.others for each in asked} == {1}


def test_lines_of_logs_are_found_with_their_place(builder: RegistryBuilder) -> None:
    run = all_runs(builder.database)[0]
    log = folder_of(builder.database, run).log(1)
    log.write_bytes("first\n\xe9tude\rlost\rlast GRADIENT 7\nthird\n".encode())
    [found] = everything(search(builder.database, "gradient 7"))
    assert (found.run.id, found.where, found.attempt, found.line) == (run.id, Where.LOG, 1, 2)
    assert found.text == "last GRADIENT 7", "what a progress bar overwrote is gone on a terminal too"
    assert log.read_bytes()[found.offset :].startswith("\xe9tude".encode())
    about = lines_about(log, found.offset)
    assert about.lines[about.place] == found.text and about.is_whole


def test_of_each_kind_and_of_a_log_only_so_much_is_told_and_the_search_says_so(
    builder: RegistryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "MOST_OF_A_LOG", 7)
    found = everything(search(builder.database, "line 1"))
    assert [len(group) for group in by_run(found)] == [7] * 3, "of 11"
    monkeypatch.setattr(search_module, "MOST_OF_A_KIND", 5)
    limited = search(builder.database, "line 1")
    assert len(everything(limited)) == 5 and limited.cut == {Where.LOG} and limited.is_over


def test_a_search_goes_on_in_slices_and_finds_the_same(builder: RegistryBuilder) -> None:
    sliced = search(builder.database, "e 17")
    assert sliced.logs == 3
    slices = []
    while not sliced.is_over:
        slices.append(sliced.go_on(0))
        assert len(slices[-1]) <= 1, "no more than one step where there is no time"
    assert [each for part in slices for each in part] == everything(search(builder.database, "e 17"))
    assert sliced.logs_read == 3


def test_a_text_that_is_too_short_is_a_sentence(builder: RegistryBuilder) -> None:
    with pytest.raises(UsageError, match="at least 2 characters, but found 'x'"):
        search(builder.database, " x ")


def test_a_log_that_cannot_be_read_is_counted_and_one_that_is_not_there_is_none(builder: RegistryBuilder) -> None:
    first, second, _ = (run for run in all_runs(builder.database) if run.attempt)
    for run, is_odd in ((first, True), (second, False)):
        log = folder_of(builder.database, run).log(1)
        log.unlink()
        if is_odd:
            log.mkdir()
    found = search(builder.database, "line 7 ")
    assert [each.run.seed for each in everything(found)] == [2]
    assert found.unreadable == 1


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 18])
def test_lines_are_found_wherever_pieces_of_a_log_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    log = tmp_path / "log-1.txt"
    log.write_text("".join(f"näme {number}\n" for number in range(30)) + "no end", encoding="utf-8")
    monkeypatch.setattr(in_logs, "PIECE_BYTES", max(piece, 12))
    found = [each for each in lines_with(log, "näme 2") if each is not None]
    assert [each.number for each in found] == [3, *range(21, 31)]
    content = log.read_bytes()
    assert all(content[each.offset :].startswith(each.text.encode() + b"\n") for each in found)
    assert [each.text for each in lines_with(log, "no end") if each is not None] == ["no end"]


def test_of_a_long_log_the_end_is_read_and_its_lines_have_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log-1.txt"
    log.write_text("".join(f"word {number}\n" for number in range(100)))
    monkeypatch.setattr(in_logs, "MOST_BYTES", 50)
    found = [each for each in lines_with(log, "word") if each is not None]
    assert found[-1].text == "word 99" and len(found) < 10 and {each.number for each in found} == {0}


def test_a_log_of_one_endless_line_fills_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log-1.txt"
    log.write_bytes(b"x" * 5000 + b"needle" + b"x" * 5000)
    monkeypatch.setattr(in_logs, "PIECE_BYTES", 1000)
    found = [each for each in lines_with(log, "needle") if each is not None]
    assert len(found) == 1 and len(found[0].text) <= 2000


def test_a_long_line_is_told_about_the_place(builder: RegistryBuilder) -> None:
    run = all_runs(builder.database)[0]
    folder_of(builder.database, run).log(1).write_text("x " * 2000 + "needle" + " y" * 2000)
    [found] = everything(search(builder.database, "needle"))
    assert "needle" in found.text and len(found.text) <= LONGEST + 2


def test_a_place_far_from_the_end_of_a_log_is_shown_with_what_is_about_it(tmp_path: Path) -> None:
    log = tmp_path / "log-1.txt"
    log.write_text("".join(f"line {number:06d}\n" for number in range(100_000)))
    about = lines_about(log, 12 * 40_000)
    assert about.lines[about.place] == "line 040000" and not about.is_whole
    assert about.lines[about.place - 1] == "line 039999" and about.lines[about.place + 1] == "line 040001"
    assert len(about.lines) <= 5000
