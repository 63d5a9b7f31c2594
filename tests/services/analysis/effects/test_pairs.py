"""Which runs are a matched pair, in which order, and which run would complete one."""

import json
from collections.abc import Callable

from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.services.analysis.effects.pairs import Matched, matched_pairs


def found_in(database: Database) -> dict[str, Matched]:
    return {each.change.title: each for each in matched_pairs(all_runs(database))}


def test_runs_of_one_seed_that_differ_in_one_toggle_are_a_pair(database: Database, finish: Callable[..., Run]) -> None:
    without = [finish("a", seed=seed) for seed in (0, 1, 2)]
    with_lora = [finish("b", seed=seed, **{"lora.rank": 8}) for seed in (2, 0, 7)]
    found = found_in(database)
    assert list(found) == ["lora.rank 0 → 8"], "alpha follows the rank, and is no second toggle"
    pairs = found["lora.rank 0 → 8"].pairs
    assert [(pair.a.id, pair.b.id) for pair in pairs] == [
        (without[0].id, with_lora[1].id), (without[2].id, with_lora[0].id)
    ]  # fmt: skip


def test_what_has_nothing_to_do_without_a_toggle_does_not_count(database: Database, finish: Callable[..., Run]) -> None:
    finish("a")
    finish("b", mnr=True, mnr_scale=20.0)
    finish("c", **{"head.sst.layers": 2, "head.sst.hidden": 40})
    assert sorted(found_in(database)) == ["head.sst.layers 1 → 2", "mnr off → on"]


def test_two_toggles_another_scale_or_other_data_make_no_pair(database: Database, finish: Callable[..., Run]) -> None:
    base = finish("a")
    finish("two", mnr=True, surgery=False)
    finish("longer", mnr=True, epochs=7)
    assert found_in(database) == {}
    other = finish("other", mnr=True)
    assert sorted(found_in(database)) == ["mnr off → on", "surgery off → on"]
    for run, mark in ((base, "1"), (other, "2")):
        database.execute("UPDATE runs SET fingerprints = ? WHERE key = ?", (json.dumps({"sst-train": mark}), run.key))
    assert list(found_in(database)) == ["surgery off → on"]


def test_a_toggle_leads_from_off_to_on_and_from_less_to_more(database: Database, finish: Callable[..., Run]) -> None:
    finish("a", surgery=False)
    finish("b", warmup=0.1)
    finish("c", warmup=0.2)
    finish("d")
    finish("e", pooling="max")
    assert sorted(found_in(database)) == [
        "pooling mean → max", "surgery off → on", "warmup 0 → 0.1", "warmup 0 → 0.2", "warmup 0.1 → 0.2"
    ]  # fmt: skip


def test_the_run_that_would_complete_a_pair_is_named_once_and_not_while_it_waits(
    database: Database, finish: Callable[..., Run], add_run: Callable[..., Run]
) -> None:
    for seed in (0, 1, 2):
        finish("a", seed=seed)
    last = finish("b", seed=0, mnr=True)
    [matched] = found_in(database).values()
    assert [(each.like.id, each.seed) for each in matched.lacking] == [(last.id, 1), (last.id, 2)]
    add_run("b", "baseline", seed=2, mnr=True)
    [matched] = found_in(database).values()
    assert [each.seed for each in matched.lacking] == [1]
