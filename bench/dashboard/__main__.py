"""`python -m bench.dashboard`: how fast the dashboard is and what it sends; prints a table, asserts nothing."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.dashboard.report import figures_of, measured, targets
from bench.measuring import table


def main(arguments: Sequence[str]) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.dashboard", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, with the targets")
    parser.add_argument("--hours", type=int, default=24, help="of events that are replayed; 24 by default")
    asked = parser.parse_args(arguments)
    found = measured(asked.hours)
    print(table(figures_of(found)))
    if asked.json:
        asked.json.write_text(json.dumps({**found, "targets": targets(found)}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
