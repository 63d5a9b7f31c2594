"""The key that queues the seeds that would decide what a comparison leaves undecided."""

from bertmt.services.analysis.groups.more_seeds import LOOK_ONCE, MoreSeeds, seeds_plan
from tui.actions.lacking import queue_lacking
from tui.host import Host


async def queue_seeds(dashboard: Host, wanted: MoreSeeds) -> bool:
    """Queue them once a person has seen how many runs and how long; whether they were queued."""
    if not wanted.lacking:
        dashboard.notify(wanted.summary)
        return False
    folder = dashboard.registry.parent
    said = [*wanted.sentences, wanted.summary, LOOK_ONCE]
    return await queue_lacking(dashboard, lambda session: (seeds_plan(wanted, folder), said), "with more seeds")
