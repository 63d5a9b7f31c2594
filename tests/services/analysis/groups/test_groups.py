"""Which runs a group is, what is said of several seeds with predictions, and which more of them would decide."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from present import present

from bertmt.comparison.seeds import LEAST_TWO_WAY, TWO_WAY
from bertmt.comparison.verdicts import Verdict
from bertmt.drawing.styled import plain
from bertmt.errors import BusyError, NotFoundError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, forget
from bertmt.services.analysis.comparison_formatting import format_differences, format_forest
from bertmt.services.analysis.groups.curves import comparison_panel
from bertmt.services.analysis.groups.formatting import format_more_seeds
from bertmt.services.analysis.groups.more_seeds import compared, more_seeds, seeds_plan
from bertmt.services.analysis.groups.naming import seed_groups
from bertmt.services.lifecycle.average import average


def of_seed(database: Database, name: str, seed: int) -> Run:
    return next(run for run in all_runs(database) if (run.name, run.seed) == (name, seed))


def test_an_id_stands_for_all_seeds_of_its_recipe_and_a_name_or_filter_for_what_it_matches(seeds: Database) -> None:
    first = of_seed(seeds, "lora", 3)
    found = seed_groups(seeds, [first.id, "plain", "name:lora seed<2"])
    assert [[(run.name, run.seed) for run in group] for group in found.groups] == [
        [("lora", seed) for seed in range(6)],
        [("plain", seed) for seed in range(6)],
        [("lora", 0), ("lora", 1)],
    ]
    assert found.remarks == ()


def test_what_has_not_finished_is_left_out_and_said(seeds: Database) -> None:
    found = seed_groups(seeds, ["mnr", "plain"])
    assert [run.seed for run in found.groups[0]] == [0, 1, 2]
    assert found.remarks == ("1 seed of mnr left out: not finished.",)
    waits = of_seed(seeds, "mnr", 7)
    assert [run.seed for run in seed_groups(seeds, [waits.id, "plain"]).groups[0]] == [0, 1, 2], "an id is its recipe's"
    with pytest.raises(BusyError, match="has finished"):
        seed_groups(seeds, ["mnr seed:7", "plain"])


def test_a_single_group_is_compared_with_the_seeds_of_its_baseline(seeds: Database) -> None:
    found = seed_groups(seeds, ["lora"])
    assert [{run.name for run in group} for group in found.groups] == [{"plain"}, {"lora"}]
    assert len(found.groups[0]) == 6
    assert len(seed_groups(seeds, ["lora"], with_baseline=False).groups) == 1


def test_what_is_no_group_is_refused_in_a_sentence(seeds: Database) -> None:
    with pytest.raises(UsageError, match="has runs of 2 recipes, scales or data sets"):
        seed_groups(seeds, ["name:lora,plain"])
    with pytest.raises(NotFoundError, match="'nothing' matches no run"):
        seed_groups(seeds, ["nothing"])
    with pytest.raises(NotFoundError, match="matches no run"):
        seed_groups(seeds, [""])


def test_six_seeds_with_predictions_are_compared_over_examples_too_and_so_is_the_overall_score(seeds: Database) -> None:
    found, _ = compared(seeds, seed_groups(seeds, ["plain", "lora"]).groups)
    [against] = found.others
    assert [(each.task, each.test, each.family) for each in against.seeds] == [
        (task, TWO_WAY, 4) for task in ("sst", "para", "sts", "overall")
    ]
    overall = against.seeds[-1]
    assert overall.verdict is Verdict.BETTER
    by_seed = [
        present(of_seed(seeds, "lora", seed).scores.overall) - present(of_seed(seeds, "plain", seed).scores.overall)
        for seed in range(6)
    ]
    assert overall.difference == pytest.approx(np.mean(by_seed))
    assert overall.low == pytest.approx(2 * present(overall.difference) - present(overall.high))
    page = "\n".join(map(plain, format_differences(against, 120)))
    assert "probability of improvement 100 % [69 %, 100 %]" in " ".join(page.split())
    forest = [plain(each) for each in format_forest(found, 120)]
    assert sum(each.startswith("overall") for each in forest) == 1


def test_where_predictions_are_not_stored_seeds_alone_are_compared(seeds: Database) -> None:
    seeds.execute("DELETE FROM predictions WHERE run = ?", (of_seed(seeds, "lora", 2).key,))
    found, _ = compared(seeds, seed_groups(seeds, ["plain", "lora"]).groups)
    assert [(each.task, each.test) for each in found.others[0].seeds] == [
        (task, "sign flips of paired seeds") for task in ("sst", "para", "sts")
    ]


def test_three_seeds_need_two_more_and_these_are_planned_with_the_seeds_that_the_other_arm_has(
    seeds: Database, tmp_path: Path
) -> None:
    found, wanted = compared(seeds, seed_groups(seeds, ["plain", "mnr"]).groups)
    assert {each.seeds_needed for each in found.others[0].seeds} == {LEAST_TWO_WAY}
    assert [(each.like.name, each.seed) for each in wanted.lacking] == [("mnr", 3), ("mnr", 4)]
    assert wanted.sentences == ("mnr, SST, PARA, STS ρ: 5 seeds of each are needed to decide at all.",)
    assert wanted.seconds == pytest.approx(2 * 61.5)
    assert "2 m 03 s one after another" in wanted.summary
    made = seeds_plan(wanted, tmp_path)
    assert [(run.name, run.recipe.seed, run.recipe.mnr) for run in made.runs] == [("mnr", 3, True), ("mnr", 4, True)]


def test_one_run_each_needs_four_more_of_both_but_for_what_has_finished_or_waits(seeds: Database) -> None:
    _, wanted = compared(seeds, [[of_seed(seeds, "plain", 0)], [of_seed(seeds, "mnr", 0)]])
    # Seeds 0 to 5 of plain are there, and 0 to 2 of mnr; its seed 7 waits, but plain has none.
    assert [(each.like.name, each.seed) for each in wanted.lacking] == [("mnr", 3), ("mnr", 4)]
    text = " ".join(" ".join(plain(each).split()) for each in format_more_seeds(wanted, 100, "^s queues them."))
    assert "one run each tells nothing of other seeds; 5 of each could." in text and "^s queues them." in text
    for run in all_runs(seeds, "runs.name = 'plain' AND runs.seed > 0"):
        forget(seeds, run.key)
    _, wanted = compared(seeds, [[of_seed(seeds, "plain", 0)], [of_seed(seeds, "mnr", 0)]])
    assert {(each.like.name, each.seed) for each in wanted.lacking} == {
        *(("plain", seed) for seed in (1, 2, 7)), ("plain", 3), ("mnr", 3),
    }  # fmt: skip


def test_what_is_decided_needs_no_seeds_and_what_examples_limit_is_said(seeds: Database) -> None:
    found, _ = compared(seeds, seed_groups(seeds, ["plain", "lora"]).groups)
    [against] = found.others
    decided = dataclasses.replace(
        found,
        others=(
            dataclasses.replace(
                against, seeds=tuple(dataclasses.replace(each, verdict=Verdict.BETTER) for each in against.seeds)
            ),
        ),
    )
    assert more_seeds(seeds, decided).wanted == ()
    assert "Every difference is decided" in more_seeds(seeds, decided).summary
    small = dataclasses.replace(against.seeds[0], verdict=Verdict.UNDECIDED, difference=0.001, over_examples=0.02**2)
    limited = dataclasses.replace(found, others=(dataclasses.replace(against, seeds=(small,)),))
    [sentence] = more_seeds(seeds, limited).sentences
    assert "not even 1,000 seeds of each would decide" in sentence and "dev examples are too few for +0.001" in sentence
    assert more_seeds(seeds, limited).lacking == ()
    several = dataclasses.replace(small, difference=0.03, spread=0.03, over_examples=0.0)
    growing = dataclasses.replace(found, others=(dataclasses.replace(against, seeds=(several,)),))
    number = present(several.enough_seeds)
    assert f"{number - 6} more of each would decide 4 times in 5" in more_seeds(seeds, growing).sentences[0]
    assert len(more_seeds(seeds, growing).lacking) == 2 * (number - 6)


def test_unpaired_arms_need_as_many_as_pairs_do_since_pairs_are_queued(seeds: Database) -> None:
    groups = [
        [of_seed(seeds, "plain", seed) for seed in (0, 1, 2)],
        [of_seed(seeds, "lora", seed) for seed in (3, 4, 5)],
    ]
    found, wanted = compared(seeds, groups)
    [against] = found.others
    unpaired = dataclasses.replace(against.seeds[0], family=1, smallest_corrected=None, verdict=Verdict.UNDECIDED)
    assert not unpaired.paired
    alone = dataclasses.replace(found, others=(dataclasses.replace(against, seeds=(unpaired,)),))
    assert unpaired.enough_seeds == 4, "of 8 seeds there are 70 ways to deal 4"
    wanted = more_seeds(seeds, alone)
    assert wanted.wanted[0].pairs == LEAST_TWO_WAY
    assert wanted.sentences[0].endswith("5 seeds of each are needed to decide at all.")


def test_equal_scores_ask_for_no_more(seeds: Database) -> None:
    found, _ = compared(seeds, seed_groups(seeds, ["plain", "lora"]).groups)
    [against] = found.others
    same = dataclasses.replace(against.seeds[0], verdict=Verdict.UNDECIDED, difference=0.0, spread=0.0)
    wanted = more_seeds(seeds, dataclasses.replace(found, others=(dataclasses.replace(against, seeds=(same,)),)))
    assert "they score the same" in wanted.sentences[0] and wanted.lacking == ()


def test_a_group_is_one_curve_in_a_band_and_a_single_reference_has_the_noise_of_seeds_about_it(seeds: Database) -> None:
    found, _ = compared(seeds, seed_groups(seeds, ["plain", "lora"]).groups)
    panel = comparison_panel(seeds, found)
    assert [each.name for each in panel.series] == ["plain ×6", "lora ×6"] and len(panel.bands) == 2
    last = [present(of_seed(seeds, "plain", seed).scores.overall) for seed in range(6)]
    assert panel.series[0].values[-1] == pytest.approx(np.mean(last))
    ends = [float(edge.values[-1]) for edge in (panel.bands[0].low, panel.bands[0].high)]
    assert ends == pytest.approx([min(last), max(last)])
    single, _ = compared(seeds, [[of_seed(seeds, "plain", 0)], [of_seed(seeds, "lora", 0)]])
    panel = comparison_panel(seeds, single)
    [band] = panel.bands
    assert band.of == 0
    assert band.high.values - panel.series[0].values == pytest.approx(single.floors["overall"])


def test_an_average_is_not_trained_with_more_seeds(seeds: Database) -> None:
    members = [of_seed(seeds, "mnr", 0), of_seed(seeds, "mnr", 1)]
    together = average(seeds, members, "both")
    _, wanted = compared(seeds, [[of_seed(seeds, "mnr", 2)], [together]])
    assert wanted.wanted == () and wanted.lacking == ()
