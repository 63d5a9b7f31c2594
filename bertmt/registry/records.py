"""What the registry knows, as frozen records."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple, get_type_hints

import msgspec
from msgspec import Struct

from bertmt.registry.jobs.record import Job, decode_job
from bertmt.registry.states import State
from bertmt.run_folder.events import Finished, Started, stored
from bertmt.tasks import definitions
from bertmt.tasks.task import Tasks

# A quote within a JSON string has a backslash before it, so this finds the setting alone.
_SEED = re.compile(r'"seed": ?-?\d+')
_decode_scores = msgspec.json.Decoder(dict[str, float | None]).decode
JOULES_PER_KWH = 3_600_000


@lru_cache(maxsize=1024)
def _without_seed(recipe_json: str) -> Mapping[str, Any]:
    return MappingProxyType({name: value for name, value in json.loads(recipe_json).items() if name != "seed"})


@lru_cache(maxsize=1024)
def _scores_of(text: str) -> Mapping[str, float | None]:
    return MappingProxyType(_decode_scores(text))


@lru_cache(maxsize=1024)
def _trained(definitions_json: str, names: tuple[str, ...]) -> Tasks:
    known = definitions.from_json(definitions_json)
    return MappingProxyType({name: known[name] for name in names if name in known})


class Awaited(NamedTuple):
    """Another run that a run waits for.

    Attributes:
        needs_success: the other must have finished; else it may have ended in any way.
    """

    id: str
    needs_success: bool


# What a run is made of are structs without gc: frozen dataclasses that take names alone take twice as long to make,
# and a third more memory. One with a `__dict__`, for what is cached, cannot do without gc.
class Submission(Struct, frozen=True, kw_only=True, dict=True):
    """What was asked for when a run was submitted.

    Attributes:
        preset: whose toggles the resolved recipe equals, or None.
        definitions_json: what its tasks are, as `definitions.to_json` tells it; "": the built-in ones.
        snapshot: the key of its code and environment.
        checkpoint_dir: the folder in which its checkpoints have theirs; "": its run folder.
    """

    preset: str | None
    from_preset: str | None
    recipe_json: str
    definitions_json: str
    digest: str
    data: str
    extra_data_file: str
    fingerprints_json: str
    encoder_fingerprints_json: str
    checkpoint_dir: str
    snapshot: int
    submitted_at: str

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        """The resolved recipe: dotted names to values."""
        found: Mapping[str, Any] = json.loads(self.recipe_json)
        return found

    @cached_property
    def shared_recipe(self) -> Mapping[str, Any]:
        """The recipe without its seed: one mapping for all runs that differ in nothing else, so that lists of
        thousands of runs neither parse nor keep each recipe."""
        return _without_seed(_SEED.sub('"seed": 0', self.recipe_json))

    @property
    def known(self) -> Tasks:
        """What the tasks are that its recipe names, the built-in ones among them where it names no others.

        Raises:
            DataError: the registry holds none.
        """
        return definitions.from_json(self.definitions_json)

    @cached_property
    def tasks(self) -> Tasks:
        """What the tasks are that are trained, in their order; one mapping for all runs of equal tasks."""
        return _trained(self.definitions_json, tuple(self.shared_recipe.get("tasks", ())))

    @cached_property
    def fingerprints(self) -> Mapping[str, str]:
        """ "<task>-<split>" to fingerprint, as seen at submit."""
        found: Mapping[str, str] = json.loads(self.fingerprints_json)
        return found

    @cached_property
    def encoder_fingerprints(self) -> Mapping[str, str]:
        """ "weights", "config.json" and "vocabulary" to fingerprint, as seen at submit; empty: unknown."""
        found: Mapping[str, str] = json.loads(self.encoder_fingerprints_json)
        return found


class Queueing(Struct, frozen=True, kw_only=True, gc=False):
    """When a run may start, and where.

    Attributes:
        priority: higher ones are started first; `position` orders those of one priority.
        not_before_at: it is not to be started earlier; None: at any time.
        wants: "cpu" or "gpu", the only devices that may take it; "": all.
        awaits: the runs that must have ended before it may start.
        recoveries: how often it was requeued by itself since a person queued it.
        pause_after: the epoch after which it pauses by itself; 0: it trains to its end.
        budget: the key of the budget that it shares with others; None: it has none.
    """

    position: float
    priority: int
    not_before_at: str | None
    wants: str
    awaits: tuple[Awaited, ...]
    recoveries: int
    pause_after: int
    budget: int | None


class Execution(Struct, frozen=True, kw_only=True, gc=False):
    """Who works a run, on what, and how that ended.

    Attributes:
        worker: the key of the worker that claimed it.
        request: "cancel" or "pause" where a person asked and the run has not stopped yet.
        failure: last exception line of a failed run.
        saves_memory: 1 once it ran out of memory: its attempts recompute activations.
        job_json: see `job`.
    """

    device: str | None
    worker: int | None
    started_at: str | None
    ended_at: str | None
    request: str | None
    failure: str | None
    saves_memory: int
    job_json: str | None = None

    @property
    def job(self) -> Job | None:
        """The attempt as a scheduler has it, whose word decides about its life; None: a process of this machine."""
        return decode_job(self.job_json) if self.job_json else None


class Progress(Struct, frozen=True, kw_only=True, gc=False):
    """How far the last attempt came, and what all of them drew, as their events tell.

    Attributes:
        seconds_left: the child's own estimate.
        checkpoint_step: steps done at its newest checkpoint.
        gpu_joules, cpu_joules: drawn by its cards; by the processor and its memory. None: that of an attempt is not
            known.
        energy_shared: 1 where others computed there meanwhile, whose energy is in it.
    """

    phase: str | None
    step: int | None
    steps_total: int | None
    epoch: int | None
    epochs_total: int | None
    seconds_left: float | None
    checkpoint_step: int | None
    last_event_at: str | None
    started_json: str | None
    finished_json: str | None
    gpu_joules: float | None
    cpu_joules: float | None
    energy_shared: int

    @property
    def kwh(self) -> float | None:
        """The energy that is known of, in kilowatt hours."""
        known = [each for each in (self.gpu_joules, self.cpu_joules) if each is not None]
        return sum(known) / JOULES_PER_KWH if known else None

    @property
    def started(self) -> Started | None:
        """The child's `started` event of the last attempt; None before."""
        return stored(Started, self.started_json) if self.started_json else None

    @property
    def finished(self) -> Finished | None:
        """The child's `finished` event; None before."""
        return stored(Finished, self.finished_json) if self.finished_json else None

    @property
    def steps_done(self) -> int | None:
        """Optimizer steps done; None before the first. `step` names the newest, counted from 0, until the run has
        finished: then it is their number."""
        return self.step if self.step is None or self.finished_json else self.step + 1


class Scores(Struct, frozen=True, kw_only=True, gc=False):
    """Dev scores of the selected epoch.

    Attributes:
        scores_json: task to score; None: undefined.
        overall: None for one task, or where one is undefined.
    """

    selected_epoch: int | None
    scores_json: str
    overall: float | None

    @property
    def by_task(self) -> Mapping[str, float | None]:
        """The scores of the tasks that have been evaluated."""
        return _scores_of(self.scores_json)


class Imported(Struct, frozen=True, kw_only=True, gc=False):
    """Up to which byte of which attempt's events a run was imported, and when that was last looked at."""

    events_attempt: int
    events_offset: int
    synced_at: str | None


class Annotations(Struct, frozen=True, kw_only=True, gc=False):
    """What people wrote about a run; `tags` are sorted."""

    note: str
    tags: tuple[str, ...]


class Run(Struct, frozen=True, kw_only=True, gc=False):
    """One run with its summary, by concern; times are UTC, ISO 8601.

    Attributes:
        key: the registry's own number of it; `id` is what people see.
        attempt: the number of the last one; 0 before the first.
    """

    key: int
    id: str
    name: str
    seed: int
    state: State
    attempt: int
    submission: Submission
    queueing: Queueing
    execution: Execution
    progress: Progress
    scores: Scores
    imported: Imported
    annotations: Annotations

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The resolved recipe: dotted names to values."""
        return self.submission.recipe

    @property
    def tasks(self) -> Tasks:
        """What the tasks are that it trains, in their order."""
        return self.submission.tasks

    @property
    def known(self) -> Tasks:
        """What the tasks are that its recipe names: with them it is read."""
        return self.submission.known

    @property
    def share_done(self) -> float | None:
        """Share of the steps done, 0 to 1; None where it is not known."""
        if self.state is State.FINISHED:
            return 1.0
        step, total = self.progress.step, self.progress.steps_total
        return step / total if step is not None and total else None

    def score(self, task: str) -> float | None:
        """The dev score of a task, or "overall"; None where it is not trained, or undefined."""
        return self.scores.overall if task == "overall" else self.scores.by_task.get(task)


# Its parts by the name of the field: what is a struct itself.
CONCERNS: Mapping[str, type[Struct]] = {
    name: kind for name, kind in get_type_hints(Run).items() if isinstance(kind, type) and issubclass(kind, Struct)
}
_PLACES = {name: name for name in Run.__struct_fields__ if name not in CONCERNS} | {
    name: f"{concern}.{name}" for concern, kind in CONCERNS.items() for name in kind.__struct_fields__
}
# What lists and documents call `progress` is the share.
_PLACES |= {"progress": "share_done", "steps_done": "progress.steps_done", "kwh": "progress.kwh"}


def reader_of(name: str) -> Callable[[Run], Any]:
    """How to read of a run what lists and documents name without its concern: "device"; else the score of a task."""
    return attrgetter(_PLACES[name]) if name in _PLACES else lambda run: run.score(name)


@dataclass(frozen=True)
class Snapshot:
    """The code and the environment that a run was submitted with.

    Attributes:
        code_digest: of the package's source files.
        source: version, and git commit and diff where there is git.
        environment: Python, platform, package versions.
    """

    code_digest: str
    source: Mapping[str, Any]
    environment: Mapping[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """Dev scores of one epoch; epoch 0 is before any training.

    Attributes:
        scores: task to what it is judged by; None: undefined.
        metrics: task to metric to value, the score among them.
    """

    epoch: int
    step: int
    overall: float | None
    seconds: float | None
    scores: Mapping[str, float | None]
    metrics: Mapping[str, Mapping[str, float | None]]

    def score(self, task: str) -> float | None:
        """The score of a task, or "overall"."""
        return self.overall if task == "overall" else self.scores.get(task)


@dataclass(frozen=True)
class Transition:
    """One change of state."""

    at: str
    attempt: int
    state_before: str | None
    state_after: str
    actor: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker process, alive or not.

    Attributes:
        request: "drain", "stop" or "go on" where a person asked and the worker has not done it yet.
        guard: why it takes nothing for now; None: it takes what waits.
        beat: when it was last heard of, as `moment` of processes.py tells it.
        registry: `Database.identity` of the file that it opened; "": not known.
    """

    key: int
    host: str
    pid: int
    process_start: str
    slots: tuple[str, ...]
    started_at: str
    heartbeat_at: str
    ended_at: str | None
    request: str | None = None
    guard: str | None = None
    beat: str = ""
    registry: str = ""

    @property
    def starts_nothing(self) -> bool:
        """Whether its guard holds: nobody has told it to go on, or to stop. That it drains changes nothing of that."""
        return self.guard is not None and self.request in (None, "drain")
