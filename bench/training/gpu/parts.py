"""Whether everything works on this device: each part tries one thing and tells what it found, or raises."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.training.gpu.rates import at_once, hours, peak, rates, slots
from bench.training.gpu.scene import Scene, events_of
from bertmt.devices.gpus import list_gpus

Found = Mapping[str, Any]
RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "baseline": ("baseline", {}),
    "final": ("final", {}),
    "lora200": ("baseline", {"lora.rank": 200}),
    "ensembled": ("baseline", {"ensembling": True}),
}


def device(scene: Scene) -> Found:
    """What is here."""
    code = "import json, torch; print(json.dumps([torch.__version__, torch.version.cuda, torch.cuda.is_available()]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, cuda, available = json.loads(done.stdout)
    if scene.device == "gpu" and not available:
        raise RuntimeError(f"PyTorch {version} (CUDA {cuda}) finds no CUDA device.")
    doctor = subprocess.run([sys.executable, "-m", "bertmt", "doctor"], capture_output=True, text=True)
    gpus = [str(gpu) for gpu in list_gpus()]
    return {"torch": version, "cuda": cuda, "gpus": gpus, "slot": scene.slot, "doctor": doctor.stdout[-3000:]}


def recipes(scene: Scene) -> Found:
    """Baseline, final, LoRA and ensembling train to their end, by a worker."""
    registry = scene.registry("recipes")
    ids = {name: registry.queue(preset=preset, **settings) for name, (preset, settings) in RECIPES.items()}
    registry.work()
    found = {}
    for name, run_id in ids.items():
        run, events = registry.run(run_id), registry.events(run_id)
        started = events_of(events, "started")[0]
        found[name] = {
            "state": run["state"],
            "failure": run["failure"],
            "device": started["device"],
            "precision": started["precision"],
            "peak_memory_mib": next((each["peak_memory_mib"] for each in events_of(events, "finished")), None),
        }
    wrong = {name: each for name, each in found.items() if each["state"] != "finished"}
    wrong |= {name: each for name, each in found.items() if scene.device == "gpu" and each["device"] == "cpu"}
    if wrong:
        raise RuntimeError(f"Not all recipes finished on the device: {wrong}")
    return found


def pause_and_resume(scene: Scene) -> Found:
    """A run is paused while it trains, and goes on from there."""
    registry = scene.registry("pause")
    run_id = registry.queue(epoch_steps=400, batch_size=4)
    with registry.worker() as worker:
        registry.wait_for(run_id, "step")
        registry.call("pause", run_id)
        worker.communicate(timeout=60)
    paused = len(events_of(registry.events(run_id), "step"))
    registry.call("resume", run_id)
    registry.work()
    events = registry.events(run_id)
    steps = [each["step"] for each in events_of(events, "step")]
    found = {
        "state": registry.run(run_id)["state"],
        "steps_before": paused,
        "resumed_at": [each["step"] for each in events_of(events, "resumed")],
        "each_step_once": steps == list(range(len(steps))),
    }
    if found["state"] != "finished" or not found["resumed_at"] or not found["each_step_once"]:
        raise RuntimeError(f"The paused run did not go on as it should: {found}")
    return found


def out_of_memory(scene: Scene) -> Found:
    """A batch that is too large fails with what it needed, and is told as out of memory."""
    if scene.device == "cpu":
        return {"skipped": "On a CPU the kernel would end some process of its choice."}
    registry = scene.registry("memory")
    run_id = registry.queue(batch_size=16_384, epoch_steps=2)
    registry.work()
    failed = events_of(registry.events(run_id), "failed")
    if not failed or not all(each["out_of_memory"] for each in failed):
        raise RuntimeError(f"The run was not out of memory: {registry.run(run_id)['state']}, {failed}")
    return {"attempts": len(failed), "error": failed[0]["error"]}


def verify_resume(scene: Scene) -> Found:
    """A killed run ends with the same bytes, with deterministic algorithms."""
    registry = scene.registry("verify")
    place = ["--preset", "baseline", "--data", scene.data, "--encoder", scene.encoder_name]
    sets = ["deterministic=true", "epoch_steps=10", "evaluate_examples=64", "checkpoint_steps=4"]
    words = [word for each in sets for word in ("--set", each)]
    device = "cpu" if scene.device == "cpu" else "auto"
    said = registry.call("verify-resume", *place, *words, "--kills", "2", "--device", device, "--json")
    found: dict[str, Any] = json.loads(said)
    return found


HOLD = """
import sys, torch
free, _ = torch.cuda.mem_get_info()
held = torch.empty(int(free * 0.97), dtype=torch.uint8, device="cuda")
print("held", flush=True)
sys.stdin.read()
"""


def admission(scene: Scene) -> Found:
    """With the card full a run waits and says for what; once memory is free it starts. With the real NVML."""
    if scene.device == "cpu":
        return {"skipped": "There is no memory of a card to wait for."}
    registry = scene.registry("admission")
    registry.queue()
    registry.work()  # so that it is known how much such a run needs
    run_id = registry.queue(batch_size=64, seed=1)
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with registry.worker() as worker:
            time.sleep(15)
            waited = registry.run(run_id)["state"] == "queued"
            holder.kill()
            said, _ = worker.communicate(timeout=90)
    finally:
        holder.kill()
        holder.wait()
    found = {"waited": waited, "state": registry.run(run_id)["state"], "worker": said[-1500:]}
    if not waited or found["state"] != "finished":
        raise RuntimeError(f"The run did not wait, or did not start afterwards: {found}")
    return found


def two_slots(scene: Scene) -> Found:
    """Two runs train on one device at the same time."""
    found = at_once(scene, 2, seconds=3)
    if not found["seconds"] > 0:
        raise RuntimeError(f"The two did not train at once: {found}")
    return found


# In the order in which they are worth their time; seconds that each may take.
PARTS: dict[str, tuple[Callable[[Scene], Found], float]] = {
    "device": (device, 60),
    "recipes": (recipes, 150),
    "peak": (peak, 40),
    "rates": (rates, 330),
    "pause_and_resume": (pause_and_resume, 90),
    "out_of_memory": (out_of_memory, 90),
    "verify_resume": (verify_resume, 150),
    "two_slots": (two_slots, 90),
    "slots": (slots, 240),
    "admission": (admission, 150),
    "hours": (hours, 30),
}
