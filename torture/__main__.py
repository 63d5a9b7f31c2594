"""`make torture`: everything that can go wrong, by the thousand; prints the tally, and ends with 1 on any violation."""

import argparse
import sys
import time
from random import Random

from torture.damage import damage_scenarios
from torture.failing_calls import SMALL, failing_scenarios
from torture.kills import kill_scenarios, traced_labels
from torture.playing import Scenario, play_all
from torture.real import real_scenarios
from torture.tally import Outcome, complaints, points, table

LANES = 2
SAID_EVERY = 25


def all_scenarios(arguments: argparse.Namespace) -> list[Scenario]:
    """What is asked for; the same for the same arguments."""
    rng = Random(arguments.seed)
    found = kill_scenarios(arguments.kills, rng) if arguments.kills else []
    if arguments.every:
        found += failing_scenarios(*traced_labels(SMALL), arguments.every, rng)
    found += damage_scenarios(arguments.damage)
    return found + (real_scenarios(arguments.real, rng, arguments.lanes) if arguments.real else [])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument(
        "--kills", type=int, default=900, help="of children without torch, workers, dashboards, commands"
    )
    parser.add_argument("--real", type=int, default=100, help="of children that train, in the smallest form")
    parser.add_argument("--every", type=int, default=1, help="of the calls that fail, every so many; 0: none")
    parser.add_argument("--damage", type=int, default=10, help="of each kind of damage, so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=LANES, help="scenarios at once")
    parser.add_argument("--only", default="", help='one scenario, as "child at a point 7"')
    arguments = parser.parse_args()
    begun = time.monotonic()
    scenarios = all_scenarios(arguments)
    ended: list[Outcome] = []

    def say(outcome: Outcome) -> None:
        ended.append(outcome)
        if len(ended) % SAID_EVERY == 0:
            kills = sum(each.kills for each in ended)
            print(f"{len(ended):,} of {len(scenarios):,} scenarios, {kills:,} kills, {time.monotonic() - begun:,.0f} s")
        if outcome.violations:
            print(complaints([outcome]), flush=True)

    outcomes = play_all(scenarios, arguments.seed, arguments.lanes, say, arguments.only)
    print(points(outcomes))
    print(table(outcomes))
    print(complaints(outcomes))
    wrong = sum(len(each.violations) for each in outcomes)
    print(f"{sum(each.kills for each in outcomes):,} kills, {wrong:,} violations, {time.monotonic() - begun:,.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
