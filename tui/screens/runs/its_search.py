"""The search that a row of the list belongs to."""

from collections.abc import Sequence

from bertmt.registry.records import Run
from tui.host import Host
from tui.screens.dashboard_screen import DashboardScreen

NO_SEARCH = "No search yet: `bertmt search --preset baseline --over learning_rate=1e-5..1e-4 --runs 9` begins one."


async def open_search(screen: DashboardScreen, host: Host, runs: Sequence[Run]) -> None:
    """Open the newest search that tried one of these runs, or else the newest of all; say so where there is none."""
    from bertmt.services.analysis.searching.report import newest_search  # noqa: PLC0415 - scipy: 0.2 s of every start

    ids = [run.id for run in runs[:1]]
    name = await host.attempt(host.ask(lambda session: newest_search(session.database, *ids)))
    if name is None:
        host.notify(NO_SEARCH)
    elif not screen.is_left:
        screen.open_screen(host.search_screen(name))
