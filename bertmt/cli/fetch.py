"""`bertmt fetch`."""

from typing import Annotated

import typer

from bertmt.cli import diagnostics, output
from bertmt.drawing.safe_text import safe_text


def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model on the hub, such as bert-base-uncased.")],
    revision: Annotated[
        str | None,
        typer.Option("--revision", metavar="COMMIT", help="Use this revision instead of the pinned or latest one."),
    ] = None,
) -> None:
    """Download an encoder from the Hugging Face hub.

    Any bert, distilbert, roberta or modernbert: safetensors weights only, at a pinned revision where there is one, with
    the SHA-256 of each file kept beside it; training itself stays offline.
    """
    from bertmt.services.upkeep.fetch import fetch as fetch_encoder

    fetched = fetch_encoder(name, revision)
    files = fetched.files
    verb = "is already at" if fetched.already_there else "is at"
    output.write_lines(
        [
            safe_text(f"{name} {verb} {files.folder}"),
            safe_text(f"revision {files.revision}, {files.layers} layers, {files.hidden_size} wide"),
        ]
    )
    diagnostics.note(f"Next: `bertmt init --encoder {name}`, or `bertmt queue --preset baseline --encoder {name}`.")
