"""Keys, clicks and new sizes that come faster than screens are made and left: the dashboard goes on, and listens.

`make test` draws a sample, always the same one; `make bursts` types 10,000 keys (`KEYS=` and `SEED=` change that).
"""

import asyncio
import inspect
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from registry_builder import RegistryBuilder
from shown import Show
from textual import events
from textual.geometry import Size
from textual.widgets import Input

from bertmt.registry.file.opening import open_registry
from bertmt.registry.states import State
from tui.all_bindings import all_bindings
from tui.app import Dashboard
from tui.dialogs.help import Help
from tui.screens.runs.screen import RunsScreen
from tui.widgets.fields import FieldKind
from tui.widgets.form import Form

LONGEST = 7
SEEDS = 5
KEYS = int(os.environ.get("KEYS", 1000)) // SEEDS  # of each
FIRST_SEED = int(os.environ.get("SEED", 0))
LOOK_AGAIN = 40  # bursts after which it has to answer a question: is it still there?
TURNS = (0, 1, 2, 3, 5, 8, 13)  # of the loop, between two keys
SIZES = ((80, 24), (40, 12), (60, 15), (120, 40), (200, 60), (20, 5))
CHARACTERS = {"space": " ", "slash": "/", "number_sign": "#", "question_mark": "?", "full_stop": ".", "comma": ","}
# What leads from screen to screen, and out of it, comes as often as all else together.
LEADING = (
    *"12345", "enter", "escape", "n", "c", "tab", "question_mark", "ctrl+p", "space", "j", "G", "y", "o", "ctrl+o",
)  # fmt: skip
BOUND = sorted({name for _, binding in all_bindings() for name in binding.key.split(",")} | {*"abcxyz059-=", "ctrl+q"})
OPENING = ("o", "enter", "ctrl+p")


@pytest.fixture
def every_state(evaluated: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A registry with runs in every state; what is saved goes elsewhere."""
    builder = RegistryBuilder(evaluated)
    for state in (State.LOST, State.PAUSED, State.CANCELLED):
        run = builder.add(str(state), state=State.HELD)
        builder.database.execute("UPDATE runs SET state = ? WHERE key = ?", (state, run.key))
    builder.database.execute("UPDATE runs SET state = 'queued' WHERE name = 'later'")
    assert {state for (state,) in builder.database.execute("SELECT state FROM runs")} == set(State)
    builder.database.close()
    monkeypatch.chdir(tmp_path)
    return evaluated


def key(name: Any) -> events.Key:
    """A key as a terminal tells of it."""
    return events.Key(name, CHARACTERS.get(name, name if len(name) == 1 else None))


def burst(chance: random.Random) -> list[Any]:
    """A few keys at once."""
    return [chance.choice(LEADING if chance.random() < 0.5 else BOUND) for _ in range(chance.randint(1, LONGEST))]


async def wait(chance: random.Random) -> None:
    """Not at all, for a few turns of the loop, or until a lane may have answered."""
    kind = chance.randrange(4)
    for _ in range(chance.randrange(12) if kind == 1 else 0):
        await asyncio.sleep(0)
    if kind > 1:
        await asyncio.sleep(chance.random() * 0.03)


class Hasty(Dashboard):
    """One into which keys were typed before it was there."""

    CSS_PATH: ClassVar[Any] = Path(inspect.getfile(Dashboard)).parent / str(Dashboard.CSS_PATH)
    typed: Sequence[str] = ()

    def on_mount(self) -> None:
        for name in self.typed:
            self.post_message(key(name))


def clicked(app: Dashboard, chance: random.Random) -> Any:
    """A press, a release, a turn of the wheel or a move, anywhere on the screen, as a terminal tells of it."""
    kind = chance.choice(
        (events.MouseDown, events.MouseUp, events.MouseMove, events.MouseScrollUp, events.MouseScrollDown)
    )
    x, y = chance.randrange(app.size.width), chance.randrange(app.size.height)
    button = 0 if kind in (events.MouseMove, events.MouseScrollUp, events.MouseScrollDown) else 1
    return kind(None, x, y, 0, 0, button, False, False, False, screen_x=x, screen_y=y)


def resize(app: Dashboard, columns: int, lines: int) -> None:
    """Another size of the terminal."""
    size = Size(columns, lines)
    app._driver._size = size  # type: ignore[union-attr]  # the headless one's, as Textual's pilot sets it
    app.post_message(events.Resize(size, size))


async def answers(app: Dashboard) -> bool:
    """Whether it still does what it is told: it is brought back to its first screen, and the help opens."""
    resize(app, 80, 24)
    for _ in range(60):
        if not app.is_running:
            return True  # it was left by a key: no dead screen
        if isinstance(app.screen, Help):
            return True
        app.post_message(key("escape"))
        await asyncio.sleep(0.02)
        app.post_message(key("question_mark"))
        await asyncio.sleep(0.05)
    return False


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
async def test_no_burst_of_keys_ends_the_dashboard_with_an_error_or_leaves_it_deaf(
    every_state: Path, alive: Any, started: list[tuple[bool, int, str]], seed: int
) -> None:
    chance = random.Random(seed)
    left, bursts = KEYS, 0
    while left > 0:  # q and ctrl+q leave it: then it begins again
        app = Hasty(registry=every_state, first=chance.choice(("runs", "queue", "paper", "devices")), poll_seconds=0.02)
        app.typed = burst(chance)
        left -= len(app.typed)
        async with app.run_test(size=chance.choice(SIZES)):  # raises what ended the app
            while left > 0 and app.is_running:
                bursts += 1
                for name in burst(chance):
                    app.post_message(key(name))
                    left -= 1
                if chance.random() < 0.3:
                    app.post_message(clicked(app, chance))
                if chance.random() < 0.05:
                    resize(app, *chance.choice(SIZES))
                if chance.random() < 0.1:
                    with open_registry(every_state) as database:
                        database.execute("UPDATE runs SET note = 'other' WHERE key = ?", (chance.randint(1, 9),))
                await wait(chance)
                if bursts % LOOK_AGAIN == 0:
                    assert await answers(app), f"{app.screen} answers nothing after {bursts} bursts of seed {seed}"


async def test_what_is_typed_before_the_list_is_there_is_not_typed_into_its_filter(
    every_state: Path, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose = RunsScreen.compose

    def compose_as_keys_come(screen: Any) -> Any:
        for name in ("j", "j"):
            screen.app.post_message(key(name))
        yield from compose(screen)

    monkeypatch.setattr(RunsScreen, "compose", compose_as_keys_come)
    app = Dashboard(registry=every_state, poll_seconds=0)
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.pause()
        assert app.screen.query_one("#filter", Input).value == ""


@pytest.mark.parametrize("opening", OPENING)
async def test_what_is_being_opened_can_be_left_at_any_moment(
    show: Show,
    every_state: Path,
    alive: Any,
    started: list[tuple[bool, int, str]],
    opening: str,
) -> None:
    async with show(every_state) as shown:
        for turns in TURNS:
            shown.app.post_message(key(opening))
            for _ in range(turns):
                await asyncio.sleep(0)
            for _ in range(2):
                shown.app.post_message(key("escape"))
            await shown.settle()
        await shown.press("escape")
        assert len(shown.app.screen_stack) == 1


async def test_a_second_answer_to_a_dialog_closes_nothing_below(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("enter", "2", "n", "ctrl+o")
        dialog = shown.app.screen
        for _ in range(2):
            dialog.dismiss(None)
        await shown.settle()
        assert [type(screen).__name__ for screen in shown.app.screen_stack] == [
            "RunsScreen",
            "RunScreen",
            "NewRunScreen",
        ]


async def test_a_second_enter_in_the_palette_closes_nothing_below(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.press("enter", "ctrl+p")
        palette = shown.app.screen
        for _ in range(2):
            palette.dismiss(None)
        await shown.settle()
        assert [type(screen).__name__ for screen in shown.app.screen_stack] == ["RunsScreen", "RunScreen"]


async def test_enter_in_the_form_types_into_the_line_that_it_was_pressed_on(show: Show, alive: Any) -> None:
    """And not into the one to which the cursor went before the form heard of it: that may be none to type into."""
    async with show() as shown:
        await shown.press("n")
        form = shown.app.screen.query_one(Form)
        number = next(each for each in form.table.rows if each.kind is FieldKind.NUMBER)
        form.table.go_to(number.key)
        form.table.action_choose()
        form.table.cursor = 0
        await shown.settle()
        assert form.is_typing and form._edited is number
