"""Commands on all runs that match `--filter`: how many is said and asked, and it is done to all of them or none."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import RegistryBuilder

from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.registry.states import State

EDIT = ["edit", "--set", "epochs=2"]
COMMANDS = (["cancel"], ["rm"], ["requeue"], ["tag", "seen"], ["pause"], ["export"], ["hold"], EDIT)


class Terminal(io.StringIO):
    """A stdin at which somebody sits."""

    def isatty(self) -> bool:
        return True


def runs(registry: Path) -> list[Run]:
    with open_registry(registry) as database:
        return all_runs(database)


@pytest.fixture
def many(builder: RegistryBuilder) -> list[str]:
    """Five runs of one name: three wait, one failed, one runs; their ids in this order."""
    ids = [builder.add("many", seed=seed).id for seed in range(5)]
    for run_id, state in ((ids[3], "failed"), (ids[4], "running")):
        builder.database.execute("UPDATE runs SET state = ? WHERE id = ?", (state, run_id))
    return ids


@pytest.fixture(autouse=True)
def alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs has a process."""
    monkeypatch.setattr("bertmt.services.ingest.reconcile.is_alive", lambda folder: True)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_filter_asks_and_nothing_is_done_without_an_answer(
    bertmt: Callable[..., Outcome],
    registry: Path,
    many: list[str],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
) -> None:
    before = runs(registry)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    outcome = bertmt(*command, "--filter", "name=many")
    assert (outcome.code, outcome.out) == (2, "")
    assert "Cannot ask for confirmation to" in outcome.err and "pass --yes" in outcome.err
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    outcome = bertmt(*command, "--filter", "name=many")
    assert (outcome.code, outcome.out) == (0, "") and "Nothing was done" in outcome.err
    assert runs(registry) == before


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("query", ["", "  "])
def test_an_empty_filter_is_never_everything(
    bertmt: Callable[..., Outcome], registry: Path, command: list[str], query: str
) -> None:
    before = runs(registry)
    outcome = bertmt(*command, "--filter", query, "--yes")
    assert outcome.code == 2 and "--filter expects" in outcome.err
    assert runs(registry) == before


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_runs_or_a_filter_and_not_both(
    bertmt: Callable[..., Outcome], registry: Path, many: list[str], command: list[str]
) -> None:
    name, *rest = command
    for arguments in ([name, *rest], [name, many[0], *rest, "--filter", "name=many", "--yes"]):
        outcome = bertmt(*arguments)
        assert outcome.code == 2 and "runs, " in outcome.err
        assert "--filter QUERY for all that match" in outcome.err


def test_the_question_has_the_number_and_says_what_is_left_alone(
    bertmt: Callable[..., Outcome], registry: Path, many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    outcome = bertmt("cancel", "--filter", "name=many seed:0,1,3")
    assert f"Cancel 2 runs: {many[0]} (many, seed 0, queued), {many[1]} (many, seed 1, queued)? [y/N]" in outcome.err
    assert "1 other ended and is left alone." in outcome.err
    states = {run.id: run.state for run in runs(registry)}
    assert [states[each] for each in many[:4]] == [State.CANCELLED, State.CANCELLED, State.QUEUED, State.FAILED]


@pytest.mark.parametrize(
    ("command", "acted"),
    [
        (["cancel"], "0124"),
        (["rm"], "0123"),
        (["requeue"], "3"),
        (["pause"], "4"),
        (["hold"], "012"),
        (EDIT, "012"),
        (["tag", "seen"], "01234"),
    ],
    ids=str,
)
def test_each_verb_acts_on_those_it_is_for(
    bertmt: Callable[..., Outcome], registry: Path, many: list[str], command: list[str], acted: str
) -> None:
    outcome = bertmt(*command, "--filter", "name=many", "--yes")
    assert outcome.code == 0, outcome.err
    assert [line.split()[0] for line in outcome.out.splitlines()] == [many[int(each)] for each in acted]


@pytest.mark.parametrize(("verb", "state", "after"), [("release", "held", "queued"), ("resume", "paused", "queued")])
def test_what_is_kept_back_can_go_on_by_a_filter(
    bertmt: Callable[..., Outcome], registry: Path, builder: RegistryBuilder, many: list[str], verb: str, state: str,
    after: str,
) -> None:  # fmt: skip
    for run_id in many[:2]:
        builder.database.execute("UPDATE runs SET state = ? WHERE id = ?", (state, run_id))
    outcome = bertmt(verb, "--filter", "name=many", "--yes")
    assert outcome.code == 0 and f"3 others not {state} and are left alone." in outcome.err.replace("are not", "not")
    assert [line.split()[0] for line in outcome.out.splitlines()] == many[:2]
    assert {run.state for run in runs(registry) if run.id in many[:2]} == {State(after)}


def test_the_whole_queue_and_a_filter_are_two_things(bertmt: Callable[..., Outcome], registry: Path) -> None:
    outcome = bertmt("hold", "--queue", "--filter", "name=many", "--yes")
    assert outcome.code == 2 and "or --queue for the whole queue" in outcome.err


def test_export_of_what_matches_is_that_of_the_runs_named(bertmt: Callable[..., Outcome], registry: Path) -> None:
    named = bertmt("export", "base", "better").out
    assert named.count("\n") > 1
    assert bertmt("export", "--filter", "name=base,better", "--yes").out == named


def test_nothing_that_matches_is_a_sentence(bertmt: Callable[..., Outcome], registry: Path) -> None:
    outcome = bertmt("rm", "--filter", "name=nobody", "--yes")
    assert outcome.code == 3 and "No run matches the filter" in outcome.err
    outcome = bertmt("pause", "--filter", "state:finished", "--yes")
    assert outcome.code == 3 and "that match are not running" in outcome.err
    assert bertmt("rm", "--filter", "nmae:base", "--yes").code == 2


def test_where_one_refuses_none_is_touched(
    bertmt: Callable[..., Outcome], registry: Path, many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bertmt("tag", many[0], "seen")
    outcome = bertmt("tag", "seen", "--remove", "--filter", "name=many", "--yes")
    assert outcome.code == 3 and "No action was taken on any of the 5 runs" in outcome.err
    assert [run.id for run in runs(registry) if "seen" in run.annotations.tags] == [many[0]]
