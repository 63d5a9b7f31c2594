"""The list of runs as it stands at first: where the cursor begins, the baseline on top, verdicts beside Δ."""

from pathlib import Path
from typing import Any

import pytest
from list_of_runs import go_to, names
from registry_builder import RegistryBuilder
from shown import Show

from bertmt.drawing.styled import plain
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.services.analysis import judgements


async def test_the_cursor_begins_on_the_running_run_and_stays_where_a_person_puts_it(
    show: Show, alive: Any, registry: Path
) -> None:
    async with show() as shown:
        current = shown.app.screen.current_run
        assert names(shown.text)[:4] == ["base", "training", "later", "held"]
        assert current().name == "training"
        await shown.press("j", "slash", *"state:paused", "escape")
        assert names(shown.text) == []
        await shown.press("escape")
        assert current().name == "later", "where nothing was listed in between"
        await shown.press("enter", "escape")
        assert current().name == "later", "where a run was opened"
        with open_registry(registry) as database, database.immediate():
            database.execute("UPDATE runs SET state = 'running' WHERE name = 'held'")
        await shown.look()
        assert names(shown.text)[1] == "held", "it runs now"
        assert current().name == "later"


async def test_without_a_running_run_the_cursor_begins_on_the_newest_below_the_baseline(
    show: Show, registry: Path
) -> None:
    with open_registry(registry) as database, database.immediate():
        database.execute("UPDATE runs SET removed_at = '2026' WHERE state NOT IN ('finished', 'failed')")
    async with show() as shown:
        assert names(shown.text)[0] == "base"
        assert shown.app.screen.current_run().id == "run005"


async def test_a_verdict_stands_beside_the_difference_and_its_interval_below(show: Show, alive: Any) -> None:
    async with show() as shown:
        rows = {line.split()[1]: line for line in shown.text.splitlines()[2:10]}
        assert rows["better"].split()[-2:] == ["+0.475", "▲"]
        assert [line for line in shown.text.splitlines() if "Δ" in line] == [shown.text.splitlines()[1]]
        assert shown.text.splitlines()[1].split()[-2:] == ["overall", "Δ"], "at 80 columns"
        await go_to(shown, "better")
        [said] = [line for line in shown.text.splitlines()[10:] if "Δ" in line]
        assert "▲ better than ★ base run001 seed 0" in said and "overall +0.475 [+0.4" in said
        await shown.should_be("runs-verdict")
    async with show(ascii_only=True) as shown:
        assert "+0.475 ^" in shown.text and "* base" in shown.text


async def test_a_difference_that_seeds_alone_can_make_has_no_colour_and_that_is_said(
    show: Show, tmp_path: Path
) -> None:
    builder = RegistryBuilder(tmp_path / "seeds" / "runs.db")
    for seed, right in ((0, 0.2), (1, 0.8)):
        builder.finished("base", right=right, seed=seed)
    near = builder.finished("near", right=0.6, mnr=True)
    builder.database.close()
    async with show(builder.database.path, size=(160, 45)) as shown:
        screen = shown.app.screen
        row = next(each for each in screen.table.rows if each.run.id == near.id)
        assert row.difference > 0.2 and screen._beside.difference(row).style == "dim"
        assert screen._beside.difference(row).text.endswith("▲"), "these two models do differ"
        assert "two seeds of one recipe differ by 0." in plain(screen._beside.standing(row))
        screen._beside._floors = {scale: (count, 0.01) for scale, (count, _) in screen._beside._floors.items()}
        assert screen._beside.difference(row).style == "good"


async def test_verdicts_are_found_out_for_the_rows_on_screen_alone_and_once(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = RegistryBuilder(tmp_path / "many" / "runs.db")
    builder.finished("base", right=0.3)
    for _ in range(30):
        builder.finished("tried", "sst-only", right=0.4)
    builder.database.close()
    judged: list[str] = []
    judgement_of = judgements.judgement_of

    def noted(database: Any, run: Run, baseline: Run) -> Any:
        judged.append(run.id)
        return judgement_of(database, run, baseline)

    monkeypatch.setattr(judgements, "judgement_of", noted)
    async with show(builder.database.path) as shown:
        assert len(judged) == 10, "of 11 lines the first is the baseline"
        await shown.look()
        shown.app.screen.reload()
        await shown.settle()
        assert len(judged) == 10
        await shown.press("G")
        assert len(judged) == len(set(judged)) == 21


async def test_a_baseline_that_was_removed_is_missed_in_a_sentence_and_nothing_takes_its_place(
    show: Show, alive: Any
) -> None:
    async with show() as shown:
        await go_to(shown, "twins")
        await shown.press("b")
        assert names(shown.text)[0] == "twins", "a chosen one is above all"
        await shown.press("D", "y")
        assert "was removed, so nothing is compared" in " ".join(shown.text.split())
        assert not [line for line in shown.text.splitlines()[2:12] if " base" in line and "★" in line]
        await shown.press("R")
        assert "so nothing is compared" not in " ".join(shown.text.split())


async def test_that_a_baseline_took_anothers_place_is_said(show: Show, alive: Any) -> None:
    async with show() as shown:
        await go_to(shown, "base")
        await shown.press("D", "y")
        assert "compared with nothing now, no longer with run001" in shown.said


async def test_a_list_that_scrolls_has_the_columns_of_120_columns_too(show: Show, tmp_path: Path) -> None:
    builder = RegistryBuilder(tmp_path / "many" / "runs.db")
    for number in range(60):
        builder.add(f"many-{number:04d}")
    builder.database.close()
    async with show(builder.database.path, size=(120, 40)) as shown:
        table = shown.app.screen.table
        assert table.show_vertical_scrollbar
        assert {"id", "seed", "curve", "scale"} <= {placed.column.key for placed in table.placed}
