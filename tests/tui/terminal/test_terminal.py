"""The bytes that reach a terminal: a real `bertmt-tui` in a pseudo-terminal, over a registry full of hostile text.

Textual's own tests of content cannot see what its driver writes; these read it raw.
"""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from registry_builder import HOSTILE

from bench.terminal import Terminal
from bertmt.drawing.safe_text import safe_text
from bertmt.registry.file.opening import open_registry

# Each is what one piece of `HOSTILE` would send if it came through: a title, a cleared screen (where the character
# behind it, at least, was replaced), right-to-left, colours, and the same by the one character of C1.
PWNED = re.compile(rb"\x1b\]0;|pwned\x07|\x1b\[2J(?=\xef\xbf\xbd)|\xe2\x80\xae|\x1b\[31mno|\xc2\x9b")
EVIL = "evil�]0;pwned��[2J�[red]x[/red]�[31mno�31mno[/"
CUT = EVIL[:6]  # what is left of it in a column, at least: names are cut in the middle


@pytest.fixture
def terminal(registry: Path) -> Iterator[Callable[..., Terminal]]:
    """A dashboard over the copy of the built registry."""
    opened = []

    def begin(*options: Any, size: tuple[int, int] = (120, 40), environment: Any = None) -> Terminal:
        command = [sys.executable, "-m", "tui", "--db", str(registry), *options]
        opened.append(Terminal(command, *size, environment))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


@pytest.fixture
def hostile(registry: Path) -> None:
    """A run that waits has the hostile name, too."""
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET name = ? WHERE name = 'later'", (HOSTILE,))


# Keys, step by step from the list of runs, and a text that each brings; the last one is hostile, as text, where the
# screen shows anything from data.
WAYS = {
    "runs": [("", CUT)],
    "a filter": [("/", "filter"), ("evil", CUT)],
    "the queue": [("2", CUT)],
    "the paper": [("3", "Figures 2-4")],
    "the devices": [("4", "Processes")],
    "the tasks": [("5", "looked at in")],
    "the help": [("?", "Help: runs")],
    "the palette": [("\x10", "for commands")],  # the cursor is on the first letter
    "a question": [("jjj", f"ValueError: {CUT}"), ("D", EVIL)],
    "a glance": [("jjj", f"ValueError: {CUT}")],
    "curves": [("jjj ", "◆"), ("\r", "History"), ("O", EVIL)],
    "confusion": [("jjjjjj\r", "History"), ("2", f"sentence 54 {EVIL}")],
    "similarity": [("jjjjjj\r", "History"), ("3", "line of best fit")],
    "examples": [("jjjjjj\r", "History"), ("4", f"sentence 0 {EVIL}")],
    "the recipe": [("jjj\r", "before it measured anything"), ("5", f"ValueError: {EVIL}")],
    "the log": [("jjj\r", "before it measured anything"), ("6", f"line 49 {EVIL}")],
    "the history": [("jjj\r", "before it measured anything"), ("7", f"ValueError: {EVIL}")],
    "a comparison": [("jjj  ", "◆"), ("c", CUT)],
    "a copy of a run": [("jjj", f"ValueError: {CUT}"), ("n", EVIL)],
}


@pytest.mark.parametrize("screen", WAYS)
def test_nothing_from_data_steers_the_terminal(terminal: Callable[..., Terminal], hostile: Any, screen: str) -> None:
    shown = terminal()
    shown.wait_for("better")
    sent = shown.output
    for keys, text in WAYS[screen]:
        sent += press(shown, keys, text)
    assert not PWNED.search(sent), PWNED.search(sent)


def press(shown: Terminal, keys: str, text: str) -> bytes:
    """Type keys, and read until that text is there: everything that came.

    On the screen, not among the bytes: a text may come in pieces, as of the palette "S" under the cursor, "earch for
    commands" behind it in other colours. A text that was there before is waited for among the bytes.
    """
    was_there = text in shown.screen.text()
    if keys:
        shown.output = b""
        shown.type(keys)
    if not was_there:
        shown.wait_to_show(text)
    elif text.encode() not in shown.output:
        shown.wait_for(text)
    return shown.output


def test_each_piece_of_the_hostile_text_would_be_noticed() -> None:
    """The text as it is; and made safe but for one of the characters that steer."""
    assert safe_text(HOSTILE) == EVIL
    for index, character in enumerate(HOSTILE):
        if character != EVIL[index]:
            assert PWNED.search((EVIL[:index] + character + EVIL[index + 1 :]).encode()), repr(character)


# By TERM, without COLORTERM: what of colours may be sent (SGR 38 or 48), beside the 16 of the terminal.
COLOURS = {
    "xterm": b"",
    "xterm-16color": b"",
    "xterm-256color": b";5;",
    "tmux-256color": b";5;",
    "xterm-kitty": b";5;",
}


@pytest.mark.parametrize("term", COLOURS)
def test_each_terminal_is_sent_colours_that_it_has(terminal: Callable[..., Terminal], term: str) -> None:
    shown = terminal(environment={"TERM": term, "COLORTERM": ""}, size=(80, 24))
    shown.wait_to_show("better")
    shown.type("j?")
    shown.wait_to_show("Help: runs")
    sent = set(re.findall(rb"[34]8(;[25];)", shown.output))
    assert sent == ({COLOURS[term]} if COLOURS[term] else set())


def test_a_terminal_with_true_colours_is_sent_them(terminal: Callable[..., Terminal]) -> None:
    shown = terminal(environment={"TERM": "xterm-kitty", "COLORTERM": "truecolor"}, size=(80, 24))
    shown.wait_to_show("better")
    assert set(re.findall(rb"[34]8(;[25];)", shown.output)) == {b";2;"}


def test_a_click_of_a_mouse_reaches_tabs_and_keys(terminal: Callable[..., Terminal]) -> None:
    """As xterm and its kin say it (SGR, 1006): a button that goes down, and up, at a column and a line from 1."""
    shown = terminal()
    shown.wait_to_show("better")
    for text, comes in (("2 Queue", "No worker is running"), ("? help", "Help: the queue")):
        shown.wait_to_show(text)
        y, line = next((y, line) for y, line in enumerate(shown.screen.text().splitlines(), 1) if text in line)
        place = f"{line.index(text) + 1};{y}"
        shown.send(f"\x1b[<0;{place}M\x1b[<0;{place}m")
        shown.wait_to_show(comes)


def test_ascii_sends_nothing_but_ascii(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("--ascii")
    shown.wait_for("better")
    assert shown.output.isascii()


def test_a_registry_that_others_may_change_is_told_of_once_before_the_screen_is_taken(
    terminal: Callable[..., Terminal], registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    registry.chmod(0o666)
    said = b"is not yours alone: all users may write it."
    outputs = []
    for _ in range(2):
        shown = terminal()
        shown.wait_for("better")
        outputs.append(shown.output)
    assert said in outputs[0] and outputs[0].index(said) < outputs[0].index(b"\x1b[?1049h")
    assert said not in outputs[1]


def test_the_terminal_is_left_as_it_was_and_runs_are_said_to_go_on(terminal: Callable[..., Terminal]) -> None:
    shown = terminal()
    shown.wait_for("better")
    shown.type("q")
    shown.wait_for("\x1b[?1049l")


def test_a_dashboard_whose_terminal_is_gone_ends(terminal: Callable[..., Terminal]) -> None:
    """As after `tmux kill-server`, or when the connection breaks."""
    shown = terminal()
    shown.wait_for("better")
    shown.hang_up()
    assert shown.ends_within(20), "its process goes on without anybody to see it"


def test_a_terminated_dashboard_gives_the_terminal_back(terminal: Callable[..., Terminal]) -> None:
    shown = terminal()
    shown.wait_for("better")
    os.kill(shown.pid, signal.SIGTERM)
    shown.wait_for("\x1b[?1049l")
