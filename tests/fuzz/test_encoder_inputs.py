"""Folders of encoders, damaged: what is taken before a run is queued can be loaded by its child; else a sentence."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from encoder_folders import CONFIG, VOCABULARY, safetensors_file, weights, write_bert
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged_bytes, damaged_document
from sentences import answered

from bertmt.encoders.find import encoder_fingerprints, find_encoder
from bertmt.errors import EncoderError

TOKENIZER: dict[str, Any] = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                   "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": None,
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100, "vocab": {word: index for index, word in enumerate(VOCABULARY)}},
}  # fmt: skip
WHOLE_CONFIG = CONFIG | {
    "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "layer_norm_eps": 1e-12,
    "pad_token_id": 0, "initializer_range": 0.02, "use_cache": True, "position_embedding_type": "absolute",
    "architectures": ["BertModel"], "torch_dtype": "float32", "transformers_version": "4.8.2",
}  # fmt: skip
STRANGE = (0, 3, 8, 64, "8", 1.5, 10**30, "gelu_new", "relu")
HEADER = safetensors_file(weights())
LENGTH = struct.unpack("<Q", HEADER[:8])[0]


def with_header(document: Any) -> bytes:
    text = json.dumps(document).encode()
    return struct.pack("<Q", len(text)) + text + HEADER[8 + LENGTH :]


@st.composite
def files_of_an_encoder(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of an encoder's folder by its name, damaged."""
    name = draw(st.sampled_from(["config.json", "config.json", "model.safetensors", "vocab.txt", "tokenizer.json"]))
    if name == "model.safetensors":
        documents = damaged_document(json.loads(HEADER[8 : 8 + LENGTH]), (0, 4, 8, "F16", "I8", "F32"))
        return name, draw(damaged_bytes(documents.map(with_header) if draw(st.booleans()) else st.just(HEADER), 1))
    if name == "vocab.txt":
        return name, draw(damaged_bytes(st.just("\n".join(VOCABULARY).encode())))
    document = damaged_document(WHOLE_CONFIG if name == "config.json" else TOKENIZER, STRANGE)
    return name, draw(damaged_bytes(document.map(lambda each: json.dumps(each).encode()), 1))


def load(folder: Path) -> None:
    """What a child does with it."""
    import torch  # noqa: PLC0415 - the other readers work without torch

    from bertmt.models.encoder import load_encoder  # noqa: PLC0415
    from bertmt.models.packed.encoder import PackedEncoder  # noqa: PLC0415
    from bertmt.models.packed.layout import Pass, TokenBatch  # noqa: PLC0415
    from bertmt.models.tokenizing import load_tokenizer  # noqa: PLC0415

    tokenizer = load_tokenizer(str(folder), 16)
    ids = tokenizer.encode(["word1 word2", "word3", "of another, word\u00e9 \u4e2d"])
    encoder = PackedEncoder(load_encoder(str(folder)))
    encoder(Pass.of({"sst": TokenBatch.of(ids)}, encoder.heads), torch.float32)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")


@given(given_file=files_of_an_encoder())
def test_an_encoder_that_is_taken_can_be_loaded_and_any_other_is_refused_in_a_sentence(
    tmp_path: Path, given_file: tuple[str, bytes]
) -> None:
    name, content = given_file
    folder = write_bert(tmp_path / "bert")
    (folder / "tokenizer.json").unlink(missing_ok=True)
    (folder / name).write_bytes(content)
    with answered():
        try:
            found = find_encoder(str(folder))
        except EncoderError as problem:
            assert "\n" not in str(problem) and str(folder) in str(problem)
            raise
        encoder_fingerprints(found)
        try:
            load(folder)
        except EncoderError as problem:
            raise AssertionError(f"taken, and then: {problem}") from None
