"""From the form to what a task's data are like, before anybody trains on them."""

from bertmt.errors import BertmtError
from tui.dialogs.choice import Choice, Option
from tui.screens.dashboard_screen import DashboardScreen
from tui.screens.new_run.form import NewRunForm


async def audit_a_task(screen: DashboardScreen, form: NewRunForm) -> None:
    """Ask which of the tasks that the form knows, those it trains first, and show what its data are like.

    The data of the course's tasks, the encoder whose tokens are counted and the length are the form's.
    """
    dashboard = screen.dashboard
    try:
        recipe = form.recipe()
    except BertmtError as problem:
        dashboard.show_error(problem)
        return
    known = form.base.known
    names = dict.fromkeys([*recipe.tasks, *known])
    options = [Option(name, name, f"{known[name].title} {known[name].data_set}".rstrip()) for name in names]
    chosen = await dashboard.ask_person(Choice("Look at the data of", options))
    if isinstance(chosen, str):
        screen.open_screen(dashboard.task_data_screen(known[chosen], recipe, "encoder" in form.typed))
