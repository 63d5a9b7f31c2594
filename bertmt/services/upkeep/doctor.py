"""What works on this machine and what does not: checks that never raise, each with what to do."""

import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from bertmt import paths
from bertmt.devices.cpu import read_cpu
from bertmt.devices.gpus import list_gpus
from bertmt.drawing.numbers import counted, duration
from bertmt.encoders.find import find_encoder
from bertmt.errors import BertmtError
from bertmt.launchers.choosing import chosen_launcher
from bertmt.launchers.protocol import LOCAL
from bertmt.recipe.encoders import KNOWN_ENCODERS
from bertmt.recipe.rules import recipe_from
from bertmt.registry.database import GOES_BACK, SAFE_SQLITE, sqlite3
from bertmt.registry.file.backups import kept_backups
from bertmt.registry.file.file_systems import file_system_type, refuse_network_file_system
from bertmt.registry.file.health import FINE, quick_check
from bertmt.registry.file.opening import open_registry
from bertmt.registry.finding import count_runs
from bertmt.registry.queue import count_in
from bertmt.registry.states import State
from bertmt.registry.workers import running_workers
from bertmt.services.plan.data_check import check_data
from bertmt.services.plan.snapshot import PACKAGES
from bertmt.services.plan.user_settings import LAUNCHER, read_user_settings
from bertmt.services.upkeep.own_tables import read_own_table
from bertmt.services.upkeep.ownership import notices
from bertmt.tasks.builtin import BUILTIN
from bertmt.version import __version__

GIB = 1 << 30
# A fine-tuned bert-base takes 0.44 GB, the final model with its three encoders 1.3 GB.
LOW_DISK_BYTES, FULL_DISK_BYTES = 5 * GIB, GIB // 2


class Health(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        found: what is the case.
        advice: what to do; empty where nothing needs doing.
    """

    name: str
    state: Health
    found: str
    advice: str = ""


def examine(registry: Path, launcher: str = "") -> list[Check]:
    """All checks; `registry` need not exist and is not made.

    Args:
        launcher: the one that is tried too, with a job that looks around on a node.
    """
    parts: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("programs", _programs),
        ("SQLite", _sqlite),
        ("devices", _devices),
        ("defaults", _defaults),
        ("encoders", _encoders),
        ("data", _data),
        ("file system", lambda: _file_system(registry)),
        ("ownership", lambda: _ownership(registry)),
        ("registry", lambda: _registry(registry)),
        ("launcher", lambda: _launcher(registry, launcher)),
    )
    found: list[Check] = []
    for name, part in parts:
        try:
            found += part()
        except Exception as problem:  # a doctor that faints at what it should find is of no use
            found.append(Check(name, Health.PROBLEM, f"{type(problem).__name__}: {problem}", "see the message"))
    return found


def _programs() -> Iterator[Check]:
    yield Check("bertmt", Health.OK, f"{__version__}, Python {platform.python_version()} at {sys.executable}")
    missing, there = [], []
    for name in PACKAGES:
        try:
            there.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    needed = [name for name in missing if name != "pysqlite3"]  # where SQLite is new enough it has no part
    advice = f"`pip install --upgrade bertmt` brings {', '.join(needed)}" if needed else ""
    yield Check("packages", Health.PROBLEM if needed else Health.OK, ", ".join(there) or "none", advice)


def _sqlite() -> Iterator[Check]:
    version = tuple(int(part) for part in sqlite3.sqlite_version.split("."))
    if version >= SAFE_SQLITE:
        yield Check("SQLite", Health.OK, sqlite3.sqlite_version)
        return
    safe = ".".join(map(str, SAFE_SQLITE))
    yield Check(
        "SQLite",
        Health.WARNING,
        f"{sqlite3.sqlite_version}, which can lose commits when several processes write (fixed in {safe})",
        "`pip install pysqlite3` on Linux, a newer Python elsewhere; until then use one worker",
    )


def _devices() -> Iterator[Check]:
    cpu = read_cpu()
    memory = f", {cpu.memory_free_mib:,} of {cpu.memory_total_mib:,} MiB free" if cpu.memory_free_mib else ""
    yield Check("CPU", Health.OK, f"{counted(cpu.cores, 'core')} for runs{memory}; {cpu.name or platform.machine()}")
    gpus = list_gpus()
    if not gpus:
        yield Check("GPU", Health.OK, "none that this process may use; runs train on the CPU")
    for gpu in gpus:
        free = f", {gpu.memory_free_mib:,} of {gpu.memory_total_mib:,} MiB free" if gpu.memory_free_mib else ""
        yield Check(f"GPU {gpu.index}", Health.OK, f"{gpu.name}{free}; {gpu.uuid}")


def _defaults() -> Iterator[Check]:
    path = paths.settings_path()
    if path is None:
        yield Check("defaults", Health.OK, "no bertmt.toml here or above", "`bertmt init --data DIR` writes one")
        return
    try:
        values = read_user_settings()
        recipe_from(values)
        listed = ", ".join(f"{name}={value}" for name, value in values.items())
        yield Check("defaults", Health.OK, f"{path}: {listed}")
    except BertmtError as problem:
        yield Check("defaults", Health.PROBLEM, str(problem), f"fix {path}, or rewrite it with `bertmt init`")


def _encoders() -> Iterator[Check]:
    configured = _setting("encoder")
    for name in dict.fromkeys((*KNOWN_ENCODERS, *([configured] if configured else ()))):
        try:
            files = find_encoder(name)
            revision = f", revision {files.revision}" if files.revision else ""
            yield Check(
                f"encoder {name}",
                Health.OK,
                f"{files.layers} layers, {files.hidden_size} wide at {files.folder}{revision}",
            )
        except BertmtError as problem:
            # Only the encoder that runs take by default is missed.
            state = Health.PROBLEM if name == configured else Health.WARNING
            yield Check(f"encoder {name}", state, "not at hand", str(problem))


def _data() -> Iterator[Check]:
    data, extra = _setting("data"), _setting("extra_data_file")
    if not data:
        yield Check(
            "data",
            Health.WARNING,
            "none by default",
            "`bertmt init --data DIR`, or `bertmt queue --data toy` (embedded)",
        )
    for task in BUILTIN if data else ():
        yield _split_check(f"data {task}", {"data": data, "tasks": [task]})
    if extra:
        takers = [name for name, task in BUILTIN.items() if task.extra_pairs]
        pairs = {"data": "toy", "tasks": takers, "extra_data": True, "extra_data_file": extra}
        yield _split_check("extra pairs", pairs, tuple(f"{name}-extra" for name in takers))


def _split_check(name: str, values: dict[str, Any], splits: tuple[str, ...] = ()) -> Check:
    try:
        checked = check_data(recipe_from(values))
    except BertmtError as problem:
        return Check(name, Health.PROBLEM, "cannot be used", " ".join(problem.problems))
    sizes = {split: count for split, count in checked.sizes.items() if not splits or split in splits}
    where = checked.extra_data_file if splits else checked.data
    listed = ", ".join(f"{split.partition('-')[2]} {count:,}" for split, count in sizes.items())
    return Check(name, Health.OK, f"{listed} examples in {where}", " ".join(checked.warnings))


def _setting(name: str) -> str:
    """A default of the user's, or an empty text; what is wrong with the file is another check's concern."""
    try:
        return str(read_user_settings().get(name, ""))
    except BertmtError:
        return ""


def _file_system(registry: Path) -> Iterator[Check]:
    folder = registry.parent
    kind = file_system_type(folder) or "unknown"
    try:
        refuse_network_file_system(folder)
        yield Check("file system", Health.OK, f"{kind} at {folder}")
    except BertmtError as problem:
        yield Check("file system", Health.PROBLEM, f"{kind} at {folder}", str(problem))
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(existing).free
    low = Health.PROBLEM if free < FULL_DISK_BYTES else Health.WARNING if free < LOW_DISK_BYTES else Health.OK
    advice = "" if low is Health.OK else "remove runs with `bertmt rm`, or queue with --set keep_model=false"
    yield Check("free disk", low, f"{free / GIB:,.1f} GiB", advice)


def _ownership(registry: Path) -> Iterator[Check]:
    for notice in notices(registry):
        yield Check("ownership", Health.WARNING, notice, "make them yours, and `chmod go-w` file and folder")


def _registry(registry: Path) -> Iterator[Check]:
    if not registry.exists():
        yield Check("registry", Health.OK, f"none at {registry} yet", "`bertmt queue --preset baseline` makes one")
        return
    try:
        with open_registry(registry) as database:
            runs = count_runs(database)
            queued = count_in(database, State.QUEUED)
            said = quick_check(database)
            workers = running_workers(database)
    except (BertmtError, sqlite3.Error) as problem:
        yield Check("registry", Health.PROBLEM, f"{registry}: {problem}", GOES_BACK)
        yield _backups(registry)
        return
    mib = registry.stat().st_size / (1 << 20)
    yield Check("registry", Health.OK, f"{counted(runs, 'run')}, {mib:,.1f} MiB at {registry}")
    if said == FINE:
        yield Check("integrity", Health.OK, "SQLite finds nothing wrong")
    else:
        advice = "end all workers and dashboards, then `bertmt repair`"
        yield Check("integrity", Health.PROBLEM, "; ".join(said), advice)
    yield _backups(registry)
    listed = ", ".join(f"{worker.pid} on {worker.host} ({' '.join(worker.slots)})" for worker in workers)
    unworked = bool(queued and not workers)
    yield Check(
        "workers",
        Health.WARNING if unworked else Health.OK,
        (listed or "none alive") + (f"; {counted(queued, 'run waits', 'runs wait')}" if queued else ""),
        "`bertmt worker --drain` works the queue" if unworked else "",
    )


def _launcher(registry: Path, name: str) -> Iterator[Check]:
    """What the settings of launchers say; and what one finds that is to be tried."""
    try:
        path, tables = read_own_table(LAUNCHER) if name != LOCAL else (None, {})
    except BertmtError as problem:
        yield Check("launcher", Health.PROBLEM, str(problem), "mend it, or make it yours alone")
        return
    for each in [name] if name else tables:
        try:
            launcher, slots = chosen_launcher(each, tables, ())
        except BertmtError as problem:
            yield Check("launcher", Health.PROBLEM, str(problem), f"fix {path}" if path else "")
            continue
        if not name:
            found = f"{each}: at most {counted(len(slots), 'run')} at a time"
            yield Check("launcher", Health.OK, found, f"`bertmt doctor --launcher {each}` tries it with a job")
            continue
        for finding in launcher.checks(str(paths.runs_folder(registry))):
            yield Check(finding.name, Health(finding.state), finding.found, finding.advice)


def _backups(registry: Path) -> Check:
    kept = kept_backups(registry)
    if not kept:
        return Check("backups", Health.OK, "none yet; a worker makes one when it starts")
    ages = ", ".join(duration(max(0.0, each.age_seconds)) for each in reversed(kept))
    return Check("backups", Health.OK, f"{len(kept):,} in {kept[-1].path.parent}, made {ages} ago")
