"""`python -m torture.command …`: `bertmt …`, as a module that can be put under faults."""

import sys

from bertmt.cli.main import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
