"""`bertmt effects` on a registry with matched pairs: the page, the document, and what it queues."""

import json
import re
from collections.abc import Callable

import pytest
from command_outcome import Outcome
from registry_builder import HOSTILE, RegistryBuilder

from bertmt.cli.documents import DOCUMENTS
from bertmt.registry.runs import all_runs


@pytest.fixture
def pairs(builder: RegistryBuilder) -> RegistryBuilder:
    """Three pairs with LoRA and without, and a fourth that lacks the run with LoRA."""
    for each in all_runs(builder.database):
        builder.database.execute(
            "UPDATE runs SET state = 'cancelled' WHERE key = ? AND state != 'finished'", (each.key,)
        )
    for seed in (3, 4, 5, 6):
        builder.finished("plain", "baseline", right=0.3 + seed / 100, seed=seed)
        if seed < 6:
            builder.finished(HOSTILE, "baseline", right=0.6 - seed / 50, seed=seed, **{"lora.rank": 4})
    return builder


def test_the_page_shows_each_effect_and_the_run_that_lacks(
    bertmt: Callable[..., Outcome], pairs: RegistryBuilder
) -> None:
    outcome = bertmt("effects")
    assert outcome.code == 0, outcome.err
    assert "lora.rank 0 → 4  (3 pairs, 3 seeds, 1 recipe" in outcome.out
    said = " ".join(outcome.out.split())
    assert "seed 6" in said and "`bertmt effects --queue` queues them" in said
    assert "\x1b" not in outcome.out


def test_where_words_are_wanted_effects_are_sentences_and_no_forest_is_drawn(
    bertmt: Callable[..., Outcome], pairs: RegistryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = re.compile("[\u2500-\u259f\u25cf\u2800-\u28ff]")
    monkeypatch.setenv("BERTMT_PLAIN", "")
    assert drawn.search(bertmt("effects").out)
    monkeypatch.setenv("BERTMT_PLAIN", "1")
    out = " ".join(bertmt("effects").out.split())
    assert not drawn.search(out) and ", interval −" in out


def test_the_document_holds_its_documented_keys(bertmt: Callable[..., Outcome], pairs: RegistryBuilder) -> None:
    document = json.loads(bertmt("effects", "--json").out, parse_constant=pytest.fail)
    assert document["schema"] == "bertmt.effects/1"
    assert set(document) - {"schema"} == set(DOCUMENTS["bertmt.effects/1"])
    [toggle] = document["toggles"]
    assert [len(pair) for pair in (toggle["pairs"], document["lacking"])] == [3, 2]
    sst = toggle["effects"][0]
    assert sst["test"] == "t over pairs and examples" and sst["low"] < sst["difference"] < sst["high"]
    assert len(sst["differences"]) == 3


def test_queue_queues_what_lacks_once_a_person_agrees(bertmt: Callable[..., Outcome], pairs: RegistryBuilder) -> None:
    before = len(all_runs(pairs.database))
    refused = bertmt("effects", "--queue")
    assert refused.code == 2 and "pass --yes" in refused.err and len(all_runs(pairs.database)) == before
    outcome = bertmt("effects", "--queue", "--yes")
    assert outcome.code == 0, outcome.err
    added = all_runs(pairs.database)[before:]
    assert sorted((run.seed, run.recipe["lora.rank"], run.state) for run in added) == [
        (0, 4, "queued"),
        (6, 4, "queued"),
    ]
    again = bertmt("effects", "--queue", "--yes")
    assert "nothing was queued" in again.err and len(all_runs(pairs.database)) == before + 2


def test_where_no_two_runs_match_it_says_how_to_make_one(bertmt: Callable[..., Outcome], registry: object) -> None:
    outcome = bertmt("effects", "--over", "name:base")
    assert outcome.code == 3 and "bertmt queue --from RUN --set" in outcome.err
