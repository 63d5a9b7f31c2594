"""What a run's screen says of pauses, recoveries and resumptions, and curves that go back to a checkpoint."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from run_screen import open_run
from shown import Show, Shown

from bertmt.registry.claims import claim_next
from bertmt.registry.database import Database
from bertmt.registry.file.opening import open_registry
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Checkpointed, Resumed, Started, Step, now
from bertmt.services.ingest.ingest import folder_of, ingest
from bertmt.services.ingest.reconcile import declare_dead

WHY = "the device was cuda:0, now it is cpu."


def training(database: Database) -> Run:
    return all_runs(database, "runs.name = 'training'")[0]


@pytest.fixture
def recovered(registry: Path) -> Path:
    """The run that ran wrote a checkpoint of 1 step, was lost after its second, and goes on as its second attempt."""
    with open_registry(registry) as database:
        run = ingest(database, training(database))
        folder = folder_of(database, run)
        with closing(EventWriter(folder.events(1))) as events:
            events.write(Checkpointed(at=now(), step=1))
        run = declare_dead(database, ingest(database, run), "killed by signal 9")
        assert str(run.state) == "queued"
        with database.immediate():
            database.execute("UPDATE runs SET state = 'held' WHERE state = 'queued' AND key != ?", (run.key,))
        claim_next(database, None, "cpu")
        with closing(EventWriter(folder.events(2), fresh=True)) as events:
            events.write(Started(at=now(), attempt=2, pid=1, steps_total=6, epochs_total=2, resumes=True))
            ingest(database, training(database))
    return registry


def write(path: Path, *steps: Any, resumed: bool = False) -> None:
    """The second attempt resumes at its checkpoint, and measures."""
    with open_registry(path) as database:
        run = training(database)
        with closing(EventWriter(folder_of(database, run).events(2))) as events:
            if resumed:
                events.write(Resumed(at=now(), step=1, evaluated_epoch=-1, evaluated_step=-1, differences=[WHY]))
            for step, value in steps:
                events.write(
                    Step(
                        at=now(),
                        step=step,
                        epoch=1,
                        phase="train",
                        values={"loss/sst": value, "loss": value},
                        seconds_left=9.0,
                    )
                )


def drawn(shown: Shown) -> list[Any]:
    """The training loss of SST as its panel has it."""
    panel = shown.app.screen.pane.chart._panels[0]
    series = next(each for each in panel.series if each.name == "sst")
    return list(zip(series.steps.tolist(), series.values.tolist(), strict=True))


async def test_a_curve_goes_back_to_the_checkpoint_of_a_resumed_attempt(
    show: Show, recovered: Path, alive: Any
) -> None:
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run006")
        before = drawn(shown)
        assert [step for step, _ in before] == [0, 1, 2]
        write(recovered, resumed=True)
        await shown.look()
        assert drawn(shown) == before[:1], "what came after the checkpoint is measured again"
        write(recovered, (1, 0.25), (2, before[2][1]), (3, 0.125))
        await shown.look()
        assert drawn(shown) == [before[0], (1, 0.25), (2, before[2][1]), (3, 0.125)]


async def test_the_list_goes_back_too_while_nothing_new_was_measured(show: Show, recovered: Path, alive: Any) -> None:
    async with show() as shown:
        write(recovered, resumed=True)
        await shown.look()
        row = next(each for each in shown.text.splitlines() if " training " in each)
        assert " 0 % " in row or "16 %" in row


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_header_and_the_history_tell_what_happened_to_a_run(
    show: Show, recovered: Path, alive: Any, size: tuple[int, int]
) -> None:
    write(recovered, (1, 0.5), resumed=True)
    async with show(size=size) as shown:
        await open_run(shown, "run006", "7")
        await shown.should_be("run-recovered")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ("state = 'paused'", "paused at step 3; p resumes it"),
        ("state = 'queued', recoveries = 1", "queued: resumes from step 3"),
        ("state = 'running', saves_memory = 1", "activation checkpointing after out of memory"),
        ("state = 'running', recoveries = 1", "newest checkpoint at step 3; lost once, queued again"),
        ("state = 'cancelled'", "cancelled at step 3; r resumes it, F starts over"),
        ("state = 'lost', recoveries = 1", "lost: its process died; r requeues it"),
    ],
)
async def test_the_header_says_where_a_run_goes_on_and_by_which_key(
    show: Show, alive: Any, registry: Path, columns: str, sentence: str
) -> None:
    with open_registry(registry) as database, database.immediate():
        run = ingest(database, training(database))
        database.execute(f"UPDATE runs SET {columns} WHERE key = ?", (run.key,))
        database.execute("UPDATE summaries SET checkpoint_step = 3 WHERE run = ?", (run.key,))
    async with show() as shown:
        await open_run(shown, "run006")
        assert sentence in " ".join(shown.text.split())


@pytest.mark.parametrize(
    ("state", "request_", "keys"),
    [
        ("running", None, {"x", "p"}),
        ("running", "pause", {"x", "p"}),
        ("paused", None, {"x", "p", "r", "F"}),
        ("lost", None, {"r", "F"}),
        ("cancelled", None, {"r", "F"}),
        ("queued", None, {"x"}),
        ("finished", None, set()),
    ],
)
async def test_a_run_offers_the_keys_of_its_state(
    show: Show,
    alive: Any,
    registry: Path,
    state: str,
    request_: str | None,
    keys: set[str],
) -> None:
    with open_registry(registry) as database, database.immediate():
        database.execute(
            "UPDATE runs SET recoveries = 1, state = ?, request = ? WHERE id = 'run006'", (state, request_)
        )
    async with show() as shown:
        await open_run(shown, "run006")
        offered = {"x": "cancel", "p": "pause", "r": "requeue", "F": "from_start"}
        assert {each for each in offered if each in shown.app.screen.active_bindings} == keys
