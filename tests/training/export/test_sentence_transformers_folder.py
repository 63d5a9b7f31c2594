"""An encoder that was written for Sentence-Transformers embeds there as it does here, and its heads say the same."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from encoder_families import write_encoder
from exported_models import (
    FIRST,
    KNOWN,
    MAX_LENGTH,
    SECOND,
    TOLERANCE,
    exported,
    made_run,
    on_labels_scale,
    ours,
    run_script,
)
from peft import PeftModel
from transformers import AutoModel, PreTrainedTokenizerFast

from bertmt.encoders.families import FAMILIES
from bertmt.encoders.find import TINY_FOLDER, find_encoder
from bertmt.models.encoder import load_encoder
from bertmt.models.packed.layout import TokenBatch
from bertmt.models.saving import load_model
from bertmt.models.tokenizing import load_tokenizer
from bertmt.prediction.export.weights import encoder_weights
from bertmt.prediction.export.writing import Wanted, write
from bertmt.run_folder.layout import RunFolder
from bertmt.services.analysis.model_folder import snippets

FORMAT = "sentence-transformers"
RECIPES: dict[str, dict[str, Any]] = {
    "baseline": {},
    "an ensemble of adapters, cls": {
        "ensembling": True, "lora.rank": 4, "lora.alpha": 6, "lora.rslora": True, "pair_features": "super",
        "pooling": "cls",
    },
    "deep heads, max": {"pooling": "max", "pair_features": "product", "head.para.layers": 3, "head.sst.layers": 2},
    "differences": {"pair_features": "difference"},
}  # fmt: skip


ALONE = "an adapter alone"  # over an encoder whose file is in fp16
ADAPTED = {"lora.rank": 2, "lora.targets": "attention"}
EMBEDDED = f"""
first, second = {json.dumps(FIRST)}, {json.dumps(SECOND)}
said = {{"embeddings": model.encode(list(first)).tolist(), "dtype": str(model.encode("a").dtype)}}
said["cosine"] = model.similarity_pairwise(model.encode(list(first)), model.encode(list(second))).tolist()
"""


@dataclass(frozen=True)
class Case:
    """A run, the folder that was written of it, and what that said in the real library."""

    run: RunFolder
    folder: Path
    said: Any


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """By recipe, and by family with adapters merged: the lines of the model card, all in one process."""
    pytest.importorskip(
        "sentence_transformers", reason="NO SENTENCE-TRANSFORMERS: how it reads our folders was not checked"
    )
    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("folders")
    settings = dict(RECIPES)
    for family in FAMILIES:
        settings[family] = {"encoder": str(write_encoder(family, place / f"{family} encoder")), **ADAPTED}
    settings[ALONE] = {"lora.rank": 3}
    runs = {name: made_run(tmp_path_factory.mktemp("run"), given) for name, given in settings.items()}
    bases = {ALONE: str(TINY_FOLDER)}
    folders = {name: exported(run, FORMAT, "sst", bases.get(name), place / name) for name, run in runs.items()}
    script = ["import json", "all_said = {}"]
    for name, folder in folders.items():
        script += [snippets.sentence_transformers(folder), snippets.heads(folder), EMBEDDED]
        for task, head in json.loads((folder / "heads.json").read_text()).items():
            asked = "list(first), list(second)" if head["pair"] else "list(first)"
            script.append(f"said[{task!r}] = predict({task!r}, {asked}).tolist()")
        script.append(f"all_said[{name!r}] = said")
    said = run_script("\n".join([*script, "print(json.dumps(all_said))"]), place)
    return {name: Case(run, folders[name], said[name]) for name, run in runs.items()}


@pytest.fixture(params=[*RECIPES, *FAMILIES, ALONE])
def case(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Case:
    return cases[request.param]


def embedded(run: RunFolder) -> np.ndarray:
    """Embeddings of the first texts by the model itself."""
    model, tokenizer = load_model(run.model)
    with torch.inference_mode():
        return np.asarray(model.embed("sst", TokenBatch.of(tokenizer.encode(FIRST))))


def test_embeddings_are_the_same_and_not_normalised(case: Case) -> None:
    expected = embedded(case.run)
    assert np.abs(np.array(case.said["embeddings"]) - expected).max() < TOLERANCE
    assert np.ptp(np.linalg.norm(expected, axis=1)) > 0.01 and case.said["dtype"] == "float32"


def is_ensembled(case: Case) -> bool:
    return "ensembling" in RECIPES.get(case.folder.name, {})


def test_heads_predict_the_same(case: Case) -> None:
    heads = [name for name in case.said if name in KNOWN]
    assert set(heads) == ({"sst"} if is_ensembled(case) else {"sst", "para", "spam", "grades", "warmth"})
    for name in heads:
        task = KNOWN[name]
        expected = on_labels_scale(task, ours(case.run, task))
        assert np.abs(np.array(case.said[name]) - expected).max() < TOLERANCE, name


def test_the_similarity_is_the_cosine_that_predicts_sts(case: Case) -> None:
    apart = np.abs(np.array(case.said["cosine"]) - ours(case.run, KNOWN["sts"])).max()
    # The encoder of SST is another one than that of STS, where each task has its own.
    assert apart > 1000 * TOLERANCE if is_ensembled(case) else apart < TOLERANCE


def test_what_one_folder_cannot_hold_is_told(tmp_path: Path) -> None:
    """Of encoders that are apart, and of pairs that are read as one text."""
    apart = made_run(tmp_path / "apart", {"ensembling": True, "tasks": ["sst", "sts"]})
    (tmp_path / "out").mkdir()
    files = write(apart, Wanted(FORMAT, tmp_path / "out", "sts", None), ())
    assert files.predicted_by == {"sts": "cosine"} and "--task sst" in files.left_out["sst"]
    assert not (tmp_path / "out" / "heads.json").exists()
    joint = made_run(tmp_path / "joint", {"pair_input": "both", "tasks": ["sst", "sts", "para"]})
    (tmp_path / "other").mkdir()
    files = write(joint, Wanted(FORMAT, tmp_path / "other", "sst", None), ())
    assert files.predicted_by == {"sst": "head"}
    assert set(files.left_out) == {"sts", "para"} and "--to transformers" in files.left_out["sts"]


@pytest.mark.parametrize("name", ["baseline", *FAMILIES])
def test_a_folder_with_a_whole_encoder_is_one_for_further_runs(cases: dict[str, Case], name: str) -> None:
    case = cases[name]
    model, tokenizer = load_model(case.run.model)
    found, expected = load_encoder(str(case.folder)).state_dict(), encoder_weights(model.encoder("sst"))
    assert find_encoder(str(case.folder)).model_type == model.config.model_type
    assert found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in found)
    assert load_tokenizer(str(case.folder), MAX_LENGTH).encode(FIRST) == tokenizer.encode(FIRST)


@pytest.mark.parametrize("family", FAMILIES)
def test_peft_loads_the_adapter_alone_over_the_encoder(family: str, tmp_path: Path) -> None:
    encoder = write_encoder(family, tmp_path / "encoder")
    run = made_run(tmp_path / "run", {"encoder": str(encoder), "lora.rank": 2, "lora.alpha": 5, "lora.rslora": True})
    folder = exported(run, FORMAT, "sst", base=str(encoder))
    assert not (folder / "model.safetensors").exists()
    base = AutoModel.from_pretrained(encoder, use_safetensors=True, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    batch = tokenizer(list(FIRST), padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        mask = batch["attention_mask"][..., None]
        hidden = model(**batch).last_hidden_state * mask
    assert np.abs(np.asarray(hidden.sum(1) / mask.sum(1)) - embedded(run)).max() < TOLERANCE
