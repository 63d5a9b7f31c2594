"""Which runs there are of a kind: by state, by id, by name, by recipe."""

from collections.abc import Collection, Sequence

from bertmt.registry.database import Database
from bertmt.registry.queue import IN_ORDER
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, removed_runs
from bertmt.registry.states import WAITING, State

MOST_PARAMETERS = 1000  # of a statement; SQLite takes at most 32,766


def runs_in(database: Database, *states: State) -> list[Run]:
    """The runs in any of these states, newest last."""
    return all_runs(database, f"runs.state IN ({_marks(states)})", states)


def runs_with_ids(database: Database, ids: Sequence[str]) -> list[Run]:
    """The runs with these ids that are not removed; of each 1,000 ids the newest last."""
    return [run for part in _parts(ids) for run in all_runs(database, f"runs.id IN ({_marks(part)})", part)]


def removed_with_ids(database: Database, ids: Sequence[str]) -> list[Run]:
    """The removed runs with these ids."""
    return [run for part in _parts(ids) for run in removed_runs(database, f"runs.id IN ({_marks(part)})", part)]


def runs_named(database: Database, name: str) -> list[Run]:
    """The runs of that name, one per seed or more."""
    return all_runs(database, "runs.name = ?", (name,))


def runs_beginning_with(database: Database, prefix: str) -> list[Run]:
    """The runs whose id or name begins so."""
    condition = "substr(runs.id, 1, length(?1)) = ?1 OR substr(runs.name, 1, length(?1)) = ?1"
    return all_runs(database, condition, (prefix,))


def removed_called(database: Database, word: str) -> list[Run]:
    """The removed runs with that id or name."""
    return removed_runs(database, "runs.id = ?1 OR runs.name = ?1", (word,))


def count_runs(database: Database) -> int:
    """How many runs there are; not those removed."""
    found: int = database.execute("SELECT count(*) FROM runs WHERE removed_at IS NULL").fetchone()[0]
    return found


def counts_by_state(database: Database) -> dict[State, int]:
    """How many runs are in each state that has some; not those removed."""
    rows = database.execute("SELECT state, count(*) FROM runs WHERE removed_at IS NULL GROUP BY state")
    return {State(state): count for state, count in rows.fetchall()}


def foremost_runs(database: Database, most: int) -> list[Run]:
    """The running runs, the first so many that wait, and so many of the others that were queued last; oldest first."""
    running, waiting = (State.RUNNING,), tuple(WAITING)
    known = (*running, *waiting)
    foremost = (
        (f"state IN ({_marks(running)}) ORDER BY key DESC", running),
        (f"state IN ({_marks(waiting)}) ORDER BY {IN_ORDER}", waiting),
        (f"state NOT IN ({_marks(known)}) ORDER BY submitted_at DESC, key DESC", known),
    )
    chosen = " UNION ALL ".join(
        f"SELECT * FROM (SELECT key FROM runs WHERE removed_at IS NULL AND {which} LIMIT {most})"
        for which, _ in foremost
    )
    return all_runs(database, f"runs.key IN ({chosen})", [state for _, states in foremost for state in states])


def first_finished(database: Database, preset: str, seeds: Collection[int]) -> list[Run]:
    """Of the runs of a preset that have one of these seeds, of each recipe on each data the one that finished first."""
    # Beside a least value stands the key of its row: sqlite.org/lang_select.html, "Bare columns in an aggregate query".
    first = (
        "SELECT key, min(coalesce(ended_at, '') || printf('%020d', key)) FROM runs WHERE preset = ?"
        f" AND state = 'finished' AND removed_at IS NULL AND seed IN ({_marks(list(seeds))})"
        " GROUP BY seed, recipe, fingerprints, task_set"
    )
    return all_runs(database, f"runs.key IN (SELECT key FROM ({first}))", (preset, *seeds))


def is_known(database: Database, run_id: str) -> bool:
    """Whether a run has that id, be it removed or being brought in."""
    return database.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone() is not None


def is_removed(database: Database, key: int) -> bool:
    """Whether a run is out of sight and can still be brought back."""
    return bool(removed_runs(database, "runs.key = ?", (key,)))


def is_finished(database: Database, key: int) -> bool:
    """Whether a run that is not removed has finished."""
    return bool(all_runs(database, "runs.key = ? AND runs.state = 'finished'", (key,)))


def finished_with_digest(database: Database, digest: str) -> list[Run]:
    """The finished runs of a recipe, by its digest."""
    return all_runs(database, "runs.digest = ? AND runs.state = 'finished'", (digest,))


def averages(database: Database) -> list[Run]:
    """The runs that are averages of others."""
    members = "json_extract(runs.recipe, '$.members')"
    return all_runs(database, f"json_valid(runs.recipe) AND {members} IS NOT NULL AND {members} != '[]'")


def finished_on_a_gpu(database: Database, recipe_json: str, besides: Collection[str]) -> list[Run]:
    """The finished runs on a GPU whose recipe is this one, but for the settings that `besides` names."""
    paths = [f'$."{name}"' for name in besides]
    rest = f"json_remove({{}}{', ?' * len(paths)})"
    return all_runs(
        database,
        "runs.state = 'finished' AND runs.device != 'cpu' AND json_valid(runs.recipe)"
        f" AND {rest.format('runs.recipe')} = {rest.format('?')}",
        [*paths, recipe_json, *paths],
    )


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + MOST_PARAMETERS] for start in range(0, len(ids), MOST_PARAMETERS)]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
