"""Runs as JSON: the keys that `documents` describes."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertmt.registry.records import Evaluation, Run
    from bertmt.services.browse.alarms.rules import Alarm
    from bertmt.services.browse.details import Details

_SAME_NAME = (
    "id", "name", "preset", "from_preset", "seed", "state", "request", "attempt", "device", "phase",
    "steps_total", "epoch", "epochs_total", "progress", "selected_epoch", "failure", "note", "data",
    "submitted_at", "started_at", "ended_at", "last_event_at", "priority", "not_before_at", "wants", "pause_after",
    "checkpoint_step", "gpu_joules", "cpu_joules",
)  # fmt: skip


def run_record(
    run: "Run",
    baseline: "Run | None" = None,
    difference: float | None = None,
    alarms: "Sequence[Alarm]" = (),
    speed: float | None = None,
) -> dict[str, Any]:
    """A run as `documents.RUN` describes it."""
    # Imported here: every command imports this module at its start.
    from bertmt.registry.records import reader_of
    from bertmt.services.browse.run_formatting import seconds_left
    from bertmt.tasks.builtin import BUILTIN

    return {
        **{name: reader_of(name)(run) for name in _SAME_NAME},
        "job": _job(run),
        "step": run.progress.steps_done,
        "seconds_left": seconds_left(run),
        "steps_per_second": None if speed is None else round(speed, 4),
        "scores": {name: run.score(name) for name in dict.fromkeys((*BUILTIN, *run.tasks, "overall"))},
        "baseline": baseline.id if baseline else None,
        "difference": difference,
        "alarms": [{"rule": each.rule, "sentence": each.sentence} for each in alarms],
        "kwh": run.progress.kwh,
        "energy_shared": bool(run.progress.energy_shared),
        "tags": list(run.annotations.tags),
        "after": [awaited.id for awaited in run.queueing.awaits if not awaited.needs_success],
        "after_ok": [awaited.id for awaited in run.queueing.awaits if awaited.needs_success],
    }


def _job(run: "Run") -> dict[str, str] | None:
    job = run.execution.job
    names = ("launcher", "handle", "phase", "reason", "node", "time_limit")
    return None if job is None else {name: getattr(job, name) for name in names}


def details_record(details: "Details") -> dict[str, Any]:
    """What stands beside the run, as `documents.DETAILS` describes it."""
    run, recipe, finished = details.run, details.recipe, details.run.progress.finished
    return {
        "recipe": dict(run.recipe),
        "scale": recipe.scale() if recipe else {},
        "differs_from_preset": {name: list(values) for name, values in details.changes.items()},
        "idle": recipe.idle() if recipe else {},
        "place_in_queue": details.place,
        "budget": details.budget or None,
        "epochs": [_epoch(run, each) for each in details.evaluations],
        "paper": _paper(details),
        "effort": _effort(run),
        "timings": dict(finished.seconds) if finished else {},
        "peak_memory_mib": finished.peak_memory_mib if finished else None,
        "tokens_per_second": details.tokens_per_second,
        "padding_share": details.padding_share,
        "remarks": list(details.remarks),
        "history": [_transition(each) for each in details.transitions],
        "encoder": {"name": run.recipe.get("encoder"), "fingerprints": dict(run.submission.encoder_fingerprints)},
        "code": _code(details),
        "environment": dict(details.snapshot.environment),
        "folder": str(details.folder),
        "log": list(details.log),
    }


def _effort(run: "Run") -> dict[str, Any]:
    told = run.progress.finished
    return {
        "steps": run.progress.steps_done,
        "examples": dict(told.examples) if told else {},
        "passes": dict(told.passes) if told else {},
    }


def _epoch(run: "Run", found: "Evaluation") -> dict[str, Any]:
    from bertmt.tasks.builtin import BUILTIN

    # The built-in tasks stood here alone before there were others, and S of the one whose score is a correlation.
    similarity = next(name for name, task in BUILTIN.items() if task.metric.signed)
    rho = found.score(similarity)
    return {
        "epoch": found.epoch, "step": found.step, **{name: found.score(name) for name in BUILTIN},
        "overall": found.overall, "seconds": found.seconds,
        "similarity": None if rho is None else BUILTIN[similarity].unit(rho),
        "scores": {name: found.score(name) for name in (*run.tasks, "overall")},
        "metrics": {task: dict(values) for task, values in found.metrics.items()},
    }  # fmt: skip


def _paper(details: "Details") -> dict[str, Any] | None:
    paper = details.paper
    return {"figure": paper.figure, "split": paper.split, **paper.scores, "note": paper.note} if paper else None


def _transition(each: Any) -> dict[str, Any]:
    return {
        "at": each.at, "attempt": each.attempt, "before": each.state_before, "after": each.state_after,
        "owner": each.actor, "reason": each.reason,
    }  # fmt: skip


def _code(details: "Details") -> dict[str, Any]:
    snapshot = details.snapshot
    source = {name: snapshot.source.get(name) for name in ("version", "commit")}
    return {"digest": snapshot.code_digest, **source, "changed": details.code_changed}
