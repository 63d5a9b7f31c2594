"""`bertmt search` and `bertmt searches`, and docs/search.md, whose commands work as they stand there."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_outcome import Outcome
from registry_builder import HOSTILE
from trained_trials import begun, train_next

from bertmt.registry.file.opening import open_registry
from bertmt.registry.runs import all_runs
from bertmt.registry.searches.rows import all_searches, search_named
from bertmt.registry.states import State
from bertmt.services.analysis.searching.advancing import advance
from bertmt.services.analysis.searching.scoring import Scorer

PAGE = Path(__file__).resolve().parents[3] / "docs" / "search.md"
TINY = ("--preset", "sst-only", "--data", "toy", "--encoder", "tiny", "--set", "epochs=3", "--set", "epoch_steps=2")
OVER = ("--over", "head_dropout=0..0.5")


@pytest.fixture
def searched(folder: Path) -> Path:
    """A registry with a search that has ended, named trial."""
    with open_registry(folder / "runs.db", create=True) as database:
        begun(database, over=("head_dropout=0..0.9", "pooling=mean,cls"))
        scorer = Scorer(database, search_named(database, "trial"))
        while advance(database, "trial", lambda _: None, scorer).search.ended_at is None:
            while train_next(database) is not None:
                pass
    return folder / "runs.db"


def test_a_dry_run_shows_the_first_recipes_and_stores_nothing(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt("search", *TINY, *OVER, "--runs", "3", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert len(re.findall(r"^sst-only-search-\d  head_dropout=0\.\d+$", outcome.out, re.MULTILINE)) == 3
    assert "3 recipes would be" in outcome.err and not (folder / "runs.db").exists()


def test_a_search_that_has_ended_is_shown_with_all_it_tried(bertmt: Callable[..., Outcome], searched: Path) -> None:
    outcome = bertmt("searches", "trial")
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("pruned  ") == 8 and outcome.out.count("best  ") == 1
    assert "Best of 9 recipes (8 pruned)" in outcome.out and "believe the latter" in outcome.out
    assert "head_dropout  lower values scored better" in outcome.out
    assert "trial" in bertmt("searches").out


def test_resuming_one_that_has_ended_trains_nothing_and_tells_again(
    bertmt: Callable[..., Outcome], searched: Path
) -> None:
    before = bertmt("searches", "trial", "--json").out
    outcome = bertmt("search", "--resume", "trial", "--json")
    assert outcome.code == 0 and outcome.out == before


def test_the_document_tells_of_each_recipe_and_of_the_optimism(bertmt: Callable[..., Outcome], searched: Path) -> None:
    document = json.loads(bertmt("searches", "trial", "--json").out)
    assert (document["schema"], document["tried"], document["pruned"]) == ("bertmt.search/1", 9, 8)
    assert document["optimism"] == pytest.approx(document["score"] - document["held_out_score"])
    assert len(document["recipes"]) == 9 and document["recipes"][0]["run"] == document["winner"]
    assert set(document["importance"]) == {"head_dropout", "pooling"}


def test_hostile_names_of_runs_reach_no_terminal(bertmt: Callable[..., Outcome], searched: Path) -> None:
    with open_registry(searched) as database:
        database.execute("UPDATE runs SET name = ?", (HOSTILE,))
    for command in (("searches", "trial"), ("searches",), ("search", "--resume", "trial")):
        outcome = bertmt(*command)
        assert outcome.code == 0 and not set("\x1b\x07\x9b\u202e") & set(outcome.out + outcome.err)


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        ((*TINY, "--runs", "3"), "needs something to search over", 2),
        ((*TINY, *OVER), "A search needs an end", 2),
        ((*TINY, "--over", "head_dropout=0.5..0", "--runs", "3"), "is empty", 2),
        ((*TINY, "--over", "surgery=0..1", "--runs", "3"), "list its values", 2),
        ((*TINY, "--over", "nothing=0..1", "--runs", "3"), "`nothing` is not a setting", 2),
        (("--preset", "nobodys", *OVER, "--runs", "3"), "No preset is called 'nobodys'", 3),
        ((*OVER, "--runs", "3"), "Name one recipe", 2),
        (("--resume", "trial", "--runs", "3"), "leave the other options out", 2),
        (("--resume", "trial", "--dry-run"), "leave the other options out", 2),
        (("--resume", "nothing"), "No search is called 'nothing'", 3),
    ],
)
def test_bad_input_is_refused_in_one_sentence(
    bertmt: Callable[..., Outcome], searched: Path, arguments: tuple[str, ...], said: str, code: int
) -> None:
    outcome = bertmt("search", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err and outcome.err.count("\n") == 1 and "Traceback" not in outcome.err
    with open_registry(searched) as database:
        assert len(all_searches(database)) == 1 and len(all_runs(database)) == 9


def test_several_problems_are_told_together(bertmt: Callable[..., Outcome], folder: Path) -> None:
    outcome = bertmt("search", "--preset", "nobodys", "--over", "surgery=0..1", "--budget", "soon")
    assert [word in outcome.err for word in ("nobodys", "surgery", "--budget expects")] == [True] * 3


def test_without_optuna_its_sampler_is_refused_with_what_to_install(
    bertmt: Callable[..., Outcome], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    outcome = bertmt("search", *TINY, *OVER, "--runs", "3", "--strategy", "random", "--sampler", "tpe")
    assert outcome.code == 2 and 'pip install "bertmt[search]"' in outcome.err


@pytest.mark.slow
def test_every_command_of_the_page_works_and_nothing_is_trained_twice(
    bertmt: Callable[..., Outcome], folder: Path
) -> None:
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(lines) == 5
    for line in lines:
        program, *words = shlex.split(line)
        command = [sys.executable, "-m", program, *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}: {done.stderr}"
    assert "Best of 6 recipes (4 pruned)" in bertmt("searches", "rates").out
    with open_registry(folder / "runs.db") as database:
        runs = all_runs(database)
        assert sum(run.state is State.FINISHED for run in runs) == 2
        assert {run.attempt for run in runs} == {1, 2}
