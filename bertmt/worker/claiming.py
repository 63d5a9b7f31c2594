"""Taking the next run for a free slot, once its device has room for it."""

from collections.abc import Callable

from bertmt.devices.slots import CPU, DeviceSlot
from bertmt.launchers.protocol import LOCAL
from bertmt.registry.claims import claim_next, next_to_start
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.plan.memory_needs import MemoryNeed, memory_need
from bertmt.worker.admission import Admission, Refused


class Claims:
    """What one worker takes, and what it said of runs that it could not take."""

    def __init__(
        self, database: Database, worker: int, admission: Admission, say: Callable[[str], None], launcher: str = LOCAL
    ):
        self._launcher = "" if launcher == LOCAL else launcher
        self._database = database
        self._worker = worker
        self._admission = admission
        self._say = say
        self._refusals: dict[DeviceSlot, str] = {}
        self._needs: dict[tuple[int, str], MemoryNeed | None] = {}

    def take(self, slot: DeviceSlot) -> Run | None:
        """The next run that may start on a slot, as a new attempt; None where none may, which is said once."""
        if slot.device == CPU:
            return claim_next(self._database, self._worker, slot.device, launcher=self._launcher)
        run = next_to_start(self._database, slot.device)
        if run is None:
            return None
        need = self._need_of(run)
        answer = self._admission.admit(run.id, slot, need.mib if need else None)
        if isinstance(answer, Refused):
            if self._refusals.get(slot) != answer.reason:
                self._say(answer.reason)
            self._refusals[slot] = answer.reason
            return None
        self._refusals.pop(slot, None)
        claimed = None
        try:
            claimed = claim_next(self._database, self._worker, slot.device, run.key, self._launcher)
        finally:
            if claimed is None:  # taken by another, or the registry is locked: the card must not stay reserved
                self._admission.ended(slot)
        return claimed

    def _need_of(self, run: Run) -> MemoryNeed | None:
        """Asked once per recipe, which can be edited while the run waits: among 10,000 finished runs it takes 50 ms."""
        asked = run.key, run.submission.recipe_json
        if asked not in self._needs:
            self._needs[asked] = memory_need(self._database, run)
        return self._needs[asked]
