"""Data sets of the hub that `bertmt task add` knows by name, with how many examples each brings."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class KnownSource:
    """Where a task is on the hub, and what there is to say of it.

    Attributes:
        data_set: as a built-in task calls it that is from there too: by it is known what an encoder has seen.
        train, dev: how many examples there are.
        dev_split, test_split: what the hub calls them; most test splits have no labels.
    """

    title: str
    data_set: str
    repository: str
    configuration: str
    text: str
    pair: str = ""
    classes: str | None = None
    label_range: str | None = None
    metric: str
    dev_split: str = "validation"
    test_split: str = "test"
    train: int
    dev: int


_GLUE = "nyu-mll/glue"
# Numbers of examples: of the data sets' own cards on the hub.
KNOWN_SOURCES: Mapping[str, KnownSource] = {
    "sst5": KnownSource(
        title="SST-5", data_set="Stanford Sentiment Treebank (SST-5)", repository="SetFit/sst5",
        configuration="default", text="text", classes="very negative,negative,neutral,positive,very positive",
        metric="accuracy", train=8_544, dev=1_101,
    ),
    "qqp": KnownSource(
        title="QQP", data_set="Quora question pairs", repository=_GLUE, configuration="qqp", text="question1",
        pair="question2", metric="accuracy", train=363_846, dev=40_430,
    ),
    "stsb": KnownSource(
        title="STS-B", data_set="SemEval STS benchmark", repository=_GLUE, configuration="stsb",
        text="sentence1", pair="sentence2", label_range="0,5", metric="pearson", train=5_749, dev=1_500,
    ),
    "cola": KnownSource(
        title="CoLA", data_set="Corpus of Linguistic Acceptability (GLUE)", repository=_GLUE, configuration="cola",
        text="sentence", metric="matthews", train=8_551, dev=1_043,
    ),
    "mrpc": KnownSource(
        title="MRPC", data_set="Microsoft Research Paraphrase Corpus (GLUE)", repository=_GLUE, configuration="mrpc",
        text="sentence1", pair="sentence2", metric="accuracy", train=3_668, dev=408,
    ),
    "mnli": KnownSource(
        title="MNLI", data_set="Multi-Genre NLI, matched (GLUE)", repository=_GLUE, configuration="mnli",
        text="premise", pair="hypothesis", metric="accuracy", dev_split="validation_matched",
        test_split="test_matched", train=392_702, dev=9_815,
    ),
}  # fmt: skip
