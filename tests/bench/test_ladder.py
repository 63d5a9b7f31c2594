"""The ladder and the paper's models at toy size: what each row sets, equal time, and that nothing is trained twice."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench import ladder, paper
from bench.queued import Queued
from bertmt.recipe.loading import presets
from bertmt.recipe.reported import Arm, claims

TOY = {"data": "toy", "encoder": "tiny"}
SMALL = {"epochs": 1, "epoch_steps": 3, "evaluate_examples": 40, "partial_examples": 0, "max_length": 16}


@pytest.mark.parametrize("row", list(ladder.ROWS)[1:])
def test_each_row_is_a_recipe_that_changes_one_thing(row: str) -> None:
    rows = list(ladder.ROWS)
    own, above = (ladder.recipe_of(ladder.settings_of(name, TOY)) for name in (row, rows[rows.index(row) - 1]))
    changed = {name for name, value in own.toggles().items() if above.toggles().get(name, value) != value}
    changed |= {name for name, value in above.toggles().items() if own.toggles().get(name, value) != value}
    assert set(ladder.ROWS[row]) <= changed | {"lora.alpha"} and len(changed - {"lora.alpha"}) == 1


def test_steps_are_as_many_as_the_time_allows() -> None:
    """4 epochs of n steps of 0.5 s; pretraining is one pass of at most n steps of 0.1 s for each of its losses."""
    plain = ladder.settings_of("falling rate", TOY)
    speed = ladder.Speed(training=0.5, pretraining=0.1)
    assert ladder.steps_for(plain, speed, seconds=200) == 100
    pretrained = ladder.settings_of("joint pairs", TOY)
    steps = ladder.steps_for(pretrained, speed, seconds=22)
    assert steps == 10, "10 · 4 · 0.5 s + 2 · 10 · 0.1 s"
    staged = ladder.settings_of("two stages", TOY)
    assert ladder.epochs_of(staged) == 2 and ladder.steps_for(staged, speed, seconds=200) == 100
    assert ladder.steps_for(plain, speed, seconds=0.1) == 1


def test_a_speed_is_that_of_steps_after_the_first_ones() -> None:
    """Steps of 0.1 s of pretraining, then of 0.5 s in two stages; the first ones and the pause between are left out."""

    def told(phase: str, begin: float, every: float, count: int) -> list[dict[str, Any]]:
        began = datetime(2026, 1, 1, tzinfo=UTC)
        times = [began + timedelta(seconds=begin + (0.9 if place else 0) + every * place) for place in range(count)]
        return [{"event": "step", "phase": phase, "at": each.isoformat(timespec="milliseconds")} for each in times]

    pretraining, first, second = told("mnr", 0, 0.1, 12), told("train", 5, 0.5, 12), told("single", 90, 0.5, 12)
    speed = ladder.speed_of([*pretraining, {"event": "checkpoint"}, *first, *second])
    assert speed.pretraining == pytest.approx(0.1) and speed.training == pytest.approx(0.5, abs=0.06)
    alone = ladder.speed_of(first)
    assert alone.training == alone.pretraining == pytest.approx(0.5)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that were called, by their first words."""
    called: list[str] = []
    real = Queued.call

    def call(self: Queued, *words: str, shows: bool = False) -> str:
        called.append(words[0])
        return real(self, *words, shows=shows)

    monkeypatch.setattr(Queued, "call", call)
    return called


@pytest.mark.slow
def test_rows_are_trained_judged_and_not_trained_again(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "PROBE_STEPS", 2)
    file = tmp_path / "ladder.json"
    words = ["--data", "toy", "--encoder", "tiny", "--minutes", "0.02", "--seeds", "2", "--json", str(file)]
    words += ["--folder", str(tmp_path / "ladder"), "--device", "cpu", "--rows", "final,whole encoder"]
    words += ["--set", "evaluate_examples=40", "--set", "max_length=16", "--set", "lora.rank=4"]
    found = ladder.main(words)
    assert json.loads(file.read_text()) == found
    first, second = found["rows"]["final"], found["rows"]["whole encoder"]
    assert len(first["runs"]) == len(second["runs"]) == 2 and first["against_final"] == []
    assert [row["task"] for row in second["against_the_row_above"]] == ["sst", "para", "sts"]
    for row in second["against_the_row_above"]:
        assert (row["paired_by"], row["n"]) == ("seed", 2) and row["verdict"] in ("better", "worse", "undecided")
        both = (second["scores"][row["task"]], first["scores"][row["task"]])
        assert row["difference"] == pytest.approx(both[0] - both[1], abs=1e-4)
    before = counted.count("queue"), counted.count("worker")
    assert ladder.main(words) == found
    assert (counted.count("queue"), counted.count("worker")) == before


def test_every_preset_and_both_sides_of_every_claim_are_queued() -> None:
    names = [paper.name_of(arm) for arm in paper.arms()]
    assert len(names) == len(set(names)) and set(presets()) <= set(names) and names[:2] == ["baseline", "final"]
    for pair in (pair for claim in claims() for pair in claim.own):
        assert {paper.name_of(pair.control), paper.name_of(pair.changed)} <= set(names)
    assert all(len(name) <= 80 and name.isprintable() for name in names)


@pytest.mark.parametrize(
    ("says", "verdicts", "expected"),
    [
        ("higher", ["better"], "confirmed"),
        ("higher", ["better", "undecided"], "undecided"),
        ("higher", ["better", "worse"], "contradicted"),
        ("lower", ["worse"], "confirmed"),
        ("lower", ["better"], "contradicted"),
        ("not higher", ["better"], "contradicted"),
        ("not higher", ["undecided"], "undecided"),
        ("not higher", ["worse"], "confirmed"),
        ("higher", [], "undecided"),
    ],
)
def test_a_claim_is_judged_by_the_verdicts(says: str, verdicts: list[str], expected: str) -> None:
    assert paper.outcome(says, verdicts) == expected


@pytest.mark.slow
def test_the_papers_models_at_toy_size_are_reported_as_far_as_they_are_there(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few: list[Arm] = [Arm(name, {}) for name in ("sts-only", "pearson", "final")]
    monkeypatch.setattr(paper, "arms", lambda: few)
    folder = tmp_path / "paper"
    words = ["--data", "toy", "--encoder", "tiny", "--seeds", "2", "--folder", str(folder), "--device", "cpu"]
    words += [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    words += ["--set", "keep_model=false"]
    found = paper.main(words)
    assert [row["preset"] for row in found["presets"]] == ["pearson", "final", "sts-only"]
    by_name = {row["preset"]: row for row in found["presets"]}
    assert by_name["pearson"]["paper"]["sts"] == 0.809 and by_name["pearson"]["ours"]["sts"]["seeds"] == 2
    assert by_name["pearson"]["other_than_the_papers"]["encoder"] == ["tiny", "bert-base-uncased"]
    tried = [pair for claim in found["claims"] for pair in claim["pairs"] if "outcome" in pair]
    assert [(pair["control"], pair["changed"]) for pair in tried] == [("sts-only", "pearson")]
    assert all("missing" in pair for claim in found["claims"] for pair in claim["pairs"] if pair not in tried)
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "| final |" in report and "| baseline |" not in report and "not tried: final-shared missing" in report
    points = (folder / "figures" / "figure-10-sts.csv").read_text().splitlines()
    assert points[0] == "label,predicted" and len(points) == 41
    assert "sst" in (folder / "figures" / "figure-8-sst.txt").read_text().lower()
    before = counted.count("queue"), counted.count("worker")
    assert paper.main(words) == found
    assert (counted.count("queue"), counted.count("worker")) == before


@pytest.mark.slow
def test_what_needs_the_extra_pairs_is_left_out_and_named_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Names(Queued):
        def bring(self, name: str, preset: str, settings: Any, seeds: Any) -> list[str]:
            asked.append(name)
            return []

    left_out = paper.queue_all(Names(tmp_path), TOY, [0, 1], has_extra=False)
    assert "final" not in asked and asked.count("baseline") == 2 and asked.index("baseline") == 0
    assert any(each.startswith("final: it needs the extra pairs") for each in left_out)
