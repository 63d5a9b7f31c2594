"""Data sets of the hub, brought once with a stand-in for the hub."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bertmt.errors import BertmtError, BusyError, DataError, UsageError
from bertmt.recipe.encoders import KNOWN_ENCODERS, seen_in_training
from bertmt.services.plan.known_tasks import known_tasks
from bertmt.services.tasks.adding import Understood, Wanted, understood, write_definition
from bertmt.services.tasks.hub import CONVERTED, HuggingFaceHub, bring
from bertmt.services.tasks.requests import with_files
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.known_sources import KNOWN_SOURCES
from bertmt.tasks.loading import read_split

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def rows(count: int, **columns: Any) -> bytes:
    """JSON lines: what comes from the hub is read by its content, so no Parquet is needed here."""
    made = [{name: value(number) for name, value in columns.items()} for number in range(count)]
    return b"".join(json.dumps(row).encode() + b"\n" for row in made)


def acceptability(count: int, test: bool = False) -> bytes:
    return rows(
        count, sentence=lambda n: f"sentence {count} {n}", label=lambda n: -1 if test else n % 2, idx=lambda n: n
    )


FILES = {
    "cola/train/0000.parquet": acceptability(20),
    "cola/train/0001.parquet": acceptability(10),
    "cola/validation/0000.parquet": acceptability(8),
    "cola/test/0000.parquet": acceptability(5, test=True),
    "stsb/train/0000.parquet": b"not asked for",
}


class StandIn:
    """Stands for the hub: has these files, and remembers what it was asked."""

    def __init__(self, files: Mapping[str, bytes] = FILES, marks: Mapping[str, str] | None = None):
        self.content = files
        self.marks = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} | dict(marks or {})
        self.asked: list[Any] = []

    def files(self, repository: str, revision: str) -> tuple[str, Mapping[str, str]]:
        self.asked.append((repository, revision))
        return COMMIT, self.marks

    def bring(self, repository: str, commit: str, name: str, folder: Path) -> Path:
        self.asked.append((repository, commit, name))
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.content[name])
        return file


def add(folder: Path, hub: StandIn, name: str = "cola", **said: Any) -> Understood:
    options = {key: said.pop(key) for key in ("hub_set", "revision", "force") if key in said}
    splits = said.pop("splits", {})
    wanted = with_files(folder, Wanted(name=name, files={}, **said), splits, hub=hub, **options)
    found = understood(wanted)
    write_definition(folder, found.task, force=options.get("force", False))
    return found


def test_a_task_that_is_known_by_name_is_brought_with_columns_title_and_metric(tmp_path: Path) -> None:
    hub = StandIn()
    found = add(tmp_path, hub)
    assert (found.task.title, found.task.metric.name, found.task.classes) == ("CoLA", "matthews", ("0", "1"))
    assert found.sizes == {"train": 30, "dev": 8, "test": 5}
    assert hub.asked[0] == ("nyu-mll/glue", CONVERTED) and "stsb/train/0000.parquet" not in str(hub.asked)
    source = known_tasks(tmp_path)["cola"].source
    assert source is not None and source.hub == f"nyu-mll/glue:cola@{COMMIT}"
    [kept] = (tmp_path / "tasks" / "cola").iterdir()
    assert kept.name.startswith(f"{COMMIT[:12]}-") and source.train == str(kept / "train.jsonl.gz")
    assert f'train = "cola/{kept.name}/train.jsonl.gz"' in (tmp_path / "tasks" / "cola.toml").read_text()


def test_what_was_brought_is_read_without_the_hub_and_held_to_its_digest(tmp_path: Path) -> None:
    add(tmp_path, StandIn())
    task = known_tasks(tmp_path)["cola"]
    assert [each.label for each in read_split("", task, "test").examples] == [None] * 5
    assert len(read_split("", task, "train").examples) == 30
    assert task.source is not None and len(task.source.sha256) == 3
    file = Path(task.source.dev)
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()).replace(b"sentence", b"Sentence"), mtime=0))
    with pytest.raises(DataError, match=r"is not what was brought from nyu-mll/glue:cola@0123.*bring it again"):
        read_split("", task, "dev")


def test_the_same_data_set_is_the_same_bytes_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bring(tmp_path / "a", "x", "nyu-mll/glue:cola", {"train": "train"}, hub=StandIn())
    monkeypatch.setattr("gzip.time.time", lambda: 1e9)
    second = bring(tmp_path / "b", "x", "nyu-mll/glue:cola", {"train": "train"}, hub=StandIn())
    assert first.sha256 == second.sha256
    assert first.files["train"].parent.name == second.files["train"].parent.name
    assert [path.name for path in first.files["train"].parent.iterdir()] == ["train.jsonl.gz"]


def test_any_data_set_can_be_named_with_its_splits_and_a_revision(tmp_path: Path) -> None:
    files = {"default/train/0000.parquet": acceptability(9), "default/held/0000.parquet": acceptability(4)}
    hub = StandIn(files)
    with pytest.raises(DataError, match=r"has no split 'validation', only held, train: say which one it is with --dev"):
        add(tmp_path, hub, "mine", hub_set="some/body")
    found = add(tmp_path, hub, "mine", hub_set="some/body", revision="v2", splits={"dev": "held"})
    assert hub.asked[-3] == ("some/body", "v2") and found.sizes == {"train": 9, "dev": 4}
    assert found.task.data_set == "some/body:default"


def test_one_of_several_configurations_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has the configurations cola, stsb: name one, --hub nyu-mll/glue:cola"):
        add(tmp_path, StandIn(), "mine", hub_set="nyu-mll/glue")
    with pytest.raises(DataError, match="has not converted a/b to Parquet"):
        add(tmp_path, StandIn({"README.md": b""}), "mine", hub_set="a/b")


@pytest.mark.parametrize("named", ["a/b/c", "../x", "a//b", ".", "a/.b", "a b\x00/c"])
def test_what_is_no_name_of_a_data_set_is_refused_before_anything_is_asked(tmp_path: Path, named: str) -> None:
    hub = StandIn()
    with pytest.raises(UsageError, match="--hub expects OWNER/NAME"):
        add(tmp_path, hub, "mine", hub_set=named)
    assert hub.asked == []


def test_a_file_that_is_not_what_the_hub_says_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    hub = StandIn(marks={"cola/train/0001.parquet": "0" * 64})
    with pytest.raises(DataError, match=r"0001\.parquet of nyu-mll/glue arrived damaged"):
        add(tmp_path, hub)
    assert [path for path in (tmp_path / "tasks").rglob("*") if path.is_file()] == []


def test_a_task_that_is_there_is_refused_before_anything_is_brought(tmp_path: Path) -> None:
    add(tmp_path, StandIn())
    hub = StandIn()
    with pytest.raises(BusyError, match="--force replaces it"):
        add(tmp_path, hub)
    assert hub.asked == []
    assert add(tmp_path, hub, force=True).sizes["dev"] == 8


@pytest.mark.parametrize("said", [{"hub_set": "a/b:two"}, {"hub_set": "a/b:one", "splits": {"train": "more"}}])
def test_other_rows_never_overwrite_those_of_the_task_that_is_there(tmp_path: Path, said: dict[str, Any]) -> None:
    words = {"one": "good", "two": "fine"}
    files = {
        f"{configuration}/{split}/0000.parquet": rows(
            count,
            text=lambda n, split=split: f"{split} words {n}",
            label=lambda n, of=configuration: (words[of], "b")[n % 2],
        )
        for configuration in words
        for split, count in (("train", 6), ("more", 8), ("validation", 4))
    }  # fmt: skip
    add(tmp_path, StandIn(files), "mine", hub_set="a/b:one")
    before = read_split("", known_tasks(tmp_path)["mine"], "train").examples
    with pytest.raises(BertmtError):
        add(tmp_path, StandIn(files), "mine", force=True, metric="pearson", **said)
    assert read_split("", known_tasks(tmp_path)["mine"], "train").examples == before
    old = known_tasks(tmp_path)["mine"]
    add(tmp_path, StandIn(files), "mine", force=True, **said)
    assert known_tasks(tmp_path)["mine"].source != old.source
    assert read_split("", old, "train").examples == before, "a run that was queued before still finds its data"


def test_what_an_encoder_has_seen_is_known_of_the_same_data_from_the_hub_under_any_name(tmp_path: Path) -> None:
    same = {"sst5": "sst", "qqp": "para", "stsb": "sts"}
    assert {name: KNOWN_SOURCES[name].data_set for name in same} == {n: BUILTIN[of].data_set for n, of in same.items()}
    told = {each.data_set for each in KNOWN_SOURCES.values()} | {each.data_set for each in BUILTIN.values()}
    assert all(set(encoder.trained_on) <= told for encoder in KNOWN_ENCODERS.values())
    files = {
        f"qqp/{split}/0000.parquet": rows(
            6, question1=lambda n: f"one {n}", question2=lambda n: f"two {n}", label=lambda n: n % 2
        )
        for split in ("train", "validation")
    }
    for name, said in (("qqp", {}), ("doubles", {"hub_set": "nyu-mll/glue:qqp"})):
        found = add(tmp_path, StandIn(files), name, **said)
        assert "Quora" in seen_in_training("minilm", {})[found.task.data_set]


def test_a_hub_that_cannot_be_reached_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        DataError, match=r"some/body cannot be brought from the hub \(.+\): check the network"
    ) as caught:
        bring(tmp_path, "mine", "some/body", {"train": "train"}, hub=HuggingFaceHub())
    assert len(caught.value.problems) == 1


def test_what_is_known_by_name_makes_sound_tasks(tmp_path: Path) -> None:
    for name, known in KNOWN_SOURCES.items():
        columns = {known.text: lambda n: f"first {n}", "label": lambda n: n % 2}
        columns |= {known.pair: lambda n: f"second {n}"} if known.pair else {}
        splits = ("train", known.dev_split, known.test_split)
        files = {f"{known.configuration}/{split}/0000.parquet": rows(6, **columns) for split in splits}
        found = add(tmp_path, StandIn(files), name)
        assert (found.task.title, found.task.pair) == (known.title, bool(known.pair)), name
        assert found.task.metrics[0] == known.metric and known.train > known.dev > 400
    assert set(KNOWN_SOURCES) == {"sst5", "qqp", "stsb", "cola", "mrpc", "mnli"}
    with pytest.raises(BertmtError):
        add(tmp_path, StandIn({}), "cola", force=True)
