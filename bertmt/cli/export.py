"""`bertmt export`."""

from enum import StrEnum
from typing import Annotated

import typer

from bertmt.cli import output
from bertmt.cli.choosing import MatchingRuns, Yes, chosen_runs
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import RunWordsOrNone


class What(StrEnum):
    """What is exported."""

    METRICS = "metrics"
    PREDICTIONS = "predictions"


def export(
    context: typer.Context,
    runs: RunWordsOrNone = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header; the default.")] = False,
    as_jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object per line.")] = False,
    what: Annotated[What, typer.Option("--what", help="All metric series, or dev predictions.")] = What.METRICS,
    matching: MatchingRuns = None,
    yes: Yes = False,
) -> None:  # fmt: skip
    """Export metrics or predictions as CSV or JSON Lines."""
    from bertmt.errors import UsageError
    from bertmt.services.analysis import export as exporting

    if as_csv and as_jsonl:
        raise UsageError("Either --csv or --jsonl.")
    database = existing_registry(context)
    found = chosen_runs(database, runs, matching, yes, "export")
    rows, columns = exporting.metric_rows(database, found), list(exporting.METRIC_COLUMNS)
    if what is What.PREDICTIONS:
        rows, columns = exporting.prediction_rows(database, found), list(exporting.PREDICTION_COLUMNS)
    output.write_data(exporting.json_lines(rows) if as_jsonl else exporting.csv_lines(columns, rows))
