"""`bertmt demo`: what it makes, what it leaves alone, and that it goes on where it was stopped."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command_outcome import Outcome

from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs, change_state, remove
from bertmt.registry.states import Actor, State
from bertmt.services.upkeep.demo import in_words, told_of_progress

Run = Callable[..., Outcome]
SMALL = ("--set", "epochs=1", "--set", "epoch_steps=1", "--set", "evaluate_examples=12", "--set", "batch_size=4")


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Workers are stopped by Ctrl-C as soon as they are started; the registries that they were started for."""
    found: list[Path] = []

    def work(path: Path) -> int:
        found.append(path)
        return 130

    monkeypatch.setattr("bertmt.services.lifecycle.workers.work_until_empty", work)
    return found


def runs_of(folder: Path) -> list[Any]:
    with open_registry(folder / "runs.db") as database:
        return [(run.name, run.state) for run in all_runs(database)]


def test_a_demo_that_is_stopped_goes_on_when_it_is_typed_again(bertmt: Run, folder: Path, stopped: list[Path]) -> None:
    first = bertmt("demo")
    assert first.code == 130
    assert f"The demo is in {folder / 'bertmt-demo'}: baseline and final are trained there" in first.err
    assert "Stopped; `bertmt demo` goes on from there." in first.err
    both = [("baseline", State.QUEUED), ("final", State.QUEUED)]
    assert runs_of(folder / "bertmt-demo") == both
    with open_registry(folder / "bertmt-demo" / "runs.db") as database:
        change_state(database, all_runs(database)[0].key, State.CANCELLED, Actor.PERSON, "by hand")
    assert bertmt("demo").code == 130
    assert runs_of(folder / "bertmt-demo") == both, "the same two, queued again"
    assert stopped == [folder / "bertmt-demo" / "runs.db"] * 2


def test_another_folder_is_named_in_what_goes_on(bertmt: Run, folder: Path, stopped: list[Path]) -> None:
    assert "Stopped; `bertmt demo --dir here/demo` goes on" in bertmt("demo", "--dir", "here/demo").err
    assert len(runs_of(folder / "here" / "demo")) == 2


def test_what_is_no_demo_is_left_alone(bertmt: Run, folder: Path, registry: Path, stopped: list[Path]) -> None:
    """A registry of somebody's own, a folder with files, a file, and a demo whose runs were all removed."""
    before = registry.read_bytes()
    (folder / "papers").mkdir()
    (folder / "papers" / "one.pdf").write_bytes(b"")
    (folder / "file").write_text("mine")
    for name in (".", "papers", "file"):
        refused = bertmt("demo", "--dir", name)
        assert refused.code == 2
        assert "holds something other than a demo, which is left alone: name another folder with --dir" in refused.err
    assert registry.read_bytes() == before and not stopped
    assert list((folder / "papers").iterdir()) == [folder / "papers" / "one.pdf"]
    bertmt("demo")
    with open_registry(folder / "bertmt-demo" / "runs.db") as database:
        for run in all_runs(database):
            remove(database, run.key)
    assert bertmt("demo").code == 130
    assert len(runs_of(folder / "bertmt-demo")) == 2


def test_progress_is_told_while_runs_are_worked(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertmt.services.upkeep.demo.LOOK_SECONDS", 0.01)
    with open_registry(registry) as database:
        database.execute("UPDATE runs SET state = 'running' WHERE name = 'later'")
    told: list[str] = []
    with told_of_progress(registry, lambda run: told.append(run.name)):
        while not told:
            pass
    assert set(told) == {"later"}


@pytest.mark.slow
def test_the_demo_trains_compares_and_says_what_to_type_next(bertmt: Run, folder: Path) -> None:
    done = bertmt("demo", *SMALL)
    assert done.code == 0, done.err
    assert "verdict" in done.out and "against baseline" in done.out.splitlines()[-1]
    assert f"Next, in {folder / 'bertmt-demo'}: `bertmt-tui`" in done.err
    again = bertmt("demo", *SMALL)
    assert again.code == 0 and again.out.splitlines()[-1] == done.out.splitlines()[-1], "nothing is trained twice"


def compared(verdicts: dict[str, str]) -> Any:
    """A comparison, as far as the sentence about it goes by it."""
    differences = [
        SimpleNamespace(task=task, verdict=verdict, difference=None if verdict == "undecided" else sign * 0.1234)
        for (task, verdict), sign in zip(verdicts.items(), (1, -1, 1), strict=False)
    ]
    arm, reference = SimpleNamespace(name="final (b)"), SimpleNamespace(name="baseline (a)")
    titles = {"sst": "SST", "para": "PARA", "sts": "STS ρ"}
    tasks = {name: SimpleNamespace(score_title=title) for name, title in titles.items()}
    against = SimpleNamespace(arm=arm, examples=differences, seeds=())
    return SimpleNamespace(others=(against,), reference=reference, tasks=tasks)


@pytest.mark.parametrize(
    "verdicts, expected",
    [
        ({"sst": "better", "para": "worse"},
         "final (b) against baseline (a): better on SST (+0.123); worse on PARA (−0.123)."),
        ({"sts": "undecided"}, "final (b) against baseline (a): undecided on STS ρ."),
        ({"overall": "better"}, "final (b) against baseline (a): better on overall (+0.123)."),
        ({}, "final (b) and baseline (a) could not be compared."),
    ],
)  # fmt: skip
def test_the_demo_says_what_its_comparison_says(verdicts: dict[str, str], expected: str) -> None:
    assert in_words(compared(verdicts)) == expected
