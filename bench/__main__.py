"""`make bench`: everything side by side with its peers in one run; prints ratios, asserts nothing."""

import platform

from bench import logging_points, redrawing, starting, submitting
from bench.dashboard import report as dashboard
from bench.measuring import table


def main() -> None:
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {platform.platform()}")
    parts = (submitting, logging_points, starting, redrawing, dashboard)
    print(table([figure for part in parts for figure in part.figures()]))


if __name__ == "__main__":
    main()
