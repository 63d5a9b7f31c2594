"""The states of a run, and one table of the transitions that are legal, each with who may cause it."""

from enum import StrEnum

from bertmt.errors import BusyError


class State(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    HELD = "held"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"  # its process wrote a checkpoint and ended, so that its device is free
    LOST = "lost"  # its process is gone without a last event


class Actor(StrEnum):
    """Who may change the state of a run."""

    PERSON = "person"  # through a service
    CLAIM = "claim"  # a worker takes the run
    EVENT = "event"  # the child's last event, imported by anyone
    DEATH = "death"  # whoever holds the proof that the child is gone: its lock is free
    WORKER = "worker"  # it could not start the child, or may not: a budget is used up
    IMPORT = "import"  # `bertmt import-run` and `repair` go through what the attempts in a run folder tell


LEGAL_TRANSITIONS: dict[tuple[State, State], frozenset[Actor]] = {
    # Of a repaired registry: whether it should start is not sure. By a worker: its budget is used up.
    (State.QUEUED, State.HELD): frozenset({Actor.PERSON, Actor.IMPORT, Actor.WORKER}),
    (State.HELD, State.QUEUED): frozenset({Actor.PERSON}),
    # Imported, and stopped with its worker elsewhere: it must not start here unasked.
    (State.QUEUED, State.CANCELLED): frozenset({Actor.PERSON, Actor.IMPORT}),
    (State.HELD, State.CANCELLED): frozenset({Actor.PERSON}),
    (State.QUEUED, State.RUNNING): frozenset({Actor.CLAIM, Actor.IMPORT}),
    (State.RUNNING, State.FINISHED): frozenset({Actor.EVENT}),
    (State.RUNNING, State.FAILED): frozenset({Actor.EVENT, Actor.DEATH}),
    (State.RUNNING, State.CANCELLED): frozenset({Actor.EVENT, Actor.DEATH}),
    (State.RUNNING, State.PAUSED): frozenset({Actor.EVENT, Actor.DEATH}),
    # Stopped with its worker or its machine, or its child could not begin.
    (State.RUNNING, State.QUEUED): frozenset({Actor.EVENT, Actor.DEATH, Actor.WORKER}),
    (State.RUNNING, State.LOST): frozenset({Actor.DEATH}),
    # The last event can be imported after the death was seen.
    (State.LOST, State.FINISHED): frozenset({Actor.EVENT}),
    (State.LOST, State.FAILED): frozenset({Actor.EVENT}),
    # Once by itself, unless its recipe forbids it.
    (State.LOST, State.QUEUED): frozenset({Actor.PERSON, Actor.DEATH}),
    # Out of memory: once more by itself, with activation checkpointing.
    (State.FAILED, State.QUEUED): frozenset({Actor.PERSON, Actor.EVENT}),
    (State.CANCELLED, State.QUEUED): frozenset({Actor.PERSON}),
    (State.PAUSED, State.QUEUED): frozenset({Actor.PERSON}),
    (State.PAUSED, State.CANCELLED): frozenset({Actor.PERSON}),
    # Imported: its next attempt; and out of memory in its last, of which there is no other here unasked.
    (State.LOST, State.RUNNING): frozenset({Actor.IMPORT}),
    (State.FAILED, State.RUNNING): frozenset({Actor.IMPORT}),
    (State.QUEUED, State.FAILED): frozenset({Actor.IMPORT}),
    # Of a repaired registry: what its folder tells since the backup, and what is unfinished then.
    (State.HELD, State.RUNNING): frozenset({Actor.IMPORT}),
    (State.PAUSED, State.RUNNING): frozenset({Actor.IMPORT}),
    (State.CANCELLED, State.RUNNING): frozenset({Actor.IMPORT}),
    (State.LOST, State.HELD): frozenset({Actor.IMPORT}),
    (State.CANCELLED, State.HELD): frozenset({Actor.IMPORT}),
}
# What a dependency on another run waits for; a paused run is still to go on.
WAITING = (State.QUEUED, State.HELD)
ENDED = frozenset({State.FINISHED, State.FAILED, State.CANCELLED, State.LOST})

_ADVICE = {
    (State.FINISHED, State.QUEUED): "a finished run is not requeued; `bertmt queue --from RUN --again` makes a new one",
    (State.RUNNING, State.QUEUED): "it is running; `bertmt cancel` stops it first",
    (State.RUNNING, State.HELD): "it is running; `bertmt pause` lets it write a checkpoint and frees its device",
    (State.QUEUED, State.PAUSED): "it has not started; `bertmt hold` keeps it from being started",
    (State.HELD, State.PAUSED): "it is held already; `bertmt release` lets it start",
    (State.PAUSED, State.HELD): "it is paused already; `bertmt resume` lets it go on",
}


def check_transition(run_id: str, before: State, after: State, actor: Actor) -> None:
    """Refuse a transition that is not in the table.

    Raises:
        BusyError: with what can be done instead.
    """
    if actor not in LEGAL_TRANSITIONS.get((before, after), frozenset()):
        if before is after:
            raise BusyError(f"Run {run_id} is {before} already.")
        advice = _ADVICE.get((before, after), f"`bertmt show {run_id}` tells its history")
        raise BusyError(f"Run {run_id} is {before} and cannot become {after}: {advice}.")
