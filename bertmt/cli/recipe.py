"""`bertmt recipe`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import named_run, registry_path
from bertmt.cli.parameters import AsJson, FromRun, PresetName, RecipeFile, Settings
from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.styled import Span
from bertmt.drawing.tables import Column, Row, table

if TYPE_CHECKING:
    from bertmt.recipe.loading import Preset
    from bertmt.recipe.settings import Setting

COLUMNS = (Column("setting"), Column("role"), Column("default"), Column("what it takes"))


def recipe(
    context: typer.Context,
    preset: PresetName = None,
    file: RecipeFile = None,
    from_run: FromRun = None,
    settings: Settings = None,
    keys: Annotated[bool, typer.Option("--keys", help="List all settings instead.")] = False,
    save: Annotated[
        str | None, typer.Option("--save", metavar="NAME", help="Make it a preset of your own: presets/NAME.toml.")
    ] = None,
    summary: Annotated[str, typer.Option("--summary", metavar="TEXT", help="With --save: what it is.")] = "",
    force: Annotated[bool, typer.Option("--force", help="With --save: replace your preset of that name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a recipe as TOML, or list all settings.

    The baseline by default, with every setting resolved; `bertmt queue --file` reads it.
    """
    from bertmt.recipe.loading import parse_assignments
    from bertmt.recipe.rules import remarks
    from bertmt.services.plan.preset_list import equal_preset, save_preset
    from bertmt.services.plan.recipes import chosen_recipe, own_values, recipe_text

    if keys:
        _write_keys(as_json)
        return
    path, source, folder = Path(file) if file else None, named_run(context, from_run), registry_path(context).parent
    values = parse_assignments(settings or [])
    chosen = chosen_recipe(preset, path, source, values, folder)
    # Saved before anything is said: where that is refused, remarks about the recipe would stand in front of the reason.
    saved = None
    if save is not None:
        own = own_values(preset, path, source, values, folder)
        saved = save_preset(folder, save, chosen, own, summary, force)
    diagnostics.note(*remarks(chosen))
    if saved is not None:
        _write_saved(*saved, as_json)
        return
    if as_json:
        content = {"recipe": chosen.flat(), "preset": equal_preset(chosen, folder, preset)}
        output.write_document("bertmt.recipe/1", content)
        return
    output.write_data([recipe_text(chosen)])


def _write_saved(saved: "Preset", file: Path, as_json: bool) -> None:
    if as_json:
        content = {"name": saved.name, "file": str(file), "settings": dict(saved.values)}
        output.write_document("bertmt.preset_saved/1", content)
        return
    output.write_lines([safe_text(f"Wrote {file}.")])
    diagnostics.note(f"Next: `bertmt queue --preset {saved.name}`.")


def _write_keys(as_json: bool) -> None:
    from bertmt.recipe.recipe import SETTINGS

    if as_json:
        output.write_document("bertmt.settings/1", {"settings": [_record(each) for each in SETTINGS.values()]})
        return
    output.write_lines(table(COLUMNS, [_row(each) for each in SETTINGS.values()], None))


def _row(setting: "Setting") -> Row:
    kind = {"str": "text", "bool": "true | false"}.get(setting.kind, setting.kind)
    takes = [
        " | ".join(setting.choices) or kind,
        f"≥ {setting.minimum:g}" if setting.minimum is not None else "",
        f"> {setting.above:g}" if setting.above is not None else "",
        f"≤ {setting.maximum:g}" if setting.maximum is not None else "",
    ]
    below = (Span(f"    {setting.help}", "dim"),)
    return Row([setting.name, str(setting.role), _default(setting), " ".join(filter(None, takes))], [below])


def _default(setting: "Setting") -> str:
    if setting.default is None:
        return "(left out)"
    if isinstance(setting.default, tuple):
        return ",".join(setting.default)
    return str(setting.default).lower() if isinstance(setting.default, bool) else str(setting.default) or '""'


def _record(setting: "Setting") -> dict[str, Any]:
    names = ("name", "kind", "role", "default", "optional", "minimum", "maximum", "above", "choices", "help")
    return {name: getattr(setting, name) for name in names}
