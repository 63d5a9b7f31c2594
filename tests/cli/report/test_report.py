"""`bertmt report`: what it says is what compare, show, flips and slices say, and what it names makes the same runs."""

import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_outcome import Outcome
from read_pages import Page
from registry_builder import RegistryBuilder

from bertmt.drawing import numbers
from bertmt.registry.records import Run

Bertmt = Callable[..., Outcome]


def written(bertmt: Bertmt, *words: str, name: str = "report.html") -> str:
    outcome = bertmt("report", *words, "-o", name)
    assert outcome.code == 0, outcome.err
    return Path(name).read_text(encoding="utf-8")


def rows_of(text: str, kind: str) -> list[dict[str, str]]:
    return [row for row in csv.DictReader(io.StringIO(text)) if row["kind"] == kind]


def document(bertmt: Bertmt, *words: str) -> Any:
    outcome = bertmt(*words, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_differences_are_those_of_compare(bertmt: Bertmt, registry: Path) -> None:
    told = document(bertmt, "compare", "base", "better", "twins")
    expected = [
        (arm["name"], each["task"], *(each[key] for key in ("difference", "low", "high", "p", "p_corrected")),
         each["verdict"])
        for arm in told["arms"] for each in arm["differences"]
    ]  # fmt: skip
    rows = rows_of(written(bertmt, "base", "better", "twins", name="report.csv"), "difference")
    found = [
        (row["arm"], row["task"], *(float(row[key]) if row[key] else None
         for key in ("value", "low", "high", "p", "p_holm")), row["verdict"])
        for row in rows
    ]  # fmt: skip
    assert len(expected) == 5 and found == expected
    shown = [
        [numbers.difference(each[2]), numbers.interval(each[3], each[4]), numbers.p_value(each[5]),
         numbers.p_value(each[6]), each[7]]
        for each in expected
    ]  # fmt: skip
    page = Page(written(bertmt, "base", "better", "twins"))
    tables = [table for table in page.tables if table[0][1:3] == ["difference", "95 % interval"]]
    assert [row[1:] for table in tables for row in table[1:] if len(row) > 1] == shown


def test_every_figure_that_compare_prints_is_in_every_text(bertmt: Bertmt, registry: Path) -> None:
    """But for the curves, which are figures here, and the detectable differences of the forest, which are remarks."""
    printed = bertmt("compare", "base", "better", "twins").out.partition("\ndev/")[0]
    figures = set(re.findall(r"[+−]?\d+\.\d{3}", printed.partition("better (")[2]))
    assert len(figures) > 15
    page = Page(written(bertmt, "base", "better", "twins")).text
    assert [each for each in figures if each not in page] == []
    markdown = written(bertmt, "base", "better", "twins", name="report.md").replace("\\", "")
    assert [each for each in figures if each not in markdown] == []
    latex = written(bertmt, "base", "better", "twins", name="report.tex").replace(r"\ensuremath{-}", "−")
    assert [each for each in figures if each not in latex] == []


def test_scores_of_single_runs_are_those_of_show(bertmt: Bertmt, registry: Path) -> None:
    told = document(bertmt, "show", "better")
    last = told["details"]["epochs"][-1]["metrics"]
    rows = rows_of(written(bertmt, "base", "better", name="report.csv"), "score")
    found = {(row["task"], row["metric"]): float(row["value"]) for row in rows if row["run"] == told["run"]["id"]}
    assert found == {(task, metric): value for task, values in last.items() for metric, value in values.items()}
    low, high = next((row["low"], row["high"]) for row in rows if row["task"] == "sts" and row["low"])
    assert float(low) < float(high)


def test_flips_and_slices_are_those_of_the_commands(bertmt: Bertmt, registry: Path) -> None:
    flips, slices = document(bertmt, "flips", "base", "better"), document(bertmt, "slices", "base", "better")
    page = written(bertmt, "base", "better")
    counts = flips["counts"]
    assert f"{counts['fixed']} fixed, {counts['broken']} broken; both right" in Page(page).text
    [cells] = [
        table for table in Page(page).tables if table[0][0] == "true → mistaken for" and "negative" in str(table)
    ]
    assert [[int(each) for each in row[1:]] for row in cells[1:]] == [
        [cell[key] for key in ("before", "fixed", "broken", "left", "entered", "after")] for cell in flips["cells"]
    ]
    rows = rows_of(written(bertmt, "base", "better", name="report.csv"), "slice difference")
    found = {row["slice"]: (float(row["value"]), row["verdict"]) for row in rows if row["task"] == "sst"}
    measured = [each for each in slices["slices"] if each["difference"] is not None]
    expected = {each["name"]: (each["difference"], each["verdict"] or "") for each in measured}
    assert expected and found == expected


def test_a_page_has_all_that_belongs_to_a_report(bertmt: Bertmt, registry: Path, run_named: Callable[..., Run]) -> None:
    page = Page(written(bertmt, "base", "better"))
    titles = [text for tag, text in page.texts if tag == "h2"]
    assert titles == [
        "Verdicts", "Scores and differences", "Scores of single runs", "Curves", "Predictions", "Fixed and broken",
        "Scores by slice", "Recipes", "Training", "Data", "Encoders, and what they had seen", "Code and environment",
        "Remarks", "To do it again",
    ]  # fmt: skip
    mark = run_named("base").submission.fingerprints["sst-dev"]
    for text in (mark, "super_concat", "commit c0ffee", "Said by the run.", "Nothing is known here of what the encoder",
                 "102 tokens/s", "460 MiB", "lora.rank", "against base"):  # fmt: skip
        assert text in page.text, text
    # A forest, four curves of scores, three of losses, two matrices of two tasks, two clouds.
    assert page.tags.count("svg") == 1 + 4 + 3 + 4 + 2 and "script" not in page.tags
    labels = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-label")]
    assert len(set(labels)) == len(labels) and all(labels)


def test_several_seeds_are_one_curve_in_a_band_and_one_matrix(bertmt: Bertmt, builder: RegistryBuilder) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    for seed in (1, 2, 3):
        builder.finished("three", "final-shared", right=0.5 + seed / 10, seed=seed, **{"lora.rank": 8})
    page = Page(written(bertmt, "base", "three"))
    assert "three, mean of 3 seeds" in page.text and "three, 3 seeds" in page.text
    assert "in a band from the lowest to the highest" in page.text
    assert "SST: three, the sum of 3 seeds" in page.text
    alone = Page(written(bertmt, "base", "better", name="two.html"))
    assert "in a band from" not in alone.text
    bands = [page.attributes.count(("g", "fill-opacity", "0.16")) for page in (page, alone)]
    assert bands[0] >= 4 and bands[1] == 0


def test_of_one_run_its_baseline_is_the_reference_and_of_that_alone_there_is_a_report(
    bertmt: Bertmt, registry: Path
) -> None:
    assert "better (" in written(bertmt, "better").partition("</title>")[0].partition(" against base (")[0]
    page = Page(written(bertmt, "base", name="alone.html"))
    titles = [text for tag, text in page.texts if tag == "h2"]
    assert "Verdicts" not in titles and "Scores of single runs" in titles and "Scores by slice" in titles


def test_runs_that_cannot_be_compared_are_told_of_with_the_reason(
    bertmt: Bertmt, builder: RegistryBuilder, run_named: Callable[..., Run]
) -> None:
    other = run_named("better")
    with builder.database.immediate():
        builder.database.execute("UPDATE predictions SET fingerprint = 'other' WHERE run = ?", (other.key,))
    page = Page(written(bertmt, "base", "better"))
    assert "Nothing can be compared." in page.text and "different dev examples" in page.text
    assert "Scores of single runs" in page.text


def test_a_run_without_scores_is_refused_in_a_sentence(bertmt: Bertmt, registry: Path, folder: Path) -> None:
    outcome = bertmt("report", "base", "later", "-o", "report.html")
    assert outcome.code != 0 and "has no scores yet" in outcome.err
    assert not (folder / "report.html").exists()


def test_too_many_runs_are_refused(bertmt: Bertmt, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertmt.services.analysis.report.gathering.MOST_RUNS", 2)
    outcome = bertmt("report", "base", "twins")
    assert outcome.code == 2 and "at most 2 runs, but found 3" in outcome.err


def test_more_arms_than_can_be_drawn_are_told_of(
    bertmt: Bertmt, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.services.analysis.report.curves.MOST_ARMS", 2)
    monkeypatch.setattr("bertmt.services.analysis.report.mistakes.MOST_ARMS", 2)
    monkeypatch.setattr("bertmt.services.analysis.report.mistakes.MOST_PAIRS", 1)
    text = Page(written(bertmt, "base", "better", "twins")).text
    assert "The first 2 of 3 arms" in text and "Of the first 2 of 3 arms." in text and "those of 1 more arm" in text


@pytest.mark.parametrize("words", [("base", "better"), ("base",)])
def test_slices_of_more_numbers_than_are_judged_in_seconds_are_left_to_their_command(
    bertmt: Bertmt, registry: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr("bertmt.services.analysis.report.mistakes.MOST_NUMBERS", 59)
    page = Page(written(bertmt, *words))
    assert "STS: slices of 60 examples take minutes;" in page.text and "SST: slices of" not in page.text
    assert not any("label 0 to below 1" in row[0] for table in page.tables for row in table)


@pytest.mark.parametrize("name", ["base", "better", "twins"])
def test_the_commands_at_its_end_make_the_same_recipes(
    bertmt: Bertmt, registry: Path, run_named: Callable[..., Run], name: str
) -> None:
    text = written(bertmt, name, "base" if name != "base" else "better", name="report.md")
    [command] = [line for line in text.splitlines() if line.startswith("bertmt queue") and f"--name {name} " in line]
    planned = document(bertmt, *shlex.split(command)[1:], "--dry-run", "--again")["runs"]
    of_name = run_named(name)
    assert [each["seed"] for each in planned] == ([1, 2] if name == "twins" else [0])
    places = {"data": None, "extra_data_file": None}  # `queue` says toy of both, the registry of this test of one
    for each in planned:
        assert {**each["recipe"], **places} == {**of_name.recipe, "seed": each["seed"], **places}


def test_it_tells_no_place_on_this_machine(bertmt: Bertmt, builder: RegistryBuilder, registry: Path) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    for name, mark in (("private", "1"), ("secret", "2")):
        run = builder.finished(name, data="/home/ann/films", encoder="/home/ann/my-bert")
        with builder.database.immediate():
            marks = json.dumps({"weights": mark})
            builder.database.execute(
                "UPDATE runs SET data = '/home/ann/films', encoder_fingerprints = ? WHERE key = ?", (marks, run.key)
            )
    text = written(bertmt, "private", "secret", name="report.md")
    assert "my-bert was not one encoder" in text and "--data films" in text
    assert "ann" not in re.findall(r"\w+", text) and str(registry.parent) not in text
