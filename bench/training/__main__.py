"""`python -m bench.training`: bertmt's training beside its peers; prints a table and ratios, asserts nothing."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.training.contenders import CONTENDERS, TASKS, absolute_data, default_encoder, order_of
from bench.training.data_lengths import tokens_per_example
from bench.training.first_step import first_step
from bench.training.report import document, table
from bench.training.rounds import Plan, Row, measure

# So many processes at once stay within a few GiB at batch 32; each ratio is of two in one group, where it can be.
GROUPS = (
    ("course_loop", "plain_loop", "hf_trainer_sst", "st_trainer_sts", "st_trainer_para", "baseline", "baseline_sum"),
    ("lora200", "lora200_sum", "ensembled", "final"),
)
EVALUATED = ("plain_loop", "baseline")
FULL = Plan(rounds=5, steps=10, warm_up=2, score_examples=2_048)
QUICK = Plan(rounds=2, steps=4, warm_up=1)
QUICK_DEV_EXAMPLES = 300


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.training", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few steps, no dev scores: under 10 minutes on two cores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--rounds", type=int, help="how often each contender has its turn")
    parser.add_argument("--steps", type=int, help="steps of a turn")
    parser.add_argument("--only", action="append", choices=CONTENDERS, metavar="NAME", help=", ".join(CONTENDERS))
    parser.add_argument("--batch", action="append", type=int, metavar="SIZE", help="batch sizes; 8 and 32 by default")
    parser.add_argument("--data", default="toy", metavar="DIR", help="a folder in the CS224N format")
    parser.add_argument("--encoder", default=default_encoder(), help="minilm where it is at hand, else tiny")
    parser.add_argument("--score-examples", type=int, help="examples of each task before dev scores are taken; 0: none")
    return parser.parse_args(arguments)


def plan_of(asked: argparse.Namespace) -> Plan:
    base = QUICK if asked.quick else FULL
    given = {name: getattr(asked, name) for name in ("rounds", "steps", "score_examples")}
    changed = {name: value for name, value in given.items() if value is not None}
    return Plan(**{**asdict(base), **changed, "evaluated": EVALUATED})


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Measure, print, write; what was written."""
    asked = parsed(arguments)
    plan, only = plan_of(asked), asked.only or list(CONTENDERS)
    given = {
        "encoder": asked.encoder,
        "data": absolute_data(asked.data),
        "dev_examples": QUICK_DEV_EXAMPLES if asked.quick else 0,
    }
    if asked.data == "toy":
        say("NO --data DIR: measured on the embedded toy data, whose sentences are short and alike.")
    say(f"encoder {asked.encoder}; a step is a batch of each of {', '.join(TASKS)}; load {os.getloadavg()[0]:.1f}")
    began = time.monotonic()
    rows: dict[tuple[str, int], Row] = {}
    missing: list[str] = []
    for size in asked.batch or (8, 32):
        for group, names in enumerate(GROUPS):
            orders = {name: order_of(name, batch_size=size, **given) for name in names if name in only}
            found, absent = measure(orders, plan, group, say) if orders else ([], [])
            rows |= {(row.name, size): row for row in found}
            missing += [each for each in absent if each not in missing]
    child = {}
    if "baseline" in only:
        order = order_of("baseline", batch_size=8, **given)
        first_step(order)  # whatever is read from the disk is in memory from now on
        child = first_step(order)
    about = {
        "encoder": asked.encoder,
        "data": "toy" if asked.data == "toy" else "given",
        "plan": asdict(plan),
        "dev_examples": given["dev_examples"],
        "tokens_per_example": tokens_per_example(given["data"], asked.encoder),
        "load": os.getloadavg(),
        "seconds": time.monotonic() - began,
    }
    result = document(rows, about, missing, child)
    show(result)
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def show(result: dict[str, Any]) -> None:
    print(f"{result['machine']}, {result['threads']} threads, encoder {result['encoder']}, data {result['data']}\n")
    print(table(result))
    if result["start_to_first_step"]:
        child = result["start_to_first_step"]
        told = ", ".join(f"{name.replace('_', ' ')} {seconds:.1f} s" for name, seconds in child.items())
        print(f"\nA child of bertmt with warm caches: {told}.")
    if result["final_batch32_memory_mib"]:
        print(f"`final` at batch 32 has at most {result['final_batch32_memory_mib']:,.0f} MiB resident.")
    for sentence in result["missing"]:
        print(sentence)
    print(f"Measured in {result['seconds'] / 60:.1f} minutes; load at the end {result['load'][0]:.1f}.")


if __name__ == "__main__":
    main(sys.argv[1:])
