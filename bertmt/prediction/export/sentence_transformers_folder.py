"""A folder that `SentenceTransformer(FOLDER)` reads: encoder, pooling, cosine; and heads beside it.

Sentence-Transformers has nothing that predicts classes from embeddings, so heads lie in heads.safetensors, what they
read in heads.json, and the model card has the lines of torch that ask them. Written as the library's version 2 did,
which later ones read too; none of it is imported here.

Source: sbert.net, "Custom models", "Saving custom models"; the folders of its models on the hub.
"""

from torch import Tensor

from bertmt.models.encoder import unpooled
from bertmt.prediction.export.tokenizer_files import tokenizer_files
from bertmt.prediction.export.trained import Files, Trained, linear_maps, to_json
from bertmt.prediction.export.weights import adapter_files, encoder_weights, to_bytes

MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]
POOLINGS = {
    "mean": "pooling_mode_mean_tokens",
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
}


def sentence_transformers_files(trained: Trained, task: str, base: str | None) -> Files:
    """The files.

    Args:
        task: whose encoder.
        base: where others find the encoder, to write the adapter alone; None: the whole encoder, LoRA merged.
    """
    heads, weights, predicted_by, left_out = _heads(trained, task)
    # An encoder's own file may be in fp16, in which the library would then compute.
    arguments = unpooled(trained.model.config) | ({"dtype": "float32"} if base else {})
    contents = {
        "modules.json": to_json(MODULES),
        "config_sentence_transformers.json": to_json(
            {"__version__": {}, "prompts": {}, "default_prompt_name": None, "similarity_fn_name": "cosine"}
        ),
        "sentence_bert_config.json": to_json(
            {
                "max_seq_length": trained.recipe.max_length,
                "do_lower_case": False,
                "model_args": arguments,
            }
        ),
        "1_Pooling/config.json": to_json(
            {"word_embedding_dimension": trained.model.config.hidden_size}
            | {key: trained.recipe.pooling == name for name, key in POOLINGS.items()}
        ),
        **_encoder(trained, task, base),
        **tokenizer_files(trained.tokenizer, trained.family, trained.recipe.max_length),
    }
    if heads:
        contents |= {"heads.json": to_json(heads), "heads.safetensors": to_bytes(weights)}
    return Files(contents, predicted_by, left_out)


def _encoder(trained: Trained, task: str, base: str | None) -> dict[str, bytes]:
    encoder = trained.model.encoder(task)
    if base is None:
        configuration = trained.encoder_configuration(task)
        return {"config.json": to_json(configuration), "model.safetensors": to_bytes(encoder_weights(encoder))}
    document, weights = adapter_files(encoder, trained.recipe.lora, base)
    return {"adapter_config.json": to_json(document), "adapter_model.safetensors": to_bytes(weights)}


def _heads(trained: Trained, task: str) -> tuple[dict[str, object], dict[str, Tensor], dict[str, str], dict[str, str]]:
    """Heads that read embeddings of this encoder: heads.json, their weights, and what of each task can be had."""
    heads: dict[str, object] = {}
    weights: dict[str, Tensor] = {}
    predicted_by: dict[str, str] = {}
    left_out: dict[str, str] = {}
    model = trained.model
    for name, about in model.about.items():
        own = trained.own_head(name)
        if model.encoder_name(name) != model.encoder_name(task):
            left_out[name] = f"it has an encoder of its own (`--task {name}`)"
        elif model.inputs[name] != "separate":
            left_out[name] = f"its pairs are read as one text (`pair_input={model.inputs[name]}`; `--to transformers`)"
        elif not about.has_head:
            predicted_by[name] = "cosine"
        elif own:
            left_out[name] = f"its head is code of your own, {own}"
        else:
            predicted_by[name] = "head"
            maps = linear_maps(model.heads_of(name)["separate"])
            heads[name] = {
                "pair": about.pair, "features": model.features if about.pair else None, "layers": len(maps),
                "classes": list(about.classes), "range": None if about.classes else list(about.range),
            }  # fmt: skip
            for place, each in enumerate(maps):
                weights |= {f"{name}.{place}.weight": each.weight, f"{name}.{place}.bias": each.bias}
    return heads, weights, predicted_by, left_out
