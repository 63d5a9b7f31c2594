"""Which runs are a matched pair, in which order, and which run would complete one."""

import json
from collections.abc import Callable
from dataclasses import replace

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


def test_pairs_that_share_a_run_are_one_sample(database: Database, finish: Callable[..., Run]) -> None:
    for seed in (0, 1):
        finish("a", seed=seed)
        finish("b", seed=seed, mnr=True)
    newer = finish("a", seed=0, surgery=False)
    finish("b", seed=0, mnr=True, surgery=False)
    matched = found_in(database)["mnr off → on"]
    assert [len(unit) for unit in matched.units] == [1, 1, 1], "they share a seed, and no run"
    shared = [replace(pair, a=newer) if pair.a.seed == 0 else pair for pair in matched.pairs]
    assert sorted(map(len, replace(matched, pairs=tuple(shared)).units)) == [1, 2]


def test_changes_of_other_scales_or_data_stay_apart(database: Database, finish: Callable[..., Run]) -> None:
    for epochs in (3, 7):
        finish("a", epochs=epochs)
        finish("b", mnr=True, epochs=epochs)
    found = matched_pairs(all_runs(database))
    assert [each.change.title for each in found] == ["mnr off → on"] * 2
    assert sorted(each.scale.rpartition(", ")[2] for each in found) == ["3 epochs", "7 epochs"]
    real = [finish("c", epochs=3, surgery=False), finish("d", epochs=3, surgery=False, mnr=True)]
    for run in real:
        database.execute("UPDATE runs SET data = '/data/real' WHERE key = ?", (run.key,))
    found = [each for each in matched_pairs(all_runs(database)) if each.change.title == "mnr off → on"]
    assert [len(each.pairs) for each in found] == [1, 1, 1] and len({each.scale for each in found}) == 3
