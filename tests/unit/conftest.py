"""Builders of small encoders and models. They import torch when they are used: most unit tests need none."""

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bertmt.recipe.rules import recipe_from, resolved

SENTENCES = (
    "a lovely film",
    "what a dull and dreary film, nobody loved it",
    "How old is he?",
    "What is his age?",
    "the cat sat on the mat",
    "a dog sat on the rug",
)


@pytest.fixture(scope="session")
def sentences() -> tuple[str, ...]:
    """Six short sentences: enough for a batch of three pairs."""
    return SENTENCES


@pytest.fixture(scope="session")
def vocabulary_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vocabulary: letters, and some words of the sentences."""
    from bertmt.encoders.vocabulary import SPECIAL_TOKENS  # noqa: PLC0415 - see above

    letters = [*string.ascii_lowercase, *"?,."]
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.txt"
    words = ["film", "lovely", "what", "the", "cat", "dog"]
    pieces = [*SPECIAL_TOKENS, *letters, *(f"##{letter}" for letter in letters), *words]
    path.write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def build_model() -> Callable[..., Any]:
    """`build_model({"lora.rank": 4, …})`: a model on `tiny`, in evaluation mode."""
    import torch  # noqa: PLC0415 - see above

    from bertmt.models.encoder import load_encoder  # noqa: PLC0415
    from bertmt.models.multitask import MultitaskModel  # noqa: PLC0415

    torch.set_num_threads(1)

    def build(settings: dict[str, Any]) -> Any:
        recipe = resolved(recipe_from({"encoder": "tiny", "data": "toy", **settings}))
        return MultitaskModel(recipe, lambda: load_encoder("tiny")).eval()

    return build


@pytest.fixture(scope="session")
def tokens() -> Any:
    """The six sentences as one batch: six for SST, three pairs for PARA and STS."""
    from bertmt.models.packed.layout import TokenBatch  # noqa: PLC0415 - see above
    from bertmt.models.tokenizing import load_tokenizer  # noqa: PLC0415

    return TokenBatch.of(load_tokenizer("tiny", 32).encode(SENTENCES))


@pytest.fixture
def bert_folder(tmp_path: Path, vocabulary_file: Path) -> Path:
    """A local folder with a small BERT, as transformers writes one, and its vocab.txt."""
    import torch  # noqa: PLC0415 - see above
    from transformers import BertConfig, BertModel  # noqa: PLC0415

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        config = BertConfig(
            vocab_size=len(vocabulary_file.read_text().splitlines()),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
        )
        folder = tmp_path / "small-bert"
        BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text(vocabulary_file.read_text())
    return folder
