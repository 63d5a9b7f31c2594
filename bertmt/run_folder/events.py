"""Events: what a training child tells, one JSON object per line of `events-<attempt>.jsonl`.

Each kind is one class below, for those who write, read and import; `event` in the file is its name in small letters. A
key that a class does not know is of a later version, and passed over. A line whose values are not of these types and
within these bounds is no event: a flipped byte costs a line, never the run.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

# SQLite's integers have 64 bits; beyond 1e300 differences of two are infinite.
Count = Annotated[int, Meta(ge=0, lt=1 << 62)]
CountOrNone = Annotated[int, Meta(ge=-1, lt=1 << 62)]  # −1: there is none
Number = Annotated[int, Meta(gt=-(1 << 62), lt=1 << 62)] | Annotated[float, Meta(gt=-1e300, lt=1e300)]
Numbers = Mapping[str, Number | None]
Counts = Mapping[str, Count]


def now() -> str:
    """The time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def is_time(value: Any) -> bool:
    """Whether a value is a time as it is written here: ISO 8601, with its zone."""
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


# gc: what is read from JSON has no cycles, and a million steps are not looked through for them again and again.
class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="event", tag=str.lower):
    """What happened when: `at` is UTC, ISO 8601."""

    at: str

    def __post_init__(self) -> None:
        if not is_time(self.at):
            raise ValueError("`at` is not a time with a time zone")


class Unknown(Event, frozen=True, kw_only=True):
    """An event of a later version, of which nothing but its time is read."""

    kind: str


class Started(Event, frozen=True, kw_only=True):
    """The first event of an attempt; what is left out, its writer did not tell.

    Attributes:
        process_start: of `pid`: the machine's boot and when in it, see `processes.py`; "": an older version.
        resumes: a `Resumed` follows; else the attempt starts from the beginning.
        split_sizes: "<task>-<split>" → examples.
        passes_per_epoch: task → passes over its data.
        pretraining: phase → its pairs and steps.
        begins_anew: a sentence: why the checkpoint that was expected is not gone on from; "": nothing is wrong.
    """

    attempt: Count | None = None
    pid: Count | None = None
    process_start: str = ""
    resumes: bool = False
    device: str = ""
    precision: str = ""
    threads: Count | None = None
    steps_total: Count | None = None
    epochs_total: Count | None = None
    versions: Mapping[str, str] = {}
    split_sizes: Counts = {}
    passes_per_epoch: Numbers = {}
    pretraining: Mapping[str, Counts] = {}
    trainable_parameters: Count | None = None
    total_parameters: Count | None = None
    activation_checkpointing: bool = False
    begins_anew: str = ""


class Resumed(Event, frozen=True, kw_only=True):
    """The attempt goes on from a checkpoint.

    Attributes:
        step: how many steps were done at the checkpoint.
        evaluated_epoch, evaluated_step: of the last evaluation until then; −1 where there was none.
        differences: why it is not bit-exact, a sentence each.
    """

    step: Count
    evaluated_epoch: CountOrNone
    evaluated_step: CountOrNone
    differences: Sequence[str] = ()


class Step(Event, frozen=True, kw_only=True):
    """One optimizer step.

    Attributes:
        step: one counter per run from 0, pretraining included.
        epoch: 0 while pretraining.
        phase: "train" or "single", or a pretraining phase: "mlm", "mnr" or "cosine_embedding", where there are several
            encoders, or tasks of pairs with a number, "mnr.<task>" and so on.
        values: series → number, of the weights before the step; pearson_undefined counts from the start.
    """

    step: Count
    epoch: Count
    phase: str
    values: Numbers
    seconds_left: Number | None = None


class PredictionFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file of the run folder, with predictions of the split of a task that has this fingerprint."""

    task: str
    split: str
    file: str
    fingerprint: str


class Evaluated(Event, frozen=True, kw_only=True):
    """An evaluation on the dev splits.

    Attributes:
        epoch: 0 is before any training.
        step: how many steps the weights have had.
        scores, losses, sizes: task → score (None: undefined), mean loss, examples.
        metrics: task → metric → value; older versions told the score alone.
        seconds: how long it took.
    """

    epoch: Count
    step: Count
    scores: Numbers
    metrics: Mapping[str, Numbers] = {}
    overall: Number | None = None
    losses: Numbers = {}
    sizes: Counts = {}
    predictions: Sequence[PredictionFile] = ()
    seconds: Number | None = None


class PartlyEvaluated(Event, frozen=True, kw_only=True, tag="partly_evaluated"):
    """Dev scores of a few examples between two evaluations; fields as in `Evaluated`."""

    epoch: Count
    step: Count
    scores: Numbers
    sizes: Counts = {}
    predictions: Sequence[PredictionFile] = ()
    seconds: Number | None = None


class Checkpointed(Event, frozen=True, kw_only=True, tag="checkpoint"):
    """A checkpoint was written, which holds so many steps; `seconds` is how long that took."""

    step: Count
    mib: Number | None = None
    seconds: Number | None = None


class Energy(Event, frozen=True, kw_only=True):
    """What the attempt drew since it began, in joules; None: nobody measures it.

    Attributes:
        gpu_joules, cpu_joules: by its card; by the processor and its memory.
        shared: whether others computed there meanwhile, whose energy is in it.
    """

    gpu_joules: Number | None = None
    cpu_joules: Number | None = None
    shared: bool = False


class Stopped(Event, frozen=True, kw_only=True):
    """The child obeyed a signal, or paused where it was to; a checkpoint was written before where that was possible.

    Attributes:
        signal: as in "SIGTERM"; "": there was none.
        after_epoch: the epoch after which it was to pause and did; None: it was a signal.
    """

    step: Count
    signal: str
    after_epoch: Count | None = None


class Displaced(Event, frozen=True, kw_only=True):
    """The process ends because its folder is no longer its own, for a reason (a sentence); its run is then lost."""

    step: Count
    reason: str


class Finished(Event, frozen=True, kw_only=True):
    """The run came to its end.

    Attributes:
        selected_epoch: whose weights and scores the run has.
        seconds: phase (load, pretraining, training, partial evaluation, evaluation, saving) → wall seconds.
        examples, tokens, passes: by task and pretraining phase.
        model: weights were kept.
        remarks: sentences.
    """

    epoch: Count
    step: Count
    selected_epoch: Count
    scores: Numbers = {}
    seconds: Numbers = {}
    peak_memory_mib: Number | None = None
    examples: Counts = {}
    tokens: Counts = {}
    passes: Numbers = {}
    model: bool = False
    remarks: Sequence[str] = ()


class Failed(Event, frozen=True, kw_only=True):
    """The run cannot go on: the error (one line), how many steps were done, and whether memory was what it lacked."""

    error: str
    step: Count | None = None
    out_of_memory: bool = False


LAST_EVENTS = (Finished, Failed, Stopped)
AnyEvent = (
    Started
    | Resumed
    | Step
    | Evaluated
    | PartlyEvaluated
    | Checkpointed
    | Energy
    | Stopped
    | Displaced
    | Finished
    | Failed
)
Kind = TypeVar("Kind", bound=Event)


class _Head(msgspec.Struct):
    event: str
    at: str


_event_of: Callable[[bytes], Event] = msgspec.json.Decoder(AnyEvent).decode
_head_of = msgspec.json.Decoder(_Head).decode
_KNOWN = {str(kind.__struct_config__.tag) for kind in AnyEvent.__args__}


def parse_event(line: bytes) -> Event | None:
    """One line as an event, or None where it is not one."""
    try:
        return _event_of(line)
    except (ValueError, RecursionError):  # which is what msgspec's errors are
        return _parsed_with_care(line)


def _parsed_with_care(line: bytes) -> Event | None:
    """An event of a later version, or one with half a character, which JSON can spell and UTF-8 cannot hold."""
    try:
        if b"\\u" in line:
            line = whole_characters(json.loads(line.decode("utf-8")))
        head = _head_of(line)
        return _event_of(line) if head.event in _KNOWN else Unknown(at=head.at, kind=head.event)
    except (ValueError, RecursionError):
        return None


def whole_characters(content: Any) -> bytes:
    """As JSON, with a question mark in place of half a character."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def to_json(event: Event) -> bytes:
    """An event as one line, without its end."""
    try:
        return msgspec.json.encode(event)
    except UnicodeEncodeError:  # the name of a file may hold half a character
        written = json.dumps(msgspec.to_builtins(event))
        return whole_characters(json.loads(written, parse_constant=lambda constant: None))


def stored(kind: type[Kind], text: str) -> Kind | None:
    """An event from the registry, where versions that checked less have stored events too.

    What is not of its type is left out; without what it must have it is none.

    Raises:
        ValueError: it is no JSON object.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        content = msgspec.json.decode(text, type=dict[str, Any])
        types = {field.name: field.type for field in msgspec.structs.fields(kind)}
        kept = {name: value for name, value in content.items() if _as(value, types.get(name)) is not None}
        event: Kind | None = _as(kept, kind)
        return event


def _as(value: Any, kind: Any) -> Any:
    """The value as that type; None where it is not of it."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None
