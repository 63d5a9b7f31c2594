"""`make bench`: everything side by side with its peers in one run; prints ratios, asserts nothing."""

import platform

from bench import logging_points, redrawing, starting, submitting
from bench.measuring import table


def main() -> None:
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {platform.platform()}")
    figures = [*submitting.figures(), *logging_points.figures(), *starting.figures(), *redrawing.figures()]
    print(table(figures))


if __name__ == "__main__":
    main()
