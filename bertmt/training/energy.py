"""Telling what an attempt draws, between its other events."""

import time
from pathlib import Path

from bertmt.devices.energy import EnergyMeter
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import LAST_EVENTS, Energy, Event, now

EVERY_SECONDS = 60.0  # what a killed attempt may have drawn untold; RAPL's counters begin anew after some 20 minutes


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
