"""The views that a user saved: choosing one, saving another, deleting one."""

from bertmt.drawing.numbers import named
from bertmt.drawing.safe_text import safe_text
from bertmt.services.browse.run_list import STANDING
from tui.dialogs.choice import Choice, Option
from tui.dialogs.prompt import Prompt
from tui.host import Host
from tui.settings import View

SAVE, DELETE, FIRST = ("save",), ("delete",), ("first",)  # no name of a view is a tuple
AS_AT_FIRST = View(order=STANDING, seeds=False, columns={}, pinned=())


async def choose_view(dashboard: Host, now: View) -> View | None:
    """Ask a person which saved view to show, or whether to save or delete one; None where none is to be shown.

    Args:
        now: what is shown, which can be saved.
    """
    saved = dashboard.settings.views
    options = [Option(name, name, about(view)) for name, view in saved.items()]
    options.append(Option(SAVE, "Save this view …", about(now)))
    options += [Option(DELETE, "Delete a saved view …")] if saved else []
    options.append(Option(FIRST, "As at first", "no filter, the first order, all columns"))
    chosen = await dashboard.ask_person(Choice("Views of the runs", options))
    if chosen == SAVE:
        await _save(dashboard, now)
    elif chosen == DELETE:
        await _delete(dashboard)
    return AS_AT_FIRST if chosen == FIRST else saved.get(chosen) if isinstance(chosen, str) else None


def about(view: View) -> str:
    """A view in a few words."""
    hidden = [key for key, is_shown in (view.columns or {}).items() if not is_shown]
    said = [
        view.filter or "all runs",
        f"by {view.order}" if view.order not in (None, STANDING) else "",
        "one line for all seeds" if view.seeds else "",
        f"pinned {named(view.pinned)}" if view.pinned else "",
        f"without {named(hidden)}" if hidden else "",
    ]
    return "; ".join(filter(None, said))


async def _save(dashboard: Host, view: View) -> None:
    saved = dashboard.settings.views
    said = [f"{safe_text(about(view))}.", "A name that there is already is given to this view."]
    name = await dashboard.ask_person(Prompt("Save this view as", hint="a name", sentences=said))
    if name and name.strip():
        what = "replaced" if name.strip() in saved else "saved"
        dashboard.change(views={**saved, name.strip(): view})
        dashboard.notify(f"View “{name.strip()}” {what}; f and Ctrl-P show it.")


async def _delete(dashboard: Host) -> None:
    saved = dashboard.settings.views
    options = [Option(name, name, about(view)) for name, view in saved.items()]
    chosen = await dashboard.ask_person(Choice("Delete which view?", options))
    if chosen is not None:
        dashboard.change(views={name: view for name, view in saved.items() if name != chosen})
        dashboard.notify(f"View “{chosen}” deleted.")
