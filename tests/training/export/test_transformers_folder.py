"""A task that was written for transformers is predicted there as it is here."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from encoder_families import write_encoder
from exported_models import KNOWN, TOLERANCE, exported, made_run, on_labels_scale, ours, texts
from transformers import PreTrainedTokenizerFast

from bertmt.encoders.families import FAMILIES
from bertmt.prediction.export.modeling_bertmt import BertmtForSequenceClassification
from bertmt.run_folder.layout import RunFolder
from bertmt.tasks.task import Task

RECIPES: dict[str, dict[str, Any]] = {
    "baseline": {},
    "an ensemble of adapters, cls": {
        "ensembling": True, "lora.rank": 4, "lora.alpha": 6, "lora.rslora": True, "pair_features": "super",
        "pooling": "cls",
    },
    "deep heads, max": {"pooling": "max", "pair_features": "product", "head.para.layers": 3, "head.sst.layers": 2},
    "joint pairs": {"pair_input": "joint"},
    "pairs both ways": {"pair_input": "both", "pair_features": "difference"},
}  # fmt: skip


@pytest.fixture(scope="module", params=RECIPES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    torch.set_num_threads(1)
    return made_run(tmp_path_factory.mktemp("run"), RECIPES[request.param])


@pytest.fixture(scope="module", params=FAMILIES)
def run_of_family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    torch.set_num_threads(1)
    encoder = write_encoder(request.param, tmp_path_factory.mktemp("encoder") / request.param)
    return made_run(tmp_path_factory.mktemp("run"), {"encoder": str(encoder), "lora.rank": 2, "pair_input": "both"})


def theirs(folder: Path, task: Task) -> np.ndarray:
    """What the model in the folder says, classes as probabilities, of two that of the second."""
    model = BertmtForSequenceClassification.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    with torch.inference_mode():
        cut = model(**tokenizer(*texts(task), return_tensors="pt", padding=True, truncation=True)).logits
        whole = model(**tokenizer(*texts(task), return_tensors="pt", padding=True)).logits
    assert torch.allclose(cut, whole, atol=TOLERANCE), "the tokenizer cuts off what the model reads"
    assert model.config.num_labels == cut.shape[1]
    if not task.classes:
        return np.asarray(cut[:, 0])
    return np.asarray(cut.softmax(-1) if len(task.classes) > 2 else cut.softmax(-1)[:, 1])


def assert_predicted_the_same(run: RunFolder, task: Task) -> None:
    expected = on_labels_scale(task, ours(run, task))
    assert np.abs(theirs(exported(run, "transformers", task.name), task) - expected).max() < TOLERANCE


@pytest.mark.parametrize("task", KNOWN)
def test_every_kind_of_task_is_predicted_the_same(run: RunFolder, task: str) -> None:
    assert_predicted_the_same(run, KNOWN[task])


@pytest.mark.parametrize("task", ["sst", "para", "sts"])
def test_every_family_predicts_the_same_with_its_adapters_merged(run_of_family: RunFolder, task: str) -> None:
    assert_predicted_the_same(run_of_family, KNOWN[task])
