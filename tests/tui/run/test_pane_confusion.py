"""The tab with confusion matrices: cells and their sentences, epochs, tasks, and the difference from the baseline.

Of the SST examples of the built registry, example i is of class i mod 5 and there are 60, twelve of each class. A run
that has the first n right says class + 1 (mod 5) of the others. So with n = 54, examples 54 to 59 are wrong: of class
4, 0, 1, 2, 3, 4; and with n = 18 examples 18 to 59, of which class 4 has 9, class 3 has 9, and the others 8 each.
"""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from present import present
from registry_builder import RegistryBuilder
from run_screen import click_on, open_run, said
from shown import Show, Shown
from textual.events import DescendantFocus

from tui.screens.run.panes.confusion import ConfusionPane, Matrices, MatrixBox
from tui.screens.run.screen import RunScreen
from tui.screens.run.widgets.heat_map import HeatMap

SIZES = [(80, 24), (120, 40)]
SST_BETTER = [[11, 1, 0, 0, 0], [0, 11, 1, 0, 0], [0, 0, 11, 1, 0], [0, 0, 0, 11, 1], [2, 0, 0, 0, 10]]
CHANGE = ["+7 −7 0 0 0", "0 +7 −7 0 0", "0 0 +7 −7 0", "0 0 0 +8 −8", "−7 0 0 0 +7"]


def rows_of(shown: Shown, count: int = 5) -> list[Any]:
    """What stands behind the names of the classes, without the cursor."""
    lines = [each.replace("◂", " ") for each in shown.text.splitlines()]
    start = next(number for number, each in enumerate(lines) if "true \\ predicted" in each)
    return [each[20:].split() for each in lines[start + 1 : start + 1 + count]]


def cell_line(shown: Shown) -> str:
    """The title of the sentences, without its frame."""
    return next(each.strip(" ─╭╮") for each in shown.text.splitlines() if "  predicted " in each and "true " in each)


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
async def test_the_matrix_is_shown_with_the_examples_of_its_largest_mistake(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run002", "2")
        await shown.should_be("run-confusion")
        assert [[int(each) for each in row[:5]] for row in rows_of(shown)] == SST_BETTER
        assert cell_line(shown) == "2 sentences  true 4 positive  predicted 0 negative"
        assert "sentence 54 evil�]0;pwned" in shown.text


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
async def test_recall_and_precision_are_those_of_the_counts(show: Show, alive: Any, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run002", "2")
        # Class 0: 11 of 12 found; 11 of the 13 that were taken for it. Class 4: 10 of 12, and 10 of 11.
        assert [row[6:10] for row in rows_of(shown)][::4] == [["91.7", "%", "84.6", "%"], ["83.3", "%", "90.9", "%"]]


async def test_the_cell_at_the_cursor_has_its_examples_below_and_edges_stop_it(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "2", "right", "k")
        assert cell_line(shown) == "0 sentences  true 3 somewhat positive  predicted 1 somewhat negative"
        assert "No sentence is in this cell." in shown.text
        await shown.press("up", "up", "up", "up", "h", "left")
        assert cell_line(shown) == "11 sentences  true 0 negative  predicted 0 negative"
        assert "11◂" in shown.text
        await shown.press("l", "j", "down", "right")
        assert cell_line(shown) == "11 sentences  true 2 neutral  predicted 2 neutral"


@pytest.mark.parametrize("size", SIZES)
async def test_enter_goes_to_the_examples_of_the_cell_and_escape_back(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run002", "2", "enter", "j")
        await shown.should_be("run-confusion-cell")
        assert "sentence 59" in shown.text
        await shown.press("escape")
        assert isinstance(shown.app.focused, HeatMap)
        assert cell_line(shown) == "2 sentences  true 4 positive  predicted 0 negative"
        await shown.press("escape")
        assert not isinstance(shown.app.screen, RunScreen)


async def test_enter_on_an_empty_cell_stays_in_the_matrix(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "2", "right", "enter")
        assert isinstance(shown.app.focused, HeatMap)


async def test_a_cell_that_another_epoch_leaves_empty_gives_the_keys_back_to_the_matrix(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "2")
        await shown.press("left", "right", "right", "right", "right", "enter")  # class 4 rightly predicted: 10
        assert not isinstance(shown.app.focused, HeatMap)
        await shown.press("comma", "comma")  # in epoch 0, nothing is right
        assert isinstance(shown.app.focused, HeatMap)
        assert "No sentence is in this cell." in shown.text
        await shown.press("full_stop")
        assert cell_line(shown).startswith("5 sentences"), "of 27 right ones, 0 to 26, five are of class 4"


async def test_epochs_go_back_and_forth_and_zero_is_the_selected_one(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "2")
        seen = []
        for each in ("comma", "less_than_sign", "comma", "full_stop", "0"):
            await shown.press(each)
            seen.append(next(text.split("accuracy ")[1][:35] for text in shown.text.splitlines() if "accuracy" in text))
        assert [text.split("  ")[0] for text in seen] == ["0.450", "0.000", "0.000", "0.450", "0.900"]
        assert [text.split("  ")[1] for text in seen[:2]] == [
            "epoch 1 of 0…2, selected 2",
            "epoch 0 of 0…2, selected 2",
        ]
        assert seen[-1].startswith("0.900  epoch 2 of 0…2, the selected")
        assert cell_line(shown) == "2 sentences  true 4 positive  predicted 0 negative"


async def test_a_click_on_the_curve_goes_to_its_epoch(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "2")
        await click_on(shown, "the selected one", len("the selected one") + 2)
        assert "epoch 0 of 0…2, selected 2" in shown.text


async def test_tab_switches_the_task_and_each_keeps_its_cell(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "2", "left", "up")
        before = cell_line(shown)
        await shown.press("tab")
        # Of PARA, examples 54 to 59 are wrong: three of each class.
        assert [row[:2] for row in rows_of(shown, 2)] == [["27", "3"], ["3", "27"]]
        assert cell_line(shown) == "3 pairs  true 0 different  predicted 1 paraphrase"
        await shown.should_be("run-confusion-pairs")
        await shown.press("down")
        assert cell_line(shown) == "27 pairs  true 1 paraphrase  predicted 1 paraphrase"
        await shown.press("shift+tab")
        assert cell_line(shown) == before
        await shown.press("tab")
        assert cell_line(shown) == "27 pairs  true 1 paraphrase  predicted 1 paraphrase"


async def test_a_matrix_gets_the_focus_while_the_one_of_another_task_is_not_composed_yet(
    show: Show, alive: Any
) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "2")
        pane = shown.app.screen.query_one(ConfusionPane)
        mounting = pane.query_one("#matrices").mount(MatrixBox("para"))  # composed at the next `await`, not before
        pane.on_descendant_focus(DescendantFocus(shown.app.focused))
        await mounting
        await shown.press("tab")
        assert cell_line(shown) == "3 pairs  true 0 different  predicted 1 paraphrase"


async def test_where_there_is_room_both_matrices_stand_side_by_side(show: Show, alive: Any) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run002", "2")
        assert "Confusion of SST" in shown.text and "Confusion of PARA" in shown.text
        [titles] = [each for each in shown.text.splitlines() if "accuracy" in each]
        assert "SST  accuracy 0.900" in titles and "PARA  accuracy 0.900" in titles
        await shown.press("tab")
        assert cell_line(shown) == "3 pairs  true 0 different  predicted 1 paraphrase"
        assert shown.text.count("◂") == 1, "the cursor is in one of them"


async def test_a_terminal_that_grows_while_matrices_are_read_has_as_many_as_there_is_room_for(
    show: Show, alive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with show() as shown:
        await open_run(shown, "run002")
        ask = shown.app.ask

        async def ask_and_grow(*question: Any, **how: Any) -> Any:
            answer = await ask(*question, **how)
            if shown.app.size.width == 80 and isinstance(answer, Matrices):
                await shown.pilot.resize_terminal(120, 40)
            return answer

        monkeypatch.setattr(shown.app, "ask", ask_and_grow)
        await shown.press("2")
        assert "Confusion of SST" in shown.text and "Confusion of PARA" in shown.text


async def test_percent_shows_shares_of_the_true_and_of_the_predicted_class(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "2", "percent_sign")
        assert rows_of(shown)[4][:2] == ["16.7", "%"], "2 of 12"
        await shown.should_be("run-confusion-shares")
        await shown.press("percent_sign")
        assert rows_of(shown)[4][:2] == ["15.4", "%"], "2 of the 13 that were taken for class 0"
        await shown.press("percent_sign")
        assert rows_of(shown)[4][:2] == ["2", "0"]


@pytest.mark.parametrize("size", SIZES)
async def test_the_difference_from_the_baseline_is_by_cell_and_says_whose(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run002", "2", "d")
        assert [" ".join(row[:5]) for row in rows_of(shown)] == CHANGE
        assert "counts minus those of run001 (base), epoch 2" in shown.text
        await shown.should_be("run-confusion-difference")
        await shown.press("percent_sign")
        assert [" ".join(row[:5]) for row in rows_of(shown)] == CHANGE, "shares are of counts, not of differences"
        await shown.press("d")
        assert [[int(each) for each in row[:5]] for row in rows_of(shown)] == SST_BETTER


async def test_the_baseline_itself_says_so_and_keeps_its_counts(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run001", "2", "d")
        assert said(shown) == ["This run is the baseline itself; b on another makes that the baseline."]
        assert "counts; shade" in shown.text


async def test_without_a_baseline_the_next_step_is_said(show: Show, alive: Any, registry: Path) -> None:
    builder = RegistryBuilder(registry)
    builder.database.execute("UPDATE runs SET state = 'failed', failure = 'x' WHERE id = 'run001'")
    builder.database.close()
    async with show() as shown:
        await open_run(shown, "run002", "2", "d")
        assert said(shown) == [
            "There is no finished baseline of equal scale; b on a finished run makes it the baseline."
        ]


async def test_a_click_on_a_cell_opens_it_and_on_a_task_shows_that(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run001", "2")
        titles = next(each for each in shown.text.splitlines() if "true \\ predicted" in each)
        await click_on(shown, "2 neutral", titles.index("2 ") - titles.index("true"))
        assert cell_line(shown) == "4 sentences  true 2 neutral  predicted 2 neutral"
        assert not isinstance(shown.app.focused, HeatMap), "the examples have the keys"
        await shown.press("escape")
        await click_on(shown, "] PARA", 3)
        assert "[PARA]" in shown.text


async def test_a_picture_of_the_matrix_is_saved_here(
    show: Show, alive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with show() as shown:
        await open_run(shown, "run002", "2", "s")
        [picture] = tmp_path.glob("bertmt-run002-sst-confusion-*.svg")
        assert picture.name in said(shown)[0]
        texts = [each.text for each in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")]
        assert any("4 positive" in present(text) for text in texts) and not any("◂" in present(text) for text in texts)


async def test_a_run_of_one_task_with_classes_has_one_matrix(show: Show, alive: Any, evaluated: Path) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run009", "2", "tab")
        await shown.should_be("run-confusion-one-task")
        assert "PARA" not in shown.text.split("7 History")[1]


async def test_a_run_that_trained_no_task_with_classes_says_what_it_trained(
    show: Show, alive: Any, evaluated: Path
) -> None:
    async with show() as shown:
        await open_run(shown, "run010", "2")
        said = " ".join(shown.text.split())  # it may be wrapped
        assert "A confusion matrix needs a task with classes, but run run010 trains STS only." in said


@pytest.mark.parametrize("size", SIZES)
async def test_a_running_run_shows_its_newest_epoch_and_goes_on_to_the_next(
    show: Show, alive: Any, evaluated: Path, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run011", "2")
        assert "accuracy 0.200  epoch 0 of 0, the newest one" in shown.text
        await shown.should_be("run-confusion-running")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("run_id", "sentence"),
    [
        ("run007", "Run run007 is queued: predictions appear once it has been evaluated."),
        ("run006", "Run run006 has not been evaluated yet; its predictions appear here once it has."),
        ("run005", "Run run005 left no predictions: it ended (failed) before its first evaluation."),
        ("run008", "Run run008 is held: predictions appear once it has been evaluated."),
    ],
)
async def test_before_there_are_predictions_it_is_said_when_there_will_be(
    show: Show, alive: Any, run_id: str, sentence: str, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, run_id, "2")
        assert sentence in " ".join(shown.text.split())
        if run_id != "run008":
            await shown.should_be(f"run-confusion-{run_id}")


async def test_what_is_looked_at_stays_when_the_registry_changes(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run002", "2", "comma", "left", "up", "percent_sign", "enter")
        before = shown.text
        builder = RegistryBuilder(registry)
        builder.database.execute("UPDATE runs SET note = 'seen' WHERE id = 'run002'")
        builder.database.close()
        await shown.look()
        assert shown.text == before


async def test_in_ascii_the_matrix_is_ascii(show: Show, alive: Any) -> None:
    async with show(ascii_only=True) as shown:
        await open_run(shown, "run002", "2")
        assert shown.text.isascii()
        assert "2<" in shown.text
