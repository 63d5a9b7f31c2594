"""What SST, PARA and STS are: inputs, labels, and the score each is measured by."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Task:
    """One of the paper's three tasks (section 5.1).

    Attributes:
        pair: whether an example is a pair of sentences.
        classes: names of the labels 0, 1, …; empty where the label is a real number.
        score: what its score is called.
        minimum, maximum: bounds of a label.
    """

    name: str
    title: str
    data_set: str
    pair: bool
    classes: tuple[str, ...]
    score: str
    minimum: float
    maximum: float


SST = Task(
    name="sst",
    title="SST",
    data_set="Stanford Sentiment Treebank (SST-5)",
    pair=False,
    classes=("negative", "somewhat negative", "neutral", "somewhat positive", "positive"),
    score="accuracy",
    minimum=0,
    maximum=4,
)
PARA = Task(
    name="para",
    title="PARA",
    data_set="Quora question pairs",
    pair=True,
    classes=("different", "paraphrase"),
    score="accuracy",
    minimum=0,
    maximum=1,
)
STS = Task(
    name="sts",
    title="STS",
    data_set="SemEval STS benchmark",
    pair=True,
    classes=(),
    score="Pearson ρ",
    minimum=0,
    maximum=5,
)
TASKS: dict[str, Task] = {task.name: task for task in (SST, PARA, STS)}
SPLITS = ("train", "dev", "test")
