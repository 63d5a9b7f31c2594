"""What a task is: its inputs, its labels, how it is predicted and how it is judged.

Nothing else asks for a task's name. What a task is stands in TOML: the paper's three in `builtin/`, a user's own in
`tasks/` beside the registry; a run keeps the definitions that it was submitted with.
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

SPLITS = ("train", "dev", "test")
PARTIAL = "partial"  # a few examples of dev, for scores between two evaluations


class Metric(NamedTuple):
    """How well predictions fit labels, as one number; `metrics.COMPUTED` computes it.

    Attributes:
        title: what people call it.
        symbol: what stands behind a task's title where scores have columns; "" for accuracy.
        target: whether labels are classes or numbers of a range.
        signed: it lies from −1 to 1, and its part in an overall score is (1 + x)/2, as the course has it for ρ.
        is_score: more is better, so that it can be what a task is judged by.
    """

    name: str
    title: str
    symbol: str
    target: Literal["classes", "range"]
    signed: bool = False
    is_score: bool = True

    def unit(self, score: float) -> float:
        """The score's part in an overall score, 0 to 1."""
        return (1 + score) / 2 if self.signed else score


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", "", "classes"),
        Metric("macro_f1", "macro-F1", "mF1", "classes"),
        Metric("f1", "F1", "F1", "classes"),
        Metric("matthews", "Matthews φ", "φ", "classes", signed=True),
        Metric("pearson", "Pearson ρ", "ρ", "range", signed=True),
        Metric("spearman", "Spearman ρ", "ρs", "range", signed=True),
        Metric("mse", "mean squared error", "MSE", "range", is_score=False),
    )
}


class CourseFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the course's files hold a task.

    Attributes:
        stem: what the names of its files begin with.
        sentences, label: names of its columns.
        header: first line of its prediction files, spelling included.
        decimals: digits after the point of a predicted class there: 0, or 1 where the course rounds a float.
    """

    stem: str
    sentences: tuple[str, ...]
    label: str
    header: str
    decimals: int = 0


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the examples of a user's task are, and in which columns.

    Attributes:
        train, dev, test: files, absolute or beside the definition; "": there is none.
        text, pair, label: names of columns; `pair` holds the second sentence of a pair.
        hub: the data set and the revision that they were brought from, "owner/name:config@revision"; "" for files.
        sha256: of train, dev and test (those that there are) as they were brought from there.
    """

    train: str
    dev: str
    test: str = ""
    text: str
    pair: str = ""
    label: str
    hub: str = ""
    sha256: tuple[str, ...] = ()

    def file(self, split: str) -> str:
        """The file of a split; "": there is none."""
        return {"train": self.train, "dev": self.dev, "test": self.test}[split]


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A data set with labels to predict.

    Attributes:
        name: what recipes call it; a word of small letters, digits and underscores.
        title: what tables call it.
        data_set: where it comes from, for people.
        inputs: one sentence per example, or a pair.
        classes: names of the labels 0, 1, …; none where the label is a number.
        range: the least and the greatest label where it is a number.
        prediction: by a head's logits (of numbers: by its one output), or by the cosine of the two embeddings.
        metrics: names in `METRICS`; the first is its score.
        extra_pairs: it takes the extra pairs (`extra_data`), each of class 1.
        course: how the course's files hold it; None for a user's own, which has a `source`.
        grammar: which of the embedded grammars makes its toy data; "": none does.
    """

    name: str
    title: str
    data_set: str = ""
    inputs: Literal["single", "pair"]
    classes: tuple[str, ...] = ()
    range: tuple[float, float] = (0.0, 1.0)
    prediction: Literal["logits", "cosine"] = "logits"
    metrics: tuple[str, ...]
    extra_pairs: bool = False
    course: CourseFormat | None = None
    grammar: Literal["", "sentiment", "questions", "scenes"] = ""
    source: Source | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError: it contradicts itself; a sentence about the key."""
        _refuse_contradictions(self)

    @property
    def pair(self) -> bool:
        """Whether an example is a pair of sentences."""
        return self.inputs == "pair"

    @property
    def metric(self) -> Metric:
        """The metric of its score."""
        return METRICS[self.metrics[0]]

    @property
    def score_title(self) -> str:
        """The head of a column of its scores: "SST", "STS ρ"."""
        return f"{self.title} {self.metric.symbol}".rstrip()

    @property
    def minimum(self) -> float:
        """The least label."""
        return 0 if self.classes else self.range[0]

    @property
    def maximum(self) -> float:
        """The greatest label."""
        return len(self.classes) - 1 if self.classes else self.range[1]

    @property
    def has_head(self) -> bool:
        """Whether logits of a head predict it."""
        return self.prediction == "logits"

    @property
    def outputs(self) -> int:
        """Numbers predicted per example: one per class; one alone for two classes (before the sigmoid) or a number."""
        return len(self.classes) if len(self.classes) > 2 else 1

    @property
    def asked(self) -> tuple[str, str, str]:
        """What makes two definitions of one name two tasks, in words: its inputs, its labels, what it is judged by."""
        inputs = "pairs of sentences" if self.pair else "single sentences"
        labels = f"the classes {', '.join(self.classes)}" if self.classes else "{:.10g} to {:.10g}".format(*self.range)
        return inputs, labels, self.metric.title

    def unit(self, score: float) -> float:
        """A score's part in an overall score, 0 to 1."""
        return self.metric.unit(score)

    def label_at(self, share: float) -> float:
        """The label so far up its range: 0 is the least, 1 the greatest."""
        return self.minimum + share * (self.maximum - self.minimum)


def _refuse_contradictions(task: Task) -> None:
    if not is_task_name(task.name):
        raise ValueError(
            "`name` must be a word of at most 32 small letters, digits and underscores that begins with a letter, "
            f"and none of {', '.join(TAKEN_NAMES)}, but is {task.name[:80]!r}"
        )
    unknown = [name for name in task.metrics if name not in METRICS]
    if unknown or not task.metrics:
        raise ValueError(f"`metrics` must be some of {', '.join(METRICS)}, but is {', '.join(unknown) or 'empty'}")
    target = "classes" if task.classes else "range"
    fitting = [name for name, metric in METRICS.items() if metric.target == target]
    if any(METRICS[name].target != target for name in task.metrics):
        raise ValueError(f"`metrics` of a task with {target} are of {', '.join(fitting)}")
    if not task.metric.is_score:
        raise ValueError(f"`metrics` must begin with one of which more is better, not with {task.metrics[0]}")
    if len(task.classes) == 1 or len(set(task.classes)) < len(task.classes):
        raise ValueError("`classes` must be at least two different names")
    if "f1" in task.metrics and len(task.classes) != 2:
        raise ValueError("`f1` is of two classes; with more use macro_f1")
    if task.prediction == "cosine" and (task.classes or not task.pair):
        raise ValueError("`prediction` by the cosine is for pairs with a number as label")
    if not task.classes and not task.range[0] < task.range[1]:
        raise ValueError("`range` must go from a lower to a higher number")
    # JSON has no infinity, and predictions are float32.
    if not max(map(abs, task.range)) <= _GREATEST_LABEL:
        raise ValueError(f"`range` must be numbers from {-_GREATEST_LABEL:g} to {_GREATEST_LABEL:g}")
    if task.extra_pairs and (len(task.classes) != 2 or not task.pair):
        raise ValueError("`extra_pairs` is for pairs of two classes")


Tasks = Mapping[str, Task]
_GREATEST_LABEL = 1e30
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
# What stands beside tasks in scores and events, and what each is.
TAKEN_NAMES = {
    "overall": "the mean of all scores",
    "mlm": "a phase of pretraining",
    "mnr": "a phase of pretraining",
    "cosine_embedding": "a phase of pretraining",
}


def is_task_name(text: str) -> bool:
    """Whether a text can be the name of a task: a word that file names, settings and filters can hold."""
    return bool(_NAME.fullmatch(text)) and text not in TAKEN_NAMES
