"""`bertmt-tui --plain`: words in place of signs, frames and pictures, and a cursor that a screen reader can follow."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from run_screen import open_run
from shown import Show

from bench.terminal import Terminal
from bertmt.drawing.styled import Span, line, plain
from bertmt.registry.file.opening import open_registry
from tui import app as app_module
from tui.__main__ import dashboard, parser
from tui.plain.words import said, said_key, speak, worded
from tui.settings import Settings, read_settings, write_settings

OTHER = re.compile(r"[^\x20-\x7e\n]")
# Keys from the list of runs, by name of the golden.
HOMES = {"runs": (), "queue": ("2",), "paper": ("3",), "devices": ("4",), "data": ("5",)}
TABS = ("curves", "confusion", "similarity", "examples", "recipe", "log", "history")
DIALOGS = {
    "help": ("question_mark",),
    "palette": ("ctrl+p",),
    "question": ("D",),
    "order": ("o",),
    "columns": ("C",),
    "note": ("N",),
    "new-run": ("n",),
    "worker": ("2", "w"),
}


@pytest.fixture(autouse=True)
def drawn_again() -> Iterator[None]:
    """The word for how the dashboard speaks is this test's alone."""
    yield
    speak(False)


@pytest.mark.parametrize("name", HOMES)
async def test_each_first_screen_is_words(show: Show, alive: Any, name: str) -> None:
    async with show(in_words=True) as shown:
        await shown.press(*HOMES[name])
        assert OTHER.findall(shown.text) == []
        if name != "devices":  # which shows this machine
            await shown.should_be(f"plain-{name}")


@pytest.mark.parametrize("tab", range(len(TABS)))
async def test_each_tab_of_a_run_is_words(show: Show, alive: Any, tab: int) -> None:
    async with show(in_words=True) as shown:
        await open_run(shown, "run002", str(tab + 1))
        assert OTHER.findall(shown.text) == []
        if TABS[tab] != "log":  # which names its file
            await shown.should_be(f"plain-run-{TABS[tab]}")


@pytest.mark.parametrize("tab", range(4))
async def test_each_tab_of_a_comparison_is_words(show: Show, alive: Any, tab: int) -> None:
    async with show(in_words=True) as shown:
        shown.app.screen.table.go_to("run003")
        await shown.press(" ", " ", "c", str(tab + 1))
        assert OTHER.findall(shown.text) == []
        await shown.should_be(f"plain-compare-{tab + 1}")


@pytest.mark.parametrize("name", DIALOGS)
async def test_dialogs_and_forms_are_words_and_cover_what_is_below(show: Show, alive: Any, name: str) -> None:
    async with show(in_words=True) as shown:
        shown.app.screen.table.go_to("run002")
        await shown.press(*DIALOGS[name])
        assert OTHER.findall(shown.text) == []
        if name != "palette":  # whose order is Textual's
            await shown.should_be(f"plain-{name}")


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
async def test_larger_terminals_have_nothing_but_words_and_nothing_side_by_side(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(in_words=True, size=size) as shown:
        for keys in HOMES.values():
            await shown.press(*(keys or ("1",)))
            assert OTHER.findall(shown.text) == []
            tables = {each.region.y for each in shown.app.screen.query("Table") if each.display}
            assert len(tables) == len([each for each in shown.app.screen.query("Table") if each.display])


async def test_the_terminals_cursor_is_on_the_row_and_nothing_else_is_written(show: Show, alive: Any) -> None:
    async with show(in_words=True) as shown:
        before, text = shown.app.cursor_position, shown.text
        assert "training" in text.splitlines()[before.y]
        await shown.press("j")
        assert shown.app.cursor_position.y == before.y + 1
        assert shown.text == text, "a screen reader reads what is written anew"


async def test_the_focus_is_said(show: Show, alive: Any) -> None:
    async with show(in_words=True) as shown:
        await shown.press("2")
        assert "Running, and the queue, focus" in shown.text and "Workers, focus" not in shown.text


async def test_marks_are_words(show: Show, alive: Any) -> None:
    async with show(in_words=True) as shown:
        shown.app.screen.table.go_to("run002")
        await shown.press(" ")
        assert re.search(r"^marked +finished +", shown.text, re.MULTILINE) and "1 marked" in shown.text


async def test_a_cell_of_a_matrix_is_said_and_the_cursor_is_on_its_line(show: Show, alive: Any) -> None:
    async with show(in_words=True) as shown:
        await open_run(shown, "run002", "2", "g", "up", "up", "up", "up", "left", "left", "left", "left")
        lines = shown.text.splitlines()
        assert lines[shown.app.cursor_position.y].lstrip().startswith("At the cursor: true")
        before = shown.text
        await shown.press("right")
        changed = [new for old, new in zip(before.splitlines(), shown.text.splitlines(), strict=True) if old != new]
        assert any("At the cursor: true" in each for each in changed)


async def test_progress_is_told_from_time_to_time_and_what_a_person_did_at_once(
    show: Show, alive: Any, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(app_module, "monotonic", lambda: now[0])
    async with show(in_words=True) as shown:
        shown.app.poll_seconds = 60.0  # as in a terminal; looks are this test's
        now[0] += app_module.QUIET_SECONDS
        assert shown.app._tells(True)
        now[0] += app_module.QUIET_SECONDS / 2
        assert not shown.app._tells(True)
        shown.app.look_again()
        assert shown.app._tells(False), "what came meanwhile is not forgotten"
        now[0] += app_module.QUIET_SECONDS / 2
        assert not shown.app._tells(True)
        now[0] += app_module.QUIET_SECONDS
        assert shown.app._tells(False)
        shown.app.poll_seconds = 0


async def test_state_and_verdict_are_words_where_they_were_signs(show: Show, alive: Any) -> None:
    async with show(in_words=True, size=(120, 40)) as shown:
        states = {"running", "queued", "held", "failed", "finished"}
        assert states <= set(shown.text.split())
        assert re.search(r"[-+]0\.\d+ (better|worse|undecided)", shown.text)


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        ("● running", "running"),
        ("▲ better than ★ base", "better than baseline base"),
        ("0 ──●── 5", "0 to 5"),
        ("0.5±0.1", "0.5 plus or minus 0.1"),
        ("40×12", "40 times 12"),
        ("Δ −0.02", "difference −0.02"),
        ("5 °C", "5 degrees C"),
        ("✗ expected a number", "error: expected a number"),
        ("E··H·", "EH"),
        ("toy · tiny", "toy, tiny"),
        (" · 8 toggles", " - 8 toggles"),
        ("◂ SST ▸ 1 of 5", "SST, 1 of 5"),
        ("plain é 漢", "plain é 漢"),
    ],
)
def test_signs_have_words(drawn: str, words: str) -> None:
    assert said(drawn) == words


def test_lines_are_wrapped_where_words_are_longer_and_left_out_where_nothing_is_left() -> None:
    drawn = [line(Span("! it stalls", "bad")), line("▸ ValueError"), line("──────"), (), line("Δ 1 → 2")]
    shown = [plain(each) for each in worded(drawn, 12)]
    assert shown == ["alarm: it", "stalls", "here:", "ValueError", "", "difference 1", "to 2"]
    assert {span.style for each in worded(drawn, 12) for span in each} == {""}


@pytest.mark.parametrize(("key", "words"), [("⏎", "Enter"), ("␣", "Space"), ("^s", "Ctrl+S"), ("j", "j"), ("↑", "Up")])
def test_keys_have_names(key: str, words: str) -> None:
    assert said_key(key) == words


@pytest.mark.parametrize(("value", "is_plain"), [("", False), ("0", False), ("1", True)])
def test_the_environment_can_ask_for_it(monkeypatch: pytest.MonkeyPatch, value: str, is_plain: bool) -> None:
    monkeypatch.setenv("BERTMT_PLAIN", value)
    assert dashboard(parser().parse_args([])).speaks is is_plain


def test_a_flag_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BERTMT_PLAIN", raising=False)
    assert dashboard(parser().parse_args(["--plain"])).speaks
    assert not dashboard(parser().parse_args([])).speaks


def test_settings_can_ask_for_it_and_keep_it(tmp_path: Path) -> None:
    file = tmp_path / "dashboard.toml"
    file.write_text("plain = true\n")
    settings = read_settings(file)
    assert settings.plain
    write_settings(file, settings)
    assert read_settings(file).plain
    write_settings(file, Settings())
    assert not read_settings(file).plain


@pytest.fixture
def terminal(registry: Path) -> Iterator[Terminal]:
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    shown = Terminal([sys.executable, "-m", "tui", "--db", str(registry), "--plain"], 80, 24)
    yield shown
    shown.close()


def test_a_terminal_gets_ascii_and_its_cursor_is_seen_on_the_row(terminal: Terminal) -> None:
    terminal.wait_for("better")
    assert b"\x1b[?25h" in terminal.output
    assert terminal.output.isascii(), set(terminal.output.decode()) - set(map(chr, range(128)))
    assert b"\x1b[?25l" not in terminal.output.rpartition(b"\x1b[?25h")[2]
    while terminal.read(1.0):  # what follows the first picture
        pass
    terminal.output = b""
    terminal.type("j")
    terminal.wait_for("\x1b[")
    os.sched_yield()
    written = re.sub(rb"\x1b\[[\d;?]*[A-Za-z]", b"", terminal.output)
    assert written.strip() == b"", written


async def test_what_a_run_predicted_is_said_beside_the_list(show: Show, alive: Any, evaluated: Path) -> None:
    async with show(evaluated, in_words=True, size=(200, 60)) as shown:
        shown.app.screen.table.go_to("run002")
        await shown.settle()
        assert "True positive, 12: 2 as negative, 10 as positive; recall 83%; precision 91%." in shown.text


async def test_places_of_curves_are_said_as_their_axis_has_them(show: Show, alive: Any) -> None:
    async with show(in_words=True) as shown:
        await open_run(shown, "run002")
        assert " at step " in shown.text
        await shown.press("X")
        assert " at epoch " in shown.text and " at step " not in shown.text
