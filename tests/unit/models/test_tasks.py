"""Models and losses of tasks of every kind, and the paper's three against the forward pass written out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from bertmt.losses.binary_cross_entropy import binary_cross_entropy
from bertmt.losses.cross_entropy import cross_entropy
from bertmt.losses.mean_squared_error import mean_squared_error
from bertmt.losses.pearson import pearson_loss
from bertmt.models.heads import build_heads
from bertmt.models.inference import probabilities
from bertmt.models.multitask import MultitaskModel
from bertmt.models.packed.layout import TokenBatch
from bertmt.models.saving import load_model, save_model
from bertmt.models.seeding import derived_seed
from bertmt.models.tokenizing import load_tokenizer
from bertmt.recipe.recipe import Recipe
from bertmt.recipe.rules import recipe_from, resolved
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.task import Task
from bertmt.training.steps.objectives import task_loss

CLASSES = {2: ("a", "b"), 3: ("a", "b", "c"), 5: ("a", "b", "c", "d", "e"), 0: ()}


def task_of(inputs: Any, classes: int, prediction: Any = "logits", name: str = "own") -> Task:
    metrics = ("accuracy",) if classes else ("pearson",)
    given: dict[str, Any] = {"range": (1, 5)} if not classes else {}
    return Task(
        name=name, title=name, inputs=inputs, classes=CLASSES[classes], metrics=metrics, prediction=prediction, **given
    )


# One of each kind; a name that PyTorch has for something else is a name all the same.
KINDS = {
    task.name: task
    for task in (
        task_of("single", 2, name="type"),
        task_of("single", 5, name="stars"),
        task_of("pair", 3, name="float"),
        task_of("pair", 0, name="graded"),
        task_of("pair", 0, "cosine", "near"),
    )
}


def small_encoder() -> BertModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=700, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
            max_position_embeddings=64,
        )  # fmt: skip
        return BertModel(config, add_pooling_layer=False)


def model_of(known: dict[str, Task], **values: Any) -> tuple[MultitaskModel, Recipe]:
    values = {name.replace("__", "."): value for name, value in values.items()}
    recipe = resolved(recipe_from({"encoder": "a/folder", "tasks": list(known), **values}, known=known))
    return MultitaskModel(recipe, small_encoder).eval(), recipe


# Shapes


@pytest.mark.parametrize("super_concat", [False, True])
@pytest.mark.parametrize("classes", [2, 3, 5, 0])
@pytest.mark.parametrize("inputs", ["single", "pair"])
def test_a_head_has_the_shape_of_its_task(inputs: str, classes: int, super_concat: bool, tokens: TokenBatch) -> None:
    known = {"own": task_of(inputs, classes), "other": task_of("pair", 2, name="other")}
    model, recipe = model_of(known, super_concat=super_concat)
    embeddings = 1 if inputs == "single" else 3 if super_concat else 2
    outputs = {2: 1, 3: 3, 5: 5, 0: 1}[classes]
    [layer] = [each for each in model.heads["own"].modules() if isinstance(each, nn.Linear)]
    assert (layer.in_features, layer.out_features) == (8 * embeddings, outputs)
    rows = 6 if inputs == "single" else 3
    found = model("own", tokens)
    assert found.shape == ((rows,) if outputs == 1 else (rows, outputs))
    assert list(build_heads(recipe, "own", 8)) == ["separate"]


def test_a_cosine_has_no_head_and_one_number_per_pair(tokens: TokenBatch) -> None:
    model, recipe = model_of({"near": KINDS["near"]})
    assert build_heads(recipe, "near", 8) == {} and len(model.heads) == 0
    found = model("near", tokens)
    assert found.shape == (3,) and (found.abs() <= 1).all()


def test_a_head_that_predicts_a_number_is_the_head_and_no_cosine(tokens: TokenBatch) -> None:
    model, _ = model_of(KINDS)
    first, second = model.embed_pair("graded", tokens)
    heads: Any = model.heads
    head = heads["graded"][0]
    torch.testing.assert_close(
        model("graded", tokens), (torch.cat([first, second], 1) @ head.weight.T + head.bias)[:, 0]
    )


def test_settings_of_a_head_are_those_of_its_own_task() -> None:
    model, _ = model_of(KINDS, head__stars__layers=3, head__stars__hidden=7, head__graded__layers=2)
    widths = {
        name: [each.out_features for each in head.modules() if isinstance(each, nn.Linear)]
        for name, head in model.heads.items()
    }
    assert widths == {"task-type": [1], "stars": [7, 7, 5], "task-float": [3], "graded": [100, 1]}


@pytest.mark.parametrize("ensembling", [False, True])
def test_a_task_may_have_the_name_of_something_of_pytorchs(ensembling: bool, tokens: TokenBatch) -> None:
    model, _ = model_of(KINDS, ensembling=ensembling)
    assert [model(name, tokens).shape[0] for name in KINDS] == [6, 6, 3, 3, 3]
    assert len(model.head_parameters("type")) == 2 and model.head_parameters("near") == []
    assert len(model.encoders) == (5 if ensembling else 1)


# The same weights and outputs as before tasks were data


def test_heads_start_from_the_seed_of_their_name_and_shape() -> None:
    model, _ = model_of(dict(BUILTIN), seed=3, head__sst__layers=2)
    heads: Any = model.heads
    expected = {"sst": [(8, 100), (100, 5)], "para": [(16, 1)]}
    for task, shapes in expected.items():
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(derived_seed(3, f"head/{task}"))
            layers = [nn.Linear(*shape) for shape in shapes]
        found = [each for each in heads[task] if isinstance(each, nn.Linear)]
        for one, other in zip(layers, found, strict=True):
            assert torch.equal(one.weight, other.weight) and torch.equal(one.bias, other.bias), task
    assert {name.split(".")[1] for name, _ in model.named_parameters() if name.startswith("heads.")} == {"sst", "para"}


def papers_outputs(model: Any, task: str, tokens: TokenBatch, super_concat: bool) -> Tensor:
    """Sections 4.1 and 4.2 by the names of the three tasks."""
    encoder = small_encoder().eval()
    sentences = tokens.input_ids.split(list(tokens.lengths))
    e = torch.cat([encoder(each[None]).last_hidden_state.mean(1) for each in sentences])
    if task == "sst":
        return model.heads["sst"](e)  # type: ignore[no-any-return]
    e1, e2 = e.chunk(2)
    if task == "para":
        joined = torch.cat([e1, e2, e2 - e1] if super_concat else [e1, e2], dim=-1)
        return model.heads["para"](joined).squeeze(-1)  # type: ignore[no-any-return]
    return nn.functional.cosine_similarity(e1, e2, dim=-1)


@pytest.mark.parametrize("values", [{}, {"ensembling": True, "super_concat": True, "head__para__layers": 2}])
@pytest.mark.parametrize("task", BUILTIN)
def test_the_papers_tasks_are_predicted_as_the_paper_has_them(
    values: dict[str, Any], task: str, tokens: TokenBatch
) -> None:
    model, _ = model_of(dict(BUILTIN), **values)
    with torch.no_grad():
        expected = papers_outputs(model, task, tokens, bool(values))
        torch.testing.assert_close(model(task, tokens), expected, rtol=1e-6, atol=1e-6)


# Losses


@pytest.mark.parametrize("pearson", [False, True])
def test_the_loss_is_chosen_by_what_a_task_predicts(pearson: bool) -> None:
    recipe = recipe_from({"tasks": list(KINDS), "pearson": pearson}, known=KINDS)
    generator = torch.Generator().manual_seed(0)
    one, five = (torch.randn(shape, generator=generator) for shape in ((4,), (4, 5)))
    binary, classes, numbers = torch.tensor([0.0, 1, 1, 0]), torch.tensor([4.0, 0, 2, 1]), torch.tensor([1.0, 5, 2, 3])
    of_numbers = pearson_loss(one, numbers).loss if pearson else mean_squared_error(one, numbers, 1, 5)
    expected = {
        "type": (one, binary, binary_cross_entropy(one, binary)),
        "stars": (five, classes, cross_entropy(five, classes)),
        "float": (five[:, :3], binary, cross_entropy(five[:, :3], binary)),
        "graded": (one, numbers, of_numbers),
        "near": (one, numbers, of_numbers),
    }
    for task, (outputs, labels, loss) in expected.items():
        found = task_loss(recipe, task, outputs, labels)
        assert found.defined and torch.equal(found.loss, loss), task


def test_outputs_are_stored_as_probabilities_and_numbers_as_they_are() -> None:
    one, three = torch.tensor([0.0, 2.0]), torch.tensor([[0.0, 1.0, 2.0]])
    assert probabilities(KINDS["type"], one).tolist() == pytest.approx(one.sigmoid().tolist())
    assert probabilities(KINDS["float"], three).tolist() == [pytest.approx(three.softmax(1)[0].tolist())]
    assert probabilities(KINDS["graded"], one).tolist() == probabilities(KINDS["near"], one).tolist() == [0.0, 2.0]


# On disk


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def saved(model: MultitaskModel, recipe: Recipe) -> Path:
        save_model(model, recipe, load_tokenizer("tiny", 32), tmp_path / "model")
        return tmp_path / "model"

    return saved


@pytest.mark.parametrize("ensembling", [False, True])
def test_a_saved_model_carries_what_its_tasks_are(
    save: Callable[..., Path], tokens: TokenBatch, ensembling: bool
) -> None:
    model, recipe = model_of(KINDS, ensembling=ensembling, head__stars__layers=2)
    loaded, _ = load_model(save(model, recipe))
    assert loaded.about == KINDS
    for task in KINDS:
        assert torch.equal(loaded(task, tokens), model(task, tokens)), task


def test_a_model_of_an_older_version_which_kept_no_definitions_is_loaded(
    save: Callable[..., Path], tokens: TokenBatch
) -> None:
    model, recipe = model_of(dict(BUILTIN), head__sst__layers=2)
    folder = save(model, recipe)
    about = json.loads((folder / "model.json").read_text())
    del about["tasks"]
    flat = {name: value for name, value in about["recipe"].items() if not name.startswith("head.")}
    old = {"sst_head.layers": 2, "sst_head.hidden": 100, "para_head.layers": 1, "para_head.hidden": 100}
    (folder / "model.json").write_text(json.dumps(about | {"recipe": flat | old}))
    loaded, _ = load_model(folder)
    assert loaded.about == dict(BUILTIN)
    assert all(torch.equal(loaded(task, tokens), model(task, tokens)) for task in BUILTIN)


def test_a_saved_model_of_one_task_is_loaded_though_its_preset_sets_heads_of_others(save: Callable[..., Path]) -> None:
    recipe = resolved(recipe_from({"encoder": "a/folder", "tasks": "sts", "head.sst.layers": 2}))
    loaded, _ = load_model(save(MultitaskModel(recipe, small_encoder), recipe))
    assert list(loaded.about) == ["sts"]
