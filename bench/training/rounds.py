"""Contenders measured in turn: each once per round, so that a machine whose speed drifts is equally kind to all."""

import statistics
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from bench.training.contenders import Order
from bench.training.processes import ContenderProcess

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        steps, warm_up: of a block, one per contender and round.
        score_examples: examples of each task after which dev scores are taken; 0: none are.
        evaluated: the contenders whose dev evaluation is timed, in each round.
    """

    rounds: int
    steps: int
    warm_up: int
    score_examples: int = 0
    evaluated: tuple[str, ...] = ()


@dataclass
class Row:
    """What was measured of one contender at one batch size.

    Attributes:
        blocks: what its process told of each round, see `contenders.Block`; and the matrix `peak` behind it, in FLOP/s.
        first: what it told of its first step.
        evaluations: seconds of each dev evaluation.
        scores: dev scores by task, after `score_examples`.
    """

    name: str
    batch_size: int
    _: KW_ONLY
    first: Mapping[str, Any]
    group: int
    blocks: list[dict[str, Any]] = field(default_factory=list)
    memory: Mapping[str, float] = field(default_factory=dict)
    evaluations: list[float] = field(default_factory=list)
    scores: Mapping[str, float | None] = field(default_factory=dict)
    scored_examples: int = 0

    def per_round(self, what: str, over: str) -> list[float]:
        return [block[what] / block[over] for block in self.blocks]

    def median(self, what: str, over: str = "seconds") -> float:
        """The median over rounds, of examples, tokens or FLOPs per second, or of other shares."""
        return statistics.median(self.per_round(what, over))

    def seconds_per_token(self, round_number: int) -> float:
        block = self.blocks[round_number]
        return float(block["seconds"] / block["tokens"])


def measure(orders: Mapping[str, Order], plan: Plan, group: int, say: Say) -> tuple[list[Row], list[str]]:
    """Measure contenders side by side; their rows, and a sentence for each that is missing."""
    missing = []
    with ExitStack() as stack:
        found: dict[str, tuple[ContenderProcess, Row]] = {}
        for name, order in orders.items():
            process = stack.enter_context(ContenderProcess(order))
            if process.missing:
                missing.append(f"{name} was left out: {process.missing}")
                continue
            row = Row(name, order.batch_size, first=process.first, group=group)
            found[name] = process, row
            say(f"{name}, batch {order.batch_size}: first step after {process.first['seconds']:.1f} s")
        for round_number in range(plan.rounds):
            for process, row in found.values():
                row.blocks.append(process.ask("train", steps=plan.steps, warm_up=plan.warm_up))
                row.memory = process.ask("memory")  # of training: what an evaluation takes on top is another matter
            for name in set(plan.evaluated) & found.keys():
                process, row = found[name]
                row.evaluations.append(process.ask("evaluate")["seconds"])
            say(f"round {round_number + 1} of {plan.rounds}")
        for process, row in found.values():
            if plan.score_examples:
                _score(process, row, plan)
                say(f"{row.name}, batch {row.batch_size}: {shown_scores(row.scores)}")
    return [row for _, row in found.values()], missing


def _score(process: ContenderProcess, row: Row, plan: Plan) -> None:
    """Train on to so many examples of each task, and evaluate."""
    taken = 1 + plan.rounds * (plan.steps + plan.warm_up)
    wanted = -(-plan.score_examples // row.batch_size)
    if wanted > taken:
        process.ask("train", steps=wanted - taken, warm_up=0)
    row.scored_examples = max(wanted, taken) * row.batch_size
    row.scores = process.ask("evaluate")["scores"]


def shown_scores(scores: Mapping[str, float | None]) -> str:
    return " ".join(f"{task} {'–' if value is None else f'{value:.3f}'}" for task, value in scores.items())


def speed_ratio(first: Row, second: Row) -> float:
    """How many times as many real tokens per second the first trains: the median over the rounds that both were in.

    All read the same sentences, so over a whole pass it is the ratio of examples per second too; in a few sorted
    batches those depend on which lengths were drawn.
    """
    if first.group == second.group:
        rounds = range(min(len(first.blocks), len(second.blocks)))
        return statistics.median([second.seconds_per_token(each) / first.seconds_per_token(each) for each in rounds])
    return first.median("tokens") / second.median("tokens")


def trainers_ratio(ours: Row, trainers: Mapping[str, Row], lengths: Mapping[str, float]) -> float:
    """The sum of the trainers' times for an example of each of their tasks, over ours for the same examples.

    An example is one of average length: in a few steps a trainer that sorts by length has seen its longest alone.

    Args:
        trainers: by task.
        lengths: tokens of an example on average, by task.
    """
    tokens = sum(lengths[task] for task in trainers)
    found = []
    for each in range(len(ours.blocks)):
        theirs = sum(row.seconds_per_token(each) * lengths[task] for task, row in trainers.items())
        found.append(theirs / (ours.seconds_per_token(each) * tokens))
    return statistics.median(found)
