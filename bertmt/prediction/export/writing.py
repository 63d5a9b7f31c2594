"""Writing a trained model for another library, into a folder that is there and empty."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bertmt import atomic_files
from bertmt.bounded_files import MOST_JSON, read_text
from bertmt.errors import BertmtError, reason_of
from bertmt.models.saving import load_model
from bertmt.prediction.export.sentence_transformers_folder import sentence_transformers_files
from bertmt.prediction.export.trained import Files, Trained
from bertmt.prediction.export.transformers_folder import transformers_files
from bertmt.recipe.loading import from_json
from bertmt.run_folder.layout import RunFolder


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Attributes:
        to: "sentence-transformers" or "transformers".
        task: which of the run's tasks; whose encoder.
        base: where others find the encoder, to write the adapter of LoRA alone; None: the encoder, LoRA merged.
    """

    to: str
    folder: Path
    task: str
    base: str | None


def write(folder: RunFolder, wanted: Wanted, allowed: Collection[str]) -> Files:
    """Fill the folder; what was written.

    Args:
        allowed: as of `load_model`.

    Raises:
        BertmtError: the model cannot be loaded, or the folder not be written.
    """
    model, tokenizer = load_model(folder.model, allowed)
    trained = Trained(model, tokenizer, from_json(read_text(folder.recipe, MOST_JSON), folder.read_tasks()))
    if wanted.to == "transformers":
        files = transformers_files(trained, wanted.task)
    else:
        files = sentence_transformers_files(trained, wanted.task, wanted.base)
    try:
        for name, content in files.contents.items():
            path = wanted.folder / name
            path.parent.mkdir(mode=atomic_files.PRIVATE_FOLDER, exist_ok=True)
            atomic_files.write_bytes(path, content)
    except OSError as problem:
        raise BertmtError(f"{wanted.folder} cannot be written: {reason_of(problem)}.") from None
    return files
