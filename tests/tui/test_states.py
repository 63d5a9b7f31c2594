"""Every state of a run on every screen that shows runs, also what a running one was asked for."""

from pathlib import Path
from typing import Any

import pytest
from list_of_runs import go_to
from shown import Show

from bertmt.registry.file.opening import open_registry
from bertmt.registry.states import State
from tui.formatting.run_signs import MARK_OF_REQUEST, MARK_OF_STATE
from tui.widgets.home_line import SHOWN

ASKED = {"cancel": "stopping", "pause": "pausing"}


def set_all(path: Path, **columns: Any) -> None:
    """Every run, however far it came, has these columns now."""
    assignments = ", ".join(f"{name} = ?" for name in columns)
    with open_registry(path) as database, database.immediate():
        database.execute(f"UPDATE runs SET recoveries = 1, {assignments}", tuple(columns.values()))


@pytest.mark.parametrize("state", State)
async def test_every_screen_shows_runs_in_every_state(show: Show, alive: Any, registry: Path, state: Any) -> None:
    set_all(registry, state=state)
    async with show(size=(120, 40)) as shown:
        sign = MARK_OF_STATE[state]
        assert sum(line.strip("│ ").startswith(sign) for line in shown.text.splitlines()) >= 8, "in the list"
        if state in SHOWN:
            assert f"{sign} 8 {state}" in shown.text.splitlines()[0]
        await shown.press("a", "a")
        await go_to(shown, "held")
        await shown.press("enter")
        assert shown.text.splitlines()[1].startswith(f" {sign} held")
        await shown.press(*"1234567", "q", "g", "space", "space", "c", "q", "2")
        assert shown.app.screen.SUBJECT == "the queue"
        is_on_queue = state not in (State.FINISHED, State.FAILED, State.CANCELLED)
        assert ("Nothing is running or waiting." in shown.text) is not is_on_queue
        await shown.press("3")
        assert shown.app.screen.SUBJECT.startswith("the paper")


@pytest.mark.parametrize("request_", sorted(ASKED))
@pytest.mark.parametrize("first", ["runs", "queue"])
async def test_a_running_run_shows_what_it_was_asked_for(
    show: Show, alive: Any, registry: Path, request_: str, first: str
) -> None:
    set_all(registry, state=State.RUNNING, request=request_)
    word = ASKED[request_]
    async with show(first=first) as shown:
        row = next(each for each in shown.text.splitlines() if " training " in each)
        assert row.split()[0] == MARK_OF_REQUEST[word].text
        assert f"{word} 33 %" in row
        await shown.press("enter")
        assert f"{word}: it writes a checkpoint first" in shown.text


async def test_signs_of_states_differ_also_in_ascii(show: Show, alive: Any, registry: Path) -> None:
    signs = [*MARK_OF_STATE.values(), *(span.text for span in MARK_OF_REQUEST.values())]
    assert len(set(signs)) == len(State) + len(ASKED)
    async with show(ascii_only=True) as shown:
        seen = {}
        for state in State:
            set_all(registry, state=state)
            await shown.look()
            seen[state] = next(each for each in shown.text.splitlines() if " base " in each).split()[0]
    assert len(set(seen.values())) == len(State), seen


async def test_paused_runs_are_counted_filtered_and_sorted(show: Show, alive: Any, registry: Path) -> None:
    with open_registry(registry) as database, database.immediate():
        database.execute("UPDATE runs SET state = 'paused' WHERE name = 'training'")
    async with show() as shown:
        assert "◐ 1" in shown.text.splitlines()[0]
        await shown.press("slash", *"state:paused", "enter")
        assert [row.run.name for row in shown.app.screen.table.rows] == ["training"]
        await shown.press("escape")
        shown.app.screen._order_by("state")
        await shown.settle()
        states = [str(row.run.state) for row in shown.app.screen.table.rows]
        assert states == sorted(states, reverse=True)
