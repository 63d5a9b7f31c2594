"""What `make demo` says about its comparison: `bertmt compare A B --json` in, sentences out, for whatever came out.

Standard library alone: the demo needs no package beyond those of bertmt.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

TITLES = {"sst": "SST", "para": "PARA", "sts": "STS ρ", "overall": "overall"}
VERDICTS = ("better", "worse", "undecided")


def sentences(document: Mapping[str, Any]) -> list[str]:
    """The verdicts about the first arm."""
    reference, arm = document["reference"]["name"], document["arms"][0]
    by_verdict: dict[str, list[str]] = {verdict: [] for verdict in VERDICTS}
    for each in arm["differences"]:
        size = "" if each["difference"] is None else f" ({each['difference']:+.3f})"
        by_verdict[each["verdict"]].append(f"{TITLES[each['task']]}{size}")
    parts = [f"{verdict} on {', '.join(tasks)}" for verdict, tasks in by_verdict.items() if tasks]
    if not parts:
        return [f"{arm['name']} and {reference} could not be compared."]
    return [f"{arm['name']} against {reference}: {'; '.join(parts)}."]


if __name__ == "__main__":
    print("\n".join(sentences(json.load(sys.stdin))))
