"""A user's own losses and heads at submit: read, tried on a toy batch, and made part of the recipe by their digest."""

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path

from bertmt import paths
from bertmt.bounded_files import read_bytes
from bertmt.errors import DataError, UsageError, reason_of
from bertmt.launchers.own_code import try_own_code
from bertmt.recipe.own_code import MOST_SOURCE, digest_of, own_code, with_digests, without_digest
from bertmt.recipe.recipe import Recipe
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.sources import sources_with
from bertmt.tasks import definitions

Sources = Mapping[str, tuple[str, str]]


def settle_own_code(
    recipe: Recipe, beside: Path | None = None, named: Collection[str] | None = None
) -> tuple[Recipe, Sources]:
    """The recipe with the digests of the files that it names, and their sources: digest to file and text.

    What has a digest already was tried when it was submitted first, see `require_sources`.

    Args:
        beside: the folder of the recipe's own file, where its files are looked for too.
        named: the settings that a person named now, where the others are a stored run's; None: all are a person's.

    Raises:
        UsageError: a file cannot be read, does not work on a toy batch, or no person named it.
    """
    for setting, code in without_digest(recipe).items():
        if named is not None and setting not in named:  # a stored run has digests: who knows who wrote this one
            raise UsageError(
                f"The run's recipe has code of its own, {code.file}, of which no source was submitted, and it is not "
                f"run: name a file of yours with --set {setting}=FILE:NAME, or leave it out with --set {setting}=."
            )
    files = dict.fromkeys(code.file for code in own_code(recipe) if not code.digest)
    texts = {file: _read(file, beside) for file in files}
    digests = {file: digest_of(text.encode("utf-8")) for file, text in texts.items()}
    settled = with_digests(recipe, digests)
    sources = {digests[file]: (file, text) for file, text in texts.items()}
    if sources:
        known = definitions.to_json(settled.trained())
        _try(json.dumps(settled.flat()), known, tuple((mark, text) for mark, (_, text) in sources.items()))
    return settled, sources


def require_sources(database: Database, recipe: Recipe, brought: Sources) -> None:
    """Return if every source that a recipe has the digest of is brought along or in the registry.

    Raises:
        UsageError: one is not: the recipe comes from elsewhere, and code of others is not run.
    """
    wanted = [code for code in own_code(recipe) if code.digest not in brought]
    known = sources_with(database, [code.digest for code in wanted])
    missing = [code for code in wanted if code.digest not in known]
    if missing:
        raise UsageError(
            f"The recipe has code of its own, {missing[0].file}, which was not submitted here and is not run: "
            f"name a file of yours with --set losses={missing[0].file}:{missing[0].name}, or leave it out."
        )


def stored_sources(database: Database, recipe: Recipe, brought: Sources) -> Sources:
    """All sources that a recipe has the digest of, for another registry: those brought along, the rest from this one.

    Raises:
        UsageError: as `require_sources`.
    """
    require_sources(database, recipe, brought)
    files = {code.digest: code.file for code in own_code(recipe)}
    found = sources_with(database, files)
    return {**{digest: (files[digest], text) for digest, text in found.items()}, **brought}


def sources_of(database: Database, run: Run) -> dict[str, str]:
    """The sources of a run's own losses and heads, by digest.

    Raises:
        DataError: one was not submitted here: the run was imported, and code of others is not run.
    """
    digests = digests_in(run.submission.recipe_json)
    found = sources_with(database, digests) if digests else {}
    if len(found) < len(digests):
        raise DataError(
            f"Run {run.id} has losses or heads of its own that were not submitted here, and code of others is not run; "
            f"with a file of yours: `bertmt queue --from {run.id} --set {_way_out(run, found)}`."
        )
    return found


def _way_out(run: Run, found: Collection[str]) -> str:
    """What to set, for the first setting whose source is missing."""
    for name, value in run.recipe.items():
        texts = value if isinstance(value, list) else [value]
        marks = [each.rpartition("#")[2] for each in texts if isinstance(each, str) and "#" in each]
        if (name == "losses" or name.endswith(".module")) and any(mark not in found for mark in marks):
            return f"{name}=FILE:NAME"
    return "losses=FILE:NAME"


@lru_cache(1024)
def digests_in(recipe_json: str) -> tuple[str, ...]:
    """The digests that a stored recipe has of code."""
    values = json.loads(recipe_json)
    named = [*values.get("losses", ()), *(each for name, each in values.items() if name.endswith(".module"))]
    return tuple(dict.fromkeys(text.rpartition("#")[2] for text in named if isinstance(text, str) and "#" in text))


def _read(file: str, beside: Path | None) -> str:
    places = [paths.expanded(file).absolute(), *([beside.absolute() / file] if beside else [])]
    found = next((place for place in places if place.is_file()), places[0])
    try:
        return read_bytes(found, MOST_SOURCE).decode("utf-8")
    except (OSError, ValueError) as problem:
        raise UsageError(f"{found}, which the recipe names, cannot be read: {reason_of(problem)}.") from None


# One command may queue many seeds of one recipe; the seed is no part of what is tried. What raises is not kept: a
# machine that was too busy may not be so next time.
@lru_cache(64)
def _try(recipe_json: str, tasks_json: str, sources: tuple[tuple[str, str], ...]) -> None:
    try:
        said = try_own_code(
            {"recipe": json.loads(recipe_json), "tasks": json.loads(tasks_json), "sources": dict(sources)}
        )
    except OSError as problem:
        said = f"The losses or heads of your own cannot be tried: {reason_of(problem)}."
    if said:
        raise UsageError(said)
