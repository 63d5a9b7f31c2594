"""What a running run predicts between two evaluations: its dots beside the dev scores, and its matrix as it grows.

Of the 60 examples of a task the partial ones are the first 20, four of each class of SST. With half of them right,
examples 10 to 19 are wrong: two of each class.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder, evaluate, partly_evaluate
from run_screen import open_run, said
from shown import Show, Shown

from bertmt.drawing.charts.series import looks_of
from bertmt.registry.runs import all_runs
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Finished, now
from bertmt.services.browse.find.found import Found, Where
from bertmt.services.ingest.ingest import folder_of, ingest
from tui.screens.run.screen import RunScreen

SIZES = [(80, 24), (120, 40)]
TASKS = ["sst", "para", "sts"]


class Goes:
    """A run that was evaluated once and goes on: run009."""

    def __init__(self, registry: Path):
        self.builder = RegistryBuilder(registry)
        self.builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
        self.run, self.folder, self.events = self.builder.started("partial")
        self.builder.database.execute("UPDATE runs SET id = 'run009' WHERE id = ?", (self.run.id,))
        target = self.folder.path.with_name("run009")
        self.folder.path.rename(target)
        [self.run] = all_runs(self.builder.database, "runs.id = 'run009'")
        self.folder = folder_of(self.builder.database, self.run)
        self.events = EventWriter(self.folder.events(1))

    def evaluated(self, epoch: int, right: float) -> None:
        evaluate(self.folder, self.events, TASKS, epoch, right)
        ingest(self.builder.database, self.run)

    def partly(self, epoch: int, step: int, right: float) -> None:
        partly_evaluate(self.folder, self.events, TASKS, epoch, step, right)
        ingest(self.builder.database, self.run)

    def finished(self) -> None:
        self.events.write(Finished(at=now(), epoch=1, step=5, selected_epoch=1, scores={}, seconds={}))
        ingest(self.builder.database, self.run)


@pytest.fixture
def goes(registry: Path) -> Iterator[Goes]:
    found = Goes(registry)
    found.evaluated(0, 0.2)
    found.partly(1, 1, 0.25)
    found.partly(1, 2, 0.5)
    yield found
    found.events.close()
    found.builder.database.close()


def epoch_line(shown: Shown) -> str:
    return next(each.strip() for each in shown.text.splitlines() if "accuracy" in each)


def total(shown: Shown) -> int:
    lines = [each.replace("◂", " ") for each in shown.text.splitlines()]
    start = next(number for number, each in enumerate(lines) if "true \\ predicted" in each)
    return sum(int(count) for each in lines[start + 1 : start + 6] for count in each[20:].split()[:5])


@pytest.mark.parametrize("size", SIZES)
async def test_partial_scores_are_dotted_beside_the_dev_scores_and_named(
    show: Show, alive: Any, goes: Goes, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run009")
        await shown.should_be("run-partial-curves")
        [panel] = shown.app.screen.pane.chart._panels
        assert panel.title == "dev score (dotted: partial, of ≤ 100)"
        names = [(each.name, each.dotted, len(each.steps)) for each in panel.series]
        assert names == [
            ("sst", False, 1), ("para", False, 1), ("sts", False, 1), ("overall", False, 1),
            ("sst partial", True, 2), ("para partial", True, 2), ("sts partial", True, 2),
        ]  # fmt: skip
        looks = looks_of(panel.series, False)
        assert [each.style for each in looks[4:]] == [each.style for each in looks[:3]]
        assert len({each.mark for each in looks}) == len(looks)


async def test_beside_other_runs_there_are_whole_scores_alone(show: Show, alive: Any, goes: Goes) -> None:
    async with show() as shown:
        shown.app.marked = {"run001"}
        await open_run(shown, "run009", "O")
        panels = shown.app.screen.pane.chart._panels
        assert len(panels) > 1 and not any(each.dotted for panel in panels for each in panel.series)
        assert "partial" not in " ".join(panel.title for panel in panels)


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
async def test_the_matrix_is_that_of_now_and_grows_with_the_run(
    show: Show, alive: Any, goes: Goes, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run009", "2")
        await shown.should_be("run-partial-confusion")
        assert "accuracy 0.500  now, step 2: partial, 20 of 60" in epoch_line(shown)
        goes.partly(1, 3, 1.0)
        await shown.look()
        assert "accuracy 1.000  now, step 3: partial, 20 of 60" in epoch_line(shown)
        if size[0] == 80:
            assert total(shown) == 20


async def test_keys_go_to_whole_epochs_and_back_to_now(show: Show, alive: Any, goes: Goes) -> None:
    async with show() as shown:
        await open_run(shown, "run009", "2", "comma")
        assert "accuracy 0.200  epoch 0 of 0, newest now" in epoch_line(shown) and total(shown) == 60
        goes.partly(1, 3, 1.0)
        await shown.look()
        assert "epoch 0 of 0" in epoch_line(shown), "who went to an epoch stays there"
        for each in ("full_stop", "comma", "0"):
            await shown.press(each)
        assert "now, step 3" in epoch_line(shown) and total(shown) == 20
        goes.evaluated(1, 0.6)
        await shown.look()
        assert "accuracy 0.600  epoch 1 of 0…1, the newest one" in epoch_line(shown) and total(shown) == 60


async def test_a_finished_run_shows_whole_evaluations_alone(show: Show, alive: Any, goes: Goes) -> None:
    goes.evaluated(1, 0.6)
    goes.partly(2, 5, 0.5)
    goes.finished()
    async with show() as shown:
        await open_run(shown, "run009", "2", "full_stop")
        assert "accuracy 0.600  epoch 1 of 0…1, the selected one" in epoch_line(shown)


async def test_examples_and_similarities_are_those_of_now_too(show: Show, alive: Any, goes: Goes) -> None:
    async with show() as shown:
        await open_run(shown, "run009", "4")
        assert "now, step 2: partial, 20 of 60" in epoch_line(shown) and "all 20" in shown.text
        await shown.press("3")
        assert "now, step 2: partial" in shown.text and "n 20" in shown.text


async def test_what_is_partial_is_not_compared_with_the_baseline(show: Show, alive: Any, goes: Goes) -> None:
    async with show() as shown:
        await open_run(shown, "run009", "2", "d")
        [sentence] = said(shown)
        assert sentence.startswith("What is predicted now is of a few examples alone")


async def test_lists_show_no_partial_score(show: Show, alive: Any, goes: Goes) -> None:
    async with show(size=(120, 40)) as shown:
        row = next(each for each in shown.text.splitlines() if "partial" in each)
        assert "0.200" in row and "0.500" not in row


async def test_on_the_curves_too_a_running_run_is_left_for_an_evaluation_and_followed_again(
    show: Show, alive: Any, goes: Goes
) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run009", "comma")
        assert "Curves over steps, epoch 0, step 0; 0 goes back to what is newest" in shown.text
        await shown.press("2")
        assert "Confusion of SST, epoch 0, step 0" in shown.text and total(shown) == 60
        await shown.press("0")
        assert "Confusion of SST, now, step 2" in shown.text
        goes.partly(1, 3, 1.0)
        await shown.look()
        assert "Confusion of SST, now, step 3" in shown.text


async def test_a_sentence_that_was_found_is_shown_where_it_stands_in_the_whole_split(
    show: Show, alive: Any, goes: Goes
) -> None:
    [run] = all_runs(goes.builder.database, "runs.id = 'run009'")
    found = Found(run=run, where=Where.SENTENCE, text="question 42", task="para", example=42)
    async with show() as shown:
        shown.app.push_screen(RunScreen(run, found=found))
        await shown.settle()
        rows = shown.app.screen.pane.query_one("ExampleRows")
        assert rows.current == 42 and "question 42" in shown.text
        await shown.press("0")
        assert "now, step 2: partial" in epoch_line(shown)
