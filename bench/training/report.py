"""Rows as a table, the ratios between them, and both as JSON."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.training.contenders import CONTENDERS, LIBRARIES
from bench.training.rounds import Row, shown_scores, speed_ratio, trainers_ratio

Rows = Mapping[tuple[str, int], Row]
# What is how many times as fast as what, at each batch size: key of the ratio, first, second.
SPEED_RATIOS = (
    ("baseline_batch{}_over_course_loop", "baseline", "course_loop"),
    ("baseline_batch{}_over_plain_loop", "baseline", "plain_loop"),
    ("baseline_sum_batch{}_over_plain_loop", "baseline_sum", "plain_loop"),
    ("lora200_batch{}_over_course_loop", "lora200", "course_loop"),
    ("ensembled_batch{}_over_course_loop", "ensembled", "course_loop"),
    ("final_batch{}_over_course_loop", "final", "course_loop"),
)
# What takes how many times as long as what.
TIME_RATIOS = (
    ("surgery_over_sum_batch{}", "baseline", "baseline_sum"),
    ("surgery_over_sum_lora200_batch{}", "lora200", "lora200_sum"),
)


def ratios(rows: Rows, lengths: Mapping[str, float]) -> dict[str, float]:
    """Every ratio of which both sides were measured; of speeds, but for surgery's, which is of times.

    Args:
        lengths: tokens of an example on average, by task.
    """
    found = {}
    for size in sorted({size for _, size in rows}):
        at = {name: row for (name, each), row in rows.items() if each == size}
        for key, first, second in SPEED_RATIOS:
            if first in at and second in at:
                found[key.format(size)] = speed_ratio(at[first], at[second])
        for key, first, second in TIME_RATIOS:
            if first in at and second in at:
                found[key.format(size)] = speed_ratio(at[second], at[first])
        if "baseline" in at and all(name in at for name in LIBRARIES):
            trainers = {task: at[name] for name in LIBRARIES for task in CONTENDERS[name].tasks}
            found[f"batch{size}_over_library_trainers"] = trainers_ratio(at["baseline"], trainers, lengths)
        if {"baseline", "plain_loop"} <= at.keys() and at["baseline"].evaluations and at["plain_loop"].evaluations:
            pairs = zip(at["plain_loop"].evaluations, at["baseline"].evaluations, strict=True)
            found[f"dev_evaluation_batch{size}_over_plain_loop"] = statistics.median(a / b for a, b in pairs)
    return found


def figures(row: Row) -> dict[str, Any]:
    """A row as JSON has it."""
    peak = statistics.median(block["peak"] for block in row.blocks)
    rates = row.per_round("tokens", "seconds")
    return {
        "contender": row.name,
        "batch_size": row.batch_size,
        "precision": row.first["precision"],
        "examples_per_second": row.median("examples"),
        "tokens_per_second": statistics.median(rates),
        "tokens_per_second_range": [min(rates), max(rates)],
        "step_seconds": row.median("seconds", "steps"),
        "padding_share": 1 - sum(each["tokens"] for each in row.blocks) / sum(each["places"] for each in row.blocks),
        "peak_memory_mib": row.memory["peak_mib"],
        "imported_memory_mib": row.memory["imported_mib"],
        "gpu_memory_mib": row.memory.get("gpu_mib"),
        "first_step_seconds": row.first["seconds"],
        "model_gflops": row.median("flops") / 1e9,
        "matrix_peak_gflops": peak / 1e9,
        "share_of_peak": statistics.median(block["flops"] / block["seconds"] / block["peak"] for block in row.blocks),
        "evaluation_seconds": statistics.median(row.evaluations) if row.evaluations else None,
        "scores": dict(row.scores),
        "scored_examples": row.scored_examples,
        "rounds": row.blocks,
    }


def document(
    rows: Rows, about: Mapping[str, Any], missing: Sequence[str], child: Mapping[str, float]
) -> dict[str, Any]:
    """All that was measured.

    Args:
        about: how it was.
        missing: a sentence for each contender that was left out.
        child: what `first_step.first_step` measured.
    """
    final = rows.get(("final", 32))
    return {
        **about,
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs",
        "threads": next((row.first["threads"] for row in rows.values()), None),
        "ratios": ratios(rows, about["tokens_per_example"]),
        "start_to_first_step": dict(child),
        "final_batch32_memory_mib": final.memory["peak_mib"] if final else None,
        "rows": [figures(row) for row in rows.values()],
        "missing": list(missing),
    }


HEAD = ("contender", "batch", "precision", "ex/s", "tokens/s", "padding", "MiB", "1st step", "of peak", "dev scores")


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """A row under `HEAD`."""
    return (
        CONTENDERS[row["contender"]].title,
        str(row["batch_size"]),
        row["precision"],
        f"{row['examples_per_second']:.1f}",
        f"{row['tokens_per_second']:,.0f}",
        f"{row['padding_share']:.0%}",
        f"{row['peak_memory_mib']:,.0f}",
        f"{row['first_step_seconds']:.1f} s",
        f"{row['share_of_peak']:.1%}",
        shown_scores(row["scores"]) or "–",
    )


def table(found: Mapping[str, Any]) -> str:
    """A document for people: a line for each row, one for each ratio."""
    lines = [HEAD, *map(cells, found["rows"])]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    first, last = HEAD[0], HEAD[-1]
    aligned = []
    for line in lines:
        columns = zip(HEAD, line, widths, strict=True)
        shown = [cell.ljust(width) if name in (first, last) else cell.rjust(width) for name, cell, width in columns]
        aligned.append("  ".join(shown).rstrip())
    return "\n".join([*aligned, "", *(f"{value:8.3f}  {name}" for name, value in found["ratios"].items())])
