"""`bertmt show`, `logs`, `compare`, `curves`, `confusion`, `export`: what a person reads of runs."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.drawing.looks import look_of, place_of_run
from bertmt.drawing.styled import cells
from bertmt.registry.records import Run
from bertmt.run_folder.events import Checkpointed, Failed, Step, now
from bertmt.run_folder.layout import hold_alive
from bertmt.services.browse.logs import follow_log
from bertmt.services.ingest.ingest import ingest


def test_show_has_scale_scores_effort_history_and_differences(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    out = bertmt("show", "better").out
    run = run_named("better")
    assert "tiny; data toy + 50,000 extra pairs at most; 2 epochs, at most 3 steps each; batch 8" in out
    assert f"epoch 2 selected     6  {run.score('sst'):.3f}  {run.score('para'):.3f}  {run.score('sts'):.3f}" in out
    assert "unlike final-shared  lora.rank 200 → 16" in out
    assert "sst             48    0.02     900" in out
    assert "training 1 m 02 s" in out
    assert "460 MiB at most" in out
    assert "102 tokens/s (median step)" in out
    assert "25.0 % of the tokens" in out
    assert "Said by the run." in out
    assert "finished (attempt 1): trained to its end" in out
    assert "has changed since this run was queued" in out


def test_the_history_of_an_import_begins_with_an_import_and_not_with_a_loss(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    RegistryBuilder(registry).database.execute(
        "UPDATE transitions SET actor = 'import', state_after = 'lost', reason = 'imported from /x/a.csv' "
        "WHERE state_before IS NULL"
    )
    out = bertmt("show", "better").out
    assert "  imported: from /x/a.csv" in out and "lost:" not in out


def test_the_papers_scores_stand_below_with_their_label_and_both_readings_of_sts(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    lines = bertmt("show", "base").out.splitlines()
    row = next(line for line in lines if line.startswith("paper  "))
    assert row.split() == ["paper", "0.483", "0.782", "0.352", "0.676", "–"]
    assert "paper: Figure 2-4, dev set, at bert-base, full data" in lines


def test_a_failed_run_shows_the_last_40_lines_of_its_log(bertmt: Callable[..., Outcome], registry: Path) -> None:
    out = bertmt("show", "evil").out
    assert "line 10 " in out and "line 49 " in out
    assert "line 9 " not in out
    assert "line 49 " not in bertmt("show", "base").out


def test_a_waiting_run_shows_its_place(bertmt: Callable[..., Outcome], registry: Path) -> None:
    assert "1 in the queue" in bertmt("show", "later").out


PAGES = ["show better", "show evil", "compare base better", "compare base twins", "presets", "doctor", "baseline"]


@pytest.mark.parametrize("command", PAGES)
def test_pages_fit_the_terminal(
    bertmt: Callable[..., Outcome], registry: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = bertmt(*command.split()).out.splitlines()
    wide = [line for line in lines if cells(line) > 80 and not line.startswith(("line ", "20"))]
    assert wide == []


def test_logs_show_the_last_lines_and_follow_to_the_end(bertmt: Callable[..., Outcome], registry: Path) -> None:
    assert bertmt("logs", "base", "-n", "2").out.count("\n") == 2
    assert bertmt("logs", "base", "-n", "0").out.count("\n") == 50
    assert bertmt("logs", "base", "-f").out.splitlines()[-1].startswith("line 49 ")
    assert bertmt("logs", "later").code == 3
    assert bertmt("logs", "base", "--attempt", "2").code == 3


def test_following_a_log_shows_lines_as_they_come_and_the_torn_last_one(
    builder: RegistryBuilder, registry: Path
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run, folder, events = builder.started("live")
    log = folder.log(1)
    log.write_text("one\ntwo\nthr", encoding="utf-8")
    lock = hold_alive(folder)
    lines = follow_log(builder.database, run, count=1, poll_seconds=0)
    assert next(lines) == "two"
    with log.open("a", encoding="utf-8") as file:
        file.write("ee\nfour")
    events.write(Failed(at=now(), error="no", step=1))
    events.close()
    assert list(lines) == ["three", "four"]
    lock.close()


def test_compare_shows_differences_with_their_interval_and_verdict(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    out = bertmt("compare", "base", "better").out
    row = next(line for line in out.splitlines() if line.startswith("SST "))
    assert row.split()[-1] == "better"
    assert "McNemar" in out and "Holm's correction over 4 comparisons" in out
    assert "lora.rank" in out and "How much each was trained" in out
    assert "Read with care" in out and "toggles differ at once" in out
    assert "dev/overall" in out


def test_compare_takes_seeds_as_an_arm(bertmt: Callable[..., Outcome], registry: Path) -> None:
    out = bertmt("compare", "base", "twins").out
    assert "twins, mean of 2 seeds" in out


def add_seeds(builder: RegistryBuilder) -> None:
    """Seeds 1 to 3 of one recipe and 1, 2 and 4 of another, in three tasks."""
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    for seed, right in ((1, 0.30), (2, 0.50), (3, 0.90)):
        builder.finished("old", right=right, seed=seed)
    for seed, right in ((1, 0.45), (2, 0.55), (4, 0.10)):
        builder.finished("new", right=right, seed=seed, pearson=True)


def test_compare_names_the_seeds_and_carries_their_differences(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, registry: Path
) -> None:
    add_seeds(builder)
    document = json.loads(bertmt("compare", "old", "new", "--json").out)
    [arm] = document["arms"]
    assert document["reference"]["scores"] == arm["reference_scores"]
    sst = arm["differences"][0]
    # Of 60 examples so many are right: 18 and 30 against 27 and 33.
    assert arm["reference_scores"]["sst"] == pytest.approx(0.40) and arm["scores"]["sst"] == pytest.approx(0.50)
    assert sst["difference"] == pytest.approx(0.10)
    assert (sst["seeds"]["paired"], sst["seeds"]["left_out"]) == ([1, 2], [3, 4])
    assert sst["seeds"]["differences"] == [pytest.approx(0.15), pytest.approx(0.05)]
    assert sst["seeds"]["reference_scores"] == {"1": pytest.approx(0.30), "2": pytest.approx(0.50)}
    out = bertmt("compare", "old", "new").out
    assert "old, mean of 2 of 3 seeds" in out and "0.400 → 0.500; by seed 1: +0.150, 2: +0.050; left out: 3, 4" in out


def test_compare_of_one_seed_with_an_arm_tells_of_no_correction_over_nothing(
    bertmt: Callable[..., Outcome], registry: Path
) -> None:
    out = bertmt("compare", "base", "twins").out
    assert "One seed in an arm" in out and "correction over" not in out


def test_show_says_on_how_few_dev_examples_a_run_is_evaluated(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, registry: Path
) -> None:
    few = builder.add("few", evaluate_examples=100)
    assert "100 dev examples at most" in bertmt("show", few.id).out
    assert "dev examples at most" not in bertmt("show", "base").out


def test_compare_refuses_arms_on_different_dev_data(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, registry: Path
) -> None:
    add_seeds(builder)
    builder.database.execute(
        "UPDATE predictions SET fingerprint = 'other' WHERE run IN (SELECT key FROM runs WHERE name = 'new')"
    )
    outcome = bertmt("compare", "old", "new")
    assert (outcome.code, outcome.out) == (2, "")
    assert "old and new were evaluated on different dev examples" in outcome.err
    assert "on the same dev examples; see `scale` in `bertmt show RUN`." in outcome.err


def test_a_run_alone_is_compared_with_its_baseline(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    document = json.loads(bertmt("compare", "better", "--json").out)
    assert document["reference"]["runs"][0]["id"] == run_named("base").id
    assert bertmt("compare", "base").code == 2
    assert bertmt("compare", "later", "base").code == 4


def test_curves_are_drawn_for_patterns_and_in_ascii(bertmt: Callable[..., Outcome], registry: Path) -> None:
    assert "loss/sst" in bertmt("curves", "base").out
    out = bertmt("curves", "base", "better", "--series", "dev/s*", "--ascii", "--log", "--width", "60").out
    assert out.isascii()
    assert max(map(len, out.splitlines())) <= 60
    missing = bertmt("curves", "base", "--series", "nothing")
    assert missing.code == 3
    assert "dev/overall" in missing.err, "the series that there are"


def test_curves_over_epochs_and_time_have_the_places_in_json_and_the_axis_named(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    def curve(*options: str) -> dict[str, Any]:
        document = json.loads(bertmt("curves", "base", *options, "--json").out)
        return {"over": document["x"], **document["curves"][0]}

    assert curve()["x"] is None and curve()["over"] == "step"
    assert curve("--x", "epoch", "--series", "dev/sst")["x"] == [0.0, 1.0, 2.0]
    times = curve("--x", "time", "--series", "loss/sst")
    lines = (
        (registry.parent / "runs" / run_named("base").id / "events-1.jsonl").read_text(encoding="utf-8").splitlines()
    )
    told = [json.loads(each) for each in lines]
    moments = [datetime.fromisoformat(each["at"]) for each in told if each["event"] in ("started", "step")]
    assert times["x"] == pytest.approx([(each - moments[0]).total_seconds() for each in moments[1:]], abs=1e-5)
    assert times["steps"] == [0, 1, 2, 3, 4, 5]
    assert "epoch 1.667" in bertmt("curves", "base", "--x", "epoch", "--width", "80").out
    assert "seconds " in bertmt("curves", "base", "--x", "time", "--width", "80").out
    assert bertmt("curves", "base", "--x", "noon").code == 2


def test_a_run_keeps_its_mark_though_the_one_before_it_has_no_points_yet(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    drawn = bertmt("curves", "later", "base", "--series", "dev/sst").out.splitlines()
    [legend] = [line for line in drawn if "base" in line]
    assert f"● base {run_named('base').id}" in legend, "the baseline's, though it was named second"


def test_a_run_has_the_same_mark_whichever_runs_are_drawn_with_it(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    run = run_named("better")
    mark = look_of(place_of_run(run.key), False).mark
    for others in (["base"], ["later", "base"], ["twins"]):
        for order in ([*others, "better"], ["better", *others]):
            assert f"{mark} better {run.id}" in bertmt("curves", *order, "--series", "dev/sst", "--width", "200").out


def test_smoothed_curves_end_between_their_points(bertmt: Callable[..., Outcome], registry: Path) -> None:
    raw, smooth = (
        json.loads(bertmt("curves", "base", "--series", "loss/sst", *more, "--json").out)["curves"][0]["values"]
        for more in ([], ["--smooth", "0.5"])
    )
    assert raw[0] == smooth[0]
    assert raw[-1] < smooth[-1] < raw[0]


def test_a_confusion_matrix_counts_every_dev_example(bertmt: Callable[..., Outcome], registry: Path) -> None:
    document = json.loads(bertmt("confusion", "base", "--json").out)
    assert sum(map(sum, document["counts"])) == 60
    assert document["task"] == "sst" and len(document["classes"]) == 5
    diagonal = sum(row[index] for index, row in enumerate(document["counts"]))
    assert diagonal == 18, "0.3 of 60"


def test_a_confusion_matrix_is_compared_with_the_baselines(bertmt: Callable[..., Outcome], registry: Path) -> None:
    document = json.loads(bertmt("confusion", "better", "--baseline", "--json").out)
    assert sum(map(sum, document["baseline"]["counts"])) == 60
    assert " − " in bertmt("confusion", "better", "--baseline").out
    assert bertmt("confusion", "base", "--baseline").code == 3
    assert bertmt("confusion", "base", "--epoch", "9").code == 3
    assert bertmt("confusion", "base", "--show", "rows").code == 0


def test_exported_metrics_are_all_points(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    rows = list(csv.DictReader(io.StringIO(bertmt("export", "base").out)))
    losses = [float(row["value"]) for row in rows if row["series"] == "loss/sst"]
    assert losses == pytest.approx([1 / (step + 1) for step in range(6)])
    assert {row["run"] for row in rows} == {run_named("base").id}


def test_exported_predictions_agree_with_the_score(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    lines = bertmt("export", "base", "--jsonl", "--what", "predictions").out.splitlines()
    rows = [row for row in map(json.loads, lines) if (row["task"], row["epoch"]) == ("sst", 2)]
    assert len(rows) == 60
    right = sum(row["predicted"] == row["label"] for row in rows) / len(rows)
    assert right == pytest.approx(run_named("base").score("sst"))
    table = csv.DictReader(io.StringIO(bertmt("export", "base", "--what", "predictions").out))
    assert sum(row["task"] == "sst" for row in table) == 180, "three epochs"
    assert bertmt("export", "base", "--csv", "--jsonl").code == 2


def test_steps_done_are_the_same_number_everywhere(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, registry: Path
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run, _, events = builder.started("stopped")
    for step in range(4):
        events.write(Step(at=now(), step=step, epoch=1, phase="train", values={"loss/sst": 1.0}, seconds_left=9.0))
    events.write(Checkpointed(at=now(), step=4))
    events.close()
    builder.database.execute("UPDATE runs SET worker = NULL WHERE key = ?", (run.key,))
    ingest(builder.database, run)
    builder.database.execute("UPDATE runs SET state = 'paused' WHERE key = ?", (run.key,))
    assert "paused at step 4" in bertmt("runs").out
    assert "4 of 6" in bertmt("show", "stopped").out
    document = json.loads(bertmt("show", "stopped", "--json").out)
    assert (document["run"]["step"], document["details"]["effort"]["steps"]) == (4, 4)
    finished = json.loads(bertmt("show", "base", "--json").out)
    assert (finished["run"]["step"], finished["details"]["effort"]["steps"]) == (6, 6)


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 epoch, at most 1 step each"), (2, "2 epochs, at most 2 steps each")]
)
def test_the_scale_of_a_run_is_counted_in_singular_and_plural(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, registry: Path, count: int, words: str
) -> None:
    builder.add("one", epochs=count, epoch_steps=count)
    assert words in " ".join(bertmt("show", "one").out.split())


def test_where_words_are_wanted_curves_are_sentences_and_no_plot_is_drawn(
    bertmt: Callable[..., Outcome], registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = re.compile("[\u2500-\u259f\u25cf\u2800-\u28ff]")
    for words in (("curves", "base"), ("compare", "base", "better")):
        monkeypatch.setenv("BERTMT_PLAIN", "")
        assert drawn.search(bertmt(*words).out)
        monkeypatch.setenv("BERTMT_PLAIN", "1")
        out = " ".join(bertmt(*words).out.split())
        assert not drawn.search(out), words
        assert ": first " in out and ", last " in out and ", lowest " in out


def test_places_of_curves_in_words_are_those_of_their_axis(
    bertmt: Callable[..., Outcome], registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTMT_PLAIN", "1")
    out = " ".join(bertmt("curves", "base", "--x", "epoch").out.split())
    assert " at epoch " in out and " at step " not in out
