"""Where the seeds at hand cannot decide: how many more would, and the runs that this takes."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertmt.comparison.seeds import LEAST_TWO_WAY, SeedDifference
from bertmt.comparison.several_seeds.more_seeds import MOST_SEEDS
from bertmt.comparison.verdicts import Verdict
from bertmt.drawing import numbers
from bertmt.drawing.numbers import counted, named
from bertmt.registry.database import Database
from bertmt.registry.finding import runs_in
from bertmt.registry.records import Run
from bertmt.registry.states import State
from bertmt.services.analysis.arms import Arm, same_recipe
from bertmt.services.analysis.compare import Against, Comparison, compare
from bertmt.services.analysis.effects.effects import lacking_plan
from bertmt.services.analysis.effects.pairs import COMING, Lacking
from bertmt.services.plan.submit import Plan

MOST_QUEUED = 40  # paired seeds that are queued for one difference; beyond, a person should think again
# Seeds that are added until something is decided decide too often: said wherever more are offered.
LOOK_ONCE = "Looking again is a second look at chance: decide on this number now, and look once."


@dataclass(frozen=True)
class Wanted:
    """What more seeds would tell of one arm.

    Attributes:
        pairs: how many seeds both should have, as many as the rows need that so many can decide.
        sentences: what each undecided score needs; not yet safe for a screen.
        lacking: the runs that have to be trained.
    """

    against: Against
    pairs: int
    sentences: tuple[str, ...]
    lacking: tuple[Lacking, ...]


@dataclass(frozen=True)
class MoreSeeds:
    """What more seeds would tell of a comparison."""

    wanted: tuple[Wanted, ...]

    @property
    def lacking(self) -> tuple[Lacking, ...]:
        """The runs of all arms, each once."""
        found = {(each.like.key, each.seed): each for wanted in self.wanted for each in wanted.lacking}
        return tuple(found.values())

    @property
    def seconds(self) -> float | None:
        """How long these runs take one after another, as finished runs of their recipes took; None: not known."""
        known = [_seconds(each) for each in self.lacking]
        return sum(each or 0.0 for each in known) if known and None not in known else None

    @property
    def summary(self) -> str:
        """How many runs are lacking, and their time, in a sentence; or why there are none."""
        runs = self.lacking
        if not runs:
            return self._why_none()
        takes = self.seconds
        each = f", {numbers.duration(takes)} one after another as such runs took" if takes is not None else ""
        names = named([f"{one.like.name} seed {one.seed}" for one in runs])
        pairs = " or ".join(map(str, sorted({wanted.pairs for wanted in self.wanted if wanted.lacking})))
        return f"{counted(len(runs), 'run')} would bring them to {pairs} of each: {names}{each}."

    def _why_none(self) -> str:
        if not self.wanted:
            return "Every difference is decided, or undefined: more seeds would not tell more."
        if any(each.pairs for each in self.wanted):
            return (
                "The seeds that would decide have finished or are queued already: `bertmt compare --group` and marking "
                "them in the dashboard compare all that have finished."
            )
        return f"No number of seeds up to {MOST_QUEUED} would decide; `bertmt queue --from RUN --seed N` queues any."

    @property
    def sentences(self) -> tuple[str, ...]:
        """Of all arms, an arm's after another's."""
        return tuple(sentence for wanted in self.wanted for sentence in wanted.sentences)


def compared(database: Database, groups: Sequence[Sequence[Run]]) -> tuple[Comparison, MoreSeeds]:
    """The comparison of groups of runs, and what more seeds would tell of it; raises as `compare`."""
    found = compare(database, groups)
    return found, more_seeds(database, found)


def more_seeds(database: Database, found: Comparison) -> MoreSeeds:
    """How many seeds would decide what is undecided, and which runs that takes beyond those that there are."""
    runs = runs_in(database, State.FINISHED, *COMING)
    # One reference for all arms: the same seeds serve them all.
    wanted = [_wanted(each, found, runs) for each in found.others]
    return MoreSeeds(tuple(each for each in wanted if each.sentences))


def seeds_plan(wanted: MoreSeeds, folder: Path) -> Plan:
    """The runs that lack, planned as `bertmt queue --from` plans them.

    Raises:
        BertmtError: one cannot be queued, as its data or encoder are gone.
    """
    return lacking_plan(wanted.lacking, folder)


def _seconds(lacking: Lacking) -> float | None:
    """As the finished run took whose recipe it has."""
    finished = lacking.like.progress.finished
    known = [each for each in finished.seconds.values() if each is not None] if finished is not None else []
    return sum(known) if known else None


def _wanted(against: Against, found: Comparison, runs: Sequence[Run]) -> Wanted:
    if not all(_was_trained(each) for each in (against.reference.arm, against.arm)):
        return Wanted(against, 0, (), ())
    needs = list(_needs(against, found))
    pairs = max((pairs for pairs, _, _ in needs if pairs <= MOST_QUEUED), default=0)
    reference, arm = against.reference.arm, against.arm
    lacking = tuple(_lacking(reference, arm, pairs, runs)) if pairs else ()
    alike: dict[str, list[str]] = {}  # several scores can need the same
    for _, title, told in needs:
        alike.setdefault(told, []).append(title)
    said = (f"{arm.name}, {', '.join(titles)}: {told}" for told, titles in alike.items())
    return Wanted(against, pairs, tuple(said), lacking)


def _was_trained(arm: Arm) -> bool:
    """And so can be with another seed: no average, and not what another program predicted."""
    run = arm.runs[-1]
    return not run.recipe.get("members") and run.progress.steps_done != 0


def _needs(against: Against, found: Comparison) -> Iterator[tuple[int, str, str]]:
    """How many paired seeds each undecided score needs, 0 where no number helps; its name, and the need in words."""
    for each in (*against.examples, *against.seeds):
        if each.verdict is not Verdict.UNDECIDED or each.difference is None:
            continue
        title = found.tasks[each.task].score_title if each.task in found.tasks else each.task
        if isinstance(each, SeedDifference):
            pairs = each.enough_seeds
            if pairs and not each.paired:  # but those that are queued are pairs
                pairs = max(pairs, LEAST_TWO_WAY)
            yield pairs or 0, title, _told(each, pairs)
        else:
            yield LEAST_TWO_WAY, title, f"one run each tells nothing of other seeds; {LEAST_TWO_WAY} of each could."


def _told(each: SeedDifference, pairs: int | None) -> str:
    seen = numbers.difference(each.difference)
    if pairs is None and not each.difference:
        return "they score the same, and no number of seeds would find a difference of none."
    if pairs is None:
        why = f", as the dev examples are too few for {seen}" if each.over_examples else f" of {seen}"
        return f"not even {counted(MOST_SEEDS, 'seed')} of each would decide 4 times in 5{why}."
    if each.spread is None or not each.can_decide:
        return f"{counted(pairs, 'seed')} of each are needed to decide at all."
    now = min(len(each.scores_a), len(each.scores_b))
    return f"{pairs - now} more of each would decide 4 times in 5, if the true difference is the {seen} seen."


def _lacking(reference: Arm, arm: Arm, pairs: int, runs: Sequence[Run]) -> Iterator[Lacking]:
    """Runs that bring both arms to so many common seeds: seeds of one arm alone first, then new ones."""
    sides = (reference, arm)
    have = [set(each.seeds) | _others(each, runs) for each in sides]
    shared = have[0] & have[1]
    others = sorted(have[0] ^ have[1])
    new = (seed for seed in itertools.count() if seed not in have[0] | have[1])
    seeds = itertools.islice(itertools.chain(others, new), max(pairs - len(shared), 0))
    for seed in seeds:
        for own, other in ((0, 1), (1, 0)):
            if seed not in have[own]:
                yield Lacking(sides[other].runs[-1], sides[own].runs[-1], seed)


def _others(arm: Arm, runs: Sequence[Run]) -> set[int]:
    """Seeds of its recipe that have finished on its data, or wait or run."""
    asked = arm.runs[0].submission
    return {
        run.seed
        for run in runs
        if (run.state in COMING or run.submission.fingerprints_json == asked.fingerprints_json)
        and same_recipe(run, arm.runs[0])
    }
