"""`u` takes back the last thing that was done here, and says which key helps where nothing can be taken back."""

from pathlib import Path
from typing import Any

import pytest
from shown import Show, Shown

from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.services.browse.baseline import chosen_baseline


def written(registry: Path) -> list[Any]:
    """All that can be taken back, of every run."""
    with open_registry(registry) as database:
        runs = all_runs(database)
        told = [
            (run.id, run.name, run.state, run.annotations.note, run.annotations.tags, run.queueing.priority)
            for run in runs
        ]
        return [*told, chosen_baseline(database)]


async def go_to(shown: Shown, name: str) -> None:
    table = shown.app.screen.table
    table.go_to(next(row.run.id for row in table.rows if row.run.name == name))
    await shown.settle()


@pytest.mark.parametrize(
    ("first", "name", "keys", "said"),
    [
        ("runs", "better", ("number_sign", *"good", "enter"), "Undone: 1 run tagged."),
        ("runs", "better", ("i", *"why", "enter"), "Undone: 1 run noted."),
        ("runs", "better", ("N", *"best", "enter"), "Undone: 1 run renamed to best."),
        ("runs", "better", ("b",), "Undone: the baseline is chosen automatically again."),
        ("runs", "later", ("x", "y"), "Undone: 1 run cancelled."),
        ("queue", "held", ("x", "y"), "Undone: 1 run cancelled."),
        ("runs", "better", ("D", "y"), "Undone: 1 run removed."),
        ("queue", "later", ("z",), "Undone: 1 run held."),
        ("queue", "held", ("z",), "Undone: 1 run released."),
        ("queue", "later", ("P", "backspace", *"7", "enter"), "Undone: 1 run given priority 7."),
    ],
)
async def test_it_is_as_it_was(
    show: Show, alive: Any, registry: Path, first: str, name: str, keys: tuple[Any, ...], said: str
) -> None:
    async with show(first=first) as shown:
        before = written(registry)
        await go_to(shown, name)
        await shown.press(*keys)
        assert written(registry) != before
        await shown.press("u")
        assert written(registry) == before and said in shown.said
        await shown.press("u")
        assert "Nothing was done here that can be undone." in shown.said


async def test_the_last_comes_first(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await go_to(shown, "better")
        states = [written(registry)]
        for tag in ("one", "two"):
            await shown.press("number_sign", *tag, "enter")
            states.append(written(registry))
        await shown.press("u")
        assert written(registry) == states[1]
        await shown.press("u")
        assert written(registry) == states[0]


async def test_what_cannot_be_undone_says_which_key_helps_and_the_one_before_is_next(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show() as shown:
        await go_to(shown, "training")
        before = written(registry)
        await shown.press("number_sign", *"good", "enter", "x", "y", "u")
        assert "Cannot be undone: 1 run will stop. r requeues what was cancelled." in shown.said
        await shown.press("u")
        assert "Undone: 1 run tagged." in shown.said
        assert [each[4] for each in written(registry)[:-1]] == [each[4] for each in before[:-1]]


async def test_what_r_brought_back_is_not_undone_again(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await go_to(shown, "better")
        await shown.press("D", "y", "R", "u")
        assert "Nothing was done here that can be undone." in shown.said
        await shown.press("D", "y", "u", "R")
        assert "Nothing was removed in this session" in shown.said


async def test_a_choice_of_baseline_goes_back_to_the_one_before_and_says_which(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show() as shown:
        await go_to(shown, "better")
        await shown.press("b")
        better = written(registry)[-1]
        await go_to(shown, "twins")
        await shown.press("b", "u")
        assert written(registry)[-1] == better
        assert f"Undone: every run is compared with {better} again." in shown.said


async def test_what_the_form_queued_is_cancelled_as_long_as_nothing_started(
    show: Show, alive: Any, registry: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before = written(registry)
    async with show() as shown:
        await shown.press("n", "ctrl+y", "ctrl+s", "n", "u")
        assert "Undone: the run just queued is cancelled." in shown.said
        await shown.press("n", "ctrl+y", "ctrl+s", "n")
        with open_registry(registry) as database:
            database.execute("UPDATE runs SET attempt = 1, state = 'finished' WHERE key = (SELECT max(key) FROM runs)")
        await shown.press("u")
        assert "started meanwhile, so that queueing cannot be undone" in shown.said
    now = written(registry)
    assert [each[2] for each in now[:-1]] == [*(each[2] for each in before[:-1]), "cancelled", "finished"]
