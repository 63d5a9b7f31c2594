"""Guessing hidden words before training: against plain transformers, against BERT's shares, and as a phase of a run."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from attempts import Attempt
from encoder_families import SENTENCES, write_encoder
from transformers import AutoModelForMaskedLM

from bertmt.encoders.families import FAMILIES
from bertmt.encoders.vocabulary import word_pieces
from bertmt.errors import EncoderError
from bertmt.models.encoder import load_encoder
from bertmt.models.guessing import build_guessing_head, mask_id
from bertmt.models.multitask import MultitaskModel
from bertmt.models.packed.layout import TokenBatch
from bertmt.models.tokenizing import Tokenizer, load_tokenizer
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.services.plan.estimates import planned_effort
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.embedded.toy import toy_split
from bertmt.tasks.examples import Example, Split
from bertmt.training.checkpoints.progress import Progress
from bertmt.training.checkpoints.state import TrainingState
from bertmt.training.steps.masked_batches import MaskedBatch, MaskedStream, Sentences
from bertmt.training.steps.objectives import guessed
from bertmt.training.steps.tokenised import TokenisedSplit
from bertmt.training.timing import Stopwatch


@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_gradients_are_those_of_plain_transformers(family: str, tmp_path: Path) -> None:
    folder = write_encoder(family, tmp_path / family)
    recipe = resolved(recipe_from({"encoder": str(folder), "data": "toy", "tasks": "sst", "mlm_epochs": 1}))
    model = MultitaskModel(recipe, lambda: load_encoder(str(folder))).eval()
    model.guess_words("sst", build_guessing_head(model.packed["shared"].encoder, str(folder), 0))
    tokenizer = load_tokenizer(str(folder), 24)
    rows = [each for each in tokenizer.encode(SENTENCES) if len(each) > 3]
    hidden, goals = [list(row) for row in rows], [[-100] * len(row) for row in rows]
    for row, (changed, asked) in enumerate(zip(hidden, goals, strict=True)):
        for place in (1, len(changed) - 2):
            asked[place], changed[place] = changed[place], mask_id(tokenizer, family) if row % 2 else changed[place]
    flat = torch.tensor([each if each >= 0 else -1 for row in goals for each in row])
    ours = guessed(model, recipe, "mlm", TokenBatch.of(hidden), flat).loss
    ours.backward()
    theirs = AutoModelForMaskedLM.from_pretrained(folder, attn_implementation="eager").eval()
    counts = [sum(each >= 0 for each in row) for row in goals]
    losses = [
        theirs(input_ids=torch.tensor([row]), labels=torch.tensor([asked])).loss * count / sum(counts)
        for row, asked, count in zip(hidden, goals, counts, strict=True)
    ]
    expected = torch.stack(losses).sum()
    expected.backward()
    torch.testing.assert_close(ours.detach(), expected.detach(), atol=1e-5, rtol=1e-5)
    own, other = (
        model.packed["shared"].encoder.get_input_embeddings().weight.grad,
        theirs.get_input_embeddings().weight.grad,
    )
    torch.testing.assert_close(own, other, atol=1e-5, rtol=1e-3)
    assert (own.abs().sum(1) > 0).all(), "every word's row has a gradient, as an output if not as an input"


@pytest.fixture
def stream() -> Callable[..., MaskedStream]:
    """`stream(seed)`: of many short sentences, some of them twice; or of the first few of them."""
    tokenizer = load_tokenizer("tiny", 16)
    texts = [f"the {word} man eats a {other} film" for word in "abcdefghijkl" for other in "mnopqrstuvwx"]
    examples = tuple(Example(f"e{place}", text, texts[0], 0.0) for place, text in enumerate([*texts, "", "  "]))

    def build(seed: int = 0, count: int | None = None) -> MaskedStream:
        chosen = Split(task="para", name="train", examples=examples[:count], warnings=())
        split = TokenisedSplit(chosen, tokenizer)
        words, mask = tokenizer.vocabulary_size, mask_id(tokenizer, "tiny")
        return MaskedStream(Sentences([split, split]), 8, seed, "mlm", torch.device("cpu"), words, mask)

    return build


def drawn(stream: MaskedStream, count: int) -> list[MaskedBatch]:
    found = [stream.next() for _ in range(count)]
    assert all(isinstance(each, MaskedBatch) for each in found)
    return found  # type: ignore[return-value]  # asserted


def test_of_fifteen_in_a_hundred_eight_tenths_are_hidden_and_a_tenth_exchanged(
    stream: Callable[..., MaskedStream],
) -> None:
    made = stream()
    mask = mask_id(load_tokenizer("tiny", 16), "tiny")
    kinds: Counter[str] = Counter()
    for batch in drawn(made, 18 * 60):
        ends = np.cumsum(batch.tokens.lengths)
        whole = {*(ends - 1).tolist(), *(ends - batch.tokens.lengths).tolist()}
        for place, (seen, goal) in enumerate(zip(batch.tokens.input_ids.tolist(), batch.goals.tolist(), strict=True)):
            if place in whole:
                assert goal == -1, "start and end are never asked"
            elif goal == -1:
                kinds["left"] += 1
            else:
                kinds["hidden" if seen == mask else "kept" if seen == goal else "exchanged"] += 1
    asked = kinds["hidden"] + kinds["kept"] + kinds["exchanged"]
    assert asked > 5000
    assert asked / (asked + kinds["left"]) == pytest.approx(0.15, abs=0.01)
    shares = [kinds[each] / asked for each in ("hidden", "kept", "exchanged")]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_each_sentence_comes_once_in_a_pass_and_what_is_hidden_changes_from_pass_to_pass(
    stream: Callable[..., MaskedStream],
) -> None:
    made = stream()
    assert made.examples == 144 and made.batches_per_pass == 18
    first, second = drawn(made, 18), drawn(made, 18)
    for each in (first, second):
        assert sorted(np.concatenate([batch.rows for batch in each]).tolist()) == list(range(144))
    alone = drawn(stream(count=1), 30)
    assert len({tuple(batch.goals.tolist()) for batch in alone}) > 5, "a sentence that is a pass of its own"


def test_a_position_says_what_is_hidden(stream: Callable[..., MaskedStream]) -> None:
    straight = drawn(stream(), 25)[20:]
    resumed = stream()
    resumed.go_to(1, 2)
    for one, other in zip(straight, drawn(resumed, 5), strict=True):
        assert torch.equal(one.tokens.input_ids, other.tokens.input_ids) and torch.equal(one.goals, other.goals)
    assert not all(
        torch.equal(one.goals, other.goals) for one, other in zip(drawn(stream(1), 5), drawn(stream(), 5), strict=True)
    )


@pytest.mark.parametrize(
    ("settings", "phases"),
    [
        ({}, ["mlm", "train"]),
        ({"mnr": True, "lora.rank": 4}, ["mlm", "mnr", "train"]),
        ({"ensembling": True}, ["mlm.sst", "mlm.para", "mlm.sts", "train"]),
    ],
)
def test_it_goes_before_all_else_and_its_head_is_not_kept(
    trained: Callable[..., Attempt], settings: dict[str, Any], phases: list[str]
) -> None:
    run = trained({"mlm_epochs": 1, **settings})
    told = run.of_kind("step")
    assert list(dict.fromkeys(step["phase"] for step in told)) == phases
    assert [step["phase"] for step in told].count(phases[0]) == 4 and told[0]["epoch"] == 0
    assert np.isfinite([step["values"][f"loss/{phases[0]}"] for step in told[:4]]).all()
    kept = safetensors.torch.load_file(run.folder.model / "model.safetensors")
    without = safetensors.torch.load_file(trained(settings).folder.model / "model.safetensors")
    assert kept.keys() == without.keys()
    assert any(not torch.equal(kept[name], without[name]) for name in kept)


def test_it_lowers_the_loss_of_guessing(trained: Callable[..., Attempt]) -> None:
    """Two passes over a few sentences, at a rate at which `tiny` learns."""
    run = trained({"mlm_epochs": 2, "epoch_steps": 40, "epochs": 1, "batch_size": 16, "tasks": "sst"})
    losses = [step["values"]["loss/mlm"] for step in run.of_kind("step") if step["phase"] == "mlm"]
    assert len(losses) == 80 and np.mean(losses[-20:]) < np.mean(losses[:20]) - 0.5


def test_one_encoder_of_several_guesses_at_a_time(compose_run: Callable[..., Any]) -> None:
    state = TrainingState(compose_run({"mlm_epochs": 1, "ensembling": True}), Progress(), Stopwatch())
    before = {task: [each.clone() for each in state.model.encoder_parameters(task)] for task in ("sst", "para")}
    optimizer = state.enter("mlm.para")
    state.stepper.take(["mlm.para"], optimizer)
    moved = {
        task: any(not torch.equal(*both) for both in zip(each, state.model.encoder_parameters(task), strict=True))
        for task, each in before.items()
    }
    assert moved == {"sst": False, "para": True}
    heads = [name for name, _ in state.model.named_parameters() if name.startswith("guessing.")]
    assert heads and all(name.startswith("guessing.para.") for name in heads)
    state.enter("train")
    assert not any(name.startswith("guessing.") for name, _ in state.model.named_parameters())


def test_an_estimate_counts_its_steps() -> None:
    settings = {"data": "toy", "encoder": "tiny", "epochs": 1, "batch_size": 8}
    plain = planned_effort(resolved(recipe_from({**settings, "tasks": "sst"}))).pretraining_steps
    assert plain == 0
    sst, sts = (len(toy_split(BUILTIN[task], "train").examples) for task in ("sst", "sts"))
    found = planned_effort(resolved(recipe_from({**settings, "tasks": "sst,sts", "mlm_epochs": 3})))
    assert found.pretraining_steps == 3 * -(-(sst + 2 * sts) // 8)
    capped = planned_effort(resolved(recipe_from({**settings, "tasks": "sst", "mlm_epochs": 3, "epoch_steps": 7})))
    assert capped.pretraining_steps == 21


def test_a_vocabulary_without_a_token_that_hides_is_refused_in_a_sentence() -> None:
    without = Tokenizer(word_pieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"]), 16)
    with pytest.raises(EncoderError, match=r"has no \[MASK\], which mlm_epochs needs"):
        mask_id(without, "odd")
