"""The rules of alarms: shown, and changed in the nearest `bertmt.toml`."""

from bertmt.errors import BertmtError, UsageError
from bertmt.services.browse.alarms.rules import Rules
from bertmt.services.browse.alarms.settings import alarm_rules, change_rules, rules_as_text, rules_in
from tui.dialogs.prompt import Prompt
from tui.host import Host

SENTENCES = (
    "diverges: so many times its lowest mean of 20 steps a loss comes to, with half of what was won lost.",
    "stalls: after so many steps no loss is below where it began.",
    "behind: so much lower than every sibling the overall dev score is, twice in a row.",
    "0 switches a rule off, on=false all of them.",
)


async def edit_rules(host: Host) -> None:
    """Ask for them, and write them; only from a worker."""
    try:
        rules = alarm_rules()
    except UsageError:  # what stands there cannot be meant
        rules = Rules()
    text = await host.ask_person(Prompt("Alarms", rules_as_text(rules), sentences=SENTENCES, check=_problem))
    if text is None:
        return
    try:
        path = change_rules(rules_in(text))
    except BertmtError as problem:
        host.show_error(problem)
        return
    host.notify(f"{path} has the rules; every dashboard and command in its folder goes by them.")
    host.look_again()


def _problem(text: str) -> str | None:
    try:
        rules_in(text)
    except UsageError as problem:
        return str(problem)
    return None
