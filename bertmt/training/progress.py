"""How far a run is, known also to whoever reports its failure."""

from dataclasses import dataclass


@dataclass
class Progress:
    """The one counter of optimizer steps per run, pretraining included.

    Attributes:
        step: how many steps are done, and so the number of the next.
    """

    step: int = 0
