"""What happens around a dashboard that is open: files vanish, registries are replaced, folders cannot be read."""

import asyncio
import os
import shutil
import threading

import pytest
from registry_builder import RegistryBuilder

from bertmt.errors import RegistryError
from bertmt.registry.database import open_registry
from bertmt.registry.runs import all_runs, run_by_key
from tui.dialogs.registry_problem import RegistryProblem


async def test_a_registry_that_was_deleted_is_not_written_to_any_more(show, alive, registry):
    async with show() as shown:
        for name in ("runs.db", "runs.db-wal", "runs.db-shm"):
            (registry.parent / name).unlink(missing_ok=True)
        await shown.press("i", *"lost?", "enter")
        assert "There is no registry here yet" in shown.text
        assert "noted" not in shown.said


async def test_a_registry_that_was_replaced_is_shown_as_it_is_now(show, alive, registry, tmp_path):
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


async def test_a_run_folder_that_cannot_be_read_does_not_stop_the_others(show, alive, registry):
    with open_registry(registry) as database:
        run = all_runs(database, "runs.state = 'running'")[0]
    events = registry.parent / "runs" / run.id / "events-1.jsonl"
    events.unlink()
    events.mkdir()
    async with show() as shown:
        assert "training" in shown.text and "better" in shown.text


async def test_a_stored_last_event_of_the_wrong_shape_leaves_every_tab_usable(show, registry):
    with open_registry(registry) as database:
        database.execute(
            "UPDATE summaries SET finished = ? WHERE run = 2",
            ('{"seconds": 12.5, "passes": 3, "tokens": [1], "remarks": 7, "examples": "x", "peak_memory_mib": []}',),
        )
        assert run_by_key(database, 2).finished == {}
    async with show() as shown:
        assert "better" in shown.text
        shown.app.screen.table.go_to("run002")
        await shown.press("enter", "5")
        assert "Method" in shown.text


async def test_the_folder_it_was_started_in_may_go(show, alive, tmp_path, monkeypatch):
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


async def test_a_terminal_that_grew_again_while_another_screen_was_shown_has_no_cover_left(show, alive):
    async with show(size=(30, 10), first="queue") as shown:
        await shown.pilot.resize_terminal(80, 24)
        await shown.settle()
        for key in ("1", "2", "3", "1"):
            await shown.press(key)
            assert "needs 40×12" not in " ".join(shown.text.split())


async def test_one_dialog_speaks_of_a_missing_registry_however_often_it_is_looked_for(show, tmp_path):
    async with show(tmp_path / "nowhere" / "runs.db") as shown:
        await shown.press("question_mark")
        for _ in range(3):
            await shown.look()
        assert sum(isinstance(screen, RegistryProblem) for screen in shown.app.screen_stack) == 1
        await shown.press("escape")
        assert "There is no registry here yet" in shown.text


@pytest.mark.parametrize("mode", ["queue", "paper"])
async def test_a_first_run_can_be_made_from_every_first_screen(show, tmp_path, mode):
    async with show(tmp_path / "nowhere" / "runs.db", first=mode) as shown:
        await shown.press("n")
        assert type(shown.app.screen).__name__ == "NewRunScreen"


async def test_a_registry_that_refuses_is_told_wherever_it_is_asked(show, alive, monkeypatch):
    async with show() as shown:
        shown.app.screen.table.go_to("run002")
        await shown.press("enter")

        async def refuse(*arguments, **options):
            raise RegistryError("The registry refuses.")

        monkeypatch.setattr(shown.app, "ask", refuse)
        await shown.press("c")
        assert "The registry refuses." in shown.text


async def test_leaving_does_not_wait_for_what_takes_long(show, alive):
    async with show() as shown:
        started, released = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def long(session):
            loop.call_soon_threadsafe(started.set)
            released.wait(60)

        asking = asyncio.ensure_future(shown.app.ask(long, slow=True))
        await started.wait()
        shown.app.exit()
    assert not asking.done()
    released.set()
    await asking
