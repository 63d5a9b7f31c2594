"""A tokenizer that could hang or break its library is refused in one sentence, before anything is loaded."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from encoder_folders import VOCABULARY, write_bert
from tokenizers import models, normalizers, pre_tokenizers, processors

from bertmt.encoders.families import BERT, MODERNBERT, ROBERTA
from bertmt.encoders.find import find_encoder
from bertmt.encoders.special_tokens import SpecialTokens, special_tokens
from bertmt.encoders.tokenizer_document import check_document
from bertmt.errors import EncoderError
from bertmt.models.tokenizing import Tokenizer

IDS = {word: number for number, word in enumerate(VOCABULARY)}


def document(**parts: Any) -> dict[str, Any]:
    backend = tokenizers.Tokenizer(models.WordPiece(IDS, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    around = [(name, IDS[name]) for name in ("[CLS]", "[SEP]")]
    backend.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=around)
    whole: dict[str, Any] = json.loads(backend.to_str())
    return whole | parts


def split(pattern: dict[str, str]) -> dict[str, Any]:
    return {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}


def replace(content: str, pattern: str = "a") -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"String": pattern}, "content": content}


def nested(depth: int, kind: str, list_name: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": kind, list_name: []}
    for _ in range(depth):
        part = {"type": kind, list_name: [part]}
    return part


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "a pattern that takes for ever": ({"pre_tokenizer": split({"Regex": "(a+)+b"})}, "may take for ever"),
    "another one": ({"pre_tokenizer": split({"Regex": "(a|aa){2,}$"})}, "may take for ever"),
    "one in a sequence": (
        {"normalizer": {"type": "Sequence", "normalizers": [{**replace(""), "pattern": {"Regex": "(.*)*x"}}]}},
        "may take for ever",
    ),
    "a very long one": ({"pre_tokenizer": split({"Regex": "a?" * 600})}, "may take for ever"),
    "a broken one": ({"pre_tokenizer": split({"Regex": "(("})}, "unmatched parenthesis"),
    "a text that grows": (
        {"normalizer": {"type": "Sequence", "normalizers": [replace("a" * 10)] * 9}},
        "more than 1,000 times as long",
    ),
    "a text that begins with a book": ({"normalizer": {"type": "Prepend", "prepend": "a" * 5000}}, "1,000 times"),
    "a table that makes the library panic": (
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
        "its normalizer is 'Precompiled'",
    ),
    "many parts": ({"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}] * 99}}, "more than 64 parts"),
    "deep parts": ({"pre_tokenizer": nested(100, "Sequence", "pretokenizers")}, "more than 64 parts"),
    "parts that are none": ({"normalizer": ["NFC"]}, "no JSON object"),
    "a sequence that is none": ({"normalizer": {"type": "Sequence", "normalizers": {"a": 1}}}, "no list"),
    "a stage that names nothing": ({"post_processor": {"type": "Nothing"}}, "cannot be read"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bert(tmp_path / "bert")


def refusal(folder: Path) -> str:
    with pytest.raises(EncoderError) as caught:
        find_encoder(str(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_could_hang_or_break_the_library_is_refused(
    folder: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    parts, said = HOSTILE[name]
    (folder / "tokenizer.json").write_text(json.dumps(document(**parts)))
    assert said in refusal(folder)
    assert capfd.readouterr().err == "", "the library's own words about a panic"


def test_a_file_of_gigabytes_is_not_read(folder: Path) -> None:
    with (folder / "tokenizer.json").open("wb") as file:
        os.truncate(file.fileno(), 3 << 30)
    assert "more than 64 MiB" in refusal(folder)


def test_a_thousand_brackets_are_one_sentence(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"normalizer": ' + "[" * 100_000)
    assert "cannot be read" in refusal(folder)


@pytest.mark.parametrize(
    "pattern",
    [
        # GPT-2's and GPT-4o's, as tokenizer.json files have them.
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}]*[\p{Ll}\p{Lm}]+(?i:'s|'t|'re)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s+",
        r"\(+[a-z]",
    ],
)
def test_patterns_in_use_are_taken(pattern: str) -> None:
    check_document(document(pre_tokenizer=split({"Regex": pattern})))


def test_where_the_library_gives_up_over_a_sentence_it_is_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    backend = tokenizers.Tokenizer.from_str(json.dumps(document(pre_tokenizer=split({"Regex": "(a+)+b"}))))
    with pytest.raises(EncoderError, match=r"tokenizer failed .*retry-limit"):
        Tokenizer(backend, 16).encode(["a" * 40])
    capfd.readouterr()


def test_special_tokens_are_those_that_the_tokenizer_puts_around_a_text() -> None:
    around = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "word3", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "word5", "type_id": 0}},
        ],
        "pair": [],
        "special_tokens": {name: {"id": name, "ids": [9], "tokens": [name]} for name in ("word3", "word5")},
    }
    backend = tokenizers.Tokenizer.from_str(json.dumps(document(post_processor=around)))
    assert special_tokens(backend, BERT) == SpecialTokens(IDS["word3"], IDS["word5"], IDS["[PAD]"])
    assert special_tokens(backend, ROBERTA) == SpecialTokens(IDS["word3"], IDS["word5"], IDS["word5"])
    assert Tokenizer(backend, 8).encode(["word7"]) == [[IDS["word3"], IDS["word7"], IDS["word5"]]]


@pytest.mark.parametrize("stage", [None, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}])
def test_without_such_a_stage_they_are_the_familys(stage: dict[str, Any] | None) -> None:
    backend = tokenizers.Tokenizer.from_str(json.dumps(document(post_processor=stage)))
    assert special_tokens(backend, MODERNBERT) == SpecialTokens(IDS["[CLS]"], IDS["[SEP]"], IDS["[PAD]"])
    with pytest.raises(ValueError, match="lacks <pad>, <s>, </s>, which every roberta has"):
        special_tokens(backend, ROBERTA)


BYTE_PAIRS = {"<s>": 0, "<pad>": 1, "</s>": 2, "a": 3, "b": 4, "ab": 5}


@pytest.mark.parametrize(
    ("vocabulary", "merges", "said"),
    [
        ("[]", "a b", "vocab.json must map each piece to its number"),
        ('{"a": "x"}', "a b", "vocab.json must map each piece to its number"),
        ('{"a": 99999999999999}', "", "vocab.json must map each piece to its number"),
        ("{", "a b", "cannot be read"),
        (json.dumps(BYTE_PAIRS), "a b c", "a line of merges.txt must be two pieces, but is 'a b c'"),
        (json.dumps(BYTE_PAIRS), "a z", "cannot be read"),
        (json.dumps({"a": 0, "b": 1, "ab": 2}), "a b", "lacks <s>"),
        (json.dumps({**BYTE_PAIRS, "c": 40}), "a b", "word piece of number 40, but its vocab_size is 40"),
    ],
)
def test_damaged_byte_pairs_are_one_sentence(tmp_path: Path, vocabulary: str, merges: str, said: str) -> None:
    folder = write_bert(tmp_path / "roberta", model_type="roberta", pad_token_id=1)
    (folder / "vocab.json").write_text(vocabulary)
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    assert said in refusal(folder)


def test_the_same_folder_with_whole_byte_pairs_is_taken(tmp_path: Path) -> None:
    folder = write_bert(tmp_path / "roberta", model_type="roberta", pad_token_id=1)
    (folder / "vocab.json").write_text(json.dumps(BYTE_PAIRS))
    (folder / "merges.txt").write_text("#version: 0.2\na b\n")
    assert find_encoder(str(folder)).positions == 62


MODERN = {
    "model_type": "modernbert", "pad_token_id": 0, "vocab_size": 40, "hidden_size": 8, "num_hidden_layers": 2,
    "num_attention_heads": 2, "intermediate_size": 12,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layer_types": ["full_attention"]}, "layer_types must name full_attention or sliding_attention"),
        ({"layer_types": ["full_attention", ["x"]]}, "layer_types must name"),
        ({"layer_types": "full_attention"}, "layer_types must name"),
        ({"global_attn_every_n_layers": 0}, "`global_attn_every_n_layers`"),
        ({"global_rope_theta": "fast"}, "rope_theta of its full_attention"),
        ({"local_rope_theta": 0}, "rope_theta of its sliding_attention"),
        ({"rope_parameters": {"full_attention": {"rope_type": "yarn"}}}, "of another kind than `default`"),
        ({"rope_parameters": [1]}, "of another kind than `default`"),
        ({"rope_scaling": {"type": "linear"}}, "rope_scaling"),
        ({"num_attention_heads": 8}, "an odd width, 1"),
        ({"norm_bias": 1}, "`norm_bias` in its config.json must be true or false"),
        ({"local_attention": 0}, "`local_attention`"),
        ({"num_hidden_layers": 1 << 30}, "lacks embeddings.tok_embeddings.weight"),
        ({}, "lacks embeddings.tok_embeddings.weight"),
    ],
)
def test_a_modernbert_that_cannot_work_is_refused(folder: Path, changes: dict[str, Any], said: str) -> None:
    (folder / "config.json").write_text(json.dumps(MODERN | changes))
    assert said in refusal(folder)


def test_positions_that_are_all_used_up_by_padding_are_refused(tmp_path: Path) -> None:
    folder = write_bert(tmp_path / "roberta", model_type="roberta", pad_token_id=1, max_position_embeddings=2)
    assert "leaves no token a position" in refusal(folder)
    (folder / "config.json").write_text(
        json.dumps({**json.loads((folder / "config.json").read_text()), "pad_token_id": None})
    )
    assert "pad_token_id" in refusal(folder)
