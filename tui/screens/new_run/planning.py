"""Working out what a form would queue: its data is read, and the registry asked what it knows of such runs."""

import asyncio
from dataclasses import replace

from bertmt.errors import BertmtError, NotFoundError
from bertmt.registry.records import Awaited
from bertmt.services.analysis.groups.power import Power, no_power, prospects
from bertmt.services.browse.lookup import find_runs
from bertmt.services.plan.preview import PlanPreview, preview_of_first
from bertmt.services.plan.submit import Plan, plan
from tui.host import Host
from tui.registry_lane import Session
from tui.screens.new_run.form import NewRunForm
from tui.screens.new_run.preview import Planned


async def planned_of(dashboard: Host, form: NewRunForm) -> Planned:
    """The runs that a form would queue, or why it queues none."""
    try:
        request = replace(form.request(), awaits=await _awaited(dashboard, form), folder=dashboard.registry.parent)
        planned = await asyncio.to_thread(plan, request)
        return Planned(form, *await _looked_up(dashboard, planned))
    except BertmtError as problem:
        return Planned(form, problems=problem.problems)


async def _awaited(dashboard: Host, form: NewRunForm) -> tuple[Awaited, ...]:
    """The runs that the new ones are to wait for.

    Raises:
        NotFoundError: there is none of that name.
    """
    words = form.awaited()
    if not words:
        return ()

    def look_up(session: Session) -> tuple[Awaited, ...]:
        return tuple(Awaited(run.id, ok) for word, ok in words for run in find_runs(session.database, word))

    return await dashboard.ask(look_up)


async def _looked_up(dashboard: Host, planned: Plan) -> tuple[PlanPreview, Power]:
    def look_up(session: Session) -> tuple[PlanPreview, Power]:
        session.runs.refresh()
        return prospects(session.database, session.runs, planned)

    try:
        return await dashboard.ask(look_up, slow=True)
    except NotFoundError:  # the first runs make the registry
        return preview_of_first(planned), no_power(planned)
