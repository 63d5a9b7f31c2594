"""Rings when a marked run ends."""

from bertmt.registry.states import ENDED, State
from tui.host import Host
from tui.registry_lane import Session


class EndingBell:
    """Remembers the states of the marked runs between two looks at the registry."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}

    async def listen(self, host: Host) -> None:
        """Ring if a run that was marked and had not ended has ended now, unless the user wants no bell."""
        marked = set(host.marked)
        if not marked or not host.settings.bell:
            self._states = {}
            return

        def states(session: Session) -> dict[str, State]:
            session.runs.refresh()
            rows = {run_id: session.runs.row(run_id) for run_id in marked}
            return {run_id: row.run.state for run_id, row in rows.items() if row is not None}

        now = await host.ask(states)
        if any(now.get(run_id) in ENDED and before not in ENDED for run_id, before in self._states.items()):
            host.bell()
        self._states = now
