"""What goes wrong on a cluster, each as a person or a power cut would do it."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from bertmt.registry.states import State
from bertmt.services.lifecycle.control import pause
from torture.slurm.cluster import NODES, Cluster
from torture.stage import Stage

# A node that is back at once has forgotten its job, and one that stays away is given up after SlurmdTimeout.
AWAY_SECONDS = (1.0, 30.0)
DOWN_SECONDS = (3.0, 12.0)
HIGH_SECONDS = 4


class Scene:
    """Runs of a registry as jobs of a cluster.

    Attributes:
        worker: the one at work.
        done: how often each fault came.
    """

    def __init__(self, stage: Stage, cluster: Cluster, jobs: int, rng: Random):
        self.stage = stage
        self.cluster = cluster
        self.rng = rng
        self.done: dict[str, int] = {}
        self._arguments = [
            "hurried", f'["{sys.executable}", "-P", "-m", "bertmt.training"]', "--db", str(stage.path),
            "--launcher=slurm", "--set=cpus=1", "--set=poll_seconds=0.5", "--set=partition=low", "--set=time=10",
            f"--set=max_jobs={jobs}", "--drain",
        ]  # fmt: skip
        self.worker = self.start_worker()

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """The real worker, which looks more often than it would."""
        return self.stage.start("torture.worker", *self._arguments)

    def processes(self) -> list[int]:
        """The children that train, without the srun of each, which has the same words."""
        found = []
        for pid in self.stage.pids("bertmt.training"):
            with suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().startswith("python"):
                    found.append(pid)
        return [pid for pid in found if pid not in self.stage.pids("torture.worker")]

    def jobs(self) -> list[str]:
        """The numbers of the jobs that have a node."""
        said = self.cluster.ask("squeue", "--noheader", "--states=running", "--Format=JobID:|,Name:|")
        rows = [line.split("|") for line in said.splitlines()]
        return [row[0] for row in rows if len(row) > 1 and row[1].startswith("bertmt-")]

    def does(self, name: str) -> bool:
        """Let a fault come; whether it met anything."""
        met = FAULTS[name](self)
        if met:
            self.done[name] = self.done.get(name, 0) + 1
            self.stage.say(f"fault: {name}")
        return met


def kill_child(scene: Scene) -> bool:
    """As the kernel does where memory is short."""
    found = scene.processes()
    return bool(found) and scene.stage.kill([scene.rng.choice(found)]) > 0


def kill_worker(scene: Scene) -> bool:
    """And start another, which adopts the jobs."""
    scene.worker.kill()
    scene.worker.wait()
    scene.worker = scene.start_worker()
    return True


def preempt(scene: Scene) -> bool:
    """By a job of the higher partition that wants both nodes."""
    met = bool(scene.jobs())
    options = ("--partition=high", "--nodes=2", "--exclusive", "--output=/dev/null", "--job-name=high")
    scene.cluster.ask("sbatch", *options, f"--wrap=sleep {HIGH_SECONDS}")
    return met


def cancel_job(scene: Scene) -> bool:
    """By hand, past bertmt."""
    found = scene.jobs()
    if found:
        scene.cluster.ask("scancel", scene.rng.choice(found))
    return bool(found)


def lose_node(scene: Scene) -> bool:
    """Its power fails; it is back at once, or after Slurm has given it up."""
    node = scene.rng.choice(NODES)
    met = bool(scene.cluster.processes_of(node))
    scene.cluster.kill_node(node)
    time.sleep(scene.rng.choice(AWAY_SECONDS))
    scene.cluster.start_node(node)
    scene.cluster.wait_for_nodes()
    return met


def lose_controller(scene: Scene) -> bool:
    """It is restarted after a while."""
    scene.cluster.kill_controller()
    time.sleep(scene.rng.uniform(*DOWN_SECONDS))
    scene.cluster.start_controller()
    scene.cluster.wait_for_nodes()
    return True


def pause_run(scene: Scene) -> bool:
    """By bertmt; it is resumed later."""
    with scene.stage.open() as database:
        running = [run for run in scene.stage.runs() if run.state is State.RUNNING and run.execution.request is None]
        if running:
            pause(database, scene.rng.choice(running))
    return bool(running)


def stop_worker(scene: Scene) -> bool:
    """By Ctrl-C; its jobs go on."""
    scene.worker.send_signal(signal.SIGINT)
    scene.stage.wait(scene.worker, 60)
    scene.worker = scene.start_worker()
    return True


FAULTS: dict[str, Callable[[Scene], bool]] = {
    "a job's process is killed": kill_child,
    "the worker is killed": kill_worker,
    "preemption": preempt,
    "scancel by hand": cancel_job,
    "a node is lost": lose_node,
    "the controller is lost": lose_controller,
    "pause": pause_run,
    "the worker is stopped": stop_worker,
}
