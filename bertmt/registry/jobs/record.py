"""What a scheduler said of an attempt, as a record."""

import msgspec
from msgspec import Struct


class Job(Struct, frozen=True, array_like=True):
    """A run's attempt as a scheduler has it.

    Attributes:
        launcher: "slurm".
        handle: what the scheduler calls it; "": it has not answered yet.
        phase: "pending", "running" or "ended"; "": it has not answered yet.
        reason: why it waits, or how it ended, in the scheduler's own words.
        time_limit: as the scheduler writes it.
        obeyed: the signal for which its child wrote a checkpoint and ended; "": none.
    """

    launcher: str
    handle: str = ""
    phase: str = ""
    reason: str = ""
    node: str = ""
    time_limit: str = ""
    obeyed: str = ""


decode_job = msgspec.json.Decoder(Job).decode
