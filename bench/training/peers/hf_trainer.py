"""The Trainer of Hugging Face on SST, as its documents recommend for text classification: dynamic padding by
DataCollatorWithPadding, batches grouped by length, bf16.

Source: "Text classification" and "Trainer" of the documentation of transformers 5.
"""

import tempfile
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

from bench.training.contenders import MAX_LENGTH, TASKS, Block, Order
from bench.training.flops import cost_of
from bench.training.peers.counting import Clock, SeenTokens, block_of
from bertmt.encoders.find import find_encoder
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.loading import read_split
from bertmt.tasks.scores import predicted_labels, score

SST = TASKS[0]
# How both libraries are told to train; no reports, no files, no bars.
QUIET: dict[str, Any] = {"report_to": "none", "save_strategy": "no", "logging_strategy": "no", "disable_tqdm": True}


def classification_data(order: Order, split: str, tokenizer: Any, limit: int = 0) -> Dataset:
    """A split of SST, tokenised without padding."""
    examples = read_split(order.data, BUILTIN[SST], split).first(limit).examples
    columns = {"text": [each.first for each in examples], "label": [int(each.label or 0) for each in examples]}
    return Dataset.from_dict(columns).map(
        lambda rows: tokenizer(rows["text"], truncation=True, max_length=MAX_LENGTH), batched=True
    )


class HuggingFaceTrainer:
    """The trainer as a contender."""

    precision = "bf16"

    def __init__(self, order: Order):
        self.order = order
        files = find_encoder(order.encoder)
        self.tokenizer = AutoTokenizer.from_pretrained(files.folder, local_files_only=True)
        self.data = classification_data(order, "train", self.tokenizer)
        torch.manual_seed(0)
        self.model = AutoModelForSequenceClassification.from_pretrained(
            files.folder, num_labels=5, dtype=torch.float32, use_safetensors=True, local_files_only=True
        )
        encoder = self.model.base_model
        self.cost = cost_of(encoder, files.hidden_size, files.layers)
        self.seen = SeenTokens(encoder)
        self._files = tempfile.TemporaryDirectory()
        self._blocks = 0

    def _trainer(self, steps: int, **given: Any) -> Trainer:
        self._blocks += 1
        arguments = TrainingArguments(
            output_dir=self._files.name,
            max_steps=steps,
            per_device_train_batch_size=self.order.batch_size,
            per_device_eval_batch_size=64,
            learning_rate=self.order.learning_rate,
            bf16=True,
            use_cpu=self.order.device == "cpu",
            train_sampling_strategy="group_by_length",
            seed=self._blocks,
            **QUIET,
        )
        collator = DataCollatorWithPadding(self.tokenizer)
        return Trainer(self.model, arguments, data_collator=collator, processing_class=self.tokenizer, **given)

    def train(self, steps: int, warm_up: int) -> Block:
        clock = Clock(self.seen, warm_up, steps, self.order.device)
        found = self._trainer(warm_up + steps, train_dataset=self.data, callbacks=[clock]).train()
        return block_of(clock, self.order.batch_size, self.cost, float(found.training_loss))

    def evaluate(self) -> dict[str, float | None]:
        data = classification_data(self.order, "dev", self.tokenizer, self.order.dev_examples)
        found = self._trainer(1).predict(data)
        logits = torch.from_numpy(found.predictions).float()
        return {SST: score(BUILTIN[SST], predicted_labels(BUILTIN[SST], logits.numpy()), data["label"])}


contender = HuggingFaceTrainer
