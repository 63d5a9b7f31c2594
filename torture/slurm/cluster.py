"""A real Slurm of two nodes on this machine, from Debian's own packages, which are unpacked and not installed.

`python -m torture.slurm.cluster up|down FOLDER`, then `. FOLDER/env.sh`. As root, on loopback alone; partition `high`
preempts `low`. Debian 12's build knows no accounting daemon, so `sacct` fails, as on many a small cluster.
"""

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

PACKAGES = (
    "slurm-client", "slurmctld", "slurmd", "slurm-wlm-basic-plugins", "munge", "libmunge2", "libhwloc15",
    "liblua5.1-0",
)  # fmt: skip
DAEMONS = ("slurmctld-wlm", "slurmd-wlm", "munged")
NODES = ("n1", "n2")
READY_SECONDS = 30.0
CONFIGURATION = """
ClusterName=bertmt
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={run}/munge.sock
CredType=cred/munge
SlurmctldPort={controller}
StateSaveLocation={run}/state
SlurmdSpoolDir={run}/spool-%n
SlurmctldPidFile={run}/controller.pid
SlurmdPidFile={run}/%n.pid
SlurmctldLogFile={run}/log/controller.log
SlurmdLogFile={run}/log/%n.log
PluginDir={plugins}
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmctldParameters=preempt_send_user_signal
JobAcctGatherType=jobacct_gather/none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmdTimeout=10
KillWait=5
MinJobAge=120
InactiveLimit=0
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={first} CPUs=2 RealMemory=2000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={second} CPUs=2 RealMemory=2000
PartitionName=low Nodes=n1,n2 Default=YES MaxTime=60 PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=high Nodes=n1,n2 MaxTime=60 PriorityTier=10 PreemptMode=OFF
"""


class UnavailableError(Exception):
    """There can be no Slurm here; why."""


class Cluster:
    """The cluster in a folder.

    Args:
        folder: everything of it; what was unpacked there is used again.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.run = folder / "run"
        self.root = folder / "root"
        self.libraries = self.root / "usr" / "lib" / f"{platform.machine()}-linux-gnu"

    def environment(self) -> dict[str, str]:
        """What its commands need of the environment, over this process's own."""
        programs = f"{self.root}/usr/bin:{self.root}/usr/sbin"
        return {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "LD_LIBRARY_PATH": f"{self.libraries}:{self.libraries}/slurm-wlm",
            "SLURM_CONF": str(self.folder / "slurm.conf"),
        }

    def up(self) -> None:
        """Unpack, configure, start, and wait until both nodes are there.

        Raises:
            UnavailableError: the packages cannot be had, or it does not start.
        """
        if os.geteuid() or not shutil.which("apt-get") or not shutil.which("dpkg"):
            raise UnavailableError("a real Slurm needs Debian's packages, and root for its daemons")
        self._unpack()
        self.down()  # one of a harness that was killed would end this one's jobs, which it does not know
        shutil.rmtree(self.run, ignore_errors=True)
        for name in ("state", "log"):
            (self.run / name).mkdir(parents=True)
        (self.folder / "munge.key").write_bytes(os.urandom(1024))
        (self.folder / "munge.key").chmod(0o600)
        controller, first, second = _free_ports(3)
        host = socket.gethostname().partition(".")[0]
        told = {"host": host, "run": self.run, "plugins": self.libraries / "slurm-wlm"}
        told |= {"controller": controller, "first": first, "second": second}
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(**told))
        exports = "\n".join(f"export {name}='{value}'" for name, value in self.environment().items())
        (self.folder / "env.sh").write_text(f"{exports}\n")
        self._command(
            "munged", f"--socket={self.run}/munge.sock", f"--key-file={self.folder}/munge.key",
            f"--pid-file={self.run}/munged.pid", f"--log-file={self.run}/log/munged.log",
            f"--seed-file={self.run}/munge.seed", "--num-threads=2", "--force",
        )  # fmt: skip
        self.start_controller(fresh=True)
        for node in NODES:
            self.start_node(node)
        self.wait_for_nodes()

    def _unpack(self) -> None:
        if (self.root / "usr" / "bin" / "sbatch").exists():
            return
        packed = self.folder / "packages"
        packed.mkdir(parents=True, exist_ok=True)
        for command in (["apt-get", "update", "-qq"], ["apt-get", "download", "-qq", *PACKAGES]):
            ended = subprocess.run(command, cwd=packed, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise UnavailableError(f"Debian's packages of Slurm cannot be had: {ended.stderr.strip()[-300:]}")
        for path in packed.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(path), str(self.root)], check=True)

    def _command(self, *command: str, environment: Mapping[str, str] | None = None) -> str:
        told = {**os.environ, **self.environment(), **(environment or {})}
        ended = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise UnavailableError(f"{command[0]}: {ended.stderr.strip()[-300:]}")
        return ended.stdout

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands says."""
        return self._command(*command)

    def start_controller(self, fresh: bool = False) -> None:
        """Start it, with the state that it saved."""
        self._command("slurmctld-wlm", *(["-c"] if fresh else []), "-f", str(self.folder / "slurm.conf"))

    def start_node(self, node: str) -> None:
        step = self.root / "usr" / "sbin" / "slurmstepd-wlm"
        self._command("slurmd-wlm", "-N", node, "-f", str(self.folder / "slurm.conf"), "-d", str(step))

    def kill_controller(self) -> None:
        self._kill("controller")

    def kill_node(self, node: str) -> None:
        """As when its power fails: its daemon dies, what looks after its jobs, then the jobs."""
        self._kill(node)
        _kill_all(self.processes_of(node))

    def processes_of(self, node: str) -> list[int]:
        """Whatever runs as part of a job on a node, with that node's name in its environment; their parents first."""
        jobs, parents = [], set()
        marks = {f"SLURM_CONF={self.folder}/slurm.conf".encode(), f"SLURMD_NODENAME={node}".encode()}
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                told = (entry / "environ").read_bytes().split(b"\0") if entry.name.isdecimal() else []
                if marks <= set(told):
                    jobs.append(int(entry.name))
                    parent = Path("/proc", (entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if (parent / "comm").read_text().startswith("slurmstepd"):
                        parents.add(int(parent.name))
        return [*parents, *jobs]

    def _kill(self, name: str) -> None:
        with suppress(OSError, ValueError):
            os.kill(int((self.run / f"{name}.pid").read_text()), signal.SIGKILL)

    def wait_for_nodes(self) -> None:
        """Until both nodes can take jobs.

        Raises:
            UnavailableError: they cannot after half a minute.
        """
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            with suppress(UnavailableError):
                states = self.ask("sinfo", "--noheader", "--Node", "--partition=low", "--Format=StateLong").split()
                if len(states) == len(NODES) and set(states) <= {"idle", "allocated", "mixed", "completing"}:
                    return
            time.sleep(0.2)
        raise UnavailableError("Slurm was started, and its nodes do not answer")

    def down(self) -> None:
        """End its daemons and jobs; what was unpacked stays."""
        _kill_all(self._daemons())
        for node in NODES:
            _kill_all(self.processes_of(node))

    def _daemons(self) -> list[int]:
        """The processes that were started with a file of this folder."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode(errors="replace") if entry.name.isdecimal() else ""
                if words.partition("\0")[0] in DAEMONS and f"{self.folder}/" in words:
                    found.append(int(entry.name))
        return found


def _kill_all(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens at now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def main() -> int:
    if len(sys.argv) != 3 or sys.argv[1] not in ("up", "down"):
        sys.stderr.write("usage: python -m torture.slurm.cluster up|down FOLDER\n")
        return 2
    cluster = Cluster(Path(sys.argv[2]).absolute())
    if sys.argv[1] == "down":
        cluster.down()
        return 0
    try:
        cluster.up()
    except UnavailableError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    print(f". {cluster.folder}/env.sh")
    return 0


if __name__ == "__main__":
    sys.exit(main())
