"""What `make mutants` found: the share of changed lines that a test noticed, and those that none did."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

LEAST_KILLED = 0.95
SURVIVED, NO_TEST = 0, 33  # mutmut's exit codes of a mutant's tests; all others mean that some test failed or hung


def main() -> int:
    """Print the tally and every survivor's change; 1 where fewer than 95 % were killed."""
    results: dict[str, int | None] = {}
    for meta in Path("mutants").rglob("*.meta"):
        results |= json.loads(meta.read_text())["exit_code_by_key"]
    if not results or None in results.values():
        print(f"{sum(code is None for code in results.values())} of {len(results)} mutants were not tried.")
        return 1
    survivors = sorted(name for name, code in results.items() if code in (SURVIVED, NO_TEST))
    modules = {part: Counter[bool]() for part in dict.fromkeys(_module(name) for name in results)}
    for name in results:
        modules[_module(name)][name in survivors] += 1
    for module, counts in sorted(modules.items()):
        print(f"{module:<15} {counts[False]:4} killed, {counts[True]:3} survived")
    for name in survivors:
        shown = subprocess.run(
            [sys.executable, "-m", "mutmut", "show", name], capture_output=True, text=True, check=False
        ).stdout
        changed = [line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        print(f"\n{name}", *changed, sep="\n")
    killed = 1 - len(survivors) / len(results)
    print(f"\n{len(results)} mutants, {killed:.1%} killed")
    return 0 if killed >= LEAST_KILLED else 1


def _module(name: str) -> str:
    return name.removeprefix("bertmt.comparison.").partition(".")[0]


if __name__ == "__main__":
    sys.exit(main())
