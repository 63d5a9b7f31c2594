"""A registry of schema 5, brought up to date: runs, scores and recipes are what they were."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database as SqliteUtilsDatabase

from bertmt.recipe.loading import from_json, presets, to_json
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.registry.budgets import attempts
from bertmt.registry.database import SCHEMA_VERSION, Database, sqlite3
from bertmt.registry.file.opening import open_registry
from bertmt.registry.migrations import m007_scores_of_any_task, m013_budgets, migrations
from bertmt.registry.runs import all_runs, evaluations, setting
from bertmt.tasks.builtin import BUILTIN

# Of all presets and some other recipes, what the last version with schema 5 stored; never made anew.
OLDER_RECIPES = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "upgrades" / "recipes-of-schema-5.json").read_text(encoding="utf-8")
)
THIRD = 1 / 3  # more digits than SQLite writes into JSON


def older_registry(path: Path, recipes: dict[str, str], digest: str = "old") -> None:
    """A registry of schema 5 with a finished run of each recipe, by name, and a baseline that a person chose."""
    connection = sqlite3.connect(path, isolation_level=None)
    migrations.apply(SqliteUtilsDatabase(connection), stop_before=m007_scores_of_any_task.__name__)
    connection.execute("PRAGMA user_version = 5")
    connection.execute("INSERT INTO snapshots VALUES (1, 'code', '{}', '{}')")
    for key, (name, recipe) in enumerate(recipes.items(), 1):
        connection.execute(
            "INSERT INTO runs (key, id, name, recipe, digest, seed, data, extra_data_file, fingerprints, state,"
            " position, submitted_at, snapshot, attempt)"
            " VALUES (?, ?, ?, ?, ?, 0, 'toy', '', '{}', 'finished', 1, 'now', 1, 1)",
            (key, f"abc{key:03d}", name, recipe, digest),
        )
        connection.execute("INSERT INTO summaries (run) VALUES (?)", (key,))
    connection.execute("INSERT INTO settings VALUES ('baseline', 'abc001')")
    connection.close()


@pytest.fixture
def older(tmp_path: Path) -> Path:
    older_registry(tmp_path / "old.db", {name: each["stored"] for name, each in OLDER_RECIPES.items()})
    return tmp_path / "old.db"


def test_every_recipe_has_the_digest_and_the_text_that_it_would_have_today(older: Path) -> None:
    assert OLDER_RECIPES.keys() >= {name for name, each in presets().items() if each.order == int(each.order)}
    with open_registry(older) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        found = {run.name: run for run in all_runs(database)}
    for name, each in OLDER_RECIPES.items():
        base = presets()[each["preset"]].recipe()
        rates = {name: json.loads(each["stored"])[name] for name in ("learning_rate", "head_learning_rate")}
        today = resolved(recipe_from(each["values"] | rates, base))  # what an encoder's default is changes with it
        stored = found[name].submission
        assert (stored.digest, resolved(from_json(stored.recipe_json))) == (today.digest(), today), name
        assert resolved(from_json(stored.recipe_json, found[name].known)).flat() == today.flat()
        assert stored.recipe_json == to_json(from_json(stored.recipe_json, found[name].known)), name
        assert each["digest"] != stored.digest
    # One of them differed from another by that setting alone.
    digests = {run.submission.digest for run in found.values()}
    assert len(digests) == len({each["digest"] for each in OLDER_RECIPES.values()}) - 1


def test_the_schema_has_the_number_of_migrations() -> None:
    pending = migrations.pending(SqliteUtilsDatabase(sqlite3.connect(":memory:")))
    assert len(pending) == SCHEMA_VERSION


def test_scores_stay_to_the_last_digit_and_a_task_that_was_not_trained_has_none(tmp_path: Path) -> None:
    recipes = {name: OLDER_RECIPES[name]["stored"] for name in ("baseline", "sst-only")}
    older_registry(tmp_path / "old.db", recipes)
    connection = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    connection.execute("UPDATE summaries SET selected_epoch = 1, sst = ?, para = 0.5, sts = -0.25, overall = 0.7"
                       " WHERE run = 1", (THIRD,))  # fmt: skip
    connection.execute("UPDATE summaries SET selected_epoch = 0, sst = 1.0 WHERE run = 2")
    connection.execute("INSERT INTO evaluations VALUES (1, 0, 0, 0.1, NULL, NULL, NULL, 2.5)")
    connection.execute("INSERT INTO evaluations VALUES (1, 1, 30, ?, 0.5, -0.25, 0.7, 2.5)", (THIRD,))
    connection.execute("INSERT INTO evaluations VALUES (2, 0, 0, 1.0, NULL, NULL, NULL, NULL)")
    connection.close()
    with open_registry(tmp_path / "old.db") as database:
        three, one = all_runs(database)
        assert dict(three.scores.by_task) == {"sst": THIRD, "para": 0.5, "sts": -0.25}
        assert (three.score("overall"), three.scores.selected_epoch) == (0.7, 1)
        assert (one.score("sst"), one.score("para"), one.score("overall")) == (1.0, None, None)
        assert setting(database, "baseline") == three.id
        before, after = evaluations(database, three)
        assert (before.score("sts"), dict(before.scores), before.seconds) == (None, {"sst": 0.1}, 2.5)
        assert (after.step, after.overall) == (30, 0.7)
        assert after.metrics == {"sst": {"accuracy": THIRD}, "para": {"accuracy": 0.5}, "sts": {"pearson": -0.25}}
        assert [each.scores for each in evaluations(database, one)] == [{"sst": 1.0}]
        assert three.tasks == BUILTIN and list(one.tasks) == ["sst"]
        assert columns(database, "evaluations") == ["run", "epoch", "step", "overall", "seconds"]
        assert not {"sst", "para", "sts"} & set(columns(database, "summaries"))


@pytest.mark.parametrize("recipe", ["", "[1]", "null", '{"tasks": 3}', "[" * 100_000])
def test_a_recipe_that_is_none_stays_as_it_is(tmp_path: Path, recipe: str) -> None:
    older_registry(tmp_path / "old.db", {"damaged": recipe})
    with open_registry(tmp_path / "old.db") as database:
        assert database.execute("SELECT recipe, digest FROM runs").fetchone() == (recipe, "old")


def test_every_run_counts_as_changed_for_who_keeps_a_list(older: Path) -> None:
    with open_registry(older) as database:
        [(count, runs)] = database.execute("SELECT count(*), count(DISTINCT run) FROM changes").fetchall()
        assert count == runs == len(OLDER_RECIPES)


def columns(database: Database, table: str) -> list[Any]:
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def test_runs_of_before_budgets_have_none_and_what_they_drew_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrations.apply(SqliteUtilsDatabase(connection), stop_before=m013_budgets.__name__)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION - 1}")
    connection.execute("INSERT INTO snapshots VALUES (1, 'code', '{}', '{}')")
    for key, attempt in ((1, 2), (2, 0)):
        connection.execute(
            "INSERT INTO runs (key, id, name, recipe, digest, seed, data, extra_data_file, fingerprints, state,"
            " position, submitted_at, started_at, snapshot, attempt)"
            " VALUES (?, ?, 'old', '{}', '', 0, 'toy', '', '{}', 'queued', 1, 'then', 'later', 1, ?)",
            (key, f"abc{key:03d}", attempt),
        )
        connection.execute("INSERT INTO summaries (run) VALUES (?)", (key,))
    connection.close()
    with open_registry(path) as database:
        assert {run.queueing.budget for run in all_runs(database)} == {None}
        with database.immediate():  # its next attempt is measured
            database.execute("UPDATE runs SET attempt = 3 WHERE key = 1")
            run = all_runs(database, "runs.key = 1")[0]
            attempts.store_times(database, run, "a", "b")
            attempts.store_energy(database, run, 1.0, 2.0, False)
            attempts.sum_energy(database, run.key)
        assert all_runs(database, "runs.key = 1")[0].progress.kwh is None
        rows = database.execute("SELECT run, attempt, began_at, last_at, gpu_joules FROM attempts").fetchall()
        assert rows == [(1, 2, "later", "later", None), (1, 3, "a", "b", 1.0)]
