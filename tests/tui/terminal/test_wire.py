"""Only what changed is sent, and the terminal nevertheless shows all that the screen holds."""

import asyncio
import inspect
import random
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from bench.emulator import PLAIN, Emulator, styled
from tui.app import Dashboard
from tui.terminal.wire import Wire

SIZE = (120, 40)
WALK = ("j", "j", "k", "G", "g", "2", "1", "enter", "2", "4", "j", "escape", "question_mark", "escape", "t", "slash",
        "b", "escape", "space", "ctrl+p", "escape", "3", "1", "n", "escape", "o", "escape")  # fmt: skip


class Seen(Dashboard):
    """A dashboard whose bytes reach an emulated terminal, though nothing shows it."""

    CSS_PATH: ClassVar[Any] = Path(inspect.getfile(Dashboard)).parent / str(Dashboard.CSS_PATH)
    terminal: Emulator
    sent = 0

    @property
    def is_headless(self) -> bool:
        return False

    def on_mount(self) -> None:
        super().on_mount()
        self.terminal = Emulator(*self.size)
        assert self._driver is not None
        self._driver.write = self._feed  # type: ignore[method-assign]

    def _feed(self, data: str) -> None:
        self.sent += len(data.encode())
        self.terminal.feed(data.encode())


def looks_of(strips: list[Strip]) -> list[list[tuple[str, Any]]]:
    """Each line of a screen as the emulator has it, from the very strips."""
    lines = []
    for strip in strips:
        emulator = Emulator(strip.cell_length, 1)
        for text, style, _ in strip:
            codes = Strip.render_ansi(style or Style(), ColorSystem.TRUECOLOR)
            emulator.feed(f"\x1b[0m\x1b[{codes or 0}m{text}".encode())
        lines.append(emulator.lines[0])
    return lines


def visible(line: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """A space has no colour of its own, unless it is reversed or there are lines at it."""
    lined = {"4", "7", "9", "21", "53"}
    return [
        (each, (frozenset(), "", look[2])) if each == " " and not look[0] & lined else (each, look)
        for each, look in line
    ]


async def test_whatever_keys_come_the_terminal_shows_what_the_screen_holds(
    registry: Path, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    chance = random.Random(1)
    app = Seen(registry=registry, poll_seconds=0)
    async with app.run_test(size=SIZE) as pilot:
        app.refresh()
        await pilot.pause(0.3)
        for name in (*WALK, *chance.choices(WALK, k=20)):
            app.post_message(events.Key(name, name if len(name) == 1 else None))
            await pilot.pause()
            await asyncio.sleep(0.05)
            await pilot.pause()
            wanted = looks_of(app.screen._compositor.render_strips())
            for y, (shown, held) in enumerate(zip(app.terminal.lines, wanted, strict=True)):
                assert visible(shown) == visible(held), (name, y)
        assert app.sent


def strip(*parts: tuple[str, str]) -> Strip:
    return Strip([Segment(text, Style.parse(style)) for text, style in parts])


def test_a_line_that_moved_by_one_sends_the_digit_that_differs() -> None:
    wire = Wire()
    wire.bring([(3, 0, strip(("run-0001  ", "bold red on black"), ("0.5", "green on black")))])
    sent = wire.bring([(3, 0, strip(("run-0002  ", "bold red on black"), ("0.5", "green on black")))])
    assert sent.startswith("\x1b[4;8H") and sent.count("2") >= 1 and "run" not in sent and "0.5" not in sent
    assert wire.bring([(3, 0, strip(("run-0002  ", "bold red on black"), ("0.5", "green on black")))]) == ""


def test_random_lines_with_wide_and_combining_characters_come_through() -> None:
    chance = random.Random(7)
    wire, terminal = Wire(), Emulator(40, 3)
    for _ in range(400):
        text = "".join(chance.choice(["a", "b", " ", "界", "é", "⠿", "─", "ñ"]) for _ in range(30))
        parts = [
            (text[at : at + 5], chance.choice(["", "red", "bold on blue", "reverse green"])) for at in range(0, 30, 5)
        ]
        drawn = strip(*parts).adjust_cell_length(36)
        y, x = chance.randrange(3), chance.choice((0, 0, 4))
        terminal.feed(wire.bring([(y, x, drawn)]).encode())
        shown = terminal.lines[y][x : x + 36]
        assert visible(shown) == visible(looks_of([drawn])[0])


def test_a_look_is_what_the_codes_say() -> None:
    assert styled(PLAIN, "1;38;2;1;2;3;44") == (frozenset({"1"}), "2;1;2;3", "44")
    assert styled((frozenset({"1"}), "31", "44"), "0") == PLAIN
