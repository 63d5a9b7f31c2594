"""The numbers behind a report as CSV, a row each, in full precision."""

import csv
import io
from typing import Any

from bertmt.drawing.safe_text import safe_text
from bertmt.drawing.spreadsheets import spreadsheet_text
from bertmt.services.analysis.report.document import RECORD, Report


def to_csv(report: Report) -> str:
    """A header and the rows (RFC 4180 with plain newlines); what is not known is empty."""
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(RECORD)
    writer.writerows([_cell(record.get(name)) for name in RECORD] for record in report.records)
    return content.getvalue()


def _cell(value: Any) -> Any:
    """A number as it is; a text on one line, and no formula."""
    return spreadsheet_text(safe_text(value)) if isinstance(value, str) else value
