"""Arguments and options that several commands share."""

from collections import ChainMap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bertmt.cli import completion

if TYPE_CHECKING:
    from bertmt.errors import Problems

RunWord = Annotated[
    str,
    typer.Argument(metavar="RUN", help="An id, a name, or the beginning of one.", autocompletion=completion.runs),
]
RunWords = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Ids, names, or the beginning of one; a name may be shared by several seeds.",
        autocompletion=completion.runs,
    ),
]
RunWordsOrNone = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN...]",
        help="Ids, names, or the beginning of one.",
        autocompletion=completion.runs,
        show_default=False,
    ),
]
RecipeFile = Annotated[
    str | None,
    typer.Option("--file", metavar="RECIPE.toml", help="Your own recipe; `bertmt recipe` prints one to start from."),
]
FromRun = Annotated[
    str | None,
    typer.Option("--from", metavar="RUN", help="Use that run's recipe.", autocompletion=completion.runs),
]
DataFolder = Annotated[
    str | None, typer.Option("--data", metavar="DIR", help="A folder in the CS224N format, or toy (embedded).")
]
ExtraData = Annotated[
    str | None, typer.Option("--extra-data", metavar="FILE", help="Extra paraphrase pairs, .jsonl or .jsonl.gz.")
]
EncoderName = Annotated[
    str | None,
    typer.Option(
        "--encoder", metavar="NAME", help="tiny, minilm, a model downloaded by `bertmt fetch`, or a local folder.",
        autocompletion=completion.encoders,
    ),
]  # fmt: skip
Ascii = Annotated[bool, typer.Option("--ascii", help="Use ASCII characters only.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON object instead of a table.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting of the recipe; may be repeated. `bertmt recipe --keys` lists them.",
        autocompletion=completion.settings,
    ),
]
PresetName = Annotated[
    str | None,
    typer.Option(
        "--preset", metavar="NAME", help="A model of the paper; `bertmt presets` lists them.",
        autocompletion=completion.presets,
    ),
]  # fmt: skip


def named_settings(data: str | None, extra_data: str | None, encoder: str | None) -> dict[str, str]:
    """The settings of a recipe that have flags of their own, as far as they are given."""
    named = {"data": data, "extra_data_file": extra_data, "encoder": encoder}
    return {name: value for name, value in named.items() if value is not None}


def assigned_settings(problems: "Problems", settings: Sequence[str]) -> dict[str, str]:
    """What `--set` says, as far as it can be understood."""
    from bertmt.recipe.loading import parse_assignments

    found = [problems.attempt(parse_assignments, [text]) or {} for text in settings]
    return dict(ChainMap(*found[::-1]))
