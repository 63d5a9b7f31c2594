"""How long runs will take: arithmetic by hand, the nearest evidence first, and silence without any."""

from collections.abc import Callable
from typing import Any

import pytest
from call_types import AddRun
from present import present

from bertmt.recipe.loading import preset
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import all_runs, run_by_key
from bertmt.registry.workers import register
from bertmt.run_folder.events import Finished, Started, now, to_json
from bertmt.services.browse.queue_times import expected_durations
from bertmt.services.plan.estimates import Effort, durations_now, estimate, past_effort, planned_effort, whole_seconds
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.loading import read_split

# 80 examples in batches of 8 are 10 steps; 2 epochs of them 20 steps, and 3 evaluations of 20 examples each.
SIZES = {"sst-train": 80, "sst-dev": 20}
# 2 s per batch, 0.1 s per evaluated example, 6 s besides.
SECONDS = {"load": 5.0, "training": 40.0, "evaluation": 6.0, "saving": 1.0}


@pytest.fixture
def finished(database: Database, add_run: AddRun) -> Callable[..., Run]:
    """A finished run of sst-only with tiny, 2 epochs, as its child told of it."""

    def make(
        preset_name: str = "sst-only", sizes: dict[str, int] = SIZES, seconds: dict[str, float] = SECONDS,
        steps: int = 20, epoch: int = 2, device: str = "cpu", pretraining: dict[str, Any] | None = None, **values: Any
    ) -> Run:  # fmt: skip
        run = add_run(preset_name=preset_name, **{"epochs": 2, **values})
        started = Started(at=now(), device=device, split_sizes=sizes, pretraining=pretraining or {})
        ended = Finished(at=now(), step=steps, epoch=epoch, selected_epoch=epoch, seconds=seconds)
        with database.immediate():
            database.execute("UPDATE runs SET state = 'finished', device = ? WHERE key = ?", (device, run.key))
            database.execute(
                "UPDATE summaries SET started = ?, finished = ? WHERE run = ?",
                (to_json(started).decode(), to_json(ended).decode(), run.key),
            )
        return run_by_key(database, run.key)

    return make


def planned(preset_name: str = "sst-only", **values: Any) -> Recipe:
    small = {"data": "toy", "encoder": "tiny", "epochs": 3, "epoch_steps": 7, "evaluate_examples": 10}
    return resolved(recipe_from({**small, **values}, preset(preset_name).recipe()))


def test_without_a_finished_run_nothing_is_said(database: Database, add_run: AddRun) -> None:
    add_run()
    found = estimate(database, [planned()], device="cpu")
    assert (found.seconds, found.total, found.rests_on) == ((None,), None, ())
    assert found.sentence().startswith("No estimate: no finished run")


def test_the_time_is_that_of_batches_evaluations_loading_and_saving(
    database: Database, finished: Callable[..., Run]
) -> None:
    run = finished()
    found = estimate(database, [planned()], device="cpu")
    # 3 · 7 batches of 2 s, 4 evaluations of 10 examples of 0.1 s, 6 s besides.
    assert found.seconds == (pytest.approx(42 + 4 + 6),)
    assert (found.rests_on, found.differences) == ((run.id,), ())
    assert found.sentence() == f"About 52 s, judged by {run.id}."


def test_a_run_that_keeps_no_model_saves_the_time_of_saving(database: Database, finished: Callable[..., Run]) -> None:
    finished()
    [seconds] = estimate(database, [planned(keep_model=False)], device="cpu").seconds
    assert seconds == pytest.approx(51)


def test_seeds_cost_the_same_and_add_up(database: Database, finished: Callable[..., Run]) -> None:
    run = finished()
    found = estimate(database, [planned(seed=seed) for seed in range(4)] + [planned(epochs=1)], device="cpu")
    # The last: 7 · 2 + 2 · 10 · 0.1 + 6.
    assert found.seconds == tuple(map(pytest.approx, (52, 52, 52, 52, 22)))
    assert found.total == pytest.approx(230)
    assert found.sentence() == f"About 22 s to 52 s each, 3 m 50 s one after another, judged by {run.id}."


def test_another_encoder_or_device_is_no_evidence(database: Database, finished: Callable[..., Run]) -> None:
    finished(encoder="minilm")
    finished(device="cuda:0")
    assert estimate(database, [planned()], device="cpu").rests_on == ()
    assert estimate(database, [planned()], device="cuda").total is not None


def test_the_device_is_that_of_the_workers_that_are_alive(database: Database, finished: Callable[..., Run]) -> None:
    on_gpu, on_cpu = finished(device="cuda:0"), finished()
    worker = register(database, ["cpu-1", "cpu-2"])
    assert estimate(database, [planned()]).rests_on == (on_cpu.id,)
    database.execute("UPDATE workers SET slots = ? WHERE key = ?", ('["gpu0"]', worker))
    assert estimate(database, [planned()]).rests_on == (on_gpu.id,)


def test_the_nearest_evidence_counts_and_what_differs_is_said(database: Database, finished: Callable[..., Run]) -> None:
    near = finished(**{"lora.rank": 4})
    finished(**{"lora.rank": 4}, batch_size=4, max_length=64)
    found = estimate(database, [planned()], device="cpu")
    assert (found.rests_on, found.differences) == ((near.id,), ("LoRA",))
    assert found.sentence().endswith(f"judged by {near.id}, where not all is the same: LoRA.")
    same = finished()
    assert estimate(database, [planned()], device="cpu").rests_on == (same.id,)


def test_another_batch_size_is_scaled_by_its_examples_and_said(
    database: Database, finished: Callable[..., Run]
) -> None:
    finished()
    found = estimate(database, [planned(batch_size=16)], device="cpu")
    assert found.seconds == (pytest.approx(84 + 4 + 6),)
    assert found.differences == ("batch_size",)


@pytest.mark.parametrize(
    ("values", "said", "seconds"),
    [
        ({"r_drop": 1.0}, "R-Drop", 84 + 4 + 6),  # every training batch is read twice
        ({"pair_input": "both"}, "pair_input", 84 + 8 + 6),  # four sentences' tokens in place of two
        ({"pair_input": "joint"}, "pair_input", 42 + 4 + 6),  # as many tokens, in one sentence
        ({"pair_input": "both", "r_drop": 1.0}, "pair_input, R-Drop", 168 + 8 + 6),
    ],
)
def test_what_is_read_more_than_once_takes_longer(
    database: Database, finished: Callable[..., Run], values: dict[str, Any], said: str, seconds: float
) -> None:
    finished("sts-only", sizes={"sts-train": 80, "sts-dev": 20})
    found = estimate(database, [planned("sts-only", **values)], device="cpu")
    assert found.seconds == (pytest.approx(seconds),) and ", ".join(found.differences) == said
    finished("sts-only", sizes={"sts-train": 80, "sts-dev": 20}, **values)
    assert estimate(database, [planned("sts-only", **values)], device="cpu").seconds == (pytest.approx(52),)


def test_a_second_stage_has_as_many_steps_and_evaluations_again() -> None:
    values: dict[str, Any] = {"tasks": "sst,sts", "evaluate_examples": 10}
    one, two = planned_effort(planned(**values)), planned_effort(planned(**values, stages="multitask,single"))
    assert one == Effort(batches=3 * 7 * 2, pretraining_steps=0, evaluated=4 * 20)
    assert two == Effort(batches=2 * 3 * 7 * 2, pretraining_steps=0, evaluated=7 * 20)


def test_of_equally_near_runs_the_median_of_the_newest_five_counts(
    database: Database, finished: Callable[..., Run]
) -> None:
    finished(seconds=SECONDS | {"training": 4000.0})
    newest = [finished(seconds=SECONDS | {"training": total}) for total in (40.0, 400.0, 40.0, 20.0, 60.0)]
    found = estimate(database, [planned()], device="cpu")
    assert set(found.rests_on) == {run.id for run in newest}
    assert found.seconds == (pytest.approx(52),)


@pytest.mark.parametrize(
    "broken", [{"sizes": None}, {"seconds": {}}, {"seconds": None}, {"steps": None}, {"sizes": {"sst-train": "80"}}]
)
def test_a_run_whose_child_told_too_little_is_no_evidence(
    database: Database, finished: Callable[..., Run], broken: Any
) -> None:
    finished(**broken)
    assert estimate(database, [planned()], device="cpu").seconds == (None,)


def test_a_run_that_stopped_early_is_judged_by_what_it_did(database: Database, finished: Callable[..., Run]) -> None:
    finished(epochs=8, steps=20, epoch=2, early_stopping=1)
    assert estimate(database, [planned()], device="cpu").seconds == (pytest.approx(52),)


@pytest.fixture
def running(database: Database, add_run: AddRun) -> Callable[..., Run]:
    """A run that runs since 100 s, with steps 0 to 39 of 100 done and 150 s left, as its child says."""

    def make(resumes: bool = False, step: int = 39, left: float = 150.0, **values: Any) -> Run:
        run = add_run(**values)
        with database.immediate():
            began = "2026-01-01T00:00:00+00:00"
            database.execute(
                "UPDATE runs SET state = 'running', device = 'cpu', started_at = ? WHERE key = ?", (began, run.key)
            )
            database.execute(
                "UPDATE summaries SET started = ?, step = ?, steps_total = 100, seconds_left = ?,"
                " last_event_at = '2026-01-01T00:01:40+00:00' WHERE run = ?",
                (to_json(Started(at=now(), device="cpu", resumes=resumes)).decode(), step, left, run.key),
            )
        return run_by_key(database, run.key)

    return make


def test_the_form_the_queue_and_the_run_itself_say_the_same(
    database: Database, add_run: AddRun, finished: Callable[..., Run], running: Callable[..., Run]
) -> None:
    """A finished run was fast; what runs now, slowed down by others, is what its siblings will be like."""
    values = {"epochs": 3, "epoch_steps": 7, "evaluate_examples": 10}
    finished(**values)
    run = running(seed=1, **values)
    waiting, other = add_run(seed=2, **values), add_run(seed=3, epochs=1)
    assert whole_seconds(run) == 250, "100 s until its last event, and the 150 s that it says are left"
    form = estimate(database, [planned(seed=4), planned(epochs=1)], device="cpu")
    assert form.seconds == (250, pytest.approx(7 * 2 + 2 * 10 * 0.1 + 6))
    assert run.id in form.rests_on
    past = [*database_runs(database, "finished"), run]
    assert expected_durations(database, [run, waiting], past) == {run.key: 250, waiting.key: 250}
    assert durations_now([run, waiting, other], [run]) == {run.key: 250, waiting.key: 250}
    assert durations_now([waiting], [run], kind="cuda") == {run.key: 250}


def database_runs(database: Database, state: str) -> list[Run]:
    return all_runs(database, "runs.state = ?", (state,))


def test_a_run_that_has_hardly_begun_or_says_nothing_is_not_believed(running: Callable[..., Run]) -> None:
    assert whole_seconds(running(step=18)) is None
    assert whole_seconds(running(left=None)) is None


def test_of_a_run_that_went_on_from_a_checkpoint_the_rest_is_scaled(running: Callable[..., Run]) -> None:
    assert whole_seconds(running(resumes=True, left=90.0)) == pytest.approx(90 / 0.6)


def test_pretraining_has_its_own_speed(database: Database, finished: Callable[..., Run]) -> None:
    sizes = {"sts-train": 80, "sts-dev": 20}
    run = finished(
        "cosine", sizes=sizes, steps=25, pretraining={"cosine_embedding": {"pairs": 40, "steps": 5}},
        seconds=SECONDS | {"pretraining": 50.0},
    )  # fmt: skip
    assert past_effort(run) == Effort(batches=20, pretraining_steps=5, evaluated=60)
    [seconds] = estimate(database, [planned("cosine")], device="cpu").seconds
    assert seconds == pytest.approx(42 + 7 * 10 + 4 + 6), "the cap on an epoch holds for pretraining too"


def test_the_effort_of_a_plan_is_counted_from_the_data() -> None:
    labels = [example.label for example in read_split("toy", BUILTIN["sts"], "train").examples]
    dev = len(read_split("toy", BUILTIN["sts"], "dev").examples)
    recipe = planned("cosine", epoch_steps=0, evaluate_examples=0)
    pairs = len([label for label in labels if present(label) >= 3.5 or present(label) < 1])
    found = planned_effort(recipe)
    assert found.batches == 3 * ((len(labels) + 7) // 8)
    assert found.pretraining_steps == (pairs + 7) // 8
    assert found.evaluated == 4 * dev
