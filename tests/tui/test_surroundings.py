"""What happens around a dashboard that is open: files vanish, registries are replaced, folders cannot be read."""

import asyncio
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder
from shown import Show

from bertmt.errors import RegistryError
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs, run_by_key
from bertmt.services.lifecycle.removal import delete
from tui.dialogs.registry_problem import RegistryProblem
from tui.registry_lane import Session
from tui.screens.run.one_run import PANES
from tui.settings import Settings


async def test_a_registry_that_was_deleted_is_not_written_to_any_more(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        for name in ("runs.db", "runs.db-wal", "runs.db-shm"):
            (registry.parent / name).unlink(missing_ok=True)
        await shown.press("i", *"lost?", "enter")
        assert "There is no registry here yet" in shown.text
        assert "noted" not in shown.said


async def test_a_registry_that_was_replaced_is_shown_as_it_is_now(
    show: Show, alive: Any, registry: Path, tmp_path: Path
) -> None:
    other = RegistryBuilder(tmp_path / "other" / "runs.db")
    other.add("another registry")
    other.database.close()
    async with show() as shown:
        for name in ("runs.db-wal", "runs.db-shm"):
            (registry.parent / name).unlink(missing_ok=True)
        shutil.copy(tmp_path / "other" / "runs.db", tmp_path / "copy.db")
        (tmp_path / "copy.db").replace(registry)
        await shown.look()
        assert "another registry" in shown.text and "better" not in shown.text


async def test_a_run_folder_that_cannot_be_read_does_not_stop_the_others(
    show: Show, alive: Any, registry: Path
) -> None:
    with open_registry(registry) as database:
        run = all_runs(database, "runs.state = 'running'")[0]
    events = registry.parent / "runs" / run.id / "events-1.jsonl"
    events.unlink()
    events.mkdir()
    async with show() as shown:
        assert "training" in shown.text and "better" in shown.text


async def test_a_stored_last_event_of_the_wrong_shape_leaves_every_tab_usable(show: Show, registry: Path) -> None:
    with open_registry(registry) as database:
        database.execute(
            "UPDATE summaries SET finished = ? WHERE run = 2",
            ('{"seconds": 12.5, "passes": 3, "tokens": [1], "remarks": 7, "examples": "x", "peak_memory_mib": []}',),
        )
        assert run_by_key(database, 2).progress.finished is None
    async with show() as shown:
        assert "better" in shown.text
        shown.app.screen.table.go_to("run002")
        await shown.press("enter", "5")
        assert "Method" in shown.text


async def test_a_registry_that_cannot_be_reached_has_one_dialog_and_no_heap_of_messages(
    show: Show, tmp_path: Path
) -> None:
    async with show(tmp_path / ("x" * 300) / "runs.db") as shown:  # longer than a name may be
        await shown.look()
        assert type(shown.app.screen) is RegistryProblem and not shown.said
        assert "cannot be reached" in " ".join(shown.text.replace("│", " ").split())


async def test_the_folder_it_was_started_in_may_go(
    show: Show, alive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    async with show() as shown:
        folder.rmdir()
        with pytest.raises(FileNotFoundError):
            os.getcwd()  # noqa: PTH109 - the very call that fails
        shown.app.screen.table.go_to("run002")
        await shown.press("enter", "6", "5", "1", "s")
        assert "is gone" in shown.said


async def test_a_terminal_that_grew_again_while_another_screen_was_shown_has_no_cover_left(
    show: Show, alive: Any
) -> None:
    async with show(size=(30, 10), first="queue") as shown:
        await shown.pilot.resize_terminal(80, 24)
        await shown.settle()
        for key in ("1", "2", "3", "1"):
            await shown.press(key)
            assert "needs 40×12" not in " ".join(shown.text.split())


async def test_one_dialog_speaks_of_a_missing_registry_however_often_it_is_looked_for(
    show: Show, tmp_path: Path
) -> None:
    async with show(tmp_path / "nowhere" / "runs.db") as shown:
        shown.app.action_explain()
        await shown.settle()
        for _ in range(3):
            await shown.look()
        assert sum(isinstance(screen, RegistryProblem) for screen in shown.app.screen_stack) == 1
        await shown.press("escape")
        assert "There is no registry here yet" in shown.text


@pytest.mark.parametrize("mode", ["queue", "paper"])
async def test_a_first_run_can_be_made_from_every_first_screen(show: Show, tmp_path: Path, mode: str) -> None:
    async with show(tmp_path / "nowhere" / "runs.db", first=mode) as shown:
        await shown.press("n")
        assert type(shown.app.screen).__name__ == "NewRunScreen"


async def test_a_registry_that_refuses_is_told_wherever_it_is_asked(
    show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with show() as shown:
        shown.app.screen.table.go_to("run002")
        await shown.press("enter")

        async def refuse(*arguments: Any, **options: Any) -> None:
            raise RegistryError("The registry refuses.")

        monkeypatch.setattr(shown.app, "ask", refuse)
        await shown.press("c")
        assert "The registry refuses." in shown.text


async def test_a_trouble_that_came_while_the_terminal_was_too_small_leaves_no_cover(show: Show, alive: Any) -> None:
    async with show() as shown:
        await shown.pilot.resize_terminal(30, 10)
        await shown.settle()
        shown.app.show_error(RegistryError("The registry refuses."))
        await shown.settle()
        await shown.pilot.resize_terminal(80, 24)
        await shown.settle()
        assert "The registry refuses." in shown.text
        await shown.look()
        assert [type(screen).__name__ for screen in shown.app.screen_stack] == ["RunsScreen"]


async def test_a_registry_that_came_back_leaves_the_help_open_that_is_above_the_trouble(
    show: Show, tmp_path: Path
) -> None:
    path = tmp_path / "nowhere" / "runs.db"
    async with show(path) as shown:
        shown.app.action_explain()
        await shown.settle()
        builder = RegistryBuilder(path)
        builder.add("first")
        builder.database.close()
        await shown.look()
        assert type(shown.app.screen).__name__ == "Help"
        await shown.press("escape")
        await shown.look()
        assert "first" in shown.text and len(shown.app.screen_stack) == 1


async def test_who_may_not_write_is_offered_no_form_where_there_is_no_registry(show: Show, tmp_path: Path) -> None:
    async with show(tmp_path / "nowhere" / "runs.db", read_only=True) as shown:
        assert "There is no registry here yet" in shown.text and "new run" not in shown.text
        await shown.press("n")
        assert type(shown.app.screen) is RegistryProblem


@pytest.mark.parametrize("keys", [("enter",), (" ", " ", "c")])
async def test_a_removed_run_leaves_its_screen_once_what_is_above_it_was_closed(
    show: Show,
    alive: Any,
    registry: Path,
    keys: tuple[str, ...],
) -> None:
    async with show() as shown:
        shown.app.screen.table.go_to("run003")  # above run002, the last row
        await shown.press(*keys, "question_mark")
        shown_screen = shown.app.screen_stack[1]
        with open_registry(registry) as database:
            for run in all_runs(database, "runs.id IN ('run001', 'run002', 'run003')"):
                delete(database, run)
        await shown.look()
        assert shown.app.screen_stack[1] is shown_screen and type(shown.app.screen).__name__ == "Help"
        await shown.press("escape")
        assert [type(screen).__name__ for screen in shown.app.screen_stack] == ["RunsScreen"]
        assert "removed" in shown.said


async def test_two_quick_enters_open_one_screen(show: Show, alive: Any) -> None:
    async with show() as shown:
        for opens, name in ((shown.app.screen.table.action_choose, "RunScreen"), (shown.app.screen.action_new, "New")):
            opens()
            opens()
            await shown.settle()
            assert [type(screen).__name__[: len(name)] for screen in shown.app.screen_stack[1:]] == [name]
            await shown.press("escape")


@pytest.mark.parametrize("tab", range(1, 7))
async def test_a_tab_is_loaded_only_once_it_is_there(
    show: Show,
    alive: Any,
    registry: Path,
    monkeypatch: pytest.MonkeyPatch,
    tab: int,
) -> None:
    with open_registry(registry) as database:
        session = Session(database)  # type: ignore[arg-type]  # a session of its own connection
        async with show() as shown:
            shown.app.screen.table.go_to("run002")
            await shown.press("enter")
            screen, gate, asked, asking = shown.app.screen, asyncio.Event(), asyncio.Event(), shown.app.ask

            async def ask(act: Any, slow: bool = False, create: bool = False) -> Any:
                """Looks the run up when the tab is being opened, and answers all else at once."""
                if act.__name__ == "_look_up":
                    row = await asking(act)
                    asked.set()
                    await gate.wait()
                    return row
                return act(session)

            monkeypatch.setattr(shown.app, "ask", ask)
            screen.reload()
            await asked.wait()
            opening = asyncio.ensure_future(screen.action_open(tab))
            while not screen.query(PANES[tab]):
                await asyncio.sleep(0)
            gate.set()
            await opening
            await shown.settle()
            assert screen.tab == tab and not screen.pane.has_class("hidden")


@pytest.mark.parametrize(
    ("before", "keys"), [((), "j"), ((" ", "enter"), "O"), (("enter", "6"), "poll"), ((" ",), "bell")]
)
async def test_whatever_asks_a_registry_that_refuses_tells_it(
    show: Show,
    alive: Any,
    registry: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: tuple[str, ...],
    keys: str,
) -> None:
    async with show(settings=Settings(bell=True)) as shown:
        shown.app.screen.table.go_to("run003")  # above run002, the last row
        await shown.press(*before)
        real = shown.app.ask

        async def refuse(act: Any, slow: bool = False, create: bool = False) -> Any:
            if keys == "bell" and act.__name__ != "states":
                return await real(act, slow, create)
            raise RegistryError("The registry refuses.")

        monkeypatch.setattr(shown.app, "ask", refuse)
        if keys == "poll":
            shown.app.screen.pane._poll()
            await shown.settle()
        elif keys == "bell":
            with open_registry(registry) as database:
                database.execute("UPDATE runs SET note = 'changed' WHERE key = 1")
            await shown.look()
        else:
            await shown.press(keys)
        assert "The registry refuses." in shown.text


async def test_leaving_does_not_wait_for_what_takes_long(show: Show, alive: Any) -> None:
    async with show() as shown:
        started, released = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def long(session: Any) -> None:
            loop.call_soon_threadsafe(started.set)
            released.wait(60)

        asking = asyncio.ensure_future(shown.app.ask(long, slow=True))
        await started.wait()
        shown.app.exit()
    assert not asking.done()
    released.set()
    await asking
