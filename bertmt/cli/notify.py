"""`bertmt notify`."""

from typing import Annotated

import typer

from bertmt.cli import output
from bertmt.cli.invocation import registry_path

Text = Annotated[str, typer.Argument(metavar="TEXT", help="What is sent.")]


def notify(context: typer.Context, text: Text = "A test: bertmt can reach you.") -> None:
    """Send a message as `[notify]` of bertmt.toml says.

    While a worker works it tells of runs that finished, failed or were lost, and of an empty queue.
    """
    from bertmt.drawing.safe_text import safe_text
    from bertmt.errors import BertmtError, UsageError
    from bertmt.services.upkeep.notify.channels import send
    from bertmt.services.upkeep.notify.settings import notify_settings

    settings = notify_settings(registry_path(context).parent)
    if not settings.has_any:
        raise UsageError(
            "No message can be sent: bertmt.toml names no channel under [notify], such as command, ntfy, webhook or "
            "email; see docs/notify.md."
        )
    failures = send(settings, "bertmt", safe_text(text))
    if failures:
        raise BertmtError(" ".join(failures))
    output.write_lines(["Sent."])
