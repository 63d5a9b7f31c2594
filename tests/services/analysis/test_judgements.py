"""What a list says of a run beside its difference: one figure of the comparison, and no claim of its own."""

from pathlib import Path

import pytest
from present import present
from registry_builder import EPOCHS, RegistryBuilder

from bertmt.services.analysis.compare import compare
from bertmt.services.analysis.judgements import judgement_of
from bertmt.services.browse.curves import courses_of
from bertmt.services.browse.rows import mean_difference


def test_a_run_is_judged_as_compare_judges_it_alone(tmp_path: Path) -> None:
    builder = RegistryBuilder(tmp_path / "runs.db")
    base, better = builder.finished("base", right=0.2), builder.finished("better", "sst-only", right=0.9)
    alike, several = builder.finished("alike", "sst-only", right=0.25), builder.finished("several", right=0.9)
    two = builder.finished("two", right=0.9, tasks=["sst", "para"])
    waiting = builder.add("waiting")
    with builder.database as database:
        found = [judgement_of(database, run, base) for run in (better, alike, several, two, waiting)]
        assert [each and (each.title, str(each.verdict)) for each in found] == [
            ("SST", "better"),
            ("SST", "undecided"),
            ("overall", "better"),
            None,  # the overall scores are of other tasks, and of two tasks neither is the figure
            None,
        ]
        [against] = compare(database, [[base], [several]]).others
        overall = against.examples[-1]
        judged = present(found[2])
        assert (judged.difference, judged.low, judged.high) == (overall.difference, overall.low, overall.high)
        assert judged.difference == pytest.approx(mean_difference(several, base)), "what stands in the list"
        assert judged.figures == f"+{judged.difference:.3f} [+{judged.low:.3f}, +{judged.high:.3f}]"


def test_a_verdict_in_a_list_reads_two_runs_and_not_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = RegistryBuilder(tmp_path / "runs.db")
    base, better = builder.finished("base", right=0.2), builder.finished("better", right=0.9)

    def refuse(*asked: object) -> None:
        raise AssertionError("a list of 10,000 runs would read 10,000 for each of its rows")

    with builder.database as database:
        expected = judgement_of(database, better, base)
        monkeypatch.setattr("bertmt.services.browse.run_list.RunList.refresh", refuse)
        assert judgement_of(database, better, base) == expected is not None


def test_the_course_of_a_run_is_its_primary_score_epoch_by_epoch(tmp_path: Path) -> None:
    builder = RegistryBuilder(tmp_path / "runs.db")
    several, one, none = builder.finished("several"), builder.finished("one", "sst-only"), builder.add("none")
    with builder.database as database:
        found = courses_of(database, [several, one, none])
        assert [len(found[run.key]) for run in (several, one, none)] == [EPOCHS + 1, EPOCHS + 1, 0]
        assert [found[run.key][-1] for run in (several, one)] == [several.score("overall"), one.score("sst")]
        assert courses_of(database, []) == {}
