"""`bertmt compare --group` and `curves --group`: seeds against seeds, the document, and the seeds that it queues."""

import json
from collections.abc import Callable

import pytest
from command_outcome import Outcome
from registry_builder import HOSTILE, RegistryBuilder

from bertmt.cli.documents import DOCUMENTS
from bertmt.registry.runs import all_runs


@pytest.fixture
def groups(builder: RegistryBuilder) -> RegistryBuilder:
    """Six seeds of `plain` and of a recipe with a hostile name, and three of `mnr`."""
    for each in all_runs(builder.database):
        builder.database.execute(
            "UPDATE runs SET state = 'cancelled' WHERE key = ? AND state != 'finished'", (each.key,)
        )
    for seed in range(3, 9):
        builder.finished("plain", "baseline", right=0.4 + seed % 3 / 100, seed=seed)
        builder.finished(HOSTILE, "baseline", right=0.6 - seed % 2 / 50, seed=seed, **{"lora.rank": 4})
        if seed < 6:
            builder.finished("mnr", "baseline", right=0.4 + seed / 100, seed=seed, mnr=True)
    return builder


def test_groups_are_paired_by_seed_and_examples_and_the_document_says_all_of_it(
    bertmt: Callable[..., Outcome], groups: RegistryBuilder
) -> None:
    document = json.loads(
        bertmt("compare", "--group", "plain", "--group", "lora.rank:4", "--json").out, parse_constant=pytest.fail
    )
    assert set(document) - {"schema"} == set(DOCUMENTS["bertmt.compared/1"])
    [arm] = document["arms"]
    assert [each["task"] for each in arm["differences"]] == ["sst", "para", "sts", "overall"]
    for each in arm["differences"]:
        assert each["seeds"]["paired"] == list(range(3, 9)) and each["seeds"]["over_examples"] > 0
        assert each["seeds"]["improvement"]["probability"] == 1.0
        assert "bootstrap" in each["test"]
    assert document["queued"] == []


def test_a_page_of_groups_shows_nothing_raw_and_draws_their_means(
    bertmt: Callable[..., Outcome], groups: RegistryBuilder
) -> None:
    outcome = bertmt("compare", "--group", "plain", "--group", "lora.rank:4")
    assert outcome.code == 0, outcome.err
    assert "mean of 6 seeds" in outcome.out and "plain ×6" in outcome.out
    assert "\x1b" not in outcome.out and "\u202e" not in outcome.out


def test_queue_seeds_queues_what_would_decide_once_a_person_agrees(
    bertmt: Callable[..., Outcome], groups: RegistryBuilder
) -> None:
    before = len(all_runs(groups.database))
    asked = ("compare", "--group", "plain", "--group", "mnr", "--queue-seeds")
    refused = bertmt(*asked)
    assert refused.code == 2 and "pass --yes" in refused.err and len(all_runs(groups.database)) == before
    assert "2 runs would bring them to 5 of each: mnr seed 0, mnr seed 6" in refused.err
    assert "decide on this number now, and look once." in refused.err
    outcome = bertmt(*asked, "--yes")
    assert outcome.code == 0, outcome.err
    added = [(run.name, run.seed, run.recipe["mnr"], run.state) for run in all_runs(groups.database)[before:]]
    assert added == [("mnr", 0, True, "queued"), ("mnr", 6, True, "queued")], "`base` is plain with seed 0"
    again = bertmt(*asked, "--yes")
    assert "queued already" in again.err and "Nothing was queued" in again.err and "look once" not in again.err
    assert len(all_runs(groups.database)) == before + 2


def test_without_the_flag_the_page_says_how_many_more_seeds_and_how_long_they_take(
    bertmt: Callable[..., Outcome], groups: RegistryBuilder
) -> None:
    said = " ".join(bertmt("compare", "--group", "plain", "--group", "mnr").out.split())
    assert "5 seeds of each are needed to decide at all" in said
    assert "2 m 03 s one after another" in said and "`bertmt compare … --queue-seeds` queues them" in said
    assert "Looking again is a second look at chance: decide on this number now, and look once." in said


@pytest.mark.parametrize("command", ["compare", "curves"])
def test_runs_and_groups_are_not_named_at_once_and_one_of_them_is(
    bertmt: Callable[..., Outcome], groups: RegistryBuilder, command: str
) -> None:
    for words in ((), ("plain", "--group", "mnr")):
        outcome = bertmt(command, *words)
        assert outcome.code == 2 and "expects runs, or --group" in outcome.err and "Traceback" not in outcome.err


def test_the_curve_of_a_group_is_the_mean_of_its_runs_between_the_lowest_and_the_highest(
    bertmt: Callable[..., Outcome], groups: RegistryBuilder
) -> None:
    document = json.loads(
        bertmt("curves", "--group", "plain", "--group", "mnr", "--series", "dev/sst", "--json").out,
        parse_constant=pytest.fail,
    )
    assert set(document) - {"schema"} == set(DOCUMENTS["bertmt.curves/1"])
    plain, mnr = document["groups"]
    assert (plain["name"], mnr["name"]) == ("plain ×6", "mnr ×3")
    last = [each["values"][-1] for each in document["curves"] if each["name"] == "plain"]
    assert len(last) == 6
    ends = (plain["mean"][-1], plain["low"][-1], plain["high"][-1])
    assert ends == pytest.approx((sum(last) / 6, min(last), max(last)))
    page = bertmt("curves", "--group", "plain", "--series", "dev/sst")
    assert "plain ×6" in page.out and "in a band from the lowest to the highest" in page.err
    assert json.loads(bertmt("curves", "plain", "--json").out)["groups"] == []
