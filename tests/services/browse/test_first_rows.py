"""What is shown of many runs before all are read is the top of what is shown of all."""

import random
from pathlib import Path

import pytest
from registry_builder import RegistryBuilder

from bertmt.registry.database import Database
from bertmt.registry.runs import all_runs, remove
from bertmt.registry.states import State
from bertmt.services.browse import listing as module
from bertmt.services.browse.baseline import choose_baseline, choose_baseline_again
from bertmt.services.browse.listing import first_rows
from bertmt.services.browse.run_list import STANDING, RunList

PRESETS = ("baseline", "baseline", "pearson", "sst-only")


def fill(builder: RegistryBuilder, chance: random.Random, count: int) -> None:
    """Runs in all states, several of a recipe and a seed, times and places in no order."""
    database = builder.database
    states = [str(state) for state in State]
    for number in range(count):
        seed, steps = chance.randrange(12), chance.choice((3, 4))
        builder.add(f"run {number}", chance.choice(PRESETS), seed=seed, epoch_steps=steps)
        database.execute(
            "UPDATE runs SET state = ?, submitted_at = ?, ended_at = ?, priority = ?, position = ?,"
            " removed_at = ? WHERE key = (SELECT max(key) FROM runs)",
            (
                chance.choice([*states, *["finished"] * 8]),
                f"2026-01-{chance.randrange(1, 20):02d}T00:00:00Z",
                f"2026-02-{chance.randrange(1, 20):02d}T00:00:00Z",
                chance.randrange(2),
                float(chance.randrange(1000)),
                chance.choice([None] * 9 + ["2026-03-01T00:00:00Z"]),
            ),
        )


def choose(database: Database, chance: random.Random) -> None:
    """No baseline, one, or one that is gone."""
    finished = all_runs(database, "runs.state = 'finished'")
    kind = chance.randrange(3)
    choose_baseline(database, chance.choice(finished) if kind else None)
    if kind == 2:
        choose_baseline_again(database, "gone99")


@pytest.mark.parametrize("seed", range(12))
def test_they_are_the_first_ones_of_all_with_the_same_baselines(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(module, "MOST_BASELINES", chance.choice((1, 5, 1000)))
    builder = RegistryBuilder(tmp_path / "runs.db")
    fill(builder, chance, 60)
    choose(builder.database, chance)
    whole = RunList(builder.database)
    whole.refresh()
    rows = whole.rows("", STANDING)
    for most in (1, 7, 25, 1000):
        first = first_rows(builder.database, most, few=0)
        if first is None:
            assert module.MOST_BASELINES < 1000, "with all baselines at hand every top can be told"
            continue
        assert [row.run for row in first.rows] == [row.run for row in rows[:most]]
        assert first.rows[0].baseline == rows[0].baseline
        for mine, its in zip(first.rows, rows, strict=False):
            assert mine.baseline in (its.baseline, None), "a row may lack its baseline, and never has another"
        assert first.counts == whole.counts()
        assert first.why_gone == whole.baselines.why_gone
    builder.database.close()


def test_where_all_baselines_are_at_hand_no_row_lacks_its_own(tmp_path: Path) -> None:
    builder = RegistryBuilder(tmp_path / "runs.db")
    fill(builder, random.Random(1), 40)
    whole = RunList(builder.database)
    whole.refresh()
    first = first_rows(builder.database, 20, few=0)
    assert first is not None
    assert [row.baseline for row in first.rows] == [row.baseline for row in whole.rows("", STANDING)[:20]]
    assert any(row.baseline for row in first.rows)
    builder.database.close()


def test_of_few_runs_all_are_read(tmp_path: Path) -> None:
    builder = RegistryBuilder(tmp_path / "runs.db")
    for number in range(3):
        builder.add(f"run {number}")
    assert first_rows(builder.database, 2, few=3) is None
    assert first_rows(builder.database, 2, few=2) is not None
    remove(builder.database, all_runs(builder.database)[0].key)
    assert first_rows(builder.database, 2, few=2) is None
    builder.database.close()
