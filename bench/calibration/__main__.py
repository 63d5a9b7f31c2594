"""`make calibrate`: the tables of docs/methods.md, measured anew; `--divide 10` with a tenth of the samples, and
`--only metrics` one of them alone."""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial, reduce
from pathlib import Path
from typing import Any

from bench.calibration import (
    effects,
    examples,
    mcnemar_sizes,
    metrics,
    real_predictions,
    seeds,
    slices,
    tables,
    two_way,
)
from bench.calibration.examples import Power, Tally
from bench.calibration.populations import Exchanged, Population, UnequalNoise
from bertmt.comparison.verdicts import LEVEL

SAMPLES = {1: 2000, 3: 600}  # by arms: a family of 4 rows, and of 12
RESAMPLES = {1: 2000, 3: 4800}  # 400 for each row of the family, as `compare` has them, and not less than 2,000
PARTS = 20  # into which samples are cut, to spread them over the cores
LEVELS = (LEVEL, LEVEL / 4, LEVEL / 12)
METRIC_SAMPLES, METRIC_RESAMPLES = 2000, 1000
SLICE_SAMPLES, EFFECT_SAMPLES, TWO_WAY_SAMPLES = 1000, 2000, 400
TABLES = ("seeds", "runs", "power", "sizes", "metrics", "slices", "effects", "two_way")


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.calibration", description=__doc__)
    parser.add_argument("--divide", type=int, default=1, metavar="N", help="so many times fewer samples")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=TABLES, nargs="+", default=TABLES, help="measure these tables alone")
    options = parser.parse_args()
    started = time.perf_counter()
    with ProcessPoolExecutor(options.processes) as pool:
        found = {table: MEASURED[table](pool, options.divide) for table in TABLES if table in options.only}
    print(f"\n{time.perf_counter() - started:.0f} s with {options.processes} processes.")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def _measure_seeds(pool: ProcessPoolExecutor, divide: int) -> list[dict[str, Any]]:
    errors = list(pool.map(_called, _seed_calls(divide)))
    print(tables.seeds_table(errors), flush=True)
    return [asdict(each) for each in errors]


def _measure_runs(pool: ProcessPoolExecutor, divide: int) -> list[dict[str, Any]]:
    tallies = list(_no_difference(pool, divide))
    print(f"\n{tables.errors_table(tallies)}\n\n{tables.coverage_table(tallies)}", flush=True)
    return [_record(name, tally) for name, tally in tallies]


def _measure_power(pool: ProcessPoolExecutor, divide: int) -> list[dict[str, Any]]:
    powers = list(pool.map(_called, _power_calls(divide)))
    print(f"\n{tables.power_table(powers)}", flush=True)
    return [asdict(each) for each in powers]


def _measure_sizes(pool: ProcessPoolExecutor, divide: int) -> list[Any]:
    sizes = [
        (level, _largest(mcnemar_sizes.mid_p_size, level), _largest(mcnemar_sizes.used_size, level)) for level in LEVELS
    ]
    print(f"\n{tables.sizes_table(sizes)}", flush=True)
    return sizes


def _measure_metrics(pool: ProcessPoolExecutor, divide: int) -> list[dict[str, Any]]:
    populations = metrics.populations(real_predictions.read())
    each = METRIC_SAMPLES // PARTS // divide
    calls = [
        partial(metrics.no_difference, population, each, METRIC_RESAMPLES, seed)
        for population in populations
        for seed in range(PARTS)
    ]
    done = list(pool.map(_called, calls))
    rows = [reduce(metrics.Row.add, done[place : place + PARTS]) for place in range(0, len(done), PARTS)]
    print(f"\n{tables.metrics_table(rows)}", flush=True)
    return [asdict(row) for row in rows]


def _measure_slices(pool: ProcessPoolExecutor, divide: int) -> list[dict[str, Any]]:
    real, each = real_predictions.read(), SLICE_SAMPLES // PARTS // divide
    calls = [
        partial(measure, real, task, each, METRIC_RESAMPLES, seed)
        for measure in (slices.no_difference, slices.one_run)
        for task in real.labels
        for seed in range(PARTS)
    ]
    done = list(pool.map(_called, calls))
    rows = [reduce(slices.Row.add, done[place : place + PARTS]) for place in range(0, len(done), PARTS)]
    print(f"\n{tables.slices_table(rows)}", flush=True)
    return [asdict(row) for row in rows]


def _measure_effects(pool: ProcessPoolExecutor, divide: int) -> list[dict[str, Any]]:
    spreads = ((0.0, 0.0), (effects.OF_PAIR, 0.0), (0.0, effects.OF_EXAMPLE), (effects.OF_PAIR, effects.OF_EXAMPLE))
    calls = [
        partial(effects.no_effect, pairs, *spread, EFFECT_SAMPLES // divide, seed)
        for pairs in (2, 3, 5, 10)
        for seed, spread in enumerate(spreads)
    ]
    errors = list(pool.map(_called, calls))
    print(f"\n{tables.effects_table(errors)}", flush=True)
    return [asdict(each) for each in errors]


def _measure_two_way(pool: ProcessPoolExecutor, divide: int) -> list[dict[str, Any]]:
    spreads = ((0.0, 0.0), (effects.OF_PAIR, effects.OF_EXAMPLE), (0.2, 0.0), (0.2, effects.OF_EXAMPLE))
    calls = [
        partial(two_way.no_difference, of_seeds, *spread, TWO_WAY_SAMPLES // divide, METRIC_RESAMPLES, seed)
        for of_seeds in (5, 8, 15)
        for seed, spread in enumerate(spreads)
    ]
    errors = list(pool.map(_called, calls))
    print(f"\n{tables.two_way_table(errors)}", flush=True)
    return [asdict(each) for each in errors]


MEASURED: dict[str, Callable[[ProcessPoolExecutor, int], list[Any]]] = {
    "seeds": _measure_seeds,
    "runs": _measure_runs,
    "power": _measure_power,
    "sizes": _measure_sizes,
    "metrics": _measure_metrics,
    "slices": _measure_slices,
    "effects": _measure_effects,
    "two_way": _measure_two_way,
}


def _largest(size: Callable[[int, float], float], level: float) -> float:
    return max(size(flips, level) for flips in range(1, 2001))


def _no_difference(pool: ProcessPoolExecutor, scale: int) -> Iterator[tuple[str, Tally]]:
    real = real_predictions.read()
    populations: list[Population] = [Exchanged(real), UnequalNoise(real), UnequalNoise(real, every_other=True)]
    calls = []
    for arms in SAMPLES:
        for population in populations:
            each = SAMPLES[arms] // PARTS // scale
            calls += [
                partial(examples.no_difference, population, arms, each, RESAMPLES[arms], seed) for seed in range(PARTS)
            ]
    done = list(pool.map(_called, calls))
    names = [population.name for _ in SAMPLES for population in populations]
    for index, name in enumerate(names):
        yield name, reduce(Tally.add, done[index * PARTS : (index + 1) * PARTS])


def _power_calls(scale: int) -> Iterator[Callable[[], Power]]:
    real = real_predictions.read()
    for rows in (1, 4, 12):
        for what, n, disagreement in (
            ("SST, 30 % flips", 1101, 0.3), ("SST, 5 % flips", 1101, 0.05), ("SST, near copies", 1101, 0.02),
            ("PARA, 15 % flips", 3000, 0.15),
        ):  # fmt: skip
            yield partial(examples.class_power, what, n, disagreement, rows, 10_000 // scale, rows)
        yield partial(examples.similarity_power, real, rows, 1000 // scale, RESAMPLES[3], rows)


def _seed_calls(scale: int) -> Iterator[Callable[[], seeds.SeedError]]:
    for population in seeds.POPULATIONS:
        for sizes, paired, rows in (
            ((8, 8), True, 4), ((10, 10), True, 12),
            ((5, 5), False, 4), ((6, 6), False, 12), ((4, 8), False, 4), ((3, 9), False, 4),
        ):  # fmt: skip
            yield partial(seeds.no_difference, population, sizes, paired, rows, 4000 // scale, rows)


def _called(call: Callable[[], Any]) -> Any:
    return call()


def _record(name: str, tally: Tally) -> dict[str, Any]:
    return {
        "population": name, "rows": tally.rows, "samples": tally.samples,
        "family": tally.family / tally.samples, "family_williams": tally.family_williams / tally.samples,
        "false_positives": {key: tally.wrong[key] / tally.tried[key] for key in tally.tried},
        "coverage": {f"{key} {level:.4g}": held / tally.tried[key] for (key, level), held in tally.covered.items()},
    }  # fmt: skip


if __name__ == "__main__":
    main()
