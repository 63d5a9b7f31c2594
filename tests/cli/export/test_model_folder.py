"""`bertmt export --to`: folders that appear whole, and their model cards; the child is a stand-in."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_outcome import Outcome
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from registry_builder import EXAMPLES, HOSTILE, RegistryBuilder, guesses
from statsmodels.stats.proportion import proportion_confint

from bertmt.drawing.safe_text import safe_text
from bertmt.registry.records import Run

Bertmt = Callable[..., Outcome]
CHILD = """
import json, pathlib, sys
asked = json.loads(sys.stdin.readline())
pathlib.Path(asked["folder"], "config.json").write_text(json.dumps(asked))
print(json.dumps({"predicted_by": {"sst": "head", "sts": "cosine"}, "left_out": {"para": "it is `left` out"}}))
"""
# What Markdown, HTML and YAML would make something of.
MARKED = (
    '1. x*y* [a](http://b.example) ![c](d) <b onclick="e">f</b> `g` | h\n# i\n---\nlicense: mit\n'
    "https://j.example www.k.example l@m.example &lt; $n$ __o__ ~~p~~ #"
)


@pytest.fixture(autouse=True)
def child(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets `export` ask the stand-in, or another program."""

    def use(program: str = CHILD) -> None:
        monkeypatch.setattr("bertmt.launchers.prediction.EXPORT_COMMAND", (sys.executable, "-c", program))

    use()
    return use


@pytest.fixture
def trained(registry: Path, run_named: Callable[..., Run]) -> Run:
    """`base` with the folder of a model."""
    run = run_named("base")
    (registry.parent / "runs" / run.id / "model").mkdir()
    return run


def export(bertmt: Bertmt, *more: str, out: str = "out", to: str = "sentence-transformers") -> Outcome:
    return bertmt("export", "base", "--to", to, "--out", out, *more)


def head_of(card: str) -> Any:
    return yaml.safe_load(card.split("---\n")[1])


def test_a_folder_has_what_the_child_wrote_and_a_card(bertmt: Bertmt, folder: Path, trained: Run) -> None:
    outcome = export(bertmt, out="new/out")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[0].startswith(f"{folder}/new/out: 3 files, ")
    assert outcome.out.splitlines()[1:] == [
        "Predicts SST by its head, STS by its cosine.", "Without PARA: it is `left` out.",
    ]  # fmt: skip
    assert {each.name for each in (folder / "new/out").iterdir()} == {".bertmt-export", "config.json", "README.md"}
    asked = json.loads((folder / "new/out/config.json").read_text())
    assert {name: asked[name] for name in ("to", "task", "base")} == {
        "to": "sentence-transformers", "task": "sst", "base": None,
    }  # fmt: skip
    assert [each.name for each in (folder / "new").iterdir()] == ["out"]


def test_a_folder_that_is_there_is_left_alone_and_one_of_ours_replaced_if_asked(
    bertmt: Bertmt, folder: Path, trained: Run
) -> None:
    assert export(bertmt).code == 0
    (folder / "out/config.json").write_text("older")
    refused = export(bertmt)
    assert refused.code == 2 and "out is there already" in refused.err
    assert (folder / "out/config.json").read_text() == "older"
    assert export(bertmt, "--force").code == 0
    assert (folder / "out/config.json").read_text() != "older"
    assert [each.name for each in folder.glob("*out*")] == ["out"] and not list(folder.glob(".out*"))


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_nothing_is_replaced_that_no_export_wrote(bertmt: Bertmt, folder: Path, trained: Run, kind: str) -> None:
    (folder / "mine").mkdir()
    (folder / "mine/thesis.txt").write_text("years of work")
    if kind == "file":
        (folder / "out").write_text("mine")
    elif kind == "folder":
        (folder / "mine").rename(folder / "out")
    else:
        (folder / "out").symlink_to(folder / "mine")
    outcome = export(bertmt, "--force")
    assert outcome.code == 2 and "which no export wrote" in outcome.err
    assert (folder / "out").is_file() or (folder / "out/thesis.txt").read_text() == "years of work"


def test_names_like_ours_are_not_ours_without_the_mark(bertmt: Bertmt, folder: Path, trained: Run) -> None:
    (folder / "out").mkdir()
    (folder / "out/config.json").write_text("mine")
    outcome = export(bertmt, "--force")
    assert outcome.code == 2 and "config.json, which no export wrote" in outcome.err
    assert (folder / "out/config.json").read_text() == "mine"


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_folder_that_appears_while_the_child_writes_is_not_replaced(
    bertmt: Bertmt, folder: Path, trained: Run, child: Callable[..., None], force: tuple[str, ...]
) -> None:
    child(
        f"{CHILD}\nout = pathlib.Path({str(folder / 'out')!r})\nout.mkdir()\n(out / 'README.md').write_text('mine')\n"
    )
    outcome = export(bertmt, *force)
    assert outcome.code == 2, outcome.err
    assert [each.name for each in (folder / "out").iterdir()] == ["README.md"]
    assert (folder / "out/README.md").read_text() == "mine" and not list(folder.glob(".out*"))


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.stderr.write('noise\\nThe weights are \\x1b[31mdamaged.\\n'); sys.exit(2)",
        f"{CHILD}\nsys.exit(1)",
        "pass",
        "print('no json')",
    ],
)
def test_a_child_that_fails_leaves_nothing(
    bertmt: Bertmt, folder: Path, trained: Run, child: Callable[..., None], program: str
) -> None:
    child(program)
    outcome = export(bertmt)
    assert outcome.code == 1 and outcome.err.count("\n") == 1 and "\x1b" not in outcome.err
    assert not list(folder.glob("*out*")) and not list(folder.glob(".out*"))


def test_a_folder_that_cannot_be_written_is_a_sentence(bertmt: Bertmt, folder: Path, trained: Run) -> None:
    (folder / "file").touch()
    outcome = export(bertmt, out="file/out")
    assert outcome.code == 1 and "cannot be written" in outcome.err and "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("base --to transformers", "needs --out DIR"),
        ("base better --to transformers --out x", "is for one run"),
        ("base --to transformers --out x", "Name a task, --task sst|para|sts: one task at a time"),
        ("base --to transformers --out x --task cola", "was not trained on 'cola': use --task sst|para|sts"),
        ("base --to sentence-transformers --out x --adapter", "lora.rank is 0"),
        ("better --to transformers --out x --task sst --adapter", "use --adapter with --to sentence-transformers"),
        ("apart --to sentence-transformers --out x", "has an encoder per task"),
        ("staged --to sentence-transformers --out x", "has an encoder per task"),
        ("own --to transformers --out x --task sst", "code of your own, mine.py:Wide"),
        ("base --to transformers --out x --csv", "--csv goes without --to"),
        ("base --to sentence-transformers --out x --what predictions", "--what predictions goes without --to"),
        ("base --out x", "--out goes with --to sentence-transformers|transformers|tensorboard|csv|parquet"),
        ("base --task sst", "--task goes with --to"),
        ("base --to onnx --out x", "onnx"),
    ],
)
def test_what_cannot_be_had_is_said(
    bertmt: Bertmt, builder: RegistryBuilder, trained: Run, folder: Path, words: str, said: str
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    if words.startswith("apart"):
        builder.finished("apart", ensembling=True)
    if words.startswith("staged"):
        builder.finished("staged", stages=["multitask", "single"])
    if words.startswith("own"):
        own: dict[str, Any] = {"head.sst.module": "mine.py:Wide #0123456789abcdef"}
        builder.finished("own", **own)
    outcome = bertmt("export", *words.split())
    assert outcome.code == 2 and said in outcome.err, outcome.err
    assert not (folder / "x").exists()


def test_runs_without_weights_are_as_they_are_to_predict(bertmt: Bertmt, trained: Run) -> None:
    to = ("--to", "sentence-transformers", "--out", "x")
    assert [bertmt("export", name, *to).code for name in ("nobody", "better", "later")] == [3, 3, 4]


def test_an_adapter_names_its_encoder(bertmt: Bertmt, registry: Path, folder: Path, run_named: Any) -> None:
    (registry.parent / "runs" / run_named("better").id / "model").mkdir()
    assert bertmt("export", "better", "--to", "sentence-transformers", "--adapter", "--out", "out").code == 0
    base = json.loads((folder / "out/config.json").read_text())["base"]
    assert Path(base, "model.safetensors").is_file()
    card = (folder / "out/README.md").read_text()
    assert f"AutoModel.from_pretrained({json.dumps(base)}, dtype" in card and "base_model" not in head_of(card)


def test_the_card_has_scores_with_intervals_data_recipe_and_limits(bertmt: Bertmt, folder: Path, trained: Run) -> None:
    assert export(bertmt).code == 0
    card = (folder / "out/README.md").read_text()
    right = round(60 * trained.scores.by_task["sst"])  # type: ignore[operator]
    low, high = proportion_confint(right, 60, method="wilson")
    assert f"| SST | accuracy | {right / 60:.3f} | {low:.3f} to {high:.3f} | 60 |" in card
    assert re.search(r"\| STS \| Pearson ρ \| \S+ \| \S+ to \S+ \| 60 \|", card)
    mark = trained.submission.fingerprints["sst-dev"]
    assert mark in card and "epoch_steps = 3" in card and "energy: not measured" in card
    assert "Said by the run." in card and "on sentences that are made up" in card and "Treebank" not in card
    assert "with one seed, 0" in card and "Nothing is known here of what the encoder had learned from" in card
    results = present_results(card)
    # Of PARA, which the folder cannot predict, there are none.
    assert [(each.metric_type, each.task_type) for each in results] == [
        ("accuracy", "text-classification"), ("macro_f1", "text-classification"),
        *((metric, "sentence-similarity") for metric in ("pearson", "spearman", "mse")),
    ]  # fmt: skip
    assert "| PARA |" not in card
    assert results[0].metric_value == trained.scores.by_task["sst"]


def present_results(card: str) -> Any:
    """What the hub's own library reads of the scores."""
    about: Any = ModelCard(card).data
    return about.eval_results


def test_what_an_encoder_has_seen_and_what_the_hub_calls_it_are_said(
    bertmt: Bertmt, folder: Path, builder: RegistryBuilder, registry: Path
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run = builder.finished("base2", encoder="minilm")
    builder.database.execute("UPDATE runs SET data = '/data/cs224n' WHERE id = ?", (run.id,))
    (registry.parent / "runs" / run.id / "model").mkdir()
    assert bertmt("export", "base2", "--to", "sentence-transformers", "--out", "out").code == 0
    card = (folder / "out/README.md").read_text()
    assert "learned from sentence pairs that include Quora's duplicate questions, the source of PARA" in card
    assert head_of(card)["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"


@pytest.mark.parametrize("text", [HOSTILE, MARKED], ids=["for terminals", "for markdown"])
def test_hostile_texts_stay_texts_in_the_card(
    bertmt: Bertmt, folder: Path, builder: RegistryBuilder, trained: Run, text: str
) -> None:
    builder.database.execute("UPDATE runs SET name = ? WHERE id = ?", (text, trained.id))
    outcome = bertmt("export", trained.id, "--to", "sentence-transformers", "--out", f"out{text[:4]}")
    assert outcome.code == 0, outcome.err
    card = next(folder.glob("out*/README.md")).read_text()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", card)
    head = head_of(card)
    assert "license" not in head and head["model-index"][0]["name"] == safe_text(text)
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": True}).parse(card.split("---\n", 2)[2])
    inline = [child for token in tokens for child in token.children or []]
    kinds = {token.type for token in [*tokens, *inline]}
    assert kinds & {"html_block", "html_inline", "link_open", "image", "em_open", "hr"} == set()
    assert tokens[0].tag == "h1" and "".join(each.content for each in tokens[1].children or []) == safe_text(text)


def test_the_card_tells_no_place_on_this_machine(
    bertmt: Bertmt, folder: Path, builder: RegistryBuilder, registry: Path
) -> None:
    builder.database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued'")
    run = builder.finished("private", data="/home/ann/secret/films", encoder="/home/ann/my-bert")
    (registry.parent / "runs" / run.id / "model").mkdir()
    outcome = bertmt("export", "private", "--to", "sentence-transformers", "--out", "out")
    assert outcome.code == 0, outcome.err
    card = (folder / "out/README.md").read_text()
    assert '"films"' in card and '"my-bert"' in card and "ann" not in re.findall(r"\w+", card)


def test_the_examples_of_these_tests_are_those_of_the_scores() -> None:
    labels = [each.label for each in EXAMPLES["sst"]]
    assert len(labels) == 60 and guesses("sst", 0.3).argmax(1).tolist() != labels
