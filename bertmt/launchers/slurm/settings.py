"""What a user may tell Slurm of the jobs: `[launcher.slurm]` in `bertmt.toml`, or `--set` of `bertmt worker`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from bertmt.errors import UsageError

SLURM = "slurm"


@dataclass(frozen=True, kw_only=True)
class SlurmSettings:
    """Each text is what the option of that name of sbatch takes; "": the cluster's default.

    Attributes:
        cpus: per run; 0: the cluster's default, and a run uses as many threads as it has cores.
        setup: lines of shell that a job executes first, such as `module load cuda`.
        max_jobs: how many jobs, pending or running, there are at most at a time; the rest waits in the registry.
        stop_seconds: how long before its time limit, or before a preemption that gives as much, a run is asked to
            write a checkpoint and end.
        poll_seconds: how long between two questions to Slurm, each one `squeue` for all jobs.
    """

    partition: str = ""
    account: str = ""
    qos: str = ""
    time: str = ""
    gres: str = ""
    cpus: int = 0
    mem: str = ""
    constraint: str = ""
    setup: str = ""
    max_jobs: int = 20
    stop_seconds: int = 60
    poll_seconds: float = 10.0

    @property
    def has_gpu(self) -> bool:
        """Whether a job gets one."""
        return "gpu" in self.gres.lower()

    def options(self) -> list[str]:
        """The options of sbatch, that the user has set."""
        texts = ("partition", "account", "qos", "time", "gres", "mem", "constraint")
        options = [f"--{name}={getattr(self, name)}" for name in texts if getattr(self, name)]
        return [*options, *([f"--cpus-per-task={self.cpus}"] if self.cpus else [])]


LEAST = {"cpus": 0, "max_jobs": 1, "stop_seconds": 1, "poll_seconds": 0.1}
KINDS: Mapping[str, type] = {each.name: type(each.default) for each in fields(SlurmSettings)}


def read_settings(table: object, told: Sequence[str] = ()) -> SlurmSettings:
    """The settings of a table, and what the command line says over them.

    Args:
        told: "key=value" each.

    Raises:
        UsageError: a key is none, or a value not what it takes.
    """
    if not isinstance(table, Mapping):
        raise UsageError('[launcher] slurm is a table: write "[launcher.slurm]", and its settings below.')
    found = {name: _value(name, value, "[launcher.slurm]") for name, value in table.items()}
    for each in told:
        name, equals, value = each.partition("=")
        if not equals:
            raise UsageError(f"--set {each}: expected KEY=VALUE, such as --set partition=gpu.")
        found[name.strip()] = _value(name.strip(), _parsed(name.strip(), value.strip()), "--set")
    return replace(SlurmSettings(), **found)


def _parsed(name: str, text: str) -> Any:
    """What the command line says, as TOML would have it."""
    try:
        return text if KINDS.get(name, str) is str else KINDS[name](text)
    except ValueError:
        return text


def _value(name: str, value: object, where: str) -> Any:
    if name not in KINDS:
        raise UsageError(f"{where}: there is no setting {name!r} of Slurm; there are {', '.join(KINDS)}.")
    kind = KINDS[name]
    if kind is str and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # time = 60
    if kind is float and isinstance(value, int):
        value = float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        expected = {str: "a text", int: "a whole number", float: "a number"}[kind]
        raise UsageError(f"{where}: {name} takes {expected}, not {value!r}.")
    if isinstance(value, int | float) and not value >= LEAST[name]:
        raise UsageError(f"{where}: {name} is at least {LEAST[name]}, not {value}.")
    if isinstance(value, str) and name != "setup" and not value.isprintable():
        raise UsageError(f"{where}: {name} holds characters that cannot be printed.")
    return value
