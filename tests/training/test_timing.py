"""How much time is said to be left."""

from present import present

from bertmt.training.timing import Stopwatch, TimeLeft


def test_nothing_is_promised_before_the_first_step() -> None:
    assert TimeLeft(batches=10, evaluations=2).seconds() is None


def test_time_left_is_that_of_remaining_batches_and_evaluations() -> None:
    left = TimeLeft(batches=12, evaluations=3)
    left.evaluation_done(5.0)
    left.step_done(batches=3, seconds=6.0)  # 2 s per batch
    assert left.seconds() == 9 * 2 + 2 * 5


def test_one_slow_step_moves_the_estimate_a_little() -> None:
    left = TimeLeft(batches=101, evaluations=0)
    left.step_done(1, 1.0)
    before = left.seconds()
    left.step_done(1, 11.0)
    assert present(before) < present(left.seconds()) < 2 * present(before)


def test_a_first_step_that_was_slower_than_the_second_is_forgotten() -> None:
    """It loads and compiles: at its weight an hour would be promised where minutes are left."""
    left = TimeLeft(batches=102, evaluations=0)
    left.step_done(1, 10.0)
    left.step_done(1, 1.0)
    assert left.seconds() == 100
    left.step_done(1, 11.0)
    assert left.seconds() == 99 * 1.5


def test_time_left_never_falls_below_nothing() -> None:
    left = TimeLeft(batches=1, evaluations=0)
    left.step_done(2, 1.0)
    assert left.seconds() == 0


def test_a_phase_that_is_measured_twice_adds_up() -> None:
    watch = Stopwatch()
    watch.add("training", 1.5)
    watch.add("training", 0.25)
    with watch.measure("saving"):
        pass
    assert watch.rounded()["training"] == 1.75 and watch.rounded()["saving"] >= 0
