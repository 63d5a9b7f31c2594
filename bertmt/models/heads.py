"""The projections from embeddings to logits."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import nn

from bertmt.models.seeding import seeded
from bertmt.recipe.groups import Head
from bertmt.recipe.recipe import Recipe

NONE: Mapping[str, Callable[[int, int], nn.Module]] = MappingProxyType({})


def build_heads(
    recipe: Recipe, task: str, hidden_size: int, own: Mapping[str, Callable[[int, int], nn.Module]] = NONE
) -> dict[str, nn.Module]:
    """The heads of a task with their initial weights, by what they read: "separate" sentences, or a "joint" input.

    None where a cosine predicts it, as STS (section 4.1).

    The weights depend on the recipe's seed, the task and the head's own shape; neither the encoder, nor LoRA, nor
    the other tasks shift them.

    Args:
        hidden_size: width of an embedding.
        own: what makes the heads of a user's own, by task: of their inputs and outputs.
    """
    about = recipe.task(task)
    settings = recipe.head.get(task, Head())
    dropouts = recipe.head_dropout, recipe.head_output_dropout
    found: dict[str, nn.Module] = {}
    for read, inputs in recipe.head_inputs(about, hidden_size).items():
        with seeded(recipe.seed, f"head/{task}" if read == "separate" else f"head/{task}/{read}"):
            if task in own:
                found[read] = own[task](inputs, about.outputs)
            else:
                found[read] = projection(inputs, about.outputs, settings.layers, settings.hidden, *dropouts)
    return found


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
