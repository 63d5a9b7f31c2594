"""Whether the weights of an encoder fit its configuration, read from the header of its safetensors file.

The format: eight bytes with the length of the header, the header in JSON (name → dtype, shape, where in the rest), the
tensors one after the other; github.com/huggingface/safetensors, "Format".
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertmt.bounded_files import open_plain
from bertmt.encoders.families import Family
from bertmt.errors import reason_of

WEIGHTS_NAME = "model.safetensors"
MOST_HEADER = 100_000_000  # bytes; the library reads no longer one
BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2,
    "U8": 1, "BOOL": 1,
}  # fmt: skip
FLOATS = ("F64", "F32", "F16", "BF16")
# What transformers takes for one name, besides the family's prefix of an encoder that had a task: TensorFlow's.
OLDER = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}

Tensors = Mapping[str, tuple[str, tuple[int, ...]]]  # name → dtype, shape


def check_weights(folder: Path, family: Family, configuration: Mapping[str, Any]) -> None:
    """Return if every weight of the encoder is there, whole, and of the shape that the configuration asks for.

    Args:
        family, configuration: of `read_configuration`.

    Raises:
        ValueError: in words that end a sentence.
    """
    file = folder / WEIGHTS_NAME
    if not file.is_file():
        other = sorted(found.name for pattern in ("*.bin", "*.pt", "*.h5") for found in folder.glob(pattern))
        found = f" (and {other[0]} is not loaded: such files can run code)" if other else ""
        raise ValueError(f"it has no {WEIGHTS_NAME}{found}")
    try:
        tensors = read_header(file)
    except (OSError, ValueError, RecursionError) as problem:
        raise ValueError(f"its {WEIGHTS_NAME} is damaged or cut off ({reason_of(problem)})") from None
    for name, shape in family.shapes(configuration):
        prefixes = ("", family.prefix)
        names = [prefix + word for prefix in prefixes for word in (name, _older(name)) if prefix + word in tensors]
        if not names:
            raise ValueError(f"its {WEIGHTS_NAME} lacks {name}, which its config.json asks for")
        for each in names:
            dtype, has = tensors[each]
            if has != shape:
                raise ValueError(
                    f"in its {WEIGHTS_NAME} {each} has the shape {_words(has)}, but its config.json asks for "
                    f"{_words(shape)}"
                )
            if dtype not in FLOATS:
                raise ValueError(f"in its {WEIGHTS_NAME} {each} holds {dtype}, which are no weights")


def read_header(file: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The tensors of a safetensors file: name to dtype and shape.

    Raises:
        OSError: it cannot be read.
        ValueError, RecursionError: it is none, or not whole.
    """
    with open_plain(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        length = int.from_bytes(stream.read(8), "little")
        if length > size - 8:
            raise ValueError("its header is longer than the file")
        if length > MOST_HEADER:
            raise ValueError(f"its header has more than {MOST_HEADER:,} bytes")
        header = json.loads(stream.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    notes = header.pop("__metadata__", None)
    if notes is not None and not (isinstance(notes, dict) and all(isinstance(each, str) for each in notes.values())):
        raise ValueError("its __metadata__ is no table of texts")
    tensors, ends = {}, []
    for name, about in header.items():
        dtype, shape, start, end = _tensor(name, about)
        tensors[name] = dtype, shape
        ends.append((start, end))
    at = 0
    for start, end in sorted(ends):  # without a gap, as the library wants it
        if start != at:
            raise ValueError("its tensors do not follow each other")
        at = end
    if not tensors or size != 8 + length + at:
        raise ValueError("its length is not the one its header says")
    return tensors


def _tensor(name: str, about: Any) -> tuple[str, tuple[int, ...], int, int]:
    if not isinstance(about, dict) or not {"dtype", "shape", "data_offsets"} <= about.keys():
        raise ValueError(f"it does not say what {ascii(name)[:60]} is")
    dtype, shape, offsets = about["dtype"], about["shape"], about["data_offsets"]
    if not (isinstance(dtype, str) and dtype in BYTES and _are_counts(shape) and _are_counts(offsets)):
        raise ValueError(f"it says nothing that is known of {ascii(name)[:60]}")
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * BYTES[dtype]:
        raise ValueError(f"the length of {ascii(name)[:60]} is not that of its shape")
    return dtype, tuple(shape), offsets[0], offsets[1]


def _are_counts(value: object) -> bool:
    # Eight are more than any tensor has; a product of thousands of numbers takes its time.
    return (
        isinstance(value, list)
        and len(value) <= 8
        and all(isinstance(each, int) and not isinstance(each, bool) and 0 <= each < 1 << 48 for each in value)
    )


def _older(name: str) -> str:
    for newer, older in OLDER.items():
        name = name.replace(newer, older)
    return name


def _words(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "of one number"
