"""`bertmt init`."""

from pathlib import Path

from bertmt.cli import diagnostics, output
from bertmt.cli.parameters import DataFolder, EncoderName, ExtraData, Settings, named_settings
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text


def init(
    data: DataFolder = None, extra_data: ExtraData = None, encoder: EncoderName = None, settings: Settings = None
) -> None:
    """Write bertmt.toml, the defaults of later commands.

    They apply in this folder and below; the options of `bertmt queue` override them.
    """
    from bertmt.recipe.loading import parse_assignments
    from bertmt.services.plan.defaults import write_defaults

    values = named_settings(data, extra_data, encoder) | parse_assignments(settings or [])
    written = write_defaults(Path.cwd(), values)
    for warning in written.warnings:
        diagnostics.warn(warning)
    output.write_lines(f"{safe_text(name)}: {counted(size, 'example')}" for name, size in written.sizes.items())
    output.write_lines([f"Wrote {safe_text(str(written.path))}."])
    diagnostics.note("Next: `bertmt presets`, then `bertmt queue --preset baseline --work`.")
