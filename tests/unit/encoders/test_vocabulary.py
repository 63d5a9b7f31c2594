"""Reading a BERT's vocab.txt."""

from pathlib import Path

import pytest

from bertmt.encoders.vocabulary import SPECIAL_TOKENS, read_vocabulary, whole_characters
from bertmt.errors import EncoderError


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert whole_characters("a\ud800b😀") == "a?b😀"


@pytest.mark.parametrize(
    "content", [b"", b"[PAD]\n[UNK]\n", b"\xff\xfe", "\n".join([*SPECIAL_TOKENS, "a", "a"]).encode()]
)
def test_a_damaged_vocabulary_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "vocab.txt"
    file.write_bytes(content)
    with pytest.raises(EncoderError, match=r"vocab\.txt"):
        read_vocabulary(file)


def test_a_missing_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="cannot be read"):
        read_vocabulary(tmp_path / "none.txt")


def test_a_vocabulary_with_windows_line_ends_is_read(tmp_path: Path) -> None:
    file = tmp_path / "vocab.txt"
    file.write_bytes("\r\n".join([*SPECIAL_TOKENS, "a", ""]).encode())
    assert read_vocabulary(file) == [*SPECIAL_TOKENS, "a"]
