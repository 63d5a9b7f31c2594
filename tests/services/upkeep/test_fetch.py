"""Fetching encoders with a stand-in for the hub."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from encoder_folders import CONFIG, VOCABULARY, safetensors_file, weights

from bertmt.encoders.find import encoder_fingerprints, find_encoder
from bertmt.errors import EncoderError, UsageError
from bertmt.services.upkeep import fetch as fetching
from bertmt.services.upkeep.fetch import PINNED_REVISIONS, Snapshot, download_snapshot, fetch


class Hub:
    """Stands for the hub: writes what it is told to, and remembers what it was asked."""

    def __init__(self, config: dict[str, Any] = CONFIG, content: bytes | None = None):
        self.config = config
        self.asked: list[Any] = []
        self.content = safetensors_file(weights()) if content is None else content
        self.sha256 = hashlib.sha256(self.content).hexdigest()

    def __call__(self, repository: str, revision: str | None, folder: Path, names: Sequence[str]) -> Snapshot:
        self.asked.append((repository, revision, tuple(names)))
        contents = {
            "config.json": json.dumps(self.config).encode(),
            "model.safetensors": self.content,
            "vocab.txt": "\n".join(VOCABULARY).encode(),
        }
        for name in set(names) & set(contents):
            (folder / name).write_bytes(contents[name])
        (folder / ".cache").mkdir(exist_ok=True)
        return Snapshot(revision or "newest", {"model.safetensors": self.sha256, "other.bin": "0" * 64})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BERTMT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    return tmp_path / "cache" / "encoders"


def test_a_fetched_encoder_is_found_with_its_pinned_revision(cache: Path) -> None:
    hub = Hub()
    fetched = fetch("bert-base-uncased", download=hub)
    pinned = PINNED_REVISIONS["bert-base-uncased"]
    assert hub.asked == [("bert-base-uncased", pinned, each) for each in (("config.json",), fetching.FILES)]
    assert fetched.files == find_encoder("bert-base-uncased")
    assert fetched.files.revision == PINNED_REVISIONS["bert-base-uncased"]
    names = {path.name for path in (cache / "bert-base-uncased").iterdir()}
    assert names == {"config.json", "model.safetensors", "vocab.txt", "revision.txt", "sha256.json"}


def test_a_model_of_somebody_takes_the_newest_and_records_the_commit() -> None:
    assert fetch("somebody/model", download=Hub()).files.revision == "newest"
    assert find_encoder("somebody/model").hidden_size == 8


def test_what_is_there_is_not_downloaded_again_unless_another_revision_is_asked_for() -> None:
    hub = Hub()
    fetch("bert-base-uncased", download=hub)
    assert fetch("bert-base-uncased", download=hub).already_there
    assert len(hub.asked) == 2
    assert fetch("bert-base-uncased", "v2", download=hub).files.revision == "v2"


@pytest.mark.parametrize(
    ("config", "content", "said"),
    [
        ({**CONFIG, "model_type": "gpt2"}, None, "model_type"),
        ({**CONFIG, "auto_map": {}}, None, "auto_map"),
        (CONFIG, b"cut off", "damaged"),
    ],
)
def test_what_may_not_be_loaded_is_never_put_in_place(
    cache: Path, config: dict[str, Any], content: bytes | None, said: str
) -> None:
    with pytest.raises(EncoderError, match=said):
        fetch("somebody/model", download=Hub(config, content))
    assert list(cache.iterdir()) == []


def test_what_is_of_no_known_family_is_refused_with_the_list_before_its_weights_come(cache: Path) -> None:
    hub = Hub({**CONFIG, "model_type": "gpt2"})
    with pytest.raises(EncoderError, match="one of bert, distilbert, roberta, modernbert, but is 'gpt2'"):
        fetch("somebody/model", download=hub)
    assert [names for *_, names in hub.asked] == [("config.json",)]


def test_weights_that_are_not_those_of_the_hub_are_never_put_in_place(cache: Path) -> None:
    hub = Hub()
    hub.sha256 = "0" * 64
    with pytest.raises(EncoderError, match=r"model\.safetensors came as other bytes than the hub tells of"):
        fetch("somebody/model", download=hub)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt"])
def test_a_file_that_was_exchanged_since_it_was_fetched_is_refused_at_submit(cache: Path, name: str) -> None:
    files = fetch("somebody/model", download=Hub()).files
    folder = cache / "somebody-->model"
    written = json.loads((folder / "sha256.json").read_text())
    assert written == {each: hashlib.sha256((folder / each).read_bytes()).hexdigest() for each in written}
    assert set(written) == {"config.json", "model.safetensors", "vocab.txt"}
    assert encoder_fingerprints(files)
    other = (
        safetensors_file(weights(seed=1)) if name == "model.safetensors" else "\n".join(reversed(VOCABULARY)).encode()
    )
    (folder / name).write_bytes(other)
    with pytest.raises(EncoderError, match=f"no longer what was fetched: {name}"):
        encoder_fingerprints(find_encoder("somebody/model"))
    assert not fetch("somebody/model", download=Hub()).already_there
    assert encoder_fingerprints(find_encoder("somebody/model")) == encoder_fingerprints(files)


def test_a_refused_download_leaves_the_former_one(cache: Path) -> None:
    fetch("somebody/model", "one", download=Hub())
    with pytest.raises(EncoderError):
        fetch("somebody/model", "two", download=Hub(content=b""))
    assert find_encoder("somebody/model").revision == "one"
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("name", ["tiny", "minilm", "../x", "/tmp", "a/../b", "a//b", "", "a/b/c", ".hidden"])
def test_what_is_no_name_of_the_hub_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        fetch(name, download=Hub())


def test_without_a_network_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: Any, **__: Any) -> None:
        raise RuntimeError("Name or service not known\nand a page of more")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", no_network)
    with pytest.raises(
        EncoderError, match=r"cannot be downloaded \(Name or service not known\): check the net"
    ) as found:
        download_snapshot("bert-base-uncased", None, tmp_path, fetching.FILES)
    assert "\n" not in str(found.value)


def test_only_plain_files_are_asked_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}
    stored = SimpleNamespace(rfilename="model.safetensors", lfs=SimpleNamespace(sha256="5f"))
    about = SimpleNamespace(sha="abc", siblings=[stored, SimpleNamespace(rfilename="config.json", lfs=None)])
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_, **__: about)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda repository, **more: asked.update(more))
    found = download_snapshot("bert-base-uncased", "main", tmp_path, fetching.FILES)
    assert found == Snapshot("abc", {"model.safetensors": "5f"})
    assert asked["revision"] == "abc", "the commit, not the branch, which may move between two calls"
    assert set(asked["allow_patterns"]) == set(fetching.FILES)
    assert not any(name.endswith((".bin", ".pt", ".py", ".h5")) for name in fetching.FILES)
