"""Logging on the training thread and importing into the registry, beside Trackio and MLflow in the same run."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.measuring import Figure
from bench.registries import filled_registry
from bertmt.registry.claims import claim_next
from bertmt.registry.runs import run_by_key
from bertmt.registry.workers import register
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Started, Step, now
from bertmt.run_folder.layout import RunOrder
from bertmt.services.ingest.ingest import folder_of, ingest

STEPS = 2_000
SERIES = tuple(f"series/{index}" for index in range(10))
POINTS = STEPS * len(SERIES)


def values_at(step: int) -> dict[str, float]:
    return {name: step / (index + 1) for index, name in enumerate(SERIES)}


def ours(folder: Path) -> tuple[float, float]:
    """Seconds to log all points on this thread, and to import them."""
    with filled_registry(folder / "runs.db", 1) as database:
        run = claim_next(database, register(database, ["cpu"]), "cpu")
        assert run is not None
        folder_of(database, run).create(
            RunOrder(run_id=run.id, name=run.name, attempt=1, data="toy", extra_data_file=""),
            run.submission.recipe_json,
        )
        events = EventWriter(folder_of(database, run).events(1))
        events.write(Started(at=now(), attempt=1, pid=os.getpid(), steps_total=STEPS, epochs_total=1))
        start = time.perf_counter()
        for step in range(STEPS):
            events.write(Step(at=now(), step=step, epoch=1, phase="train", values=values_at(step), seconds_left=1.0))
        logged = time.perf_counter() - start
        start = time.perf_counter()
        ingest(database, run)
        imported = time.perf_counter() - start
        assert run_by_key(database, run.key).progress.step == STEPS - 1
        assert database.execute("SELECT count(*) FROM metrics").fetchone() == (POINTS,)
    return logged, imported


def trackio_seconds(folder: Path) -> tuple[float, float]:
    """Seconds on this thread, and until everything is stored."""
    os.environ |= {"TRACKIO_DIR": str(folder / "trackio"), "HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False"}
    import trackio  # noqa: PLC0415 - reads its folder at import, and is optional

    run = trackio.init(project="bench")
    start = time.perf_counter()
    for step in range(STEPS):
        run.log(values_at(step), step=step)
    logged = time.perf_counter() - start
    trackio.finish()
    return logged, time.perf_counter() - start


def mlflow_seconds(folder: Path) -> tuple[float, float]:
    """Seconds of its batch call per step, into its SQLite store; it returns when the points are stored."""
    import mlflow  # noqa: PLC0415 - optional, and slow to import
    from mlflow.entities import Metric  # noqa: PLC0415

    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    client = mlflow.MlflowClient()
    run_id = client.create_run(client.create_experiment("bench")).info.run_id
    steps = STEPS // 10
    start = time.perf_counter()
    for step in range(steps):
        client.log_batch(run_id, [Metric(name, value, 0, step) for name, value in values_at(step).items()])
    taken = (time.perf_counter() - start) * STEPS / steps
    return taken, taken


def measured(act: Callable[[Path], tuple[float, float]]) -> tuple[float, float] | None:
    folder = Path(tempfile.mkdtemp())
    try:
        return act(folder)
    except ImportError as problem:
        print(f"not measured: {problem}")
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def figures() -> list[Figure]:
    mine = sorted((measured(ours) for _ in range(3)), key=lambda pair: pair or (0, 0))[1]
    assert mine is not None
    logged, imported = mine
    found = []
    peers = {"Trackio": measured(trackio_seconds), "MLflow, SQLite, log_batch": measured(mlflow_seconds)}
    for name, pair in peers.items():
        peer_step = pair[0] / STEPS * 1e6 if pair else None
        peer_rate = POINTS / pair[1] if pair else None
        found += [
            Figure(
                "one step of ten series on the training thread",
                logged / STEPS * 1e6,
                "µs",
                50,
                peer=name,
                peer_value=peer_step,
            ),
            Figure("points stored for reading", POINTS / imported, "points/s", 100_000, True, name, peer_rate),
        ]
    return found
