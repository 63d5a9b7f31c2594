"""Marking all runs that match a query, whatever the list shows."""

from collections.abc import Mapping

from bertmt.drawing.numbers import counted
from bertmt.registry.records import Run
from bertmt.services.browse.run_list import check_filter
from tui.dialogs.prompt import Prompt
from tui.host import Host
from tui.registry_lane import Session


async def mark_matching(dashboard: Host, current: str, fields: Mapping[str, str]) -> bool:
    """Ask for a query and mark what matches, beside what is marked; whether anything was marked.

    Args:
        current: what the list is filtered by.
        fields: by which runs can be filtered.
    """
    prompt = Prompt("Mark all runs that match", current, "state:failed", check=lambda text: check_filter(text, fields))
    query = await dashboard.ask_person(prompt)
    if query is None or not query.strip():
        return False

    def look(session: Session) -> list[Run]:
        session.runs.refresh()
        return [row.run for row in session.runs.rows(query)]

    found = await dashboard.attempt(dashboard.ask(look))
    if found is None:
        return False
    dashboard.marked |= {run.id for run in found}
    dashboard.notify(
        f"{counted(len(found), 'run matches', 'runs match')} and {'is' if len(found) == 1 else 'are'} marked."
        if found
        else "No run matches: nothing more is marked."
    )
    return bool(found)
