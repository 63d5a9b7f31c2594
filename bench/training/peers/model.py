"""The multitask model of the course in its simplest form, for loops that do without bertmt."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel

from bench.training.contenders import Order
from bench.training.flops import Cost, cost_of
from bench.training.peers.token_batches import TaskBatch, TaskData, Tokens
from bertmt.encoders.families import FAMILIES
from bertmt.encoders.find import find_encoder
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.scores import predicted_labels, score

DEV_BATCH = 64


def plain_encoder(name: str) -> nn.Module:
    """The encoder as transformers loads it."""
    files = find_encoder(name)
    pooler = {"add_pooling_layer": False} if FAMILIES[files.model_type].has_pooler else {}
    encoder: nn.Module = AutoModel.from_pretrained(
        files.folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, **pooler
    )
    return encoder


class MultitaskBert(nn.Module):
    """An encoder and a linear head for SST and for PARA; STS is the cosine of a pair."""

    def __init__(self, encoder: nn.Module, hidden: int):
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict({"sst": nn.Linear(hidden, 5), "para": nn.Linear(2 * hidden, 1)})

    def embed(self, tokens: Tokens) -> Tensor:
        """The mean of each sentence's last hidden states."""
        hidden = self.encoder(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).last_hidden_state
        mask = tokens.attention_mask.unsqueeze(-1)
        mean: Tensor = (hidden.float() * mask).sum(dim=1) / mask.sum(dim=1)
        return mean

    def predict(self, task: str, embeddings: Sequence[Tensor]) -> Tensor:
        """Logits, or for STS the cosine."""
        if task == "sts":
            return functional.cosine_similarity(embeddings[0], embeddings[1])
        outputs: Tensor = self.heads[task](torch.cat(list(embeddings), dim=-1))
        return outputs.squeeze(-1) if task == "para" else outputs

    def loss(self, task: str, embeddings: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Cross entropy, binary cross entropy, or the squared error of the cosine."""
        outputs = self.predict(task, embeddings)
        if task == "sst":
            return functional.cross_entropy(outputs, labels.long())
        if task == "para":
            return functional.binary_cross_entropy_with_logits(outputs, labels)
        return functional.mse_loss(outputs, labels / 5)


class Setting:
    """What both loops begin with: data, model, learning rate; and their dev evaluation."""

    def __init__(self, order: Order):
        self.order = order
        self.device = order.device_type
        self.train = {task: self._data(task, "train") for task in order.tasks}
        files = find_encoder(order.encoder)
        torch.manual_seed(0)
        self.model = MultitaskBert(plain_encoder(order.encoder), files.hidden_size).to(self.device)
        self.model.train()
        self.learning_rate = order.learning_rate
        self.cost: Cost = cost_of(self.model.encoder, files.hidden_size, files.layers)
        self._dev: dict[str, TaskData] = {}

    def _data(self, task: str, split: str, limit: int = 0) -> TaskData:
        return TaskData(self.order.data, task, split, self.order.encoder, limit, self.device)

    @property
    def dev(self) -> Mapping[str, TaskData]:
        """Read when it is first asked for."""
        if not self._dev:
            self._dev = {task: self._data(task, "dev", self.order.dev_examples) for task in self.order.tasks}
        return self._dev

    @torch.inference_mode()
    def scores(self, together: bool) -> dict[str, float | None]:
        """Dev scores: batches of 64 in the order of the file."""
        self.model.eval()
        found: dict[str, float | None] = {}
        for task, data in self.dev.items():
            outputs = torch.cat([self._outputs(task, data.batch(rows, together)) for rows in in_file_order(data)])
            about = BUILTIN[task]
            outputs = outputs.sigmoid() if task == "para" else outputs
            found[task] = score(about, predicted_labels(about, outputs.float().cpu().numpy()), data.labels.tolist())
        self.model.train()
        return found

    def _outputs(self, task: str, batch: TaskBatch) -> Tensor:
        return self.model.predict(task, embeddings_of(self.model, task, batch))


def embeddings_of(model: MultitaskBert, task: str, batch: TaskBatch) -> list[Tensor]:
    """A forward pass for each part of a batch; of pairs in one part both halves."""
    parts = [model.embed(tokens) for tokens in batch.sentences]
    return list(parts[0].chunk(2)) if BUILTIN[task].pair and len(parts) == 1 else parts


def in_file_order(data: TaskData) -> Iterator[range]:
    """Rows of dev batches."""
    for start in range(0, len(data), DEV_BATCH):
        yield range(start, min(start + DEV_BATCH, len(data)))
