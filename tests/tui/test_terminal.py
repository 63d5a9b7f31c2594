"""The bytes that reach a terminal: a real `bertmt-tui` in a pseudo-terminal, over a registry full of hostile text.

Textual's own tests of content cannot see what its driver writes; these read it raw.
"""

import re
import sys

import pytest

from bench.terminal import Terminal

# What only hostile text would send: a title, a cleared screen in mid-text, right-to-left, C1 controls.
PWNED = re.compile(rb"\x1b\]0;|pwned\x07|\x1b\[2Jx|\xe2\x80\xae|\xc2\x9b|\x1b\[31mno")


@pytest.fixture
def terminal(registry):
    """A dashboard over the copy of the built registry."""
    opened = []

    def begin(*options, size=(120, 40)):
        command = [sys.executable, "-m", "tui", "--db", str(registry), *options]
        opened.append(Terminal(command, *size))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


# Screen, the keys that lead there from the list of runs, and a text that shows that it is there.
WAYS = {
    "runs": ("", "better"),
    "a filter": ("/evil", "evil"),
    "the queue": ("2", "Workers"),
    "the paper": ("3", "Figures 2-4"),
    "the help": ("?", "Help: runs"),
    "the palette": ("\x10", "Search for commands"),
    "a question": ("jjjD", "Remove 1 run?"),
    "curves": ("jjjjjj\r", "training loss"),
    "confusion": ("jjjjjj\r2", "predicted"),
    "similarity": ("jjjjjj\r3", "line of best fit"),
    "examples": ("jjjjjj\r4", "sentence 5"),
    "the recipe": ("jjj\r5", "ensembling"),
    "the log": ("jjj\r6", "line 49"),
    "the history": ("jjj\r7", "submitted"),
    "a comparison": ("jjjjjj  c", "reference"),
    "a copy of a run": ("jjjn", "copy of"),
}


@pytest.mark.parametrize("screen", WAYS)
def test_nothing_from_data_steers_the_terminal(terminal, screen):
    keys, text = WAYS[screen]
    shown = terminal()
    shown.wait_for("better")
    shown.type(keys)
    if text.encode() not in shown.output:
        shown.wait_for(text)
    assert not PWNED.search(shown.output), PWNED.search(shown.output)
    assert "evil�]0;pwned".encode() in shown.output, "the hostile name was shown, as text"


def test_ascii_sends_nothing_but_ascii(terminal):
    shown = terminal("--ascii")
    shown.wait_for("better")
    assert shown.output.isascii()


def test_the_terminal_is_left_as_it_was_and_runs_are_said_to_go_on(terminal):
    shown = terminal()
    shown.wait_for("better")
    shown.type("q")
    shown.wait_for("\x1b[?1049l")
