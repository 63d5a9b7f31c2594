"""24 hours of events, as fast as the dashboard takes them: does it keep its memory?"""

import math
import time
from contextlib import closing
from dataclasses import dataclass

from bench.dashboard.measurements import COMMAND, SIZE
from bench.dashboard.registries import SERIES, training_run
from bench.terminal import Terminal
from bertmt.drawing.numbers import count
from bertmt.run_folder.event_files import EventWriter
from bertmt.run_folder.events import Step, now

STEPS_PER_SECOND = 2  # a small encoder on two cores
HOUR_STEPS = 3600 * STEPS_PER_SECOND
SETTLED_HOURS = 6  # after which its memory should not grow: buffers have the size that they keep


@dataclass(frozen=True)
class Day:
    """Resident memory after each hour of events, in MiB; and how long the replay took."""

    memory: list[float]
    seconds: float

    @property
    def settled(self) -> float:
        """After so long that whatever has a bound has come to it."""
        return self.memory[min(SETTLED_HOURS, len(self.memory)) - 1]


def replay(hours: int = 24) -> Day:
    """Write an hour of events, wait until the dashboard shows its last step, look at its memory; curves are open."""
    begun = time.perf_counter()
    memory = []
    with (
        training_run(hours * HOUR_STEPS) as (database, run, events),
        closing(Terminal([COMMAND, "--db", database.path], *SIZE)) as terminal,
    ):
        terminal.wait_to_show(run.id)
        terminal.type("\r")
        for hour in range(hours):
            _write_hour(events, hour)
            terminal.wait_to_show(f"step {count((hour + 1) * HOUR_STEPS)} of")
            terminal.show_for(1.0)
            memory.append(terminal.resident_mib())
    return Day(memory, time.perf_counter() - begun)


def _write_hour(events: EventWriter, hour: int) -> None:
    for step in range(hour * HOUR_STEPS, (hour + 1) * HOUR_STEPS):
        values = {name: 1.5 + math.sin(step * (place + 1)) / 3 for place, name in enumerate(SERIES)}
        events.write(Step(at=now(), step=step, epoch=1, phase="train", values=values, seconds_left=1.0))
