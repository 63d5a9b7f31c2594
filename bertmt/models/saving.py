"""Trained models as folders that rebuild themselves, offline and without pickle.

model/
  model.json         format, recipe, encoder (name, revision, digest of its weights), digests of the other files
  config.json        the encoder's shape
  tokenizer.json     the tokenizer, whole
  model.safetensors  every trained tensor: the encoders and heads, or with LoRA the adapters and heads only
"""

import copy
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from transformers import CONFIG_MAPPING

from bertmt import atomic_files
from bertmt.bounded_files import open_plain, read_json
from bertmt.encoders.families import FAMILIES
from bertmt.encoders.find import find_encoder
from bertmt.encoders.vocabulary_file import read_backend
from bertmt.errors import BertmtError, EncoderError, NotFoundError
from bertmt.models.encoder import load_encoder, random_encoder, silence_the_library
from bertmt.models.multitask import MultitaskModel
from bertmt.models.tokenizing import Tokenizer
from bertmt.own_code.loading import load_heads, refuse_others
from bertmt.recipe.loading import from_json
from bertmt.recipe.recipe import Recipe
from bertmt.tasks import definitions
from bertmt.tasks.builtin import BUILTIN
from bertmt.version import __version__

FORMAT = 1
CODE = "code"  # beside the model: sources of a user's own heads, see `RunFolder.code`
ABOUT, CONFIG, TOKENIZER, WEIGHTS = "model.json", "config.json", "tokenizer.json", "model.safetensors"


def save_model(model: MultitaskModel, recipe: Recipe, tokenizer: Tokenizer, folder: Path) -> None:
    """Store a trained model; the folder appears whole, or stays as it was.

    With LoRA the frozen encoder is not stored: `load_model` takes it from where it came from, and knows by a digest
    whether it is still the same.

    Raises:
        OSError: the disk is full, or the parent folder is missing.
    """
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    for leftover in folder.parent.glob(f".{folder.name}.*"):  # of a process that was killed; a run has one child
        shutil.rmtree(leftover, ignore_errors=True)
    beside.mkdir(mode=atomic_files.PRIVATE_FOLDER)
    try:
        files = {
            WEIGHTS: safetensors.torch.save(trained_weights(model)),
            TOKENIZER: tokenizer.backend.to_str().encode(),
            CONFIG: model.config.to_json_string(use_diff=False).encode(),
        }
        about = {
            "format": FORMAT,
            "bertmt": __version__,
            "encoder": {
                "name": recipe.encoder,
                "revision": _revision(recipe.encoder),
                "digest": weights_digest(frozen_weights(model)) if recipe.lora.rank else None,
            },
            "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
            "recipe": recipe.flat(),
            "tasks": json.loads(definitions.to_json(recipe.trained())),
        }
        for name, content in files.items():
            atomic_files.write_bytes(beside / name, content)
        atomic_files.write_text(beside / ABOUT, json.dumps(about, indent=1))
        _replace_folder(folder, beside)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def load_model(folder: Path, allowed: Collection[str] = ()) -> tuple[MultitaskModel, Tokenizer]:
    """The model of `save_model` in evaluation mode on the CPU, and its tokenizer; offline.

    Args:
        allowed: digests of the sources of a user's own heads that may be run: what a folder names, anybody may have put
            there.

    Raises:
        OwnCodeError: a head's source is none of these.
        NotFoundError: there is no model in the folder.
        EncoderError: a file of it is damaged, or the encoder that its adapters belong to is missing or another one.
    """
    about = _read_about(folder)
    silence_the_library()
    try:
        known = definitions.from_json(json.dumps(about["tasks"])) if "tasks" in about else BUILTIN
        recipe = from_json(json.dumps(about["recipe"]), known)
        contents = {name: _intact(folder / name, about["sha256"][name]) for name in (WEIGHTS, TOKENIZER, CONFIG)}
        shape = json.loads(contents[CONFIG])
        family = FAMILIES[shape["model_type"]]
        config = CONFIG_MAPPING[family.model_type].from_dict(shape)
        tokenizer = Tokenizer(read_backend(folder / TOKENIZER), recipe.max_length, family)
        weights = safetensors.torch.load(contents[WEIGHTS])
        origin = {key: about["encoder"][key] for key in ("revision", "digest")}
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, BertmtError) as problem:
        raise _damaged(folder, problem) from None
    refuse_others(recipe, allowed)
    # Without LoRA all of its weights are about to be replaced.
    base = load_encoder(recipe.encoder) if recipe.lora.rank else random_encoder(config, recipe.seed)
    heads = load_heads(recipe, folder.parent / CODE)
    model = MultitaskModel(recipe, lambda: copy.deepcopy(base), heads)  # a copy is faster than random weights anew
    if recipe.lora.rank and weights_digest(frozen_weights(model)) != origin["digest"]:
        raise EncoderError(
            f"The adapters in {folder} belong to an encoder {recipe.encoder!r} (revision {origin['revision']}) with "
            f"other weights than the one found here; bring that one back, or train again with `bertmt queue --again`."
        )
    expected = {name: parameter.shape for name, parameter in trained_weights(model).items()}
    if expected != {name: tensor.shape for name, tensor in weights.items()}:
        raise _damaged(folder, f"{WEIGHTS} and {ABOUT} disagree about names or shapes of weights")
    model.load_state_dict(weights, strict=False)
    return model.eval(), tokenizer


def _read_about(folder: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = read_json(folder / ABOUT)
        version = about["format"]
    except FileNotFoundError:
        raise NotFoundError(
            f"There is no trained model in {folder}: the run has not finished, or was made with keep_model=false."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise _damaged(folder, f"{ABOUT} cannot be read ({problem})") from None
    if version != FORMAT:
        raise EncoderError(f"The model in {folder} has format {version}, but this bertmt reads format {FORMAT}.")
    return about


def _intact(file: Path, expected: str) -> bytes:
    with open_plain(file) as opened:  # as large as the model was
        content = opened.read()
    if hashlib.sha256(content).hexdigest() != expected:
        raise ValueError(f"{file.name} is not what was saved")
    return content


def _damaged(folder: Path, why: object) -> EncoderError:
    reason = str(why).rstrip(".")
    return EncoderError(f"The model in {folder} is damaged: {reason}; train again with `bertmt queue --again`.")


def trained_weights(model: MultitaskModel) -> dict[str, torch.Tensor]:
    """The parameters that train, by name: with LoRA adapters and heads, else all of them."""
    return {
        name: parameter.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def frozen_weights(model: MultitaskModel) -> dict[str, torch.Tensor]:
    """The parameters that do not train: with LoRA the pretrained encoder, once, else nothing."""
    return {name: parameter.detach() for name, parameter in model.named_parameters() if not parameter.requires_grad}


def weights_digest(weights: Mapping[str, torch.Tensor]) -> str:
    """A SHA-256 of tensors in order, without their names, which depend on where they are mounted."""
    digest = hashlib.sha256()
    for tensor in weights.values():
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(tensor.cpu().contiguous().numpy().data)
    return digest.hexdigest()


def _replace_folder(folder: Path, beside: Path) -> None:
    """Put `beside` in the place of `folder`.

    A folder cannot be renamed onto one that is not empty: an older model steps aside first, and a crash between the
    two renames leaves none. The child that saves it over is about to save it again when it is resumed.
    """
    old = beside.with_name(f"{beside.name}.old")
    if folder.exists():
        folder.rename(old)
    beside.rename(folder)
    atomic_files.sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _revision(encoder: str) -> str | None:
    try:
        return find_encoder(encoder).revision
    except EncoderError:  # its folder was moved while the run trained: no reason to lose what it learned
        return None
