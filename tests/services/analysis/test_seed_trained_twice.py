"""A seed that was trained twice: its newest run counts, wherever an arm is read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from registry_builder import RegistryBuilder

from bertmt.services.analysis.arms import Arm, runs_to_pair
from bertmt.services.analysis.report.curves import curve_section
from bertmt.services.analysis.report.document import Pictures
from bertmt.services.analysis.report.mistakes import picture_section


@pytest.fixture
def twice(tmp_path: Path) -> Iterator[tuple[RegistryBuilder, Arm]]:
    """Seed 1 twice, then seed 2."""
    builder = RegistryBuilder(tmp_path / "runs.db")
    runs = [builder.finished("arm", right=right, seed=seed) for right, seed in ((0.2, 1), (0.8, 1), (0.6, 2))]
    yield builder, Arm(tuple(runs))
    builder.database.close()


def test_the_newest_run_of_each_seed_counts_in_scores_and_in_pairs(twice: tuple[RegistryBuilder, Arm]) -> None:
    _, arm = twice
    assert arm.newest == arm.runs[1:]
    assert arm.scores("sst") == {1: arm.runs[1].score("sst"), 2: arm.runs[2].score("sst")}
    assert runs_to_pair(arm, arm) == (arm.runs[1], arm.runs[1])
    assert runs_to_pair(Arm(arm.runs[2:]), Arm(arm.runs[:2])) == (arm.runs[2], arm.runs[1])


def test_matrices_and_curves_of_a_report_are_of_the_newest_run_of_each_seed(
    twice: tuple[RegistryBuilder, Arm],
) -> None:
    builder, arm = twice
    titles = []
    for section in (picture_section(builder.database, [arm]), curve_section(builder.database, [arm])):
        assert section is not None
        pictures = [each for block in section.blocks if isinstance(block, Pictures) for each in block.pictures]
        titles += [f"{each.caption} {each.figure}" for each in pictures]
    said = " ".join(titles)
    assert "the sum of 2 seeds" in said and "2 seeds" in said and "3 seeds" not in said
