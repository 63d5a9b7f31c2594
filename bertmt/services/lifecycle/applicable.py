"""Which of several runs a verb has something to do with, and what to say of the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bertmt.drawing.numbers import counted
from bertmt.registry.records import Run
from bertmt.registry.states import ENDED, WAITING, State

QUEUED_AGAIN = (State.FAILED, State.CANCELLED, State.LOST, State.PAUSED)


@dataclass(frozen=True)
class Applicable:
    """The runs that a verb is for, of those that were chosen by marks or by a filter.

    Attributes:
        others: how many it is not for.
        why: what they are.
    """

    runs: Sequence[Run]
    others: int
    why: str

    @property
    def left_alone(self) -> list[str]:
        """A sentence about the others; none where there are none."""
        verb = "is" if self.others == 1 else "are"
        return [f"{counted(self.others, 'other')} {self.why} and {verb} left alone."] if self.others else []


_RULES: dict[str, tuple[Callable[[Run], bool], str]] = {
    "cancel": (lambda run: run.state not in ENDED, "ended"),
    "pause": (lambda run: run.state is State.RUNNING and run.execution.request is None, "not running"),
    "requeue": (lambda run: run.state in QUEUED_AGAIN, "not stopped"),
    "hold": (lambda run: run.state is State.QUEUED, "not queued"),
    "release": (lambda run: run.state is State.HELD, "not held"),
    "resume": (
        lambda run: run.state is State.PAUSED or (run.state is State.RUNNING and run.execution.request == "pause"),
        "not paused",
    ),
    "edit": (lambda run: run.state in WAITING, "not waiting"),
    "rm": (lambda run: run.state is not State.RUNNING, "running"),
}


def applicable(verb: str, runs: Sequence[Run]) -> Applicable:
    """Of these runs those that a verb such as `cancel` is for; of one that takes any run all."""
    fits, why = _RULES.get(verb, (lambda run: True, ""))
    found = [run for run in runs if fits(run)]
    return Applicable(found, len(runs) - len(found), why)
