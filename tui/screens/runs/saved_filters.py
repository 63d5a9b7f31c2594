"""The filters that a user saved: choosing one, saving another, forgetting one."""

from bertmt.drawing.safe_text import safe_text
from tui.dialogs.choice import Choice, Option
from tui.dialogs.prompt import Prompt
from tui.host import Host

SAVE, FORGET = ("save",), ("forget",)  # no name of a filter is a tuple


async def choose_filter(dashboard: Host, current: str) -> str | None:
    """Ask a person which saved filter to show, or whether to save or forget one; None where none is to be shown.

    Args:
        current: the filter at hand, which can be saved; "" where there is none.
    """
    saved = dashboard.settings.filters
    options = [Option(name, name, query) for name, query in saved.items()]
    if current:
        options.append(Option(SAVE, "Save this filter …", current))
    if saved:
        options.append(Option(FORGET, "Forget a saved filter …"))
    if not options:
        dashboard.notify("No filter is saved yet: type one with /, then save it here.")
        return None
    chosen = await dashboard.ask_person(Choice("Saved filters of the runs", options))
    if chosen == SAVE:
        await _save(dashboard, current)
    elif chosen == FORGET:
        await _forget(dashboard)
    return saved[chosen] if isinstance(chosen, str) else None


async def _save(dashboard: Host, query: str) -> None:
    name = await dashboard.ask_person(Prompt(f"Save “{safe_text(query)}” as", hint="a name"))
    if name and name.strip():
        dashboard.change(filters={**dashboard.settings.filters, name.strip(): query})


async def _forget(dashboard: Host) -> None:
    saved = dashboard.settings.filters
    options = [Option(name, name, query) for name, query in saved.items()]
    chosen = await dashboard.ask_person(Choice("Forget which filter?", options))
    if chosen is not None:
        dashboard.change(filters={name: query for name, query in saved.items() if name != chosen})
