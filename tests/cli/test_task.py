"""`bertmt task`, and presets of a user's own."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from made_tasks import write_made_tasks

from bertmt.cli.documents import DOCUMENTS
from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs

Bertmt = Callable[..., Outcome]
FILES = ("--train", "acceptability-train.csv", "--dev", "acceptability-dev.csv")


@pytest.fixture
def made(folder: Path) -> Path:
    """The current folder with the files of the made-up tasks."""
    write_made_tasks(folder)
    return folder


def test_a_task_is_added_shown_and_queued_beside_a_built_in_one(bertmt: Bertmt, made: Path) -> None:
    added = bertmt("task", "add", "cola", *FILES, "--metric", "matthews")
    assert added.code == 0
    assert "2 classes: acceptable, unacceptable" in added.out and "judged by     Matthews φ" in added.out
    assert "train 300, dev 90" in added.out
    assert sum(line.startswith("  ") and line[2] != " " for line in added.out.splitlines()) == 3
    assert "Guessed: the sentences are in `sentence`" in added.err
    assert tomllib.loads(bertmt("task", "show", "cola").out)["source"]["dev"] == "../acceptability-dev.csv"
    arguments = ("--data", "toy", "--encoder", "tiny", "--set", "tasks=sst,cola", "--set", "head.cola.layers=2")
    queued = bertmt("queue", "--preset", "baseline", *arguments)
    assert queued.code == 0 and "passes over the data: sst 1.00, cola 6.58" in queued.err
    with open_registry(made / "runs.db") as database:
        [run] = all_runs(database)
    assert run.recipe["tasks"] == ["sst", "cola"] and run.recipe["head.cola.layers"] == 2


def test_tasks_are_listed_with_what_the_hub_has(bertmt: Bertmt, made: Path) -> None:
    bertmt("task", "add", "nli", "--train", "inference-train.jsonl", "--dev", "inference-dev.jsonl")
    (made / "tasks" / "broken.toml").write_text("title = 1")
    listed = bertmt("task", "list")
    assert "nli   NLI    pair    3 classes" in listed.out and "cola (8,551 + 1,043)" in listed.out
    assert "broken.toml:" in listed.err and listed.code == 0
    assert bertmt("task", "rm", "nli").code == 0 and "nli" not in bertmt("task", "list").out.split("`")[0]
    assert bertmt("task", "rm", "broken").code == 0


DOCUMENTED = {
    ("task", "list"): "bertmt.tasks/1",
    ("task", "show", "cola"): "bertmt.task/1",
    ("task", "show", "sts"): "bertmt.task/1",
    ("task", "audit", "cola", "--encoder", "tiny"): "bertmt.task_audit/1",
    ("task", "audit", "sts", "--data", "toy", "--encoder", "tiny"): "bertmt.task_audit/1",
    ("task", "add", "other", *FILES): "bertmt.task_added/1",
    ("task", "rm", "cola"): "bertmt.task_removed/1",
    ("recipe", "--preset", "final", "--save", "mine"): "bertmt.preset_saved/1",
}


@pytest.mark.parametrize("command", DOCUMENTED, ids=" ".join)
def test_documents_hold_what_is_documented(bertmt: Bertmt, made: Path, command: tuple[str, ...]) -> None:
    bertmt("task", "add", "cola", *FILES)
    outcome = bertmt(*command, "--json")
    document = json.loads(outcome.out, parse_constant=pytest.fail)
    assert (outcome.code, document["schema"]) == (0, DOCUMENTED[command])
    assert set(document) - {"schema"} == set(DOCUMENTS[document["schema"]])


def test_an_audit_fits_the_terminal_and_says_what_is_cut(
    bertmt: Bertmt, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bertmt("task", "add", "cola", *FILES)
    monkeypatch.setenv("COLUMNS", "80")
    outcome = bertmt("task", "audit", "cola", "--encoder", "tiny", "--max-length", "6")
    assert outcome.code == 0 and "a sentence is cut behind 6 of them" in outcome.out
    assert "100.0 %" in outcome.out and max(map(len, outcome.out.splitlines())) <= 80


def test_an_audit_without_an_encoder_at_hand_counts_with_the_embedded_one(bertmt: Bertmt, made: Path) -> None:
    bertmt("task", "add", "cola", *FILES)
    outcome = bertmt("task", "audit", "cola")
    assert (outcome.code, outcome.err) == (0, "")
    assert "bert-base-uncased is not at hand, so tokens are those of tiny; a sentence is cut behind" in outcome.out
    assert json.loads(bertmt("task", "audit", "cola", "--json").out)["encoder"] == "tiny"
    assert "Tokens were not counted" in bertmt("task", "audit", "cola", "--encoder", "bert-base-uncased").err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ("add", "cola", "--train", "nowhere.csv", "--dev", "acceptability-dev.csv"),
            2,
            "nowhere.csv is not there: name another file",
        ),
        (("add", "cola", *FILES, "--text", "nonsense"), 2, "no column 'nonsense' (--text)"),
        (("add", "cola", "--train", "acceptability-train.csv"), 2, "name it with --dev FILE"),
        (("add", "sst", *FILES), 2, "sst is a built-in task"),
        (("add", "mine"), 2, "Name the task's files"),
        (("add", "mine", *FILES, "--revision", "x"), 2, "--revision is of a data set on the hub"),
        (("show", "nonsense"), 3, "No task is called 'nonsense'"),
        (("audit", "sst"), 2, "No data is named"),
        (("audit", "sst", "--data", "toy", "--max-length", "x"), 2, "`max_length` must be a whole number"),
        (("rm", "sst"), 2, "sst is a built-in task"),
        (("nonsense",), 2, "bertmt task --help"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    bertmt: Bertmt, made: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    outcome = bertmt("task", *arguments)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (code, "", 1), outcome.err
    assert said in outcome.err
    assert not (made / "tasks").exists()


def test_a_task_that_is_there_needs_force(bertmt: Bertmt, made: Path) -> None:
    assert bertmt("task", "add", "cola", *FILES).code == 0
    assert bertmt("task", "add", "cola", *FILES).code == 4
    assert bertmt("task", "add", "cola", *FILES, "--force", "--title", "Mine").code == 0
    assert 'title = "Mine"' in (made / "tasks" / "cola.toml").read_text()


def test_nothing_raw_of_a_file_reaches_the_terminal(bertmt: Bertmt, folder: Path) -> None:
    for split in ("train", "dev"):
        text = "\x1b]0;title\x07 words \u202e here"
        (folder / f"{split}.csv").write_text(f"text,label\n{text} {split},\x1b[2Jred\nplain {split} text,blue\n")
    files = ("--train", "train.csv", "--dev", "dev.csv")
    outputs = [bertmt("task", "add", "mine", *files), bertmt("task", "audit", "mine"), bertmt("task", "list")]
    outputs += [
        bertmt("task", "add", "mine2", *files, "--classes", "a,b"),
        bertmt("task", "add", "m3", *files, "--label", "\x1b"),
    ]
    for outcome in outputs:
        assert not {"\x1b", "\x07", "\u202e"} & {*outcome.out, *outcome.err}, outcome


def test_a_preset_of_ones_own_is_saved_listed_queued_and_completed(bertmt: Bertmt, folder: Path) -> None:
    saved = bertmt("recipe", "--preset", "lora-r20", "--set", "lora.rank=7", "--save", "mine", "--summary", "seven")
    assert saved.code == 0 and "mine.toml" in saved.out and "bertmt queue --preset mine" in saved.err
    listed = bertmt("presets")
    assert "mine" in listed.out and "yours" in listed.out and "seven" in listed.out
    [own] = [each for each in json.loads(bertmt("presets", "--json").out)["presets"] if each["own"]]
    assert own["settings"]["lora.rank"] == 7 and own["paper"] is None
    queued = bertmt("queue", "--preset", "mine", "--data", "toy", "--encoder", "tiny", "--dry-run", "--json")
    assert json.loads(queued.out)["runs"][0]["recipe"]["lora.rank"] == 7
    assert bertmt("recipe", "--preset", "mine", "--json").code == 0
    assert bertmt("recipe", "--save", "mine").code == 4
    assert bertmt("recipe", "--save", "final").code == 2
    assert bertmt("recipe", "--save", "mine", "--force").code == 0


def test_a_refused_preset_is_told_without_remarks_about_its_recipe(bertmt: Bertmt) -> None:
    words = ("recipe", "--preset", "sst-only", "--set", "surgery=true", "--save")
    remark = "surgery"
    assert remark in bertmt(*words, "mine").err
    for name in ("mine", "final", "no name"):
        refused = bertmt(*words, name)
        assert refused.code and refused.out == "" and len(refused.err.splitlines()) == 1, refused
        assert remark not in refused.err
