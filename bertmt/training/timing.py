"""Wall time by phase, and how much of it is left."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

# One step's weight in the smoothed time: the last few dozen steps decide.
SMOOTHING = 0.05


class Stopwatch:
    """Seconds by phase of the run; the time outside of every named phase is not counted."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        """Add the block's wall time to a phase."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.add(phase, time.monotonic() - start)

    def add(self, phase: str, seconds: float) -> None:
        """Add a time that was measured otherwise."""
        self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds

    def rounded(self) -> dict[str, float]:
        """Seconds by phase, to the millisecond."""
        return {phase: round(seconds, 3) for phase, seconds in self.seconds.items()}


class TimeLeft:
    """Time left: task batches still to come at their smoothed time, evaluations at the last one's.

    Batches and not steps, since a step of pretraining has one and a step of training up to one per task.
    """

    def __init__(self, batches: int, evaluations: int):
        self.batches = batches
        self.evaluations = evaluations
        self._per_batch: float | None = None
        self._is_warm = False
        self._per_evaluation = 0.0

    def step_done(self, batches: int, seconds: float) -> None:
        """Count a step."""
        self.batches -= batches
        measured = seconds / batches
        before = self._per_batch
        if before is not None and not self._is_warm:  # a first step that loads and compiles is no measure of the rest
            self._is_warm, before = True, min(before, measured)
        self._per_batch = measured if before is None else before + SMOOTHING * (measured - before)

    def evaluation_done(self, seconds: float) -> None:
        """Count an evaluation."""
        self.evaluations -= 1
        self._per_evaluation = seconds

    def skip(self, batches: int, evaluations: int) -> None:
        """Leave out what an earlier attempt has done."""
        self.batches -= batches
        self.evaluations -= evaluations

    def seconds(self) -> float | None:
        """Seconds left at the present speed; None before the first step."""
        if self._per_batch is None:
            return None
        return round(max(self.batches, 0) * self._per_batch + max(self.evaluations, 0) * self._per_evaluation, 1)
