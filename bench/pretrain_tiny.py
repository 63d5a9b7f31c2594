"""Makes the embedded encoder `tiny`, to the byte: `OMP_NUM_THREADS=1 python -m bench.pretrain_tiny [FOLDER]`.

Masked-language modelling (Devlin et al. 2019, section 3.1, without next sentences) on sentences of the embedded
grammars (`bertmt/tasks/embedded`), drawn with a seed of their own, one by one and without labels; no sentence of the
data `toy` is among them. The bytes are those of one build of torch on one kind of CPU, with one thread.
"""

import argparse
import json
import string
from collections.abc import Iterator, Sequence
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import BertConfig, BertForMaskedLM

from bertmt.encoders.find import TINY_FOLDER
from bertmt.encoders.vocabulary import CONTINUING, MASK, SPECIAL_TOKENS, word_pieces
from bertmt.models.guessing import MASKED, hide
from bertmt.models.tokenizing import Tokenizer
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.embedded.dice import Dice
from bertmt.tasks.embedded.questions import different, paraphrase
from bertmt.tasks.embedded.scenes import scene_pair
from bertmt.tasks.embedded.sentiment import sentiment
from bertmt.tasks.embedded.toy import SIZES, toy_extra_pairs, toy_split
from bertmt.tasks.examples import Split

SENTENCES = 120_000
STEPS = 6_000
BATCH = 64
LEARNING_RATE, WARM_UP, WEIGHT_DECAY, CLIP = 1.5e-3, 300, 0.01, 1.0
LONGEST = 64  # tokens; none of the sentences is cut
# What any text may be spelled with; a vocabulary of the grammars' own letters could not read other words.
ALPHABET = string.ascii_lowercase + string.digits + string.punctuation
CONFIGURATION = {
    "model_type": "bert",
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 512,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}


def sentences(count: int = SENTENCES) -> list[str]:
    """So many different sentences, a third of each grammar, none of which stands in any split of `toy`."""
    taken = set(toy_sentences())
    drawn: dict[str, None] = {}
    stream = _drawn(Dice("bertmt tiny 1"))
    while len(drawn) < count:
        sentence = next(stream)
        if sentence not in taken:
            drawn[sentence] = None
    return list(drawn)


def toy_sentences() -> Iterator[str]:
    """Every sentence of the data `toy`."""
    splits: list[Split] = [toy_split(task, name) for task in BUILTIN.values() for name in SIZES]
    extra = [toy_extra_pairs(task) for task in BUILTIN.values() if task.extra_pairs]
    for split in [*splits, *extra]:
        for example in split.examples:
            yield example.first
            if example.second is not None:
                yield example.second


def _drawn(dice: Dice) -> Iterator[str]:
    """Sentences like those of the toy data: of all classes, questions of either kind, scenes of any similarity."""
    while True:
        yield from (sentiment(dice, dice.below(5)) for _ in range(2))
        yield from paraphrase(dice) if dice.chance(0.5) else different(dice)
        yield from scene_pair(dice, dice.below(5))[:2]


def vocabulary(texts: Sequence[str]) -> list[str]:
    """The special tokens, every character of ASCII as the beginning and the rest of a word, and all words, sorted."""
    splitting = word_pieces(SPECIAL_TOKENS)
    words = {
        word
        for text in texts
        for word, _ in splitting.pre_tokenizer.pre_tokenize_str(splitting.normalizer.normalize_str(text))
    }
    characters = sorted(ALPHABET)
    rest = [CONTINUING + each for each in characters if each not in string.punctuation]
    return [*SPECIAL_TOKENS, *characters, *rest, *sorted(words.difference(characters))]


class Pretraining:
    """Masked-language modelling with a generator of its own.

    Args:
        steps: how many there will be; the learning rate falls to 0 towards the last.
    """

    def __init__(self, texts: Sequence[str], pieces: Sequence[str], steps: int = STEPS):
        self.tokenizer = Tokenizer(word_pieces(pieces), LONGEST)
        self.rows = self.tokenizer.encode(texts)
        self.size, self.mask = len(pieces), pieces.index(MASK)
        self.dice = torch.Generator().manual_seed(1)
        # Dropout is for fine-tuning: here no sentence is seen often enough to be learned by heart.
        plain = dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), 0.0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.model = BertForMaskedLM(BertConfig(**(CONFIGURATION | plain | {"vocab_size": self.size})))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: min((step + 1) / WARM_UP, (steps - step) / steps)
        )

    def step(self) -> float:
        """One step; the mean cross-entropy of the masked tokens, in nats."""
        chosen = torch.randint(len(self.rows), (BATCH,), generator=self.dice).tolist()
        plain, mask = padded([self.rows[index] for index in chosen])
        ids, goals = self._masked(plain)
        hidden = self.model.bert(ids, attention_mask=mask).last_hidden_state
        asked = goals >= 0
        loss: Tensor = torch.nn.functional.cross_entropy(self.model.cls(hidden[asked]), goals[asked])
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        self.schedule.step()
        return loss.item()

    def _masked(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Ids with some of them hidden, and what stood there; `NOTHING` where nothing is asked."""
        odds, kind = (torch.rand(ids.shape, generator=self.dice) for _ in range(2))
        others = torch.randint(len(SPECIAL_TOKENS), self.size, ids.shape, generator=self.dice)
        asked = (odds < MASKED) & (ids >= len(SPECIAL_TOKENS))
        asked[0, 1] = True  # so that there is something to guess in every batch
        return hide(ids, asked, kind, others, self.mask)

    def weights(self) -> dict[str, Tensor]:
        """The encoder without the head, in half precision: 2 MB are too few for fp32, and fine-tuning casts it."""
        weights = self.model.bert.state_dict()
        return {name: tensor.detach().to(torch.float16).contiguous() for name, tensor in weights.items()}


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids as wide as the longest row, with 0 ([PAD]) behind the others; and 1 where there are tokens, else 0."""
    ids = pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    return ids, (ids > 0).long()


def write_encoder(folder: Path, pieces: Sequence[str], weights: dict[str, Tensor]) -> None:
    """The three files of an encoder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(CONFIGURATION | {"vocab_size": len(pieces)}, indent=1, sort_keys=True)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(safetensors.torch.save(weights))


def main(folder: Path) -> None:
    """Draw, train, write; the loss every 500 steps."""
    torch.set_num_threads(1)  # sums of several threads differ from run to run
    torch.use_deterministic_algorithms(True)
    texts = sentences()
    pieces = vocabulary(texts)
    print(f"{len(texts):,} sentences, {len(pieces):,} word pieces", flush=True)
    pretraining = Pretraining(texts, pieces)
    losses = []
    for step in range(1, STEPS + 1):
        losses.append(pretraining.step())
        if step % 500 == 0:
            print(f"step {step:6,}  loss {sum(losses[-500:]) / 500:.3f}", flush=True)
    write_encoder(folder, pieces, pretraining.weights())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.pretrain_tiny", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=TINY_FOLDER, help="where it is written")
    main(parser.parse_args().folder)
