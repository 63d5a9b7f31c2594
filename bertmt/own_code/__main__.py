"""`python -m bertmt.own_code`: tries a recipe's own losses and heads on a toy batch, before it is queued.

Standard input: one JSON object with `recipe` (flat), `tasks` (definitions) and `sources` (digest to text). Exit codes:
0 where all is well, with a last line that says so; 2 with one sentence on standard error where not.
"""

import json
import sys
import tempfile
from pathlib import Path

from bertmt.bounded_files import MOST_JSON
from bertmt.errors import BertmtError
from bertmt.own_code.check import check_own_code
from bertmt.recipe.loading import from_json
from bertmt.tasks import definitions

CANNOT = 2
TRIED = "tried to the end"  # a file that ends the process says nothing of the kind


def main() -> int:
    """Check what is asked on standard input; returns the exit code."""
    asked = json.loads(sys.stdin.read(MOST_JSON))
    try:
        recipe = from_json(json.dumps(asked["recipe"]), definitions.from_json(json.dumps(asked["tasks"])))
        with tempfile.TemporaryDirectory() as folder:
            for digest, text in asked["sources"].items():
                (Path(folder) / f"{digest}.py").write_bytes(text.encode("utf-8"))
            check_own_code(recipe, Path(folder))
    except BertmtError as problem:
        sys.stderr.write(f"{problem}\n")
        return CANNOT
    sys.stdout.write(f"\n{TRIED}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
