"""From the form for new runs to what a task's data are like."""

from pathlib import Path
from typing import Any

import pytest
from shown import Show

from bertmt.services.tasks.adding import Wanted, understood, write_definition
from tui.screens.data.task_screen import TaskDataScreen
from tui.screens.new_run.screen import NewRunScreen

SIZES = [(80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def no_encoder_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_HOME", "HF_HUB_CACHE", "BERTMT_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("size", SIZES)
async def test_a_shows_what_the_audit_of_a_task_finds_and_scrolls(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await shown.press("n", "ctrl+y", "ctrl+e")
        assert "Look at the data of" in shown.text and "sst" in shown.text
        await shown.press("j", "enter")
        await shown.should_be("task-audit")
        assert isinstance(shown.app.screen, TaskDataScreen) and "The data of PARA" in shown.text
        said = " ".join(shown.text.replace("│", " ").split())
        if size == (80, 24):
            assert "pairs of sentences" in said
        assert "400 examples of test have no label." in said
        assert "Tokens are those of tiny; a sentence is cut behind 128 of them." in said
        await shown.press("escape")
        assert isinstance(shown.app.screen, NewRunScreen)


async def test_a_task_of_ones_own_is_audited_and_nothing_raw_of_it_is_shown(
    show: Show, alive: Any, registry: Path, tmp_path: Path
) -> None:
    files = {split: tmp_path / f"{split}.csv" for split in ("train", "dev")}
    for split, file in files.items():
        file.write_text(f"text,label\nsame \x1b[2J words,red\nsame \x1b[2J words,blue\n{split},blue\n")
    write_definition(registry.parent, understood(Wanted(name="colours", files=files)).task)
    async with show() as shown:
        await shown.press("n", "ctrl+e", "G", "enter", "ctrl+d")
        assert "The data of COLOURS" in shown.text and "1 text has different labels" in shown.text
        assert "same �[2J words" in shown.text


async def test_data_that_cannot_be_read_are_a_sentence(show: Show, alive: Any, registry: Path, tmp_path: Path) -> None:
    files = {split: tmp_path / f"{split}.csv" for split in ("train", "dev")}
    for file in files.values():
        file.write_text(f"text,label\n{file.name},red\nblue,blue\n")
    write_definition(registry.parent, understood(Wanted(name="gone", files=files)).task)
    files["dev"].unlink()
    async with show() as shown:
        await shown.press("n", "ctrl+e", "G", "enter")
        text = "".join(each.strip(" │") for each in shown.text.splitlines())
        assert "dev.csv" in text and "put it back" in text and "The data of GONE" in text
