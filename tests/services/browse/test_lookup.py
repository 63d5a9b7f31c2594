"""RUN is an id, a name, or an unambiguous prefix, tried in this order."""

import pytest
from call_types import AddRun

from bertmt.errors import NotFoundError, UsageError
from bertmt.registry.database import Database
from bertmt.services.browse.lookup import find_run, find_runs


def test_an_id_wins_over_a_name(database: Database, add_run: AddRun) -> None:
    target = add_run("first")
    add_run(target.id)
    assert find_run(database, target.id).key == target.key


def test_a_name_wins_over_a_prefix(database: Database, add_run: AddRun) -> None:
    exact = add_run("final")
    add_run("final-shared")
    assert find_run(database, "final").key == exact.key


def test_a_prefix_of_one_run_is_enough(database: Database, add_run: AddRun) -> None:
    run = add_run("separate-encoders")
    add_run("baseline")
    assert find_run(database, "sep").key == run.key


def test_an_ambiguous_prefix_lists_the_candidates(database: Database, add_run: AddRun) -> None:
    add_run("lora-r20")
    add_run("lora-r100")
    with pytest.raises(UsageError, match=r"lora-r20.*lora-r100"):
        find_run(database, "lora")


def test_a_name_of_several_seeds_is_several_runs_where_several_are_accepted(
    database: Database, add_run: AddRun
) -> None:
    runs = [add_run("try", seed=seed) for seed in (1, 2)]
    assert [run.key for run in find_runs(database, "try")] == [run.key for run in runs]
    with pytest.raises(UsageError, match="2 runs are called"):
        find_run(database, "try")


@pytest.mark.parametrize("word", ["", "nothing", "%", "_", "' OR 1 --", "\x1b[31m"])
def test_what_no_run_answers_to_is_not_found(database: Database, add_run: AddRun, word: str) -> None:
    add_run("baseline")
    with pytest.raises(NotFoundError, match="bertmt runs"):
        find_run(database, word)
