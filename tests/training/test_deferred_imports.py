"""What a child does not import, and that nothing computes otherwise for it; each in an interpreter of its own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bertmt.run_folder.layout import RunFolder

SPARED = ("torch._dynamo.eval_frame", "torch._inductor", "torch.distributed.tensor", "scipy", "sklearn", "pandas")
FIXTURES = Path(__file__).parents[1] / "fixtures"
DEFER = "from bertmt.models.deferred_imports import defer_imports; defer_imports()"
AT_ONCE = "import torch._dynamo"

TRAIN = "import sys; from bertmt.training.__main__ import main; code = main([sys.argv[1]]); assert code == 0, code"
HIDDEN_STATES = """
import sys, hashlib, pathlib, torch
from encoder_families import SETTINGS, write_encoder
from bertmt.models.encoder import load_encoder
for family in SETTINGS:
    encoder = load_encoder(str(write_encoder(family, pathlib.Path(sys.argv[1]) / family))).eval()
    ids = torch.arange(5, 45).reshape(2, 20)
    mask = (torch.arange(20) < torch.tensor([[20], [7]])).long()
    hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    hidden.sum().backward()
    gradients = [each.grad.numpy().tobytes() for each in encoder.parameters() if each.grad is not None]
    print(family, hashlib.sha256(hidden.detach().numpy().tobytes() + b"".join(gradients)).hexdigest())
"""
COMPILE = """
import torch
linear = torch.nn.Linear(2, 1)
optimizer = torch.optim.AdamW(linear.parameters())
linear(torch.ones(1, 2)).sum().backward()
optimizer.step()
twice = torch.compile(lambda number: 2 * number, backend="eager")
assert twice(torch.ones(2)).tolist() == [2, 2]
print(torch._dynamo.utils.counters["stats"]["unique_graphs"])
"""


def run(code: str, *arguments: object) -> str:
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({str(FIXTURES)!r})\n{code}", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_a_child_imports_no_compiler_and_nothing_of_distributed_training(prepare: Callable[..., RunFolder]) -> None:
    folder = prepare({"surgery": True, "epochs": 1})
    told = run(f"{TRAIN}\nprint([name for name in {SPARED!r} if name in sys.modules])", folder.path)
    assert told.splitlines()[-1] == "[]"


@pytest.mark.parametrize("settings", [{"surgery": True}, {"ensembling": True, "lora.rank": 4, "pearson": True}])
def test_weights_are_the_same_to_the_bit_as_with_everything_imported(
    prepare: Callable[..., RunFolder], settings: dict[str, object]
) -> None:
    folders = [prepare({**settings, "epochs": 1}) for _ in range(2)]
    for folder, first in zip(folders, (DEFER, AT_ONCE), strict=True):
        run(f"{first}\n{TRAIN}", folder.path)
    one, other = ((folder.model / "model.safetensors").read_bytes() for folder in folders)
    assert one == other


def test_encoders_of_every_family_compute_the_same(tmp_path: Path) -> None:
    one = run(f"{DEFER}\n{HIDDEN_STATES}", tmp_path / "one")
    other = run(f"{AT_ONCE}\n{HIDDEN_STATES}", tmp_path / "other")
    assert one == other and len(one.splitlines()) == 4


def test_whoever_compiles_has_the_real_compiler() -> None:
    assert run(f"{DEFER}\n{COMPILE}").split() == ["1"]


def test_transformers_finds_afterwards_what_is_installed() -> None:
    asked = "from transformers.utils import is_scipy_available as one, import_utils; print(one())"
    assert run(f"{DEFER}\n{asked}; print(import_utils.is_torch_distributed_available())").split() == ["True", "True"]
