"""The projections from embeddings to logits."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import nn

from bertmt.models.seeding import seeded
from bertmt.recipe.recipe import Head, Recipe

NONE: Mapping[str, Callable[[int, int], nn.Module]] = MappingProxyType({})


def build_head(
    recipe: Recipe, task: str, hidden_size: int, own: Mapping[str, Callable[[int, int], nn.Module]] = NONE
) -> nn.Module | None:
    """The head of a task with its initial weights; None where a cosine predicts it, as STS (section 4.1).

    The weights depend on the recipe's seed, the task and the head's own shape; neither the encoder, nor LoRA, nor
    the other tasks shift them.

    Args:
        hidden_size: width of an embedding.
        own: what makes the heads of a user's own, by task: of their inputs and outputs.
    """
    about = recipe.task(task)
    if not about.has_head:
        return None
    settings = recipe.head.get(task, Head())
    inputs, outputs = recipe.head_inputs(about, hidden_size), about.outputs
    with seeded(recipe.seed, f"head/{task}"):
        if task in own:
            return own[task](inputs, outputs)
        return projection(
            inputs, outputs, settings.layers, settings.hidden, recipe.head_dropout, recipe.head_output_dropout
        )


def projection(
    inputs: int, outputs: int, layers: int, hidden: int, dropout: float, output_dropout: float
) -> nn.Sequential:
    """A network of `layers` linear maps: dropout, (linear, GELU, dropout) × (layers − 1), linear.

    One map is a plain projection without dropout, the baseline's.

    Args:
        dropout: on the input and after hidden layers.
        output_dropout: before the last map, where there is a hidden layer.

    Source: section 4.2 ("GELU, dropout 0.2 on input and hidden layers and 0.1 on the output layer"), which leaves
    open what a layer is and where its dropout stands: decision 21.
    """
    if layers == 1:
        return nn.Sequential(nn.Linear(inputs, outputs))
    parts: list[nn.Module] = [nn.Dropout(dropout)]
    width = inputs
    for index in range(layers - 1):
        last = index == layers - 2
        parts += [nn.Linear(width, hidden), nn.GELU(), nn.Dropout(output_dropout if last else dropout)]
        width = hidden
    return nn.Sequential(*parts, nn.Linear(width, outputs))
