"""A whole run on a device that is not the CPU: which tensors are where, as CUDA would judge it; no GPU is needed.

`fixtures/stand_ins/child_on_a_card.py` computes on the CPU what it says is on the card. Dropout draws otherwise there,
so that the same numbers must come before any training alone.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from attempts import Attempt

from bertmt.errors import BertmtError
from bertmt.run_folder.layout import RunFolder, RunOrder
from bertmt.training import composition
from bertmt.training.__main__ import prepare_environment

STAND_INS = Path(__file__).parents[1] / "fixtures" / "stand_ins"
CHILD = STAND_INS / "child_on_a_card.py"
RECIPES = {
    "everything on one encoder": {
        "mnr": True, "cosine_embedding": True, "pearson": True, "surgery": True, "super_concat": True,
        "head.sst.layers": 2, "head.para.layers": 2, "select": "best", "checkpoint_steps": 3,
    },
    "ensembled with LoRA, recomputing activations": {
        "ensembling": True, "lora.rank": 2, "activation_checkpointing": True, "schedule": "alternate",
    },
    "one task, as the schedule or the recipe leaves it": {"tasks": "sts", "pearson": True},
}  # fmt: skip


def train_on_card(folder: RunFolder, *more: Any) -> tuple[subprocess.CompletedProcess[str], list[Any]]:
    done = subprocess.run([sys.executable, CHILD, folder.path, *more], capture_output=True, text=True)
    assert folder.events(1).exists(), done.stderr
    events = [json.loads(line) for line in folder.events(1).read_text(encoding="utf-8").splitlines()]
    return done, events


@pytest.mark.parametrize("name", RECIPES)
def test_a_run_on_a_card_comes_to_its_end(
    prepare: Callable[..., RunFolder], trained: Callable[..., Attempt], name: str
) -> None:
    settings = {**RECIPES[name], "precision": "fp32"}
    folder = prepare(settings)
    done, events = train_on_card(folder)
    assert done.returncode == 0, events[-1].get("error", "") + done.stdout + done.stderr
    assert (events[0]["device"], events[-1]["event"]) == ("card:0", "finished")
    on_cpu = trained(settings)
    assert len(events) == len(on_cpu.events) and (folder.model / "model.safetensors").is_file()
    for task in on_cpu.events[-1]["scores"]:
        here, there = [probabilities(each.predictions(0, task, "dev")) for each in (folder, on_cpu.folder)]
        np.testing.assert_allclose(here, there, atol=1e-5)


def test_a_step_in_which_nothing_has_a_gradient_is_taken_on_a_card_too(
    prepare: Callable[..., RunFolder], tmp_path: Path
) -> None:
    """Pearson's loss alone, of pairs that all have one label."""
    rows = [f"{row}\tid{row}\ta man walks number {row}\ta man runs number {row}\t2.0\n" for row in range(12)]
    for split in ("train", "dev"):
        text = "\tid\tsentence1\tsentence2\tsimilarity\n" + "".join(rows)
        (tmp_path / f"sts-{split}.csv").write_text(text, encoding="utf-8")
    folder = prepare({"tasks": "sts", "pearson": True, "precision": "fp32", "data": str(tmp_path)})
    done, events = train_on_card(folder)
    assert done.returncode == 0, events[-1].get("error", "") + done.stdout + done.stderr
    steps = [event["values"] for event in events if event["event"] == "step"]
    assert {(step["loss/sts"], step["gradient_norm"]) for step in steps} == {(0, 0)}
    assert steps[-1]["pearson_undefined"] == len(steps)


def probabilities(path: Path) -> Any:
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["probabilities"]


def test_a_card_that_has_no_more_memory_ends_the_run_with_what_was_needed_and_free(
    prepare: Callable[..., RunFolder],
) -> None:
    done, events = train_on_card(prepare({"tasks": "sst", "precision": "fp32"}), "2")
    assert done.returncode == 1
    last = events[-1]
    assert (last["event"], last["out_of_memory"], last["step"]) == ("failed", True, 1)
    assert "Tried to allocate 2.00 GiB" in last["error"] and "1.00 GiB is free" in last["error"]


def test_a_child_sees_the_card_that_its_worker_chose_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    order = RunOrder(run_id="k3mp7x", name="test", attempt=1, data="toy", extra_data_file="", device="cuda:GPU-aaaa")
    prepare_environment(order)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-aaaa"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert composition._device(order) == torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BertmtError, match=r"cuda:GPU-aaaa, but PyTorch .* finds no CUDA device"):
        composition._device(order)


# What is tried with a tensor of the card, and whether CUDA refuses it.
ATTEMPTS = {
    "torch.stack([card.sum(), torch.zeros(())])": True,
    "torch.cat([card, torch.zeros(2)])": True,
    "card + torch.zeros(2)": True,
    "card @ torch.zeros(2)": True,
    "card[torch.zeros(1, dtype=torch.int64)]": False,
    "card * torch.tensor(2.0)": False,
    "card.cpu() + torch.zeros(2)": False,
    "card + torch.zeros(2).to(card.device)": False,
    "card + torch.zeros(2, device=card.device)": False,
    "card + card.new_zeros(2)": False,
}
TRYING = """
import sys
sys.path.insert(0, sys.argv[1])
import child_on_a_card as here
import torch

here.begin()
with here.Card(), here.ReadsLists():
    card = torch.ones(2).to(here.NAME)
    for attempt in ATTEMPTS:
        try:
            attempt()
            print(False)
        except RuntimeError as problem:
            print("same device" in str(problem))
"""


def test_the_card_refuses_what_cuda_refuses_and_nothing_else() -> None:
    program = TRYING.replace("ATTEMPTS", f"[{', '.join(f'lambda: {each}' for each in ATTEMPTS)}]")
    done = subprocess.run([sys.executable, "-c", program, STAND_INS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(refused) for refused in ATTEMPTS.values()]
