"""`python -m torture.slurm`: real trainings as jobs of a real Slurm, while jobs, nodes, controller and workers die.

At the end every run must have finished with the points, predictions and weights of one that was trained on this machine
alone, in attempts that are each one job.
"""

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bertmt import paths
from bertmt.launchers.slurm.launcher import SlurmLauncher
from bertmt.launchers.slurm.settings import SlurmSettings
from bertmt.registry.states import State
from bertmt.services.plan.submit import Request, plan, submit
from torture.invariants import violations
from torture.real import RECIPES, SCALE, Reference, reference_of
from torture.slurm.cluster import Cluster, UnavailableError
from torture.slurm.faults import FAULTS, Scene
from torture.stage import REAL, TRUE_LOSSES, Stage

UNAVAILABLE = 77  # as automake has it for a test that was skipped
PATIENCE_SECONDS = 900.0
PAUSES = (2.0, 6.0)
CACHE = Path(tempfile.gettempdir()) / f"bertmt-slurm-{os.geteuid()}"


def play(
    stage: Stage, cluster: Cluster, arguments: argparse.Namespace, rng: Random
) -> tuple[list[str], dict[str, int]]:
    """Let faults come until there are enough and all runs have finished; what was wrong, and which came how often."""
    references: dict[str, Reference] = {}
    presets = list(RECIPES)[: arguments.presets]
    for preset in itertools.islice(itertools.cycle(presets), arguments.runs):
        if preset not in references:
            references[preset] = reference_of(preset)
        with stage.open() as database:
            [run] = submit(database, plan(Request(preset=preset, values=SCALE | RECIPES[preset])))
        stage.expected[run.id] = references[preset].expected
    stage.true_losses = (*TRUE_LOSSES, "NODE_FAIL", "JobLaunchFailure", "no longer lists it")
    scene = Scene(stage, cluster, 4, rng)
    end = time.monotonic() + PATIENCE_SECONDS
    kinds = list(FAULTS)[: arguments.kinds]
    names = itertools.cycle(rng.sample(kinds, len(kinds)))
    while time.monotonic() < end and not all(run.state is State.FINISHED for run in stage.runs()):
        time.sleep(rng.uniform(*PAUSES))
        if sum(scene.done.values()) < arguments.faults:
            scene.does(next(names))
        stage.requeue_ended()
        if scene.worker.poll() is not None:
            scene.worker = scene.start_worker()
    stage.wait(scene.worker, 120)
    with stage.open() as database:
        found = [*stage.violations, *violations(database, stage.expected)]
        rows = database.execute("SELECT handle, count(*) FROM jobs WHERE handle != '' GROUP BY handle").fetchall()
    found += [f"job {handle} was {count} attempts" for handle, count in rows if count > 1]
    found += [f"{run.id} is {run.state}" for run in stage.runs() if run.state is not State.FINISHED]
    return [*found, *_left_behind(cluster)], scene.done


def _left_behind(cluster: Cluster) -> Iterator[str]:
    """Jobs of runs that are still there once all have finished."""
    said = cluster.ask("squeue", "--noheader", "--states=pending,running", "--Format=Name:|")
    yield from (f"{line.strip('| ')} is still there" for line in said.splitlines() if line.startswith("bertmt-"))


def _unwell(stage: Stage) -> Iterator[str]:
    """What `bertmt doctor --launcher slurm` complains of on a cluster that is well."""
    checks = SlurmLauncher(SlurmSettings(partition="low", time="5")).checks(str(paths.runs_folder(stage.path)))
    yield from (f"doctor: {each.name}: {each.found}" for each in checks if each.state != "ok")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m torture.slurm", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--faults", type=int, default=16)
    parser.add_argument("--presets", type=int, default=len(RECIPES), help="so many different ones are trained")
    parser.add_argument("--kinds", type=int, default=len(FAULTS), help="the first so many kinds of faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where Slurm is unpacked, and stays")
    parser.add_argument("--folder", type=Path, help="where the registry is made, and stays")
    arguments = parser.parse_args()
    cluster = Cluster(arguments.cache)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture-slurm-") as folder:
        try:
            cluster.up()
            os.environ.update(cluster.environment())
            stage = Stage(arguments.folder or Path(folder), REAL)
            try:
                found, done = play(stage, cluster, arguments, Random(arguments.seed))
                found += _unwell(stage)
                attempts = sum(run.attempt for run in stage.runs())
                if found:
                    sys.stdout.write(stage.output())
            finally:
                stage.close()
        except UnavailableError as problem:
            print(f"Skipped: {problem}.")
            return UNAVAILABLE
        finally:
            cluster.down()
    for name, count in done.items():
        print(f"{count:4} {name}")
    print(*found, sep="\n")
    worked = f"{arguments.runs} runs in {attempts} jobs, {sum(done.values())} faults"
    print(f"{worked}, {len(found)} violations, {time.monotonic() - begun:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
