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
    """The verdicts about the first arm, and what is known of the reason where it lost with adapters."""
    reference, arm = document["reference"]["name"], document["arms"][0]
    by_verdict: dict[str, list[str]] = {verdict: [] for verdict in VERDICTS}
    for each in arm["differences"]:
        size = "" if each["difference"] is None else f" ({each['difference']:+.3f})"
        by_verdict[each["verdict"]].append(f"{TITLES[each['task']]}{size}")
    parts = [f"{verdict} on {', '.join(tasks)}" for verdict, tasks in by_verdict.items() if tasks]
    if not parts:
        return [f"{arm['name']} and {reference} could not be compared."]
    said = [f"{arm['name']} against {reference}: {'; '.join(parts)}."]
    ranks = document["recipe_differences"].get("lora.rank", [0, 0])
    if by_verdict["worse"] and not by_verdict["better"] and not ranks[0] and ranks[1]:
        said.append(
            f"It has LoRA (lora.rank {ranks[1]}), which freezes the encoder: of one with random weights, such as tiny, "
            "it cannot make much (docs/lab_notes.md)."
        )
    return said


if __name__ == "__main__":
    print("\n".join(sentences(json.load(sys.stdin))))
