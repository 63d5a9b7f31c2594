"""The curves of a run: which panels there are, overlays, pictures, and what stays when the run goes on."""

import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from present import present
from registry_builder import RegistryBuilder
from run_screen import open_run, said
from shown import Show, Shown

from bertmt.drawing.charts.series import looks_of
from bertmt.drawing.looks import look_of
from bertmt.registry import metrics
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Evaluated, Step, now
from bertmt.services.ingest.ingest import folder_of, ingest

LONG = 400


@pytest.fixture
def measured(registry: Path) -> Path:
    """run009: a run with every series that a child writes."""
    builder = RegistryBuilder(registry)
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    builder.database.execute("UPDATE runs SET id = 'run009' WHERE id = ?", (_measure(builder),))
    builder.database.close()
    return registry


def _measure(builder: RegistryBuilder) -> str:
    run, folder, events = builder.started("measured")
    for step in range(LONG):
        values = {f"loss/{task}": scale / (1 + step / 50) for task, scale in (("sst", 1.6), ("para", 0.7))}
        values |= {"gradient_norm": 1 + step % 7, "conflict_share": 0.5, "learning_rate": 1e-5, "loss": 1.0}
        events.write(
            Step(at=now(), step=step, epoch=1 + step // 200, phase="train", values=values, seconds_left=LONG - step)
        )
        if step % 200 == 199:
            scores, losses = {"sst": 0.4 + step / 4000}, {"sst": 1.0, "para": 0.5}
            events.write(
                Evaluated(at=now(), epoch=1 + step // 200, step=step, scores=scores, overall=None, losses=losses)
            )
    events.close()
    ingest(builder.database, run)
    folder.path.rename(folder.path.with_name("run009"))
    return run.id


def titles(shown: Shown) -> list[Any]:
    return [panel.title for panel in shown.app.screen.pane.chart._panels]


async def test_training_and_dev_losses_of_a_task_share_a_panel(show: Show, alive: Any, measured: Path) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run009")
        assert titles(shown) == [
            "training loss", "dev score", "loss of sst", "loss of para",
            "gradient norm", "conflict share", "learning rate",
        ]  # fmt: skip
        panel = shown.app.screen.pane.chart._panels[2]
        assert [(each.name, len(each.steps)) for each in panel.series] == [("train", LONG), ("dev", 2)]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_all_that_was_measured_has_a_panel(show: Show, alive: Any, measured: Path, size: tuple[int, int]) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run009")
        await shown.should_be("run-curves")


async def test_a_series_without_new_points_is_the_same_object_as_before(show: Show, alive: Any, measured: Path) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run009")
        before = drawn(shown)
        await shown.app.screen.load()
        assert all(new is old for new, old in zip(drawn(shown), before, strict=True))
        with open_registry(measured) as database, database.immediate():
            [run] = all_runs(database, "runs.id = 'run009'")
            metrics.append(database, run.key, [("loss/sst", LONG, 1.0)])
            database.execute("UPDATE runs SET events_offset = events_offset + 1 WHERE key = ?", (run.key,))
        await shown.look()
        changed = {new.name for new, old in zip(drawn(shown), before, strict=True) if new is not old}
        assert changed == {"sst", "train"}, "in the panels of training loss and of the loss of sst"


def drawn(shown: Shown) -> list[Any]:
    return [each for panel in shown.app.screen.pane.chart._panels for each in panel.series]


async def test_zoom_smoothing_and_log_scale_are_said_below_the_chart(show: Show, alive: Any, measured: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run009", "plus", "m", "Y", "v")
        await shown.should_be("run-curves-zoomed")
        assert "(log scale)" in shown.text
        assert "values at step 199, steps 100 to 299 of 399, smoothed 0.98" in shown.text


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_marked_runs_are_drawn_over_it_and_every_run_keeps_its_mark(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        shown.app.marked = {"run001", "run002", "run003"}
        await open_run(shown, "run002", "O")
        await shown.should_be("run-curves-overlaid")
        # twins (run003) trained STS alone, and is there all the same, so that nobody takes another's colour.
        assert {tuple(each.name for each in panel.series) for panel in shown.app.screen.pane.chart._panels} == {
            ("better run002", "base run001", "twins run003")
        }
        await shown.press("O")
        assert "twins" not in shown.text


async def test_a_pretraining_phase_takes_no_look_of_a_task(show: Show, alive: Any, registry: Path) -> None:
    """The phase's losses are there first; when the tasks' come, nothing changes its colour and mark."""
    builder = RegistryBuilder(registry)
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run, _, events = builder.started("pretrained")
    events.write(Step(at=now(), step=0, epoch=0, phase="mnr", values={"loss/mnr": 3.0}, seconds_left=9.0))
    ingest(builder.database, run)
    async with show(size=(120, 40)) as shown:
        await open_run(shown, run.id)
        before = _looks(shown)
        events.write(
            Step(
                at=now(),
                step=1,
                epoch=1,
                phase="train",
                values={f"loss/{task}": 1.0 for task in ("sst", "para", "sts")},
                seconds_left=8.0,
            )
        )
        await shown.look()
        after = _looks(shown)
    events.close()
    builder.database.close()
    assert list(before) == ["mnr"] and after["mnr"] == before["mnr"]
    assert [after[task] for task in ("sst", "para", "sts")] == [look_of(index, False) for index in range(3)]


def _looks(shown: Shown, title: str = "training loss") -> dict[Any, Any]:
    """The looks of a panel's curves by their names."""
    [chart] = [each for each in shown.app.screen.pane.chart._panels if each.title == title]
    return dict(zip((each.name for each in chart.series), looks_of(chart.series, False), strict=True))


async def test_the_dev_loss_that_comes_first_takes_no_look_of_the_training_loss(
    show: Show, alive: Any, registry: Path
) -> None:
    builder = RegistryBuilder(registry)
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run, _, events = builder.started("evaluated first")
    events.write(Evaluated(at=now(), epoch=0, step=0, scores={"sst": 0.2}, overall=None, losses={"sst": 1.6}))
    ingest(builder.database, run)
    async with show(size=(120, 40)) as shown:
        await open_run(shown, run.id)
        before = _looks(shown, "loss of sst")
        events.write(Step(at=now(), step=0, epoch=1, phase="train", values={"loss/sst": 1.5}, seconds_left=8.0))
        await shown.look()
        after = _looks(shown, "loss of sst")
    events.close()
    builder.database.close()
    assert (list(before), list(after)) == (["dev"], ["train", "dev"])
    assert before["dev"] == after["dev"]


async def test_without_marked_runs_the_overlay_says_how_to_mark_some(show: Show, alive: Any) -> None:
    async with show() as shown:
        shown.app.marked = {"run002"}
        await open_run(shown, "run002", "O")
        assert said(shown) == ["Mark other runs in the list with the space bar; O then draws them here."]


async def test_what_a_child_writes_appears_and_the_zoom_stays(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run006")
        await shown.press("v")
        builder = RegistryBuilder(registry)
        [run] = all_runs(builder.database, "runs.id = 'run006'")
        events = EventWriter(folder_of(builder.database, run).events(1))
        events.write(Step(at=now(), step=3, epoch=1, phase="train", values={"loss/sst": 0.125}, seconds_left=1.0))
        events.close()
        ingest(builder.database, run)
        builder.database.close()
        await shown.look()
        assert shown.app.screen.pane.chart._panels[0].series[0].values.tolist()[-1] == 0.125
        assert "values at step 1" in shown.text


async def test_s_saves_a_picture_and_says_where_it_went(
    show: Show, alive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with show() as shown:
        await open_run(shown, "run002", "s")
        [picture] = tmp_path.glob("bertmt-run002-curves-*.svg")
        assert said(shown) == [f"Picture saved to {picture}"]
    root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
    assert "training loss" in [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]


async def test_in_a_picture_the_mark_stands_at_the_last_value_too(
    show: Show,
    alive: Any,
    registry: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a loss that goes from 0 to 1 and back in each column, and ends at 1: beside the highest label of the axis."""
    monkeypatch.chdir(tmp_path)
    builder = RegistryBuilder(registry)
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run, _, events = builder.started("noisy")
    for step in range(2 * LONG):
        values = {"loss/sst": float(step % 2)}
        events.write(Step(at=now(), step=step, epoch=1, phase="train", values=values, seconds_left=9.0))
    events.close()
    ingest(builder.database, run)
    builder.database.close()
    async with show() as shown:
        await open_run(shown, run.id, "m", "m")
        assert "not smoothed" in shown.text
        await shown.press("s")
    [picture] = tmp_path.glob("*.svg")
    texts = list(ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text"))
    [top] = {each.get("y") for each in texts if present(each.text).startswith("1.0")}
    assert top in {each.get("y") for each in texts if each.text == "●"}


async def test_where_no_picture_can_be_written_the_reason_is_said(
    show: Show, alive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    async with show() as shown:
        await open_run(shown, "run002")
        monkeypatch.setattr("tui.pictures.Path.cwd", lambda: gone / "no")
        await shown.press("s")
        [sentence] = said(shown)
        assert "No such file or directory; start the dashboard in another folder." in sentence


async def test_the_x_axis_goes_from_steps_to_epochs_to_time_and_stays_so_in_this_session(
    show: Show, alive: Any, measured: Path
) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run002")
        assert "Curves over steps" in shown.text and "step 6" in shown.text
        await shown.press("X")
        assert "Curves over epochs" in shown.text and "epoch 2" in shown.text
        await shown.should_be("run-curves-epochs")
        await shown.press("v")
        assert "values at epoch 1" in shown.text
        await shown.press("X")
        assert "Curves over training time" in shown.text and "seconds " in shown.text
        assert "values at" not in shown.text, "the cursor stood on another axis"
        await shown.press("escape")
        await open_run(shown, "run003")
        assert "Curves over training time" in shown.text
        await shown.press("X")
        assert "Curves over steps" in shown.text


async def test_a_run_whose_times_are_gone_is_drawn_over_steps_and_the_frame_says_so(
    show: Show, alive: Any, registry: Path
) -> None:
    for path in (registry.parent / "runs" / "run002").glob("events-*"):
        path.unlink()
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run002", "X", "X")
        assert "Curves over steps; time not known of run002" in shown.text


async def test_a_comparison_has_the_same_axis_and_means_of_seeds_over_time(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show(size=(120, 40)) as shown:
        shown.app.marked |= {"run001", "run003", "run004"}  # the last two are seeds of one recipe
        await shown.press("c", "3", "X", "X")
        assert "Curves over training time" in shown.text
        chart, late = shown.app.screen.query_one("#curves"), time.monotonic() + 10
        both: list[Any] = []
        while not both and time.monotonic() < late:  # bands come behind the comparison, which takes a while
            await shown.settle()
            with_bands = [each for panel in chart._panels if panel.bands for each in panel.series]
            both = [each for each in with_bands if each.name == "twins ×2"]
        assert both and all(len(each.steps) and (each.steps < 60).all() for each in both), (
            "seconds, which they do not share"
        )
        await shown.press("escape", "escape")
        await open_run(shown, "run001")
        assert "Curves over training time" in shown.text


async def test_a_run_has_one_colour_and_mark_in_list_overlay_and_comparison_and_the_next_day(
    show: Show, alive: Any, registry: Path
) -> None:
    def marks(shown: Shown) -> dict[str, Any]:
        table = shown.app.screen.table
        return {row.run.id: table._mark_of(row) for row in table.rows if table.marking.holds(row)}

    seen = []
    for marked in ({"run001", "run002", "run003"}, {"run002", "run004", "run001", "run003"}):
        async with show(size=(120, 40)) as shown:
            shown.app.marked |= marked
            await shown.look()
            found = {run_id: (span.text, span.style) for run_id, span in marks(shown).items()}
            assert set(found) == marked and found["run001"] == ("●", "series0"), "the baseline"
            await open_run(shown, "run002", "O")
            panel = shown.app.screen.pane.chart._panels[0]
            drawn = dict(zip((each.name for each in panel.series), looks_of(panel.series, False), strict=True))
            assert {name.split()[-1]: (look.mark, look.style) for name, look in drawn.items()} == found
            await shown.press("c")
            looks = {arm.runs[0].id: shown.app.screen.looks[arm.runs[0].key] for arm in shown.app.screen._sides.arms}
            for run_id, look in looks.items():
                assert (look.mark, look.style) == found[run_id]
            forest = next(
                line for line in shown.app.screen._forest_lines(100) if "SST" in "".join(s.text for s in line)
            )
            assert looks["run002"].style in {span.style for span in forest}
            seen.append(found)
    assert all(seen[1][run_id] == look for run_id, look in seen[0].items())
