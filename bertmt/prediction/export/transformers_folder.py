"""A folder that `AutoModelForSequenceClassification.from_pretrained(FOLDER, trust_remote_code=True)` reads: one task.

The library's own classes for this cannot say what our models compute: BERT's and RoBERTa's put a dense layer and a tanh
behind [CLS], DistilBERT's a ReLU, and none of them reads the two sentences of a pair one by one. So the folder brings
the one file of code that does, and a `model_type` of its own: without a person's consent to run that file nothing is
loaded, rather than something else.
"""

from pathlib import Path

from bertmt.bounded_files import MEBIBYTE, read_text
from bertmt.models.encoder import unpooled
from bertmt.prediction.export import modeling_bertmt as modeling
from bertmt.prediction.export.tokenizer_files import tokenizer_files
from bertmt.prediction.export.trained import Files, Trained, linear_maps, to_json
from bertmt.prediction.export.weights import encoder_weights, to_bytes

CODE = Path(modeling.__file__)


def transformers_files(trained: Trained, task: str) -> Files:
    """The files of one task."""
    model, about = trained.model, trained.model.about[task]
    special, most = trained.tokenizer.special, trained.recipe.max_length
    heads = {read: linear_maps(head) for read, head in model.heads_of(task).items()}
    classes = {str(number): name for number, name in enumerate(about.classes or ("LABEL_0",))}
    configuration = {
        "model_type": modeling.BertmtConfig.model_type,
        "architectures": [modeling.BertmtForSequenceClassification.__name__],
        "auto_map": {
            "AutoConfig": f"{CODE.stem}.{modeling.BertmtConfig.__name__}",
            "AutoModelForSequenceClassification": f"{CODE.stem}.{modeling.BertmtForSequenceClassification.__name__}",
        },
        "dtype": "float32",
        "encoder": trained.encoder_configuration(task),
        "encoder_arguments": unpooled(trained.model.config),
        "pooling": model.pooling,
        "pair_input": model.inputs[task] if about.pair else "",
        "cosine": not about.has_head,
        "features": model.features,
        "heads": {read: [maps[0].in_features, *(each.out_features for each in maps)] for read, maps in heads.items()},
        "head_dropout": [trained.recipe.head_dropout, trained.recipe.head_output_dropout],
        "max_sentence": most,
        "start": special.start,
        "end": special.end,
        "ends_between": trained.family.ends_between,
        "label_range": None if about.classes else list(about.range),
        "id2label": classes,
        "label2id": {name: int(number) for number, name in classes.items()},
        "problem_type": "single_label_classification" if about.classes else "regression",
    }
    weights = {f"encoder.{name}": tensor for name, tensor in encoder_weights(model.encoder(task)).items()}
    for read, head in model.heads_of(task).items():
        weights |= {f"heads.{read}.{name}": tensor for name, tensor in head.state_dict().items()}
    # Two sentences as long as they may be: what is cut off so never was one that the model reads.
    longest = 2 * (most - 1) + trained.family.ends_between if about.pair else most
    contents = {
        "config.json": to_json(configuration),
        CODE.name: read_text(CODE, MEBIBYTE).encode(),
        "model.safetensors": to_bytes(weights),
        **tokenizer_files(trained.tokenizer, trained.family, longest),
    }
    return Files(contents, {task: "head" if about.has_head else "cosine"})
