"""`bertmt init`."""

from pathlib import Path

from bertmt.cli import diagnostics, output
from bertmt.cli.parameters import DataFolder, EncoderName, ExtraData, Settings, assigned_settings, named_settings
from bertmt.drawing.numbers import counted
from bertmt.drawing.safe_text import safe_text


def init(
    data: DataFolder = None, extra_data: ExtraData = None, encoder: EncoderName = None, settings: Settings = None
) -> None:
    """Write bertmt.toml, the defaults of later commands.

    They apply in this folder and below; the options of `bertmt queue` override them.
    """
    from bertmt.errors import Problems
    from bertmt.services.plan.defaults import write_defaults

    problems = Problems()
    values = named_settings(data, extra_data, encoder) | assigned_settings(problems, settings or [])
    written = write_defaults(Path.cwd(), values, problems)
    for warning in written.warnings:
        diagnostics.warn(warning)
    output.write_lines(f"{safe_text(name)}: {counted(size, 'example')}" for name, size in written.sizes.items())
    output.write_lines([f"Wrote {safe_text(str(written.path))}."])
    diagnostics.note("Next: `bertmt presets`, then `bertmt queue --preset baseline --work`.")
