"""The multitask model: what each task predicts, what it shares, what trains."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from present import present
from torch import Tensor
from torch.nn import functional

from bertmt.models.encoder import load_encoder
from bertmt.models.multitask import MultitaskModel, average, pair_features
from bertmt.models.packed.layout import TokenBatch
from bertmt.tasks.task import Task

Build = Callable[[dict[str, Any]], MultitaskModel]


def outputs(model: MultitaskModel, tokens: TokenBatch) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        return {task: model(task, tokens) for task in model.tasks}


def sentences_of(tokens: TokenBatch) -> list[list[int]]:
    return [each.tolist() for each in tokens.input_ids.split(list(tokens.lengths))]


def weights(model: MultitaskModel) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def train_a_little(model: MultitaskModel, tokens: TokenBatch, tasks: tuple[str, ...], seed: int = 3) -> None:
    torch.manual_seed(seed)
    model.train()
    trained = [p for task in tasks for p in (*model.encoder_parameters(task), *model.head_parameters(task))]
    optimizer = torch.optim.AdamW({id(p): p for p in trained}.values(), lr=1e-2)
    for _ in range(2):
        optimizer.zero_grad()
        sum(model(task, tokens).square().mean() for task in tasks).backward()
        optimizer.step()
    model.eval()


def test_each_task_predicts_in_its_shape_and_in_fp32(build_model: Build, tokens: TokenBatch) -> None:
    found = outputs(build_model({}), tokens)
    assert {task: tuple(each.shape) for task, each in found.items()} == {"sst": (6, 5), "para": (3,), "sts": (3,)}
    assert {each.dtype for each in found.values()} == {torch.float32}


@pytest.mark.parametrize("super_concat", [False, True])
def test_predictions_follow_the_papers_formulas(build_model: Build, tokens: TokenBatch, super_concat: bool) -> None:
    model = build_model({"super_concat": super_concat})
    found = outputs(model, tokens)
    with torch.no_grad():
        e = model.embed("sst", tokens)
        e1, e2 = e[:3], e[3:]
        heads: Any = model.heads
        sst, para = heads["sst"][0], heads["para"][0]
        parts = torch.cat([e1, e2, e2 - e1] if super_concat else [e1, e2], dim=1)
        torch.testing.assert_close(found["sst"], e @ sst.weight.T + sst.bias)
        torch.testing.assert_close(found["para"], (parts @ para.weight.T + para.bias)[:, 0])
        torch.testing.assert_close(found["sts"], (e1 * e2).sum(1) / (e1.norm(dim=1) * e2.norm(dim=1)))


def test_a_head_reads_the_features_of_a_pair_side_by_side(build_model: Build, tokens: TokenBatch) -> None:
    read: dict[str, Callable[[Tensor, Tensor], list[Tensor]]] = {
        "super": lambda u, v: [u, v, v - u],
        "difference": lambda u, v: [u, v, (u - v).abs()],
        "product": lambda u, v: [u, v, (u - v).abs(), u * v],
    }
    for features, of in read.items():
        model = build_model({"pair_features": features})
        with torch.no_grad():
            heads: Any = model.heads
            linear: Any = heads["para"][0]
            expected = linear(torch.cat(of(*model.embed_pair("para", tokens)), dim=1))[:, 0]
            torch.testing.assert_close(model("para", tokens), expected)


def test_the_signed_difference_adds_no_function() -> None:
    torch.manual_seed(0)
    first, second = torch.randn(2, 5, 4)
    one, two, three = torch.randn(3, 4, 2)
    read_three = torch.cat(pair_features("super", first, second), 1) @ torch.cat([one, two, three])
    read_two = torch.cat(pair_features("concat", first, second), 1) @ torch.cat([one - three, two + three])
    torch.testing.assert_close(read_three, read_two)


FIRST, SECOND = [[2, 8, 9, 3], [2, 5, 3], [2, 7, 3]], [[2, 6, 3], [2, 5, 3], [2, 30, 31, 3]]


def test_pairs_read_as_both_are_predicted_by_the_mean_of_probabilities_and_of_numbers(build_model: Build) -> None:
    both, apart, joint = (build_model({"pair_input": read}) for read in ("both", "separate", "joint"))
    with torch.no_grad():
        for task in ("para", "sts"):
            one, other = (model(task, model.tokens(task, FIRST, SECOND)) for model in (apart, joint))
            found = both(task, both.tokens(task, FIRST, SECOND))
            if task == "para":
                found, one, other = found.sigmoid(), one.sigmoid(), other.sigmoid()
            assert not torch.allclose(one, other)
            torch.testing.assert_close(found, (one + other) / 2)
            assert ((other >= 0) & (other <= 1)).all()


def test_a_batch_read_twice_in_one_pass_has_other_dropouts_the_second_time(
    build_model: Build, tokens: TokenBatch
) -> None:
    model = build_model({"r_drop": 1.0})
    with torch.no_grad():
        torch.testing.assert_close(*model.eval().embed("sst", tokens + tokens).chunk(2))
        one, other = model.train().embed("sst", tokens + tokens).chunk(2)
    assert not torch.isclose(one, other).all(dim=1).any()


def test_an_average_is_of_probabilities_however_sure_the_logits_are() -> None:
    three, two, number = (
        Task(name="x", title="X", inputs="pair", classes=names, metrics=(metric,))
        for names, metric in ((("a", "b", "c"), "accuracy"), (("a", "b"), "accuracy"), ((), "pearson"))
    )
    logits = (
        torch.tensor([[200.0, -200.0, 0.0], [1.0, 2.0, 3.0]]),
        torch.tensor([[-200.0, 200.0, 0.0], [0.0, 0.0, 0.0]]),
    )
    mean = (logits[0].softmax(1) + logits[1].softmax(1)) / 2
    torch.testing.assert_close(average(three, logits).softmax(1), mean)
    one, other = torch.tensor([200.0, -3.0, -200.0]), torch.tensor([-200.0, 1.0, -200.0])
    torch.testing.assert_close(average(two, [one, other]).sigmoid(), (one.sigmoid() + other.sigmoid()) / 2)
    assert average(two, [one, other]).isfinite().all()
    assert average(number, [one, other]).tolist() == [0.0, -1.0, -200.0]


def test_embeddings_are_pooled_as_the_recipe_says(build_model: Build, tokens: TokenBatch) -> None:
    with torch.no_grad():
        for pooling in ("mean", "cls", "max"):
            model = build_model({"pooling": pooling})
            torch.testing.assert_close(model.embed("sst", tokens), build_model({}).embed("sst", tokens, pooling))


def test_a_batch_of_pairs_is_the_first_sentences_and_then_the_second(build_model: Build, tokens: TokenBatch) -> None:
    model = build_model({})
    second_only = TokenBatch.of(sentences_of(tokens)[3:])
    with torch.no_grad():
        _, second = model.embed_pair("para", tokens)
        torch.testing.assert_close(second, model.embed("para", second_only))


def test_cls_pooling_reads_position_0(build_model: Build, tokens: TokenBatch) -> None:
    model = build_model({})
    with torch.no_grad():
        plain = load_encoder("tiny").eval()
        alone = [plain(torch.tensor([each])).last_hidden_state[0, 0] for each in sentences_of(tokens)]
        torch.testing.assert_close(model.embed("sts", tokens, pooling="cls"), torch.stack(alone))


def test_an_odd_number_of_sentences_is_no_batch_of_pairs(build_model: Build, tokens: TokenBatch) -> None:
    odd = TokenBatch.of(sentences_of(tokens)[:3])
    with pytest.raises(ValueError, match="even number"):
        build_model({})("sts", odd)


def test_a_task_that_the_recipe_leaves_out_is_not_there(build_model: Build, tokens: TokenBatch) -> None:
    model = build_model({"tasks": "sts"})
    assert len(model.heads) == 0
    with pytest.raises(KeyError, match="no task 'sst', only sts"):
        model("sst", tokens)


def test_in_bf16_the_encoder_alone_computes_in_bf16(build_model: Build, tokens: TokenBatch) -> None:
    model = build_model({"head.sst.layers": 2})
    seen: dict[str, torch.dtype] = {}
    encoder: Any = model.encoder("sst")
    heads: Any = model.heads
    layers = {"encoder": encoder.encoder.layer[0].output.dense, "head": heads["sst"][1]}
    for name, layer in layers.items():
        layer.register_forward_hook(lambda _layer, _inputs, output, name=name: seen.update({name: output.dtype}))
    model.encoder_dtype = torch.bfloat16
    model("sst", tokens).sum().backward()
    assert seen == {"encoder": torch.bfloat16, "head": torch.float32}
    assert {p.grad.dtype for p in model.parameters() if p.grad is not None} == {torch.float32}


def test_bf16_cosines_do_not_lie_on_the_grid_of_bf16(build_model: Build, tokens: TokenBatch) -> None:
    model = build_model({})
    exact = outputs(model, tokens)["sts"]
    model.encoder_dtype = torch.bfloat16
    rough = outputs(model, tokens)["sts"]
    assert not torch.equal(exact, rough)
    torch.testing.assert_close(rough, exact, atol=0.02, rtol=0)
    assert (rough != rough.bfloat16().float()).all()


LORA = {"lora.rank": 4}
SEPARATE = {"ensembling": True}


@pytest.mark.parametrize("lora", [{}, LORA], ids=["full", "lora"])
@pytest.mark.parametrize("task", ["sst", "para", "sts"])
def test_with_one_task_ensembling_on_and_off_are_the_same_trained_model(
    build_model: Build, tokens: TokenBatch, task: str, lora: dict[str, Any]
) -> None:
    models = [build_model({"tasks": task, "ensembling": on, **lora}) for on in (False, True)]
    before = weights(models[0])
    for model in models:
        train_a_little(model, tokens, (task,))
    assert equal(weights(models[0]), weights(models[1])) and not equal(weights(models[0]), before)


@pytest.mark.parametrize("lora", [{}, LORA], ids=["full", "lora"])
def test_ensembled_tasks_start_from_the_same_encoder_as_a_shared_one(
    build_model: Build, tokens: TokenBatch, lora: dict[str, Any]
) -> None:
    shared, separate = (outputs(build_model({"ensembling": on, **lora}), tokens) for on in (False, True))
    assert equal(shared, separate)


@pytest.mark.parametrize("lora", [{}, LORA], ids=["full", "lora"])
def test_training_one_ensembled_task_leaves_the_others_as_they_were(
    build_model: Build, tokens: TokenBatch, lora: dict[str, Any]
) -> None:
    model = build_model(SEPARATE | lora)
    before = outputs(model, tokens)
    train_a_little(model, tokens, ("para",))
    after = outputs(model, tokens)
    assert {task for task in model.tasks if not torch.equal(before[task], after[task])} == {"para"}


def test_training_one_task_of_a_shared_encoder_moves_the_others(build_model: Build, tokens: TokenBatch) -> None:
    model = build_model({})
    before = outputs(model, tokens)
    train_a_little(model, tokens, ("sts",))
    after = outputs(model, tokens)
    assert not any(torch.equal(before[task], after[task]) for task in model.tasks)


def test_all_adapters_train_in_one_backward_over_all_tasks(build_model: Build, tokens: TokenBatch) -> None:
    model = build_model(SEPARATE | LORA)
    sum(model(task, tokens).square().sum() for task in model.tasks).backward()
    for task in model.tasks:
        # B starts at 0, so at first no gradient reaches A; its tensor is there all the same.
        assert all(p.grad is not None for p in model.encoder_parameters(task))
        assert any(present(p.grad).abs().max() > 0 for p in model.encoder_parameters(task))


def test_an_ensemble_with_lora_holds_one_frozen_encoder_and_an_adapter_per_task(build_model: Build) -> None:
    shared, separate = build_model(LORA), build_model(LORA | SEPARATE)
    frozen = [sum(p.numel() for p in each.parameters() if not p.requires_grad) for each in (shared, separate)]
    adapters = [sum(p.numel() for n, p in each.named_parameters() if "lora_" in n) for each in (shared, separate)]
    assert frozen[0] == frozen[1] and adapters[1] == 3 * adapters[0]


def test_without_ensembling_more_than_one_task_shares_the_encoders_parameters(build_model: Build) -> None:
    model = build_model({"tasks": "sst,sts"})
    shared = model.shared_parameters()
    assert [id(p) for p in shared] == [id(p) for p in model.encoder_parameters("sts")]
    heads = {id(p) for p in model.head_parameters("sst")}
    assert heads.isdisjoint(map(id, shared))
    assert len(heads) + len(shared) == len(list(model.parameters()))


@pytest.mark.parametrize("settings", [SEPARATE, SEPARATE | LORA, {"tasks": "sts"}, {"tasks": "sts"} | SEPARATE])
def test_an_ensemble_or_a_single_task_shares_nothing(build_model: Build, settings: dict[str, Any]) -> None:
    assert build_model(settings).shared_parameters() == []


def test_with_lora_only_a_and_b_are_shared(build_model: Build) -> None:
    model = build_model(LORA)
    names = {id(p): name for name, p in model.named_parameters()}
    shared = [names[id(p)] for p in model.shared_parameters()]
    assert len(shared) == 2 * 6 * 2 and all("lora_A" in name or "lora_B" in name for name in shared)


def test_initial_weights_do_not_depend_on_which_other_tasks_are_trained(build_model: Build) -> None:
    everything, alone = weights(build_model({})), weights(build_model({"tasks": "para"}))
    assert alone.items() and all(torch.equal(everything[name], each) for name, each in alone.items())


def test_building_a_model_leaves_the_global_generator_as_it_was(build_model: Build) -> None:
    before = torch.get_rng_state()
    build_model(SEPARATE | LORA)
    assert torch.equal(before, torch.get_rng_state())


def test_gradients_of_a_cosine_agree_with_those_of_normalised_embeddings(
    build_model: Build, tokens: TokenBatch
) -> None:
    model = build_model({"tasks": "sts"})
    parameters = model.encoder_parameters("sts")
    direct = torch.autograd.grad(model("sts", tokens).sum(), parameters, allow_unused=True)
    first, second = (functional.normalize(each, dim=1) for each in model.embed_pair("sts", tokens))
    other = torch.autograd.grad((first * second).sum(), parameters, allow_unused=True)
    for one, two in zip(direct, other, strict=True):
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)
