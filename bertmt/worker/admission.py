"""Whether a run may be started on a slot now: its GPU is here, nobody else starts there, and enough memory is free.

Who is admitted holds the user's lock of the GPU until its first step has taken the memory that was free
(devices/start_lock.py). Of other users NVML alone tells: what they hold, and whether one of them has just begun there.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertmt.devices.gpu_users import gpu_users, users_sentence
from bertmt.devices.gpus import Gpu, read_gpus
from bertmt.devices.slots import CPU, DeviceSlot
from bertmt.devices.start_lock import StartLock, take_start_lock, who_starts
from bertmt.drawing import numbers
from bertmt.errors import BusyError

# An answer of NVML is believed so long: opening it takes tens of milliseconds, and a worker asks twice a second.
ASK_SECONDS = 3.0
# A card that has this share free is as empty as it becomes: drivers and displays keep some. A run that needs more
# starts there all the same, since waiting would change nothing, and says itself where it does not fit.
EMPTY_SHARE = 0.9
# A process of another user that is younger may not have taken yet what it will take: about as long as a run needs from
# its first use of the card to its first step (not measured).
JUST_BEGUN_SECONDS = 60.0
# But no longer: whoever starts one short process after the other there must not stop everybody else.
PATIENCE_SECONDS = 300.0

ReadGpus = Callable[[Sequence[str]], tuple[Gpu, ...] | None]


@dataclass(frozen=True)
class Admitted:
    """The run may be started."""


@dataclass(frozen=True)
class Refused:
    """The run has to wait, or go elsewhere.

    Attributes:
        reason: a sentence; names of users and programs in it come from outside.
        vanished: the slot's GPU is no longer here.
    """

    reason: str
    vanished: bool = False


class Admission:
    """The reservations of one worker.

    Args:
        slots: all that the worker has.
        read: asks NVML for GPUs by UUID; None where it does not answer.
        clock: seconds.
        folder: where the locks are; the user's state folder if None.
        root: stands for the root of the file system in tests.
        is_here: the slots are of this machine; what is elsewhere a scheduler looks after.
    """

    def __init__(
        self,
        slots: Iterable[DeviceSlot],
        read: ReadGpus = read_gpus,
        clock: Callable[[], float] = time.monotonic,
        folder: Path | None = None,
        root: Path = Path("/"),
        is_here: bool = True,
    ):
        self._is_here = is_here
        self._uuids = sorted({slot.device for slot in slots} - {CPU})
        self._read = read
        self._clock = clock
        self._folder = folder
        self._root = root
        self._gpus: dict[str, Gpu] | None = {}
        self._asked_at = float("-inf")
        self._locks: dict[DeviceSlot, StartLock] = {}
        self._patient_since: dict[str, float] = {}

    def admit(self, run_id: str, slot: DeviceSlot, needed_mib: int | None) -> Admitted | Refused:
        """Reserve a slot's GPU for the start of a run; on the CPU there is nothing to reserve.

        Args:
            needed_mib: GPU memory that the run will need; None if nobody knows.
        """
        if slot.device == CPU or not self._is_here:
            return Admitted()
        # What was seen a moment ago is enough to refuse, and a refusal is repeated in every round of a worker.
        refused = self._refusal(run_id, slot, needed_mib)
        if refused:
            return refused
        try:
            lock = take_start_lock(slot.device, run_id, self._folder)
        except BusyError as problem:
            return Refused(str(problem))
        if lock is None:
            starter = who_starts(slot.device, self._folder)
            who = starter.words() if starter else "another run"
            return Refused(f"{run_id} waits for {slot.name}: {who} has not taken its first step there.")
        # Only what is free once nobody else can start is what the run will find.
        self._locks[slot] = lock
        self._asked_at = float("-inf")
        refused = self._refusal(run_id, slot, needed_mib)
        if refused:
            self.ended(slot)
        return refused or Admitted()

    def first_step_done(self, slot: DeviceSlot) -> None:
        """The run on a slot holds its memory now: others may look at what is left. Safe to repeat."""
        lock = self._locks.pop(slot, None)
        if lock:
            lock.release()

    def ended(self, slot: DeviceSlot) -> None:
        """The run on a slot has ended, or could not be started. Safe to repeat."""
        self.first_step_done(slot)

    def vanished(self, slot: DeviceSlot) -> bool:
        """Whether a slot's GPU is no longer here; while NVML does not answer, nothing is known to have gone."""
        if slot.device == CPU or not self._is_here:
            return False
        gpus = self._now()
        return gpus is not None and slot.device not in gpus

    def _now(self) -> dict[str, Gpu] | None:
        """The GPUs of all slots by UUID, asked for at most every few seconds; None where NVML does not answer."""
        if self._uuids and self._clock() - self._asked_at > ASK_SECONDS:
            found = self._read(self._uuids)
            self._gpus = None if found is None else {gpu.uuid: gpu for gpu in found}
            self._asked_at = self._clock()
        return self._gpus

    def _refusal(self, run_id: str, slot: DeviceSlot, needed_mib: int | None) -> Refused | None:
        """Why a run cannot be started by what NVML said last."""
        gpus = self._now()
        if gpus is None:
            return Refused(f"{run_id} waits for {slot.name}: NVML does not answer; see `nvidia-smi`.")
        gpu = gpus.get(slot.device)
        if gpu is None:
            return Refused(f"{slot.name} ({slot.device}) has disappeared; see `nvidia-smi`.", vanished=True)
        newcomer = self._newcomer(gpu)
        if newcomer:
            return Refused(f"{run_id} waits for {slot.name}: {newcomer} has just begun there.")
        if needed_mib is None or gpu.memory_free_mib is None or gpu.memory_total_mib is None:
            return None
        if gpu.memory_free_mib >= min(needed_mib, EMPTY_SHARE * gpu.memory_total_mib):
            return None
        needed, free, total = map(numbers.count, (needed_mib, gpu.memory_free_mib, gpu.memory_total_mib))
        users = users_sentence(gpu_users(gpu, self._root))
        return Refused(
            f"{run_id} waits for memory of {slot.name}: it needs {needed} MiB, and {free} of {total} MiB are free"
            f"{f' ({users})' if users else ''}."
        )

    def _newcomer(self, gpu: Gpu) -> str | None:
        """The process of another user that has just begun on a card, while it is worth waiting for."""
        others = [each for each in gpu_users(gpu, self._root) if each.uid not in (None, os.geteuid())]
        young = [each for each in others if each.seconds_old is not None and each.seconds_old < JUST_BEGUN_SECONDS]
        if not young:
            self._patient_since.pop(gpu.uuid, None)
            return None
        since = self._patient_since.setdefault(gpu.uuid, self._clock())
        return young[0].name() if self._clock() - since < PATIENCE_SECONDS else None
