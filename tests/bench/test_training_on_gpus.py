"""`bench.training.gpu` goes through on a CPU, and a part that fails or hangs costs itself alone."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from bench.training.gpu import __main__ as command
from bench.training.gpu.parts import PARTS
from bench.training.gpu.rates import preset_hours, together
from bench.training.gpu.scene import Scene, made_up_words
from bertmt.recipe.loading import preset

SECONDS = {"baseline": 0.3, "baseline_sum": 0.24, "lora200": 0.6, "ensembled": 0.36, "final": 0.9}


@pytest.mark.slow
def test_parts_work_on_a_cpu_and_are_written_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gpu.json"
    parts = [word for part in ("device", "out_of_memory", "hours") for word in ("--part", part)]
    command.main(["--device", "cpu", "--encoder", "tiny", "--examples", "60", "--json", str(file), *parts])
    found = json.loads(file.read_text(encoding="utf-8"))["parts"]
    assert found["device"]["works"] and found["device"]["found"]["slot"] == "cpu"
    assert found["out_of_memory"]["works"] and "skipped" in found["out_of_memory"]["found"]
    assert not found["hours"]["works"] and "no rates" in found["hours"]["problem"]
    assert "hours: FAILS" in capsys.readouterr().out


def test_a_part_that_hangs_is_ended_and_what_it_had_found_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen

    def hanging(words: Any, **given: Any) -> Any:
        return popen(["sleep", "60"], **given)

    monkeypatch.setattr(subprocess, "Popen", hanging)
    scene = Scene(tmp_path, "tiny", "cpu")
    scene.write("rates", {"rows": [1]})
    start = time.monotonic()
    result = command.tried("rates", scene, 0.3)
    assert time.monotonic() - start < 30
    assert (result["works"], result["found"]) == (False, {"rows": [1]}) and "ended after" in result["problem"]


def test_no_part_has_more_time_than_a_quarter_of_an_hour_allows_for_the_most_worthwhile() -> None:
    limits = [limit for _, limit in PARTS.values()]
    assert max(limits) <= 330 and list(PARTS)[:2] == ["device", "recipes"]


def test_hours_of_a_preset_are_its_steps_times_their_seconds() -> None:
    """By hand: 35,377 steps of 8 question pairs, 10 times, at 0.3 s; of one task a third of those without surgery."""
    assert preset_hours(preset("baseline").recipe(), SECONDS, 8) == pytest.approx(35_377 * 10 * 0.3 / 3600, abs=0.01)
    alone = preset_hours(preset("para-only").recipe(), SECONDS, 8)
    assert alone == pytest.approx(35_377 * 10 * 0.08 / 3600, abs=0.01)
    assert preset_hours(preset("final").recipe(), {"baseline": 0.3}, 8) is None


def test_runs_at_once_are_counted_only_while_all_of_them_train() -> None:
    def steps(*seconds: int) -> list[dict[str, Any]]:
        return [{"event": "step", "at": f"2026-01-01T00:00:{each:02}+00:00"} for each in seconds]

    found = together([steps(1, 2, 3, 4, 5), steps(3, 4, 5, 6, 7)])
    assert found == {"seconds": 2.0, "steps_per_second": 4 / 2}
    assert together([steps(1, 2), steps(3, 4)])["steps_per_second"] == 0


def test_made_up_words_differ() -> None:
    words = made_up_words(30_000)
    assert len(set(words)) == 30_000 and all(word.isalpha() and word.isascii() for word in words)
