"""A folder to try everything in: the paper's baseline and its final model, on the embedded data and encoder.

Nothing of it is lost where it is stopped, and typed again it goes on.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bertmt import atomic_files
from bertmt.errors import RegistryError, UsageError
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_in
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, removed_runs, run_by_key, setting, store_setting
from bertmt.registry.states import State
from bertmt.services.analysis.compare import Comparison, compare
from bertmt.services.analysis.report.scores import verdict_sentence
from bertmt.services.ingest.reconcile import ingest_running
from bertmt.services.lifecycle.control import requeue
from bertmt.services.opening import opened_registry
from bertmt.services.plan.embedded import EMBEDDED
from bertmt.services.plan.submit import Request, plan, submit

PRESETS = ("baseline", "final")
SETTING = "demo"  # of a registry that was made for one
LOOK_SECONDS = 2.0
GOES_ON = (State.FAILED, State.CANCELLED, State.LOST, State.PAUSED)


def demo_registry(folder: Path) -> Path:
    """The registry of the demo in a folder, both made where they are missing.

    Raises:
        UsageError: there is something else, which is left as it is.
    """
    path = folder / "runs.db"
    refused = f"{folder} holds something other than a demo, which is left alone: name another folder with --dir."
    if folder.exists() and not folder.is_dir():
        raise UsageError(refused)
    if not path.exists() and folder.exists() and any(folder.iterdir()):
        raise UsageError(refused)
    atomic_files.make_folder(folder)
    try:
        with opened_registry(path, create=True) as database:
            if setting(database, SETTING) is None:
                if all_runs(database) or removed_runs(database):
                    raise UsageError(refused)
                store_setting(database, SETTING, "1")
    except RegistryError as problem:
        raise UsageError(f"{refused} {problem}") from None
    return path


def queue_demo(database: Database, folder: Path, values: Mapping[str, str]) -> list[Run]:
    """The demo's runs, those that are there already as they are; what stopped early is queued again, and goes on.

    Args:
        values: settings that win over the demo's.
    """
    ingest_running(database)
    found = []
    for name in PRESETS:
        planned = plan(Request(preset=name, values={**EMBEDDED, **values}, folder=folder))
        digest, seed = planned.runs[0].recipe.digest(), planned.runs[0].recipe.seed
        known = [run for run in all_runs(database) if (run.submission.digest, run.seed) == (digest, seed)]
        run = known[-1] if known else submit(database, planned)[0]
        found.append(requeue(database, run) if run.state in GOES_ON else run)
    return found


@contextmanager
def told_of_progress(registry: Path, tell: Callable[[Run], None]) -> Iterator[None]:
    """Meanwhile, every now and then, `tell` of each running run; on a thread of its own."""
    is_over = threading.Event()

    def look() -> None:
        with opened_registry(registry) as database:
            while not is_over.wait(LOOK_SECONDS):
                for run in runs_in(database, State.RUNNING):
                    tell(run)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def outcome(database: Database, runs: Sequence[Run]) -> Comparison | None:
    """The second run compared with the first; None where one has not finished."""
    now = [run_by_key(database, run.key) for run in runs]
    return compare(database, [[run] for run in now]) if all(run.state is State.FINISHED for run in now) else None


def in_words(found: Comparison) -> str:
    """What the comparison says of its second arm, in a sentence, whatever came out; no more than that."""
    [against] = found.others
    return verdict_sentence(against, found)
