"""From the form to what a task's data are like, before anybody trains on them."""

from functools import partial

from bertmt.errors import BertmtError
from bertmt.services.tasks.audit import audit
from tui.dialogs.choice import Choice, Option
from tui.host import Host
from tui.screens.new_run.audit_dialog import TaskAuditDialog
from tui.screens.new_run.form import NewRunForm


async def audit_a_task(dashboard: Host, form: NewRunForm) -> None:
    """Ask which of the tasks that the form knows, those it trains first, and show what its data are like.

    The data of the course's tasks, the encoder whose tokens are counted and the length are the form's.
    """
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
        look = partial(audit, known[chosen], recipe, chose_encoder="encoder" in form.typed)
        await dashboard.ask_person(TaskAuditDialog(known[chosen], look))
