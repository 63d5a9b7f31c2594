"""How fast it is on this device, and what that makes of the paper's presets at the size of the full data."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bench.training.contenders import order_of
from bench.training.data_lengths import tokens_per_example
from bench.training.gpu.scene import Scene, events_of
from bench.training.report import figures, ratios
from bench.training.rounds import Plan, Row, measure
from bertmt.recipe.loading import presets
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import resolved

BATCHES = {"gpu": (8, 32, 128, 512), "cpu": (4,)}
SIDE_BY_SIDE = ("course_loop", "plain_loop", "baseline", "baseline_sum")
OTHERS = ("lora200", "ensembled", "final")
SLOTS = {"gpu": (1, 2, 4, 8), "cpu": (1, 2)}
PLANS = {"gpu": Plan(rounds=2, steps=15, warm_up=5), "cpu": Plan(rounds=1, steps=2, warm_up=1)}
# docs/paper.md: training and dev examples with all question pairs.
FULL = {"sst": (8_544, 1_101), "para": (283_010, 40_429), "sts": (6_040, 863)}
EXTRA = 50_000


def peak(scene: Scene) -> Mapping[str, Any]:
    """FLOP/s of large matrix products."""
    device = "cpu" if scene.device == "cpu" else "cuda"
    code = (
        "from bench.training.flops import matrix_peak; import json; "
        f"print(json.dumps({{each: matrix_peak(each, {device!r}) for each in ('bf16', 'fp32')}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rates(scene: Scene) -> Mapping[str, Any]:
    """Tokens per second at each batch size, side by side; what is found is written after each size."""
    rows: dict[tuple[str, int], Row] = {}
    failed: dict[str, str] = {}
    found: dict[str, Any] = {}
    lengths = tokens_per_example(scene.data, scene.encoder_name)
    for size in BATCHES[scene.device]:
        # A process takes seconds to start, so that large batches are left to those that say most.
        for group, chosen in enumerate((SIDE_BY_SIDE, OTHERS) if size <= 32 else (SIDE_BY_SIDE[:3],)):
            place = {"encoder": scene.encoder_name, "data": scene.data, "dev_examples": 64, "device": scene.slot}
            orders = {name: order_of(name, batch_size=size, **place) for name in chosen}
            try:
                measured, _ = measure(orders, PLANS[scene.device], group, say)
            except RuntimeError as problem:  # the next size, and what is known so far, are worth more
                failed[f"batch {size}: {', '.join(chosen)}"] = str(problem)[-600:]
                continue
            rows |= {(row.name, size): row for row in measured}
            found = {"rows": [figures(row) for row in rows.values()], "ratios": ratios(rows, lengths), "failed": failed}
            scene.write("rates", found)
    return found or {"failed": failed}


def slots(scene: Scene) -> Mapping[str, Any]:
    """Steps per second of all runs together, with more and more of them at once on one device."""
    found: dict[str, Any] = {}
    for count in SLOTS[scene.device]:
        found[str(count)] = at_once(scene, count, seconds=8 if scene.device == "gpu" else 2)
        scene.write("slots", found)
    return found


def at_once(scene: Scene, count: int, seconds: float) -> dict[str, float]:
    """So many runs of the baseline train for some time after the last of them has begun, and are then cancelled."""
    registry = scene.registry(f"slots-{count}")
    endless: dict[str, Any] = {"epochs": 100_000, "epoch_steps": 0, "evaluate_every": 100_000, "partial_examples": 0}
    ids = [registry.queue(**endless, seed=seed) for seed in range(count)]
    with registry.worker("--slots", str(count)):
        for run_id in ids:
            registry.wait_for(run_id, "step")
        time.sleep(seconds)
        registry.call("cancel", *ids)
    return together([registry.events(run_id) for run_id in ids])


def together(runs: list[list[dict[str, Any]]]) -> dict[str, float]:
    """What runs did while all of them trained: from the last one's first step to the first one's last."""
    times = [[datetime.fromisoformat(each["at"]).timestamp() for each in events_of(events, "step")] for events in runs]
    begin, end = max(each[0] for each in times), min(each[-1] for each in times)
    done = sum(begin < at <= end for each in times for at in each)
    return {"seconds": end - begin, "steps_per_second": done / (end - begin) if end > begin else 0.0}


def hours(scene: Scene) -> Mapping[str, Any]:
    """Hours of each preset at the full data, 10 epochs unless it says otherwise, at batch 8."""
    measured = scene.read("rates")
    if not measured:
        raise RuntimeError("There are no rates to compute hours from.")
    rows = measured["rows"]
    size = min(each["batch_size"] for each in rows)
    seconds = {each["contender"]: each["step_seconds"] for each in rows if each["batch_size"] == size}
    found = {name: preset_hours(preset.recipe(), seconds, size) for name, preset in presets().items()}
    return {"batch_size": size, "hours": found, "not_counted": "dev evaluations, checkpoints, the start"}


def preset_hours(recipe: Recipe, step_seconds: Mapping[str, float], batch_size: int) -> float | None:
    """Hours of training of one preset; None where what it is made of was not measured.

    Args:
        step_seconds: of a step with a batch of each of the three tasks, by contender. A step of one task takes a third
            of the one without surgery, whichever task it is.
    """
    recipe = resolved(recipe)
    alone = len(recipe.tasks) == 1
    kind = (
        "final" if recipe.lora.rank and recipe.ensembling and not alone
        else ("lora200_sum" if "lora200_sum" in step_seconds else "lora200") if recipe.lora.rank and alone
        else "lora200" if recipe.lora.rank
        else "baseline_sum" if alone
        else "ensembled" if recipe.ensembling
        else "baseline"
    )  # fmt: skip
    if kind not in step_seconds:
        return None
    examples = {task: FULL[task][0] + (EXTRA if recipe.extra_data and task == "para" else 0) for task in recipe.tasks}
    steps = -(-max(examples.values()) // batch_size) * recipe.epochs
    before = sum(-(-FULL["sts"][0] // batch_size) for each in (recipe.mnr, recipe.cosine_embedding) if each)
    batch = step_seconds[kind] / 3
    return round((steps * batch * len(recipe.tasks) + before * recipe.pretraining_epochs * batch) / 3600, 2)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
