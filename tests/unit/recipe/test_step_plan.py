"""Which task a step is of where tasks are sampled, and that the counts of a plan are those of its steps."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmt.recipe.recipe import Recipe
from bertmt.recipe.step_plan import StepPlan, plan_steps

BATCHES = {"small": 3, "middle": 30, "large": 300}


def plan_of(batches: dict[str, int] | None = None, **values: Any) -> StepPlan:
    return plan_steps(Recipe(**values), batches or BATCHES)


def counts(plan: StepPlan, epoch: int) -> Counter[str]:
    """Steps by task of an epoch, counted from 1."""
    first = (epoch - 1) * plan.steps_per_epoch
    return Counter(task for step in range(first, first + plan.steps_per_epoch) for task in plan.tasks_at(step))


def test_proportional_sampling_has_each_batch_of_each_task_once_per_epoch() -> None:
    plan = plan_of(sampling="proportional", epochs=4)
    assert plan.steps_per_epoch == 333
    assert [counts(plan, epoch) for epoch in range(1, 5)] == [BATCHES] * 4
    assert plan.passes_per_epoch(BATCHES) == dict.fromkeys(BATCHES, 1.0)


def test_under_a_cap_shares_are_kept_and_no_task_is_missed_by_chance() -> None:
    plan = plan_of(sampling="proportional", epochs=3, epoch_steps=111)
    assert [counts(plan, epoch) for epoch in (1, 2, 3)] == [{"small": 1, "middle": 10, "large": 100}] * 3


def test_steps_left_over_go_to_the_largest_remainders() -> None:
    # Shares 3.5, 1.75, 1.75 of 7 steps: 3, 1, 1, and one more for each of the two largest remainders.
    plan = plan_of({"a": 100, "b": 50, "c": 50}, sampling="proportional", epochs=1, epoch_steps=7)
    assert counts(plan, 1) == {"a": 3, "b": 2, "c": 2}


def test_what_rounding_keeps_from_a_task_it_gets_in_a_later_epoch() -> None:
    plan = plan_of({"a": 8, "b": 8, "c": 8, "d": 8, "e": 8}, sampling="proportional", epochs=5, epoch_steps=4)
    assert sum((counts(plan, epoch) for epoch in range(1, 6)), Counter()) == dict.fromkeys("abcde", 4)
    plan = plan_of({"tiny": 3, "large": 997}, sampling="proportional", epochs=10, epoch_steps=100)
    found = [counts(plan, epoch)["tiny"] for epoch in range(1, 11)]  # its share of an epoch is 0.3 steps
    assert sum(found) == 3 and max(found) == 1


def test_annealed_sampling_goes_from_the_sizes_to_their_fifth_root() -> None:
    plan = plan_of(sampling="annealed", epochs=5)
    for epoch, alpha in ((1, 1.0), (2, 0.8), (3, 0.6), (4, 0.4), (5, 0.2)):
        weights = {task: batches**alpha for task, batches in BATCHES.items()}
        found = counts(plan, epoch)
        assert found.total() == 333
        for task, weight in weights.items():
            assert found[task] == pytest.approx(333 * weight / sum(weights.values()), abs=1), (epoch, task)


def test_with_one_epoch_there_is_nothing_to_anneal() -> None:
    assert plan_of(sampling="annealed", epochs=1) == plan_of(sampling="proportional", epochs=1)


def test_the_order_follows_the_seed_and_differs_from_epoch_to_epoch() -> None:
    first, same, other = (plan_of(sampling="proportional", epochs=2, seed=seed) for seed in (0, 0, 1))
    assert first == same and first != other
    assert first.rounds[0] != first.rounds[1] and sorted(first.rounds[0]) == sorted(first.rounds[1])
    assert first.rounds[0] != tuple(sorted(first.rounds[0]))


def test_more_epochs_begin_with_the_same_steps_where_shares_stay() -> None:
    short, long = (plan_of(sampling="proportional", epochs=epochs) for epochs in (2, 5))
    assert long.rounds[:2] == short.rounds


def test_schedule_and_epoch_change_nothing_where_tasks_are_sampled() -> None:
    plain = plan_of(sampling="annealed")
    assert plan_of(sampling="annealed", schedule="alternate", epoch="each") == plain


PLANS = st.fixed_dictionaries(
    {
        "sampling": st.sampled_from(["together", "proportional", "annealed"]),
        "schedule": st.sampled_from(["together", "alternate"]),
        "epoch": st.sampled_from(["longest", "each"]),
        "epochs": st.integers(1, 4),
        "epoch_steps": st.integers(0, 12),
        "seed": st.integers(0, 3),
    }
)
SIZES = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 9), min_size=1)


@given(PLANS, SIZES)
def test_batches_up_to_a_step_are_those_of_the_steps_one_by_one(
    values: dict[str, Any], batches: dict[str, int]
) -> None:
    plan = plan_of(batches, **values)
    taken = [len(plan.tasks_at(step)) for step in range(plan.steps + 3)]
    for steps in range(plan.steps + 3):
        assert plan.batches_in(steps) == sum(taken[:steps])
    assert plan.batches == sum(taken[: plan.steps])


@given(PLANS, SIZES)
def test_passes_are_those_of_the_steps_one_by_one(values: dict[str, Any], batches: dict[str, int]) -> None:
    plan = plan_of(batches, **values)
    steps = [tasks for each in plan.rounds for tasks in each]
    epochs = len(steps) / plan.steps_per_epoch
    taken = Counter(task for tasks in steps for task in tasks)
    found = plan.passes_per_epoch(batches)
    assert found == {task: pytest.approx(taken[task] / batches[task] / epochs) for task in batches}
    if values["sampling"] != "together":
        of_epochs = Counter[str]()
        for epoch in range(1, plan.epochs + 1):
            of_epochs += counts(plan, epoch)
        assert of_epochs == taken, "epochs and rounds are the same"


@given(PLANS, SIZES, st.integers(0, 40))
def test_a_plan_can_be_taken_up_at_any_step(values: dict[str, Any], batches: dict[str, int], step: int) -> None:
    assert plan_of(batches, **values).tasks_at(step) == plan_of(batches, **values).tasks_at(step)
    assert all(len(each) == len(plan_of(batches, **values).rounds[0]) for each in plan_of(batches, **values).rounds)
