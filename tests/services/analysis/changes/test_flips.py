"""From run to run: which sentences were fixed and broken, in which order, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bertmt.drawing.styled import plain
from bertmt.errors import UsageError
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.services.analysis.changes.flip_formatting import format_cells, format_examples, format_summary
from bertmt.services.analysis.changes.flips import parse_cell, two_runs
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.examples import Example

SST = tuple(
    Example(f"s{index}", f"sentence {index}", None, float(label)) for index, label in enumerate([0, 1, 2, 4, 3])
)
STS = tuple(Example(f"t{index}", "one", f"two {index}", label) for index, label in enumerate([0.0, 5.0, 2.5]))


def sure(*pairs: tuple[int, float]) -> list[list[float]]:
    """Probabilities of SST's classes: (class, its probability)."""
    return [[share if at == chosen else (1 - share) / 4 for at in range(5)] for chosen, share in pairs]


BEFORE = sure((1, 0.5), (2, 0.9), (2, 0.6), (4, 0.7), (0, 0.8))
AFTER = sure((0, 0.6), (1, 0.4), (0, 0.5), (3, 0.9), (1, 0.9))


def test_examples_come_the_surest_mistake_first(database: Database, predicted: Callable[..., Run]) -> None:
    found = two_runs(database, predicted("sst", SST, BEFORE), predicted("sst", SST, AFTER), "sst")
    assert {kind: chosen.tolist() for kind, chosen in found.kinds.items()} == {
        "fixed": [1, 0],  # run a was sure by 0.9 and 0.5
        "broken": [3, 2],  # run b by 0.9 and 0.5
        "wrong": [4],
    }
    assert found.of_kind("broken", (2, 0)).tolist() == [2]
    assert found.of_kind("fixed", (2, 0)).tolist() == []
    measured = found.measured
    assert (measured.fixed, measured.broken, measured.p, measured.difference) == (2, 2, 1.0, 0.0)


def test_numbers_come_the_largest_gain_or_loss_first(database: Database, predicted: Callable[..., Run]) -> None:
    found = two_runs(database, predicted("sts", STS, [0.4, 0.9, 0.5]), predicted("sts", STS, [0.1, 0.2, 0.5]), "sts")
    assert {kind: chosen.tolist() for kind, chosen in found.kinds.items()} == {"closer": [2], "farther": [1, 0]}
    fits = [np.polyfit(each.predicted, each.labels, 1) for each in (found.a, found.b)]
    away = [
        np.abs(np.polyval(fit, each.predicted) - each.labels)
        for fit, each in zip(fits, (found.a, found.b), strict=True)
    ]
    np.testing.assert_allclose(found.changes, away[1] - away[0], atol=1e-6)
    assert found.errors == (pytest.approx(away[0].mean()), pytest.approx(away[1].mean()))
    assert found.cells is None and format_cells(found, 80) == []
    with pytest.raises(UsageError, match="closer or farther, not fixed"):
        found.of_kind("fixed")
    with pytest.raises(UsageError, match="has no cells"):
        found.of_kind("closer", (0, 1))


def test_a_page_shows_both_predictions_and_nothing_raw(database: Database, predicted: Callable[..., Run]) -> None:
    evil = (*SST[:4], Example("x\x1b[2J", "word\x1b]0;pwned\x07 " * 200, None, 3.0))
    found = two_runs(database, predicted("sst", evil, BEFORE), predicted("sst", evil, AFTER), "sst")
    lines = [plain(each) for each in (*format_summary(found, 80), *format_cells(found, 80))]
    lines += [plain(each) for kind in found.kinds for each in format_examples(found, kind, None, 1, 80)]
    page = "\n".join(lines)
    assert "2 fixed, 2 broken; both right 0, both wrong 1." in page
    assert "s1  true somewhat negative: neutral 0.90 → somewhat negative 0.40" in page
    assert "(1 of 2)" in page, "a list says of how many it shows the first"
    assert "\x1b" not in page and "\x07" not in page
    assert max(map(len, lines)) <= 80 and len(lines) < 40, "a sentence without an end is cut"


@pytest.mark.parametrize(
    ("text", "cell"),
    [("2,3", (2, 3)), (" 4 , 0", (4, 0)), ("Neutral,somewhat positive", (2, 3)), ("2,neutral", (2, 2))],
)
def test_a_cell_is_two_classes_by_number_or_name(text: str, cell: Any) -> None:
    assert parse_cell(text, BUILTIN["sst"]) == cell


@pytest.mark.parametrize("text", ["", "2", "2,5", "2,3,4", "-1,2", "good,bad", "²,³", "9" * 5000 + ",1"])
def test_another_text_is_no_cell(text: str) -> None:
    with pytest.raises(UsageError, match="--cell expects the true and the predicted class"):
        parse_cell(text, BUILTIN["sst"])
    with pytest.raises(UsageError, match="has no cells"):
        parse_cell(text, BUILTIN["sts"])


def test_runs_that_cannot_be_set_side_by_side_are_refused(database: Database, predicted: Callable[..., Run]) -> None:
    run = predicted("sst", SST, BEFORE)
    with pytest.raises(UsageError, match="no difference from itself"):
        two_runs(database, run, run)
    with pytest.raises(UsageError, match="evaluated on different sst examples"):
        two_runs(database, run, predicted("sst", SST[:4], AFTER[:4]), "sst")
    with pytest.raises(UsageError, match="trained sst, para, sts, not 'nli'"):
        two_runs(database, run, predicted("sst", SST, AFTER), "nli")
    with pytest.raises(UsageError, match="no task in common"):
        two_runs(
            database, predicted("sst", SST, AFTER, tasks=["sst"]), predicted("sts", STS, [0.1, 0.2, 0.3], tasks=["sts"])
        )


def test_what_flipped_is_measured_and_compare_judges_it(database: Database, predicted: Callable[..., Run]) -> None:
    many = tuple(Example(f"s{index}", f"sentence {index}", None, 0.0) for index in range(40))
    wrong, right = predicted("sst", many, sure(*[(1, 0.5)] * 40)), predicted("sst", many, sure(*[(0, 0.5)] * 40))
    page = " ".join(plain(each) for each in format_summary(two_runs(database, wrong, right, "sst"), 200))
    assert f"p < 0.001 uncorrected (exact McNemar); `bertmt compare {wrong.id} {right.id}` judges it." in page
    assert "(95 %, Tango score)" in page and "It is about these two trained models" in page
    assert not any(word in page for word in ("better", "worse", "undecided")), "one pair has one verdict"


def test_the_same_order_on_another_scale_is_neither_closer_nor_farther(
    database: Database, predicted: Callable[..., Run]
) -> None:
    found = two_runs(database, predicted("sts", STS, [0.4, 0.9, 0.5]), predicted("sts", STS, [0.14, 0.24, 0.16]), "sts")
    assert {kind: chosen.tolist() for kind, chosen in found.kinds.items()} == {"closer": [], "farther": []}
    page = " ".join(plain(each) for each in format_summary(found, 80))
    assert found.measured.difference == pytest.approx(0.0, abs=1e-6)
    assert "0 closer to their label, 0 farther; mean distance 0.595 → 0.595." in page
    assert "Distances are from the best straight line in a run's predictions" in page
