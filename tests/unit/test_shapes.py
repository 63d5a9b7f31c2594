"""A tensor of the wrong shape or type is caught where it is handed over: under pytest, and nowhere else."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from bertmt.losses.cross_entropy import cross_entropy
from bertmt.losses.mean_squared_error import mean_squared_error
from bertmt.models.packed.layout import Pass, TokenBatch
from bertmt.models.pooling import pool
from bertmt.training.steps.batches import Batch
from bertmt.training.steps.gradient_surgery import projection_coefficients

ROOT = Path(__file__).resolve().parents[2]
LOGITS, CLASSES = torch.zeros(3, 5), torch.tensor([0, 4, 2])
TOKENS = TokenBatch.of([[1] * 7] * 4)
PASS = Pass.of({"sst": TOKENS}, heads=1)
HIDDEN = torch.zeros(28, 8)


def batch(labels: torch.Tensor) -> Batch:
    return Batch(np.arange(4), TOKENS, labels)


WRONG: dict[str, Callable[[], object]] = {
    "transposed logits": lambda: cross_entropy(LOGITS.T, CLASSES),
    "a label too few": lambda: cross_entropy(LOGITS, CLASSES[:2]),
    # Both broadcast: without the check, the mean of nine differences, and a loss of other labels.
    "a column for a vector": lambda: mean_squared_error(torch.zeros(3, 1), torch.zeros(3), 0, 5),
    "one label for all": lambda: mean_squared_error(torch.zeros(3), torch.zeros(1), 0, 5),
    "hidden states sentence by sentence": lambda: pool(HIDDEN.view(4, 7, 8), PASS, "mean"),
    "half precision": lambda: pool(HIDDEN.bfloat16(), PASS, "mean"),
    "ids sentence by sentence": lambda: TokenBatch(TOKENS.input_ids.view(4, 7), TOKENS.lengths),
    "ids that are no integers": lambda: TokenBatch(TOKENS.input_ids.float(), TOKENS.lengths),
    "labels of other examples": lambda: batch(torch.zeros(8)),
    "labels in fp64": lambda: batch(torch.zeros(4).double()),
    "dot products that are no square": lambda: projection_coefficients(torch.zeros(2, 3).double(), torch.Generator()),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_its_signature_is_refused_under_pytest(name: str) -> None:
    with pytest.raises(TypeCheckError):
        WRONG[name]()


def test_what_fits_is_let_through() -> None:
    assert batch(torch.zeros(4)).token_count == 28
    assert cross_entropy(LOGITS, CLASSES).shape == () and pool(HIDDEN, PASS, "mean").shape == (4, 8)


def test_outside_of_pytest_signatures_are_only_read() -> None:
    program = (
        "import sys, torch\n"
        "from bertmt.losses.mean_squared_error import mean_squared_error as loss\n"
        "print(loss(torch.zeros(3, 1), torch.zeros(3), 0, 5).item(), hasattr(loss, '__wrapped__'))\n"
        "import bertmt.training.attempt\n"
        "print('beartype' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["0.0", "False", "False"], done.stderr
    assert hasattr(mean_squared_error, "__wrapped__")
