"""The projections, against decision 21."""

from typing import Any

import pytest
import torch
from torch import nn

from bertmt.models.heads import build_heads, projection
from bertmt.recipe.rules import recipe_from


def layout(head: Any) -> list[str]:
    return [
        f"dropout {part.p}" if isinstance(part, nn.Dropout)
        else f"{part.in_features}→{part.out_features}" if isinstance(part, nn.Linear)
        else type(part).__name__
        for part in head
    ]  # fmt: skip


def test_one_layer_is_a_plain_projection_without_dropout() -> None:
    assert layout(projection(768, 5, layers=1, hidden=100, dropout=0.2, output_dropout=0.1)) == ["768→5"]


def test_two_layers_have_input_dropout_and_output_dropout() -> None:
    assert layout(projection(8, 5, 2, 100, 0.2, 0.1)) == ["dropout 0.2", "8→100", "GELU", "dropout 0.1", "100→5"]


def test_the_papers_four_layers_of_768() -> None:
    hidden = ["768→768", "GELU", "dropout 0.2"]
    expected = ["dropout 0.2", *hidden, *hidden, "768→768", "GELU", "dropout 0.1", "768→5"]
    assert layout(projection(768, 5, 4, 768, 0.2, 0.1)) == expected


@pytest.mark.parametrize(("super_concat", "width"), [(False, 16), (True, 24)])
def test_the_para_head_reads_two_embeddings_or_three(super_concat: bool, width: int) -> None:
    head: Any = build_heads(recipe_from({"super_concat": super_concat}), "para", 8)["separate"]
    assert layout(head) == [f"{width}→1"]


def test_sts_has_no_head() -> None:
    assert build_heads(recipe_from({}), "sts", 8) == {}


def test_a_pair_that_is_read_as_one_has_a_head_of_its_embedding_where_a_cosine_was() -> None:
    widths = {
        (read, task): {
            name: layout(head) for name, head in build_heads(recipe_from({"pair_input": read}), task, 8).items()
        }
        for read in ("joint", "both")
        for task in ("sst", "para", "sts")
    }
    assert widths["joint", "sst"] == widths["both", "sst"] == {"separate": ["8→5"]}
    assert widths["joint", "para"] == widths["joint", "sts"] == widths["both", "sts"] == {"joint": ["8→1"]}
    assert widths["both", "para"] == {"separate": ["16→1"], "joint": ["8→1"]}


def test_a_heads_weights_depend_on_seed_and_task_and_on_no_other_setting() -> None:
    plain = recipe_from({"head.sst.layers": 2})
    others = recipe_from(
        {"head.sst.layers": 2, "tasks": "sst,sts", "lora.rank": 4, "ensembling": True, "encoder": "minilm"}
    )
    reseeded = recipe_from({"head.sst.layers": 2, "seed": 1})
    torch.manual_seed(5)
    heads: list[Any] = [build_heads(recipe, "sst", 8)["separate"] for recipe in (plain, others, reseeded)]
    one, same, different = (head[1].weight for head in heads)
    assert torch.equal(one, same) and not torch.equal(one, different)


def test_building_a_head_leaves_the_global_generator_as_it_was() -> None:
    before = torch.get_rng_state()
    build_heads(recipe_from({}), "sst", 8)
    assert torch.equal(before, torch.get_rng_state())
