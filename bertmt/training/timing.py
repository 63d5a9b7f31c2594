"""What an attempt takes: wall time by phase, how much of it is left, and the energy that is drawn meanwhile."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bertmt.devices.energy import EnergyMeter
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import LAST_EVENTS, Energy, Event, now

# One step's weight in the smoothed time: the last few dozen steps decide.
SMOOTHING = 0.05
EVERY_SECONDS = 60.0  # what a killed attempt may have drawn untold; RAPL's counters begin anew after some 20 minutes


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


class MeteredEvents(EventWriter):
    """Appends events as its base does, and what was drawn: behind the first one, every minute, before the last one.

    Nothing where nobody measures it, so that files then hold what they always did.
    """

    def __init__(self, path: Path, meter: EnergyMeter):
        super().__init__(path, fresh=True)
        self._meter = meter
        self._told_at = float("-inf")

    def write(self, event: Event) -> None:
        is_last = isinstance(event, LAST_EVENTS)
        if is_last:
            self._tell()
        super().write(event)
        if not is_last and time.monotonic() - self._told_at > EVERY_SECONDS:
            self._tell()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        drawn = self._meter.read()
        if drawn is not None:
            told = Energy(at=now(), gpu_joules=_rounded(drawn.gpu), cpu_joules=_rounded(drawn.cpu), shared=drawn.shared)
            super().write(told)


def _rounded(joules: float | None) -> float | None:
    return None if joules is None else round(joules, 1)
