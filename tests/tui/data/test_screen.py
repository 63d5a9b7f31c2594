"""The tasks and their data, looked at without a run."""

import threading
from pathlib import Path
from typing import Any

import pytest
from shown import Show

from bertmt.services.tasks.adding import Wanted, understood, write_definition
from tui.screens.data.screen import DataScreen
from tui.screens.data.task_screen import TaskDataScreen

SIZES = [(80, 24), (120, 40)]
ALL_SIZES = [*SIZES, (200, 60)]


@pytest.fixture(autouse=True)
def no_encoder_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_HOME", "HF_HUB_CACHE", "BERTMT_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def colours(registry: Path, tmp_path: Path) -> str:
    """A task with a hostile text, one that leaks, one that contradicts itself, and one that is repeated."""
    rows = {
        "train": ["same \x1b[2J words,red", "same \x1b[2J words,blue", "leaks,red", "twice,blue", "twice,blue"],
        "dev": ["leaks,red", "alone,blue"],
    }
    files = {split: tmp_path / f"{split}.csv" for split in rows}
    for split, file in files.items():
        file.write_text("\n".join(["text,label", *rows[split], ""]))
    write_definition(registry.parent, understood(Wanted(name="colours", files=files)).task)
    return "colours"


@pytest.mark.parametrize("size", SIZES)
async def test_the_tasks_are_a_screen_to_begin_with(
    show: Show, alive: Any, colours: str, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await shown.press("5")
        assert isinstance(shown.app.screen, DataScreen)
        assert all(name in shown.text for name in ("sst", "para", "sts", "colours"))
        assert "those of the newest run" in shown.text
        await shown.press("G")
        assert "2 classes: red, blue" in shown.text or "2 classes: blue, red" in shown.text


async def test_a_definition_that_cannot_be_read_is_named(show: Show, alive: Any, registry: Path) -> None:
    (registry.parent / "tasks").mkdir()
    (registry.parent / "tasks" / "broken.toml").write_text("nonsense")
    async with show() as shown:
        await shown.press("5", "G")
        assert "  cannot be read" in shown.text and "is no TOML file" in " ".join(shown.text.split())
        await shown.press("enter")
        assert isinstance(shown.app.screen, DataScreen)


@pytest.mark.parametrize("size", SIZES)
async def test_an_audit_and_the_examples_behind_it(show: Show, alive: Any, colours: str, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await shown.press("5", "G", "enter")
        assert isinstance(shown.app.screen, TaskDataScreen)
        if size == (120, 40):
            assert all(f" {title} " in shown.text for title in ("Splits", "Labels", "Lengths", "Examples"))
            assert "█" in shown.text and "1 text has different labels" in shown.text
        await shown.press("2")
        assert "all 5" in shown.text and "repeated 2" in shown.text and "conflicting 2" in shown.text
        assert "same �[2J words" in shown.text and "\x1b" not in shown.text
        await shown.press("H")
        assert list(shown.app.screen.examples.rows.rows) == [1, 4], "the second of what stands twice"
        await shown.press("H")
        assert list(shown.app.screen.examples.rows.rows) == [0, 1]
        await shown.press("3")
        assert "in train 1" in shown.text and "all 2" in shown.text
        await shown.press("4")
        assert "no test split" in shown.said
        await shown.press("escape")
        assert isinstance(shown.app.screen, DataScreen)


async def test_words_are_looked_for_and_taken_away(show: Show, alive: Any, colours: str) -> None:
    async with show() as shown:
        await shown.press("5", "G", "enter", "2", "slash", *"TWICE")
        assert list(shown.app.screen.examples.rows.rows) == [3, 4] and "“TWICE”: 2" in shown.text
        await shown.press("enter", "escape")
        assert len(shown.app.screen.examples.rows.rows) == 5
        await shown.press("escape")
        assert isinstance(shown.app.screen, DataScreen)


async def test_a_folder_without_a_registry_has_data_too(show: Show, tmp_path: Path) -> None:
    async with show(tmp_path / "empty" / "runs.db", first="data") as shown:
        await shown.settle()
        assert isinstance(shown.app.screen, DataScreen)
        assert "embedded, since none are named" in shown.text


async def test_nobody_waits_for_data(show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys work while data are read; who leaves then sees nothing of it any more."""
    goes_on = threading.Event()

    def slowly(*_: object) -> dict[str, Any]:
        assert goes_on.wait(60)
        return {}

    monkeypatch.setattr("tui.screens.data.task_screen.read_splits", slowly)
    async with show() as shown:
        await shown.press("5")
        try:
            await shown.pilot.press("enter")
            await shown.pilot.pause()
            assert isinstance(shown.app.screen, TaskDataScreen) and "Reading the data of SST" in shown.text
            await shown.pilot.press("escape")
            await shown.pilot.pause()
            assert isinstance(shown.app.screen, DataScreen)
        finally:
            goes_on.set()


@pytest.mark.parametrize("size", ALL_SIZES)
async def test_without_a_registry_there_are_the_built_in_tasks(
    show: Show, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with show(tmp_path / "empty" / "runs.db", first="data", size=size) as shown:
        await shown.settle()
        await shown.should_be("data-empty")


@pytest.mark.parametrize("size", ALL_SIZES)
async def test_a_task_of_ones_own_and_files_that_cannot_be_read(
    show: Show, alive: Any, colours: str, registry: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    """As pictures wherever no path of this test is shown."""
    tasks = registry.parent / "tasks"
    named = (tasks / f"{colours}.toml").read_text().replace("title =", 'data_set = "made up"\ntitle =')
    (tasks / f"{colours}.toml").write_text(named)
    (tasks / "broken.toml").write_text("nonsense")
    async with show(size=size) as shown:
        await shown.press("5")
        await shown.should_be("data-own-and-broken")
        shown.app.screen.table.go_to(colours)
        await shown.press("enter")
        if size == SIZES[0]:
            assert str(tmp_path)[:20] in shown.text and "split  examples" in shown.text
        else:
            await shown.should_be("data-audit")
        await shown.press("2")
        await shown.should_be("data-examples")
        await shown.press("escape")
        (tmp_path / "dev.csv").unlink()
        await shown.press("enter")
        said = " ".join(shown.text.replace("│", " ").split())
        assert said.count("put it back, or name its new place as `dev`") == 1, "in one pane, wherever there are several"
