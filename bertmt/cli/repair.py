"""`bertmt repair`."""

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import registry_path
from bertmt.drawing.safe_text import safe_text


def repair(context: typer.Context) -> None:
    """Make a new registry from a damaged or lost one.

    The damaged file is moved aside, never deleted. What runs measured comes from their folders; notes, tags, the order
    of the queue and runs without a folder come from the file, as far as it can be read. What waited is held.
    """
    from bertmt.services.opening import sqlite_errors_as_sentences
    from bertmt.services.repair import repair as repair_registry

    path = registry_path(context)
    with sqlite_errors_as_sentences(path):
        found = repair_registry(path)
    output.write_lines(
        [
            f"{len(found.from_folders):,} runs from their folders",
            f"{len(found.from_file):,} runs from the damaged file alone",
            f"{len(found.typed):,} of them with the notes, tags and order of the file",
        ]
    )
    for sentence in found.lost:
        diagnostics.warn(safe_text(sentence))
    if found.aside is not None:
        diagnostics.note(f"The damaged file is {found.aside}; `bertmt runs` shows what was saved.")
