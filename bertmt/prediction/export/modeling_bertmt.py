"""A text classifier, or a regression, that `bertmt export` wrote: an encoder of transformers, pooling, and heads.

It reads what the tokenizer beside it gives of a sentence, or of a pair of sentences. A pair it takes apart, cuts each
sentence as in training, and reads the two one by one, as one input, or both ways, as the run did that it comes from.

    tokenizer = AutoTokenizer.from_pretrained(FOLDER, trust_remote_code=True)
    model = AutoModelForSequenceClassification.from_pretrained(FOLDER, trust_remote_code=True)
    model(**tokenizer("a sentence", return_tensors="pt", truncation=True)).logits
    model(**tokenizer("a sentence", "another", return_tensors="pt", truncation=True)).logits

Of classes there are logits; of a number there is one, which is that number on the scale of the labels.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import CONFIG_MAPPING, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

DEFAULTS: dict[str, Any] = {
    "encoder": {"model_type": "bert"}, "encoder_arguments": {}, "pooling": "mean", "pair_input": "", "cosine": False,
    "features": "concat", "heads": {}, "head_dropout": [0.0, 0.0], "max_sentence": 128, "start": 0, "end": 0,
    "ends_between": 1, "label_range": None,
}  # fmt: skip


class BertmtConfig(PretrainedConfig):  # type: ignore[misc]  # without types here
    """What the model is built from.

    Attributes:
        encoder: the encoder's own configuration; `encoder_arguments`: what it is made with besides.
        pooling: mean, cls or max, from a sentence's tokens to its embedding.
        pair_input: how it reads pairs, separate, joint or both; "": it reads single sentences.
        cosine: the cosine of a pair's embeddings predicts, and a head its joint input, through a sigmoid.
        features: what a head reads of a pair's two embeddings: concat, super, difference or product.
        heads: "separate" and "joint" to the widths before, between and behind the linear maps of each head.
        head_dropout: on a head's input and hidden layers, and before its last map; for whoever trains on.
        max_sentence: tokens of a sentence at most, special ones included.
        start, end, ends_between: special tokens around a sentence, and how many ends stand between the two of a pair.
        label_range: the least and the greatest label where it is a number; None of classes.
    """

    model_type = "bertmt"

    def __init__(self, **settings: Any):
        for name, default in DEFAULTS.items():
            setattr(self, name, settings.pop(name, default))
        super().__init__(**settings)


class BertmtForSequenceClassification(PreTrainedModel):  # type: ignore[misc]  # without types here
    """One task of those that its run was trained on."""

    config_class = BertmtConfig

    def __init__(self, config: Any):
        super().__init__(config)
        encoder_config = CONFIG_MAPPING[config.encoder["model_type"]].from_dict(config.encoder)
        self.has_types = getattr(encoder_config, "type_vocab_size", 0) > 1
        self.padding = encoder_config.pad_token_id or 0
        self.encoder = AutoModel.from_config(encoder_config, **config.encoder_arguments)
        self.heads = nn.ModuleDict({name: _head(widths, config.head_dropout) for name, widths in config.heads.items()})
        self.post_init()

    def forward(self, input_ids: Any, attention_mask: Any = None, labels: Any = None, **ignored: Any) -> Any:
        """Logits, (batch, classes), and the loss where there are labels.

        Args:
            input_ids, attention_mask: (batch, tokens), of the tokenizer beside this file.
            labels: (batch,), classes, or numbers on the scale of the labels.
            ignored: token types, which are told from the ids.
        """
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        inputs = [self._sentences(row[there.bool()].tolist()) for row, there in zip(input_ids, mask, strict=True)]
        logits = self._logits(inputs)
        loss = None
        if labels is not None:
            is_number = self.config.label_range is not None
            loss = functional.mse_loss(logits[:, 0], labels) if is_number else functional.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)

    def _sentences(self, ids: list[int]) -> list[list[int]]:
        """The one or two sentences of an input, without special tokens, and no longer than in training."""
        inner, most = ids[1:-1], self.config.max_sentence - 2
        if not self.config.pair_input:
            return [inner[:most]]
        if self.config.end not in inner:
            raise ValueError("This model reads pairs of sentences: tokenizer(first, second, ...).")
        middle = inner.index(self.config.end)
        return [inner[:middle][:most], inner[middle + self.config.ends_between :][:most]]

    def _logits(self, inputs: list[list[list[int]]]) -> Any:
        config, found = self.config, []
        start, end = [config.start], [config.end]
        if config.pair_input != "joint":
            # First all first sentences, then all second ones.
            rows = [[*start, *sentence, *end] for each in zip(*inputs, strict=True) for sentence in each]
            found.append(self._of_separate(self._embed(rows, [len(row) for row in rows]).split(len(inputs))))
        if config.pair_input in ("joint", "both"):
            firsts = [[*start, *first, *(end * config.ends_between)] for first, _ in inputs]
            rows = [[*first, *second, *end] for first, (_, second) in zip(firsts, inputs, strict=True)]
            outputs = self.heads["joint"](self._embed(rows, [len(first) for first in firsts]))
            found.append(outputs.sigmoid() if config.cosine else outputs)
        if config.label_range is not None:
            low, high = config.label_range
            return low + (high - low) * torch.stack(found).mean(0)
        # The one output of two classes is the logit of the second.
        logits = [each if each.shape[1] > 1 else torch.cat([torch.zeros_like(each), each], 1) for each in found]
        # Of pairs that are read both ways the mean of the probabilities.
        return logits[0] if len(logits) == 1 else torch.stack(logits).log_softmax(-1).logsumexp(0)

    def _of_separate(self, parts: Any) -> Any:
        """(batch, outputs) of E, or of E1 and E2."""
        if self.config.cosine:
            first, second = parts
            return functional.cosine_similarity(first, second, dim=-1)[:, None]
        found = list(parts)
        if self.config.pair_input:
            first, second = parts
            apart = (first - second).abs()
            more = {"super": [second - first], "difference": [apart], "product": [apart, first * second]}
            found += more.get(self.config.features, [])
        return self.heads["separate"](torch.cat(found, -1))

    def _embed(self, rows: list[list[int]], firsts: list[int]) -> Any:
        """(rows, hidden); the tokens behind the first so many of a row are of a second sentence."""
        longest, device = max(map(len, rows)), self.device
        ids = [[*row, *[self.padding] * (longest - len(row))] for row in rows]
        place = torch.arange(longest, device=device)
        lengths = torch.tensor([len(row) for row in rows], device=device)[:, None]
        mask = place < lengths
        given = {"input_ids": torch.tensor(ids, device=device), "attention_mask": mask.long()}
        if self.has_types:
            types = (place >= torch.tensor(firsts, device=device)[:, None]) & mask
            given["token_type_ids"] = types.long()
        hidden = self.encoder(**given).last_hidden_state
        if self.config.pooling == "cls":
            return hidden[:, 0]
        if self.config.pooling == "max":
            return hidden.masked_fill(~mask[..., None], -torch.inf).amax(1)
        return (hidden * mask[..., None]).sum(1) / lengths


def _head(widths: list[int], dropouts: list[float]) -> nn.Sequential:
    """Dropout, (linear, GELU, dropout) for each hidden width, linear; one linear map alone has no dropout."""
    inputs, *hidden, outputs = widths
    inside, before_last = dropouts
    layers: list[nn.Module] = [nn.Dropout(inside)] if hidden else []
    for place, width in enumerate(hidden):
        last = place == len(hidden) - 1
        layers += [nn.Linear(inputs, width), nn.GELU(), nn.Dropout(before_last if last else inside)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))
