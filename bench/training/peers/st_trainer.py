"""The trainer of Sentence-Transformers, as its documents recommend: CosineSimilarityLoss for pairs with a similarity
(STS), SoftmaxLoss for pairs with a class (PARA), bf16, the default sampler of batches.

Source: "Training Overview", "Loss Overview" and the training example of STS in the documentation of
Sentence-Transformers 5 and 6. Its collator tokenises within the step, as there.
"""

import tempfile
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss, SoftmaxLoss
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

from bench.training.contenders import MAX_LENGTH, Block, Order
from bench.training.flops import cost_of
from bench.training.peers.counting import Clock, SeenTokens, block_of
from bench.training.peers.hf_trainer import QUIET
from bertmt.encoders.find import find_encoder
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.loading import read_split
from bertmt.tasks.scores import predicted_labels, score


class SentenceTransformersTrainer:
    """The trainer as a contender, for one task of pairs."""

    precision = "bf16"

    def __init__(self, order: Order):
        self.order = order
        [self.task] = order.tasks
        self.about = BUILTIN[self.task]
        self.data = Dataset.from_dict(self._columns("train"))
        files = find_encoder(order.encoder)
        torch.manual_seed(0)
        read = Transformer(str(files.folder), max_seq_length=MAX_LENGTH, model_kwargs={"dtype": torch.float32})
        self.model = SentenceTransformer(modules=[read, Pooling(files.hidden_size, "mean")], device=order.device_type)
        self.loss: Any = (
            SoftmaxLoss(self.model, files.hidden_size, num_labels=2)
            if self.about.classes
            else CosineSimilarityLoss(self.model)
        )
        encoder = self.model[0].auto_model
        self.cost = cost_of(encoder, files.hidden_size, files.layers)
        self.seen = SeenTokens(self.model[0])  # which calls the encoder's `forward`, and so no hook of it
        self._files = tempfile.TemporaryDirectory()
        self._blocks = 0

    def _columns(self, split: str, limit: int = 0) -> dict[str, list[Any]]:
        examples = read_split(self.order.data, self.about, split).first(limit).examples
        labels = [each.label or 0.0 for each in examples]
        found = [int(label) for label in labels] if self.about.classes else [label / 5 for label in labels]
        return {
            "sentence1": [each.first for each in examples],
            "sentence2": [each.second for each in examples],
            "label": found,
        }

    def train(self, steps: int, warm_up: int) -> Block:
        clock = Clock(self.seen, warm_up, steps, self.order.device)
        self._blocks += 1
        arguments = SentenceTransformerTrainingArguments(
            output_dir=self._files.name,
            max_steps=warm_up + steps,
            per_device_train_batch_size=self.order.batch_size,
            learning_rate=self.order.learning_rate,
            bf16=True,
            use_cpu=self.order.device == "cpu",
            seed=self._blocks,
            **QUIET,
        )
        trainer = SentenceTransformerTrainer(
            self.model, arguments, train_dataset=self.data, loss=self.loss, callbacks=[clock]
        )
        found = trainer.train()
        return block_of(clock, self.order.batch_size, self.cost, float(found.training_loss))

    @torch.inference_mode()
    def evaluate(self) -> dict[str, float | None]:
        columns = self._columns("dev", self.order.dev_examples)
        first, second = (
            self.model.encode(columns[name], batch_size=64, convert_to_tensor=True)
            for name in ("sentence1", "sentence2")
        )
        if self.about.classes:
            logits = self.loss.classifier(torch.cat([first, second, (first - second).abs()], dim=1))
            outputs = logits.softmax(dim=1)[:, 1]
        else:
            outputs = torch.nn.functional.cosine_similarity(first, second)
        predicted = predicted_labels(self.about, outputs.float().cpu().numpy())
        return {self.task: score(self.about, predicted, columns["label"])}


contender = SentenceTransformersTrainer
