"""`bertmt paper`: the page, the documents, and what it queues."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.cli.documents import DOCUMENTS
from bertmt.registry.runs import all_runs

TINY = ("--set", "data=toy", "--set", "encoder=tiny", "--set", "epochs=1", "--set", "epoch_steps=2")
Run = Callable[..., Outcome]


@pytest.fixture
def trained(builder: RegistryBuilder) -> RegistryBuilder:
    """Three seeds of the final model and of two models of a claim, beside what the registry has."""
    for each in all_runs(builder.database):
        builder.database.execute(
            "UPDATE runs SET state = 'cancelled' WHERE key = ? AND state != 'finished'", (each.key,)
        )
    for seed in (3, 4, 5):
        for name, right in (("final", 0.8), ("sts-only", 0.3), ("pearson", 0.6), ("lora-r20", 0.4), ("lora-r200", 0.5)):
            builder.finished(name, name, right=right + seed / 100, seed=seed)
    return builder


def test_every_figure_and_claim_is_on_the_page(bertmt: Run, trained: RegistryBuilder) -> None:
    outcome = bertmt("paper")
    assert outcome.code == 0, outcome.err
    for number in range(1, 11):
        assert f"Figure {number}  " in outcome.out
    said = " ".join(outcome.out.split())
    assert "other scale" in said and "no run yet" in said and "these models only" in said
    assert "line of best fit" in outcome.out and "recall  precision" in outcome.out and "rank 200" in outcome.out
    assert "3 of 5" in outcome.out and "\x1b" not in outcome.out
    assert "is confounded: tasks (all three, STS alone), so 47 STS passes an epoch at full size against 1" in said


def test_one_figure_has_its_claims_alone(bertmt: Run, trained: RegistryBuilder) -> None:
    outcome = bertmt("paper", "--figure", "4")
    assert "Figure 4  STS scores" in outcome.out and "Figure 5" not in outcome.out.split("claim")[0]
    assert "mnr-alone" in outcome.out and "rank-200" not in outcome.out


def test_the_document_holds_its_documented_keys(bertmt: Run, trained: RegistryBuilder) -> None:
    document = json.loads(bertmt("paper", "--json").out, parse_constant=pytest.fail)
    assert document["schema"] == "bertmt.paper/1"
    assert set(document) - {"schema"} == set(DOCUMENTS["bertmt.paper/1"])
    assert [each["number"] for each in document["figures"]] == list(range(1, 11))
    cell = document["figures"][0]["cells"][0]
    assert (cell["model"], cell["reported"], cell["reported_n"], cell["n"], cell["seeds"]) == (
        "final", 0.531, 2210, 60, 3,
    )  # fmt: skip
    assert cell["standing"] == "other scale" and cell["other_scale"]["encoder"] == ["tiny", "bert-base-uncased"]
    assert cell["low"] < cell["mean_low"] < cell["mean"] < cell["mean_high"] < cell["high"]
    claim = next(each for each in document["claims"] if each["id"] == "pearson")
    assert (claim["verdict"], claim["seeds"], claim["seeds_needed"]) == ("these models only", 3, 5)
    assert [len(runs) for runs in claim["own"][0]["runs"]] == [3, 3]


def test_only_the_runs_that_match_count(bertmt: Run, trained: RegistryBuilder) -> None:
    document = json.loads(bertmt("paper", "--over", "seed<5", "--figure", "1", "--json").out)
    assert document["figures"][0]["cells"][0]["seeds"] == 2
    assert bertmt("paper", "--over", "nonsense:").code == 2


def test_a_dry_run_counts_and_queues_nothing(bertmt: Run, trained: RegistryBuilder) -> None:
    before = len(all_runs(trained.database))
    outcome = bertmt("paper", "--queue", "--dry-run", "--figure", "7", *TINY)
    assert outcome.code == 0, outcome.err
    assert "8 recipes with 5 seeds each: 0 of 40 runs finished, 40 are missing." in outcome.err
    assert "pearson-cosine-mnr-all  0, 1, 2, 3, 4" in outcome.out
    document = json.loads(bertmt("paper", "--queue", "--dry-run", "--figure", "7", "--seeds", "2", *TINY, "--json").out)
    assert set(document) - {"schema"} == set(DOCUMENTS["bertmt.paper_queued/1"])
    assert (document["missing"], document["dry_run"], document["runs"][0]["id"]) == (16, True, None)
    assert len(all_runs(trained.database)) == before


def test_queue_asks_and_typed_again_queues_what_is_still_missing(bertmt: Run, trained: RegistryBuilder) -> None:
    before = len(all_runs(trained.database))
    refused = bertmt("paper", "--queue", "--figure", "7", "--seeds", "2", *TINY)
    assert refused.code == 2 and "pass --yes" in refused.err and len(all_runs(trained.database)) == before
    done = bertmt("paper", "--queue", "--figure", "7", "--seeds", "2", *TINY, "--yes")
    assert done.code == 0 and "Queued 16 runs" in done.err, done.err
    again = bertmt("paper", "--queue", "--figure", "7", "--seeds", "2", *TINY, "--yes")
    assert again.code == 0 and "16 wait or run, 0 are missing" in again.err
    assert len(all_runs(trained.database)) == before + 16


def test_without_a_registry_a_dry_run_makes_none(bertmt: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    outcome = bertmt("paper", "--queue", "--dry-run", "--figure", "7", *TINY, "--db", str(empty / "runs.db"))
    assert outcome.code == 0 and "40 are missing" in outcome.err and list(empty.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--figure", "11"), "--figure expects 1 to 10, but found 11"),
        (("--seeds", "3"), "add --queue"),
        (("--set", "epochs=2"), "add --queue"),
        (("--queue", "--seeds", "0", *TINY), "--seeds expects 1 to 1,000, but found 0"),
        (("--queue", "--set", "epochs"), "--set expects KEY=VALUE"),
        (("--queue", "--set", "data=toy", "--set", "encoder=tiny", "--set", "epochs=many"), "`epochs` must be a whole"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    bertmt: Run, trained: RegistryBuilder, words: tuple[str, ...], said: str
) -> None:
    outcome = bertmt("paper", *words)
    assert outcome.code == 2 and said in outcome.err and "Traceback" not in outcome.err
