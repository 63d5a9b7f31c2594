"""How far a run is: what a checkpoint is about, known also to whoever reports the run's failure."""

from dataclasses import dataclass


@dataclass
class Progress:
    """Counters that only rise; `step` is one counter per run, pretraining included.

    Attributes:
        step: how many optimizer steps are done, and so the number of the next.
        phase: the pretraining phase, or "train", that is in progress; "" before the first.
        phase_step: how many of its steps are done.
        evaluated_epoch, evaluated_step: of the last evaluation, and how many steps its weights had had; −1 before.
    """

    step: int = 0
    phase: str = ""
    phase_step: int = 0
    evaluated_epoch: int = -1
    evaluated_step: int = -1
