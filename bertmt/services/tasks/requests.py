"""Where a new task's files come from: named ones, a data set of the hub, or one that is known by the task's name."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bertmt import paths
from bertmt.errors import UsageError
from bertmt.services.plan.known_tasks import refuse_name
from bertmt.services.tasks.adding import Wanted, refuse_existing
from bertmt.services.tasks.hub import USUAL_SPLITS, Brought, Hub, bring
from bertmt.tasks.known_sources import KNOWN_SOURCES
from bertmt.tasks.malformed import shown


def with_files(
    folder: Path,
    said: Wanted,
    named: Mapping[str, str | None],
    hub_set: str | None = None,
    revision: str | None = None,
    force: bool = False,
    hub: Hub | None = None,
) -> Wanted:
    """What a person says of a task, with its files in place.

    Args:
        folder: of the registry.
        said: without files.
        named: train, dev and test to files; with `hub_set` to what the hub calls these splits.
        hub_set: "owner/name" or "owner/name:config".
        force: a task of that name may be there.
        hub: what talks to the hub.

    Raises:
        UsageError: neither files nor a data set are named.
        BusyError: there is a task of that name.
        DataError: the data set cannot be brought.
    """
    refuse_name(said.name, f"A task cannot be called {shown(said.name)}")
    refuse_existing(folder, said.name, force)
    if hub_set:
        splits = {split: named.get(split) or usual for split, usual in USUAL_SPLITS.items()}
        return _with_brought(said, bring(folder, said.name, hub_set, splits, revision, hub))
    if not any(named.values()) and said.name in KNOWN_SOURCES:
        known = KNOWN_SOURCES[said.name]
        splits = {"train": "train", "dev": known.dev_split, "test": known.test_split}
        brought = bring(folder, said.name, f"{known.repository}:{known.configuration}", splits, revision, hub)
        return _with_brought(_as_known(said), brought)
    if revision:
        raise UsageError("--revision is of a data set on the hub: name that with --hub OWNER/NAME.")
    if not any(named.values()):
        raise UsageError(
            "Name the task's files, --train FILE and --dev FILE, or a data set, --hub OWNER/NAME; known by name are "
            f"{', '.join(KNOWN_SOURCES)}."
        )
    return replace(said, files={split: paths.expanded(file) for split, file in named.items() if file})


def _with_brought(said: Wanted, brought: Brought) -> Wanted:
    origin = brought.origin.partition("@")[0]
    known = {f"{each.repository}:{each.configuration}": each.data_set for each in KNOWN_SOURCES.values()}
    data_set = said.data_set or known.get(origin, origin)
    return replace(said, files=brought.files, hub=brought.origin, sha256=brought.sha256, data_set=data_set)


def _as_known(said: Wanted) -> Wanted:
    """What is known of a data set, where a person does not say otherwise."""
    known = KNOWN_SOURCES[said.name]
    has_labels = said.classes or said.label_range or said.kind
    return replace(
        said,
        title=said.title or known.title,
        data_set=said.data_set or known.data_set,
        text=said.text or known.text,
        pair=known.pair if said.pair is None else said.pair,
        label=said.label or "label",
        metric=said.metric or known.metric,
        classes=said.classes if has_labels else known.classes,
        label_range=said.label_range if has_labels else known.label_range,
    )
