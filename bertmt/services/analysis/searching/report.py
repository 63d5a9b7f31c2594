"""What came of a search: the winner among all that were tried, told with the optimism that choosing brings."""

from collections.abc import Mapping
from dataclasses import dataclass

from bertmt.comparison.held_out import BestOf, Importance, best_of, importance
from bertmt.drawing import numbers
from bertmt.registry.database import Database
from bertmt.registry.searches.records import Search
from bertmt.registry.searches.rows import all_searches, searches_of, trials_of
from bertmt.registry.states import State
from bertmt.services.analysis.comparability import looks_at_dev
from bertmt.services.analysis.searching.looking import Looked, Tried, look
from bertmt.services.analysis.searching.plan import SearchPlan, read_plan
from bertmt.services.analysis.searching.scoring import Scorer, scorer_of

WITHOUT_HOLDOUT = (
    "Nothing was held out, so this score is optimistic by an unknown amount: it is the best of several on the same "
    "examples."
)


@dataclass(frozen=True)
class Report:
    """A search, and what can be said of it.

    Attributes:
        ranked: the tried recipes, best first: those that came farther before those that were pruned.
        best: among `finalists`; None: no recipe has been trained to its end.
        finalists: those that were trained to their end.
        error: the standard error of the winner's score on the held-out half.
        importances: setting to how much goes with it, the most important first.
    """

    looked: Looked
    ranked: tuple[Tried, ...]
    best: BestOf | None
    finalists: tuple[Tried, ...]
    error: float | None
    importances: Mapping[str, Importance]

    @property
    def plan(self) -> SearchPlan:
        """What was asked for."""
        return self.looked.plan

    @property
    def winner(self) -> Tried | None:
        """The best recipe."""
        return None if self.best is None else self.finalists[self.best.place]

    @property
    def tried(self) -> int:
        """How many recipes the choice was among: every one that has a score at all."""
        return sum(each.is_scored for each in self.looked.tried)

    @property
    def pruned(self) -> int:
        """How many of them were left behind."""
        ended = self.looked.search.ended_at is not None
        return sum(is_pruned(each, self.looked) for each in self.looked.tried) if ended else 0

    @property
    def failed(self) -> int:
        """How many never came to a score though they were begun."""
        states = (State.FAILED, State.LOST)
        return sum(each.run is not None and each.run.state in states for each in self.looked.tried)


def report_of(database: Database, name: str, scorer: Scorer | None = None) -> Report:
    """Of the search of that name.

    Args:
        scorer: one that has scored before; a new one by default.

    Raises:
        NotFoundError: there is none.
        DataError: it cannot be read.
    """
    scorer = scorer or scorer_of(database, name)
    looked = look(database, name, scorer)
    finalists = tuple(each for each in looked.tried if each.is_whole)
    best = best_of([each.halves for each in finalists], [each.first for each in looked.tried])
    run = None if best is None else finalists[best.place].run
    error = None if run is None else scorer.error(run, run.scores.selected_epoch)
    ranked = sorted(looked.tried, key=_rank)
    return Report(looked, tuple(ranked), best, finalists, error, _importances(looked))


def _rank(each: Tried) -> tuple[bool, int, float, int]:
    score = each.halves.chosen_by if each.halves.chosen_by is not None else each.first.chosen_by
    return not each.is_whole, -each.trial.rung, -(score if score is not None else -1e9), each.trial.number


def is_pruned(each: Tried, looked: Looked) -> bool:
    """Whether a recipe was left behind at a rung before the last."""
    return each.run is not None and each.run.state is State.PAUSED and each.trial.rung < looked.plan.last


def compared_score(each: Tried) -> float | None:
    """What settings are set against: the score at the first rung, which all recipes were trained equally far for."""
    return each.first.chosen_by


def _importances(looked: Looked) -> dict[str, Importance]:
    scores = [compared_score(each) for each in looked.tried]
    found = {
        axis.name: importance([each.trial.settings.get(axis.name) for each in looked.tried], scores)
        for axis in looked.plan.space
    }
    return dict(sorted(found.items(), key=lambda each: -each[1].size))


def sentences(report: Report) -> list[str]:
    """What came of it, for people, a sentence each."""
    search, best, winner = report.looked.search, report.best, report.winner
    said = []
    if best is None or winner is None or winner.run is None:
        said.append("No recipe has been trained to its end yet." if search.ended_at is None else "There is no winner.")
    else:
        said.append(
            f"Best of {numbers.counted(report.tried, 'recipe')}{_left_behind(report)}: {winner.run.name} "
            f"({winner.run.id})."
        )
        said += _about_scores(best, report)
        if looks_at_dev(winner.run) and report.plan.holds_out:
            said.append("Its epoch was chosen on all of dev (select, early_stopping), the held-out half included.")
    if refused := len(report.plan.refused):
        counted = numbers.counted(refused, "drawn recipe was", "drawn recipes were")
        said.append(f"{counted} refused and passed over: settings that cannot be trained together.")
    if search.ended_at is None:
        said.append(f"The search goes on: `bertmt search --resume {search.name}` takes it to its end.")
    elif search.outcome:
        said.append(f"{search.outcome} {numbers.duration(report.looked.seconds)} of training.")
    return said


def summary(report: Report) -> str:
    """What came of it in one sentence, where there is no room for more."""
    best, winner = report.best, report.winner
    if best is None or winner is None or winner.run is None:
        return sentences(report)[0]
    scores = f"dev {numbers.score(best.halves.chosen_by)}, optimistic"
    if report.plan.holds_out:
        error = f" ± {numbers.score(report.error)}" if report.error is not None else ""
        scores = (
            f"{numbers.score(best.halves.chosen_by)} on the half that chose it, {numbers.score(best.halves.held_out)}"
            f"{error} on the held-out half, to be believed"
        )
    return f"Best of {numbers.counted(report.tried, 'recipe')}{_left_behind(report)}: {winner.run.name}, {scores}."


def _left_behind(report: Report) -> str:
    parts = [f"{report.pruned:,} pruned"] if report.pruned else []
    parts += [f"{report.failed:,} failed"] if report.failed else []
    return f" ({', '.join(parts)})" if parts else ""


def _about_scores(best: BestOf, report: Report) -> list[str]:
    chosen_by, held_out = best.halves.chosen_by, best.halves.held_out
    if not report.plan.holds_out:
        return [f"It scores {numbers.score(chosen_by)} on dev. {WITHOUT_HOLDOUT}"]
    error = f" ± {numbers.score(report.error)}" if report.error is not None else ""
    said = [
        f"On the half of dev that chose it, it scores {numbers.score(chosen_by)}; on the held-out half, which had no "
        f"part in that, {numbers.score(held_out)}{error} (standard error): believe the latter."
    ]
    if best.optimism is not None:
        size = numbers.difference(best.optimism)
        said.append(
            f"The choice was optimistic by the difference, {size}, chance included."
            if best.optimism > 0
            else f"The difference is {size}: here chance outweighs the optimism that choosing brings on average."
        )
    if best.easier is not None and report.tried > 1:
        at = f"at epoch {report.plan.rungs[0]} " if len(report.plan.rungs) > 1 else ""
        said.append(
            f"Before any choice, {at}all recipes scored {numbers.difference(best.easier)} more on the first half on "
            "average: so much do the halves differ."
        )
    return said


@dataclass(frozen=True)
class Listed:
    """A search in the list of all."""

    search: Search
    plan: SearchPlan
    tried: int


def listed(database: Database) -> list[Listed]:
    """All searches, the newest last."""
    found = all_searches(database)
    return [Listed(each, read_plan(each.plan), len(trials_of(database, each.key))) for each in found]


def newest_search(database: Database, run_id: str = "") -> str | None:
    """The name of the newest search that tried a run's recipe, or of the newest at all; None: there is none."""
    found = (searches_of(database, run_id) if run_id else []) or all_searches(database)
    return found[-1].name if found else None
