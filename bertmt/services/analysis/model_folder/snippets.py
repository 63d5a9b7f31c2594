"""The lines of Python in a model card that load the folder and ask it; they are run as they stand by the tests."""

import json
from pathlib import Path

_SENTENCES = """
from sentence_transformers import SentenceTransformer

model = SentenceTransformer({folder})
embeddings = model.encode(["A man plays a guitar.", "Someone makes music."], convert_to_tensor=True)
similarity = model.similarity(embeddings[:1], embeddings[1:]).item()  # the cosine, -1 to 1
"""
_HEADS = """
import json
from pathlib import Path

import torch
from safetensors.torch import load_file

heads = json.loads(Path({folder}, "heads.json").read_text(encoding="utf-8"))
weights = load_file(Path({folder}, "heads.safetensors"))


def predict(task, first, second=None):
    \"\"\"Of each text or pair: the probability of each class, of two classes that of the second; or a number.\"\"\"
    head = heads[task]
    parts = [model.encode(texts, convert_to_tensor=True).cpu() for texts in (first, second) if texts is not None]
    if head["pair"]:
        one, other = parts
        apart = (one - other).abs()
        more = {{"concat": [], "super": [other - one], "difference": [apart], "product": [apart, one * other]}}
        parts += more[head["features"]]
    found = torch.cat(parts, -1)
    for layer in range(head["layers"]):
        found = torch.nn.functional.gelu(found) if layer else found
        weight, bias = (weights[f"{{task}}.{{layer}}.{{part}}"] for part in ("weight", "bias"))
        found = torch.nn.functional.linear(found, weight, bias)
    if head["range"]:
        low, high = head["range"]
        return low + (high - low) * found[:, 0]
    return found.softmax(-1) if len(head["classes"]) > 2 else found[:, 0].sigmoid()
"""
_ADAPTER = """
import torch
from peft import PeftModel
from transformers import AutoModel

encoder = AutoModel.from_pretrained({base}, dtype=torch.float32)
encoder = PeftModel.from_pretrained(encoder, {folder}).eval()
"""
_CLASSIFIER = """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

# `trust_remote_code` lets the one file of code in this folder run, modeling_bertmt.py: read it first.
tokenizer = AutoTokenizer.from_pretrained({folder}, trust_remote_code=True)
model = AutoModelForSequenceClassification.from_pretrained({folder}, trust_remote_code=True).eval()


def predict({arguments}):
    \"\"\"{says}\"\"\"
    inputs = tokenizer({arguments}, return_tensors="pt", padding=True, truncation=True)
    with torch.no_grad():
        logits = model(**inputs).logits
    return {found}
"""


def sentence_transformers(folder: Path) -> str:
    """Embeddings and their cosine."""
    return _SENTENCES.format(folder=_text(folder.name))


def heads(folder: Path) -> str:
    """What the heads say; goes on behind `sentence_transformers`."""
    return _HEADS.format(folder=_text(folder.name))


def adapter(folder: Path, base: str) -> str:
    """The adapter over its encoder, without Sentence-Transformers."""
    return _ADAPTER.format(folder=_text(folder.name), base=_text(base))


def classifier(folder: Path, pair: bool, is_number: bool) -> str:
    """One task, in transformers."""
    says = "The number of each {}." if is_number else "The probability of each class, of each {}."
    return _CLASSIFIER.format(
        folder=_text(folder.name),
        arguments="first, second" if pair else "texts",
        says=says.format("pair" if pair else "text"),
        found="logits[:, 0]" if is_number else "logits.softmax(-1)",
    )


def _text(text: str) -> str:
    """As a text in Python; of ASCII alone."""
    return json.dumps(text)
