"""The report of a comparison as a file, from one key."""

from collections.abc import Sequence

from bertmt.errors import UsageError
from bertmt.services.analysis.arms import Arm
from bertmt.services.analysis.report.files import Request, write
from bertmt.services.analysis.report.gathering import report_of
from tui.host import Host
from tui.pictures import new_file
from tui.registry_lane import Session


async def save_report(dashboard: Host, arms: Sequence[Arm]) -> None:
    """Write a page about arms, the first of which the others are compared with, into the current folder, and say where.

    Raises:
        UsageError: no arm has scores.
        BertmtError: it cannot be written.
    """
    if not arms:
        raise UsageError("A report needs a run with scores; a run has some after its first epoch.")
    path = new_file(["bertmt-report", *(arm.runs[0].id for arm in arms[:2])], "html")

    def act(session: Session) -> None:
        write(report_of(session.database, [arm.runs for arm in arms]), Request("html", path))

    dashboard.notify("Writing a report …")
    await dashboard.ask(act, slow=True)
    dashboard.notify(f"Report saved to {path}")
