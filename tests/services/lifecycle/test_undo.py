"""What a person wrote or asked is taken back, unless somebody changed it since; then nothing is."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from registry_builder import RegistryBuilder

from bertmt.errors import BusyError, UsageError
from bertmt.registry.records import Run
from bertmt.registry.runs import change_state, run_by_key
from bertmt.registry.states import Actor, State
from bertmt.services.lifecycle import control, undo
from bertmt.services.lifecycle.bulk import for_all
from bertmt.services.lifecycle.reordering import prioritise

Verb = Callable[[Any, Run], Run]
VERBS: list[tuple[str, Verb, undo.Restore, Verb]] = [
    ("note", lambda each, run: control.annotate(each, run, "mine"), undo.note,
     lambda each, run: control.annotate(each, run, "theirs")),
    ("name", lambda each, run: control.rename(each, run, "mine"), undo.name,
     lambda each, run: control.rename(each, run, "theirs")),
    ("priority", lambda each, run: prioritise(each, run, 7), undo.priority,
     lambda each, run: prioritise(each, run, 8)),
    ("cancel", control.cancel, undo.cancelled,
     lambda each, run: change_state(each, run.key, State.QUEUED, Actor.PERSON, "by another")),
    ("hold", control.hold, undo.hold,
     lambda each, run: change_state(each, run.key, State.CANCELLED, Actor.PERSON, "by another")),
]  # fmt: skip


@pytest.fixture
def builder(tmp_path: Path) -> Any:
    made = RegistryBuilder(tmp_path / "runs.db")
    yield made
    made.database.close()


def waiting(builder: RegistryBuilder) -> list[Run]:
    """Two runs that differ in all that can be taken back."""
    runs = [builder.add("one", seed=1), builder.add("two", seed=2)]
    control.annotate(builder.database, runs[0], "first")
    prioritise(builder.database, runs[1], 3)
    return again(builder, runs)


def again(builder: RegistryBuilder, runs: Sequence[Run]) -> list[Run]:
    return [run_by_key(builder.database, run.key) for run in runs]


@pytest.mark.parametrize(("verb", "restore"), [(verb, restore) for _, verb, restore, _ in VERBS])
def test_each_run_is_what_it_was(builder: RegistryBuilder, verb: Verb, restore: undo.Restore) -> None:
    runs = waiting(builder)
    before = undo.as_they_are(builder.database, runs)
    after = for_all(builder.database, runs, verb)
    assert again(builder, runs) != runs
    undo.undo(builder.database, before, after, restore)
    assert again(builder, runs) == runs


@pytest.mark.parametrize(("verb", "restore", "theirs"), [each[1:] for each in VERBS])
def test_what_another_changed_since_is_left_and_so_are_all_the_others(
    builder: RegistryBuilder, verb: Verb, restore: undo.Restore, theirs: Verb
) -> None:
    runs = waiting(builder)
    before = undo.as_they_are(builder.database, runs)
    after = for_all(builder.database, runs, verb)
    theirs(builder.database, after[1])
    now = again(builder, runs)
    with pytest.raises(BusyError, match="No action was taken on any of the 2 runs"):
        undo.undo(builder.database, before, after, restore)
    assert again(builder, runs) == now


def test_tags_that_came_since_stay(builder: RegistryBuilder) -> None:
    runs = waiting(builder)
    control.tag(builder.database, runs[0], "good")
    before = undo.as_they_are(builder.database, runs)
    after = for_all(builder.database, runs, lambda each, run: control.tag(each, run, "good"))
    control.tag(builder.database, runs[1], "theirs")
    undo.undo(builder.database, before, after, undo.tags)
    assert [run.annotations.tags for run in again(builder, runs)] == [("good",), ("theirs",)]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 81, "\x1b[2J"])
def test_a_run_is_not_renamed_to_what_is_no_name(builder: RegistryBuilder, name: str) -> None:
    run = builder.add("one")
    with pytest.raises(UsageError, match="printable characters"):
        control.rename(builder.database, run, name)
    assert run_by_key(builder.database, run.key) == run


def test_a_held_run_that_was_cancelled_is_held_again_at_its_place(builder: RegistryBuilder) -> None:
    runs = [builder.add("one"), builder.add("two", seed=1, state=State.HELD), builder.add("three", seed=2)]
    before = undo.as_they_are(builder.database, runs[1:2])
    after = for_all(builder.database, runs[1:2], control.cancel)
    undo.undo(builder.database, before, after, undo.cancelled)
    assert again(builder, runs) == runs


def test_queueing_is_undone_for_all_runs_or_where_one_has_started_for_none(builder: RegistryBuilder) -> None:
    runs = [builder.add("one", seed=1), builder.add("two", seed=2)]
    undo.queueing(builder.database, runs)
    assert [run.state for run in again(builder, runs)] == [State.CANCELLED, State.CANCELLED]
    with pytest.raises(BusyError, match="is cancelled meanwhile, so that queueing cannot be undone"):
        undo.queueing(builder.database, runs)
    started, _, _ = builder.started("three")
    waits = builder.add("four", seed=4)
    with pytest.raises(BusyError, match=r"started meanwhile.*No action was taken on any of the 2 runs"):
        undo.queueing(builder.database, [waits, started])
    assert again(builder, [waits])[0].state is State.QUEUED


@pytest.mark.parametrize(
    ("verb", "restore"),
    [
        *((verb, restore) for _, verb, restore, _ in VERBS),
        (lambda each, run: control.tag(each, run, "good"), undo.tags),
    ],
)
def test_another_run_that_got_the_key_of_one_that_is_gone_is_left_as_it_is(
    builder: RegistryBuilder, verb: Verb, restore: undo.Restore
) -> None:
    """SQLite gives the key of the last row again once that is deleted."""
    run = builder.add("mine")
    before = undo.as_they_are(builder.database, [run])
    after = for_all(builder.database, [run], verb)
    builder.database.execute("UPDATE runs SET id = 'theirs' WHERE key = ?", (run.key,))  # all else is the same
    with pytest.raises(BusyError, match=f"Run {run.id} was removed for good"):
        undo.undo(builder.database, before, after, restore)
    with pytest.raises(BusyError, match=f"Run {run.id} was removed for good"):
        undo.queueing(builder.database, [run])


def test_what_was_cancelled_begun_and_cancelled_again_stays_cancelled(builder: RegistryBuilder) -> None:
    run = builder.add("mine")
    before = undo.as_they_are(builder.database, [run])
    after = for_all(builder.database, [run], control.cancel)
    builder.database.execute("UPDATE runs SET attempt = 1 WHERE key = ?", (run.key,))
    with pytest.raises(BusyError, match="was changed again since"):
        undo.undo(builder.database, before, after, undo.cancelled)
