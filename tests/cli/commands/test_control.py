"""Commands that change runs: each does what it says, and says what it did."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs


class Terminal(io.StringIO):
    """A stdin at which somebody sits."""

    def isatty(self) -> bool:
        return True


def names(registry: Path) -> list[Any]:
    with open_registry(registry) as database:
        return [run.name for run in all_runs(database)]


@pytest.mark.parametrize(
    ("arguments", "name", "state"),
    [
        (["cancel", "later"], "later", "cancelled"),
        (["hold", "later"], "later", "held"),
        (["release", "held"], "held", "queued"),
        (["requeue", "evil"], None, "queued"),
    ],
)
def test_a_state_is_changed_and_said(
    bertmt: Callable[..., Outcome],
    registry: Path,
    run_named: Callable[..., Run],
    arguments: list[str],
    name: str | None,
    state: str,
) -> None:
    outcome = bertmt(*arguments)
    assert outcome.code == 0
    assert state in outcome.out
    if name:
        assert run_named(name).state == state


def test_one_command_takes_several_runs_and_all_seeds_of_a_name(bertmt: Callable[..., Outcome], registry: Path) -> None:
    assert bertmt("tag", "twins", "base", "seen").out.count("seen") == 3


def test_the_whole_queue_is_held_and_released(bertmt: Callable[..., Outcome], registry: Path) -> None:
    assert bertmt("hold", "--queue").out == "The queue is held: running runs continue, nothing else starts.\n"
    for command in (["runs"], ["workers"], ["queue", "--preset", "sst-only", "--data", "toy", "--encoder", "tiny"]):
        assert "nothing starts until `bertmt release --queue`" in bertmt(*command).err
    assert "released" in bertmt("release", "--queue").out
    assert "The queue is held" not in bertmt("runs").err


@pytest.mark.parametrize("command", ["hold", "release"])
def test_holding_needs_runs_or_the_queue_not_both(bertmt: Callable[..., Outcome], registry: Path, command: str) -> None:
    assert bertmt(command).code == 2
    assert bertmt(command, "later", "--queue").code == 2


def test_move_puts_runs_first_in_the_order_in_which_they_are_named(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    bertmt("queue", "--preset", "sst-only", "--data", "toy", "--encoder", "tiny", "--name", "third")
    bertmt("move", "third", "held", "--first")
    order = sorted(["later", "held", "third"], key=lambda name: run_named(name).queueing.position)
    assert order == ["third", "held", "later"]


def test_move_puts_a_run_before_another_or_last(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    bertmt("move", "held", "--before", "later")
    assert run_named("held").queueing.position < run_named("later").queueing.position
    bertmt("move", "held", "--last")
    assert run_named("held").queueing.position > run_named("later").queueing.position


@pytest.mark.parametrize("arguments", [["move", "later"], ["move", "later", "--first", "--last"]])
def test_move_asks_for_one_place(bertmt: Callable[..., Outcome], registry: Path, arguments: list[str]) -> None:
    assert bertmt(*arguments).code == 2


def test_edit_changes_waiting_runs_and_says_what(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    outcome = bertmt("edit", "later", "--set", "lora.rank=8", "--set", "epochs=3")
    assert "lora.rank 0 → 8" in outcome.out
    assert (run_named("later").recipe["lora.rank"], run_named("later").recipe["epochs"]) == (8, 3)
    assert bertmt("edit", "base", "--set", "epochs=3").code == 4


def test_a_note_is_replaced_and_a_tag_removed(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    bertmt("note", "base", "first")
    bertmt("note", "base", "second")
    bertmt("tag", "base", "good")
    assert (run_named("base").annotations.note, run_named("base").annotations.tags) == ("second", ("good",))
    bertmt("tag", "base", "good", "--remove")
    assert run_named("base").annotations.tags == ()
    assert bertmt("tag", "base", "good", "--remove").code == 3
    assert bertmt("tag", "good").code == 2


def test_rm_never_asks_where_nobody_can_answer(
    bertmt: Callable[..., Outcome], registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    outcome = bertmt("rm", "base")
    assert outcome.code == 2
    assert "pass --yes" in outcome.err
    assert "base" in names(registry)


def test_rm_of_many_names_three_and_counts_the_others(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [builder.add("many", seed=seed).id for seed in range(40)]
    monkeypatch.setattr("sys.stdin", io.StringIO())
    outcome = bertmt("rm", "many")
    assert outcome.code == 2 and f"{ids[2]} (many, seed 2, queued) and 37 more; pass --yes" in outcome.err
    assert not any(each in outcome.err for each in ids[3:])
    removed = bertmt("rm", "many", "--yes")
    assert len(removed.out.splitlines()) == 40
    assert "`bertmt restore RUN...` brings back" in removed.err and not any(each in removed.err for each in ids)


def test_a_name_of_many_runs_is_told_by_three_of_them(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, registry: Path
) -> None:
    ids = [builder.add("many", seed=seed).id for seed in range(40)]
    outcome = bertmt("logs", "many")
    assert outcome.code == 2 and "and 37 more; type the id of one" in outcome.err
    assert [each for each in ids if each in outcome.err] == ids[:3]


def test_a_run_that_waits_for_many_says_so_by_three_of_them(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, registry: Path, run_named: Callable[..., Run]
) -> None:
    ids = [builder.add("many", seed=seed).id for seed in range(40)]
    bertmt("queue", "--preset", "sst-only", "--data", "toy", "--encoder", "tiny", "--name", "last", "--after", "many")
    assert len(run_named("last").queueing.awaits) == 40
    [line] = [line for line in bertmt("runs").out.splitlines() if "after" in line]
    assert line.strip() == f"after {ids[0]}, after {ids[1]}, after {ids[2]} and 37 more"


def test_of_many_runs_that_did_not_finish_three_are_named(
    bertmt: Callable[..., Outcome], builder: RegistryBuilder, registry: Path
) -> None:
    ids = [builder.add("many", seed=seed).id for seed in range(5)]
    builder.database.execute("UPDATE runs SET state = 'cancelled' WHERE name = 'many'")
    listed = ", ".join(f"{each} (cancelled)" for each in ids[:3])
    assert f"Not finished: {listed} and 2 more; `bertmt show {ids[0]}`" in bertmt("wait", "many").err


@pytest.mark.parametrize(("answer", "left"), [("y\n", False), ("n\n", True), ("\n", True), ("", True)])
def test_rm_asks_where_somebody_sits(
    bertmt: Callable[..., Outcome], registry: Path, monkeypatch: pytest.MonkeyPatch, answer: str, left: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    outcome = bertmt("rm", "base")
    assert "[y/N]" in outcome.err
    assert ("base" in names(registry)) is left


def test_rm_can_be_undone(bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]) -> None:
    run = run_named("base")
    outcome = bertmt("rm", "base", "--yes")
    assert outcome.code == 0 and f"`bertmt restore {run.id}`" in outcome.err
    assert "base" not in names(registry)
    assert (registry.parent / "runs" / run.id).is_dir()
    assert bertmt("restore", run.id).out == f"{run.id} base: finished\n"
    assert run_named("base") == run


def test_restore_brings_back_all_that_are_named_or_none(bertmt: Callable[..., Outcome], registry: Path) -> None:
    bertmt("rm", "base", "better", "--yes")
    outcome = bertmt("restore", "base", "nobody")
    assert outcome.code == 3 and "No removed run named 'nobody'" in outcome.err
    assert not {"base", "better"} & set(names(registry))
    assert bertmt("restore", "base", "better", "base").code == 0
    assert {"base", "better"} <= set(names(registry))


def test_the_baseline_is_shown_chosen_and_given_back(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    assert run_named("base").id in bertmt("baseline").out
    assert "Chosen for every run" in bertmt("baseline", "better").out
    assert " base\n" in bertmt("runs", "--filter", "name:better").out
    automatic = bertmt("baseline", "--clear").out
    assert "Each run's is the first finished `baseline` of equal scale, its own seed first:" in automatic
    assert bertmt("baseline", "later").code == 4
    assert bertmt("baseline", "base", "--clear").code == 2


def test_runs_are_renamed_by_what_they_are_called_and_found_by_it(
    bertmt: Callable[..., Outcome], registry: Path, run_named: Callable[..., Run]
) -> None:
    run = run_named("base")
    assert bertmt("rename", "base", "a better name").out == f"{run.id}: base → a better name\n"
    assert run_named("a better name").id == run.id
    assert bertmt("rename", "twins", "pair").out.count("twins → pair") == 2
    assert bertmt("rename", "twins").code == 2
    assert bertmt("rename", "pair", "x" * 81).code == 2 and names(registry).count("pair") == 2
