"""Dev examples with predictions: what is wrong, what flipped, what a cell holds, and the line of best fit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from call_types import AddRun
from present import present

from bertmt.errors import NotFoundError, UsageError
from bertmt.registry import predictions as stored_predictions
from bertmt.registry.database import Database
from bertmt.registry.records import Run
from bertmt.registry.runs import run_by_key
from bertmt.run_folder.predictions import Predictions
from bertmt.services.analysis.examples import (
    baseline_examples,
    by_error,
    examples_of,
    flips_from,
    in_cell,
    similarity_of,
    wrong,
)
from bertmt.services.analysis.run_predictions import epochs_of
from bertmt.services.browse.baseline import choose_baseline
from bertmt.tasks.examples import Example, fingerprint

SST = tuple(Example(f"s{index}", f"sentence {index}", None, float(label)) for index, label in enumerate([0, 1, 2, 4]))
PARA = tuple(Example(f"p{index}", "one", "two", float(label)) for index, label in enumerate([0, 1, 1]))
STS = tuple(Example(f"t{index}", "one", "two", label) for index, label in enumerate([0.0, 1.0, 2.5, 4.2, 5.0]))


@pytest.fixture
def predicted(database: Database, add_run: AddRun) -> Callable[..., Run]:
    """A finished run with these predictions in the named epochs; the last is selected."""

    def make(task: Any, examples: Any, *epochs: Any, run: Any = None) -> Run:
        run = run or add_run(preset_name="baseline")
        mark = fingerprint(examples)
        with database.immediate():
            stored_predictions.store_split(database, mark, task, "dev", examples)
            for epoch, values in enumerate(epochs):
                array = np.array(values, dtype=np.float32)
                stored_predictions.store(database, run.key, Predictions(task, "dev", epoch, mark, array))
            database.execute("UPDATE runs SET state = 'finished' WHERE key = ?", (run.key,))
            database.execute("UPDATE summaries SET selected_epoch = ? WHERE run = ?", (len(epochs) - 1, run.key))
        return run_by_key(database, run.key)

    return make


def certain(*classes: Any) -> list[Any]:
    """Probabilities of 0.6 for these classes of SST, 0.1 for the others."""
    return [[0.6 if column == each else 0.1 for column in range(5)] for each in classes]


def test_examples_come_with_their_texts_and_the_confidence_of_the_class(
    database: Database, predicted: Callable[..., Run]
) -> None:
    table = examples_of(database, predicted("sst", SST, certain(0, 0, 0, 0), certain(0, 1, 3, 3)), "sst")
    assert table.epoch == 1
    assert [each.first for each in table.examples] == [each.first for each in SST]
    assert (table.labels.tolist(), table.predicted.tolist()) == ([0, 1, 2, 4], [0, 1, 3, 3])
    np.testing.assert_allclose(present(table.confidence), 0.6, rtol=1e-6)


def test_a_paraphrase_that_is_denied_has_the_confidence_of_the_denial(
    database: Database, predicted: Callable[..., Run]
) -> None:
    table = examples_of(database, predicted("para", PARA, [0.1, 0.5, 0.3]), "para")
    assert table.predicted.tolist() == [0, 1, 0]
    np.testing.assert_allclose(present(table.confidence), [0.9, 0.5, 0.7], rtol=1e-6)


def test_the_wrong_ones_and_those_of_a_cell_are_found(database: Database, predicted: Callable[..., Run]) -> None:
    table = examples_of(database, predicted("sst", SST, certain(0, 3, 3, 3)), "sst")
    assert wrong(table).tolist() == [1, 2, 3]
    assert in_cell(table, true=4, predicted=3).tolist() == [3]
    assert in_cell(table, true=4, predicted=4).tolist() == []


def test_cells_of_the_confusion_matrix_hold_every_example_once(
    database: Database, predicted: Callable[..., Run]
) -> None:
    table = examples_of(database, predicted("sst", SST, certain(0, 3, 3, 3)), "sst")
    found = [index for true in range(5) for column in range(5) for index in in_cell(table, true, column)]
    assert sorted(found) == [0, 1, 2, 3]


def test_what_the_run_broke_and_fixed_is_relative_to_the_baseline(
    database: Database, predicted: Callable[..., Run]
) -> None:
    baseline = predicted("sst", SST, certain(0, 0, 2, 0))
    choose_baseline(database, baseline)
    table = examples_of(database, predicted("sst", SST, certain(0, 1, 3, 0)), "sst")
    other = baseline_examples(database, table)
    assert other.run.key == baseline.key
    assert other.examples is table.examples, "equal texts are not read twice"
    found = flips_from(other, table)
    assert (found.fixed.tolist(), found.broken.tolist()) == ([1], [2])
    assert (found.both_right, found.both_wrong) == (1, 1)


def test_a_baseline_on_other_examples_is_refused_with_both_ids(
    database: Database, predicted: Callable[..., Run]
) -> None:
    baseline = predicted("sst", SST[:3], certain(0, 0, 0))
    choose_baseline(database, baseline)
    table = examples_of(database, predicted("sst", SST, certain(0, 0, 0, 0)), "sst")
    with pytest.raises(UsageError, match=f"{baseline.id} and {table.run.id} were evaluated on different sst"):
        baseline_examples(database, table)


def test_the_baseline_itself_has_nothing_beside_it(database: Database, predicted: Callable[..., Run]) -> None:
    run = predicted("sst", SST, certain(0, 0, 0, 0))
    choose_baseline(database, run)
    with pytest.raises(NotFoundError, match="is the baseline itself"):
        baseline_examples(database, examples_of(database, run, "sst"))


def test_epochs_are_named_where_one_is_missing(
    database: Database, predicted: Callable[..., Run], add_run: AddRun
) -> None:
    run = predicted("sst", SST, certain(0, 0, 0, 0), certain(0, 1, 2, 4))
    assert epochs_of(database, run, "sst") == [0, 1]
    assert examples_of(database, run, "sst", 0).predicted.tolist() == [0, 0, 0, 0]
    with pytest.raises(NotFoundError, match=r"of epoch 7: there are those of epoch 0, 1\."):
        examples_of(database, run, "sst", 7)
    with pytest.raises(NotFoundError, match=r"no sst predictions( of epoch \d+)?\.$"):
        examples_of(database, add_run(), "sst")
    with pytest.raises(UsageError, match="sst, para, sts"):
        examples_of(database, run, "qqp")


def test_predictions_whose_examples_are_not_stored_are_refused(
    database: Database, predicted: Callable[..., Run]
) -> None:
    run = predicted("sst", SST, certain(0, 0, 0, 0))
    database.execute("DELETE FROM examples WHERE position = 3")
    with pytest.raises(NotFoundError, match="not in the registry"):
        examples_of(database, run, "sst")


def test_similarities_stand_beside_labels_the_worst_first(database: Database, predicted: Callable[..., Run]) -> None:
    table = examples_of(database, predicted("sts", STS, [0.1, 0.9, 0.5, 0.84, 0.0]), "sts")
    assert table.confidence is None
    np.testing.assert_allclose(table.predicted, [0.5, 4.5, 2.5, 4.2, 0.0], atol=1e-6)
    fit = np.polyfit(table.predicted, table.labels, 1)
    away = np.abs(np.polyval(fit, table.predicted) - table.labels)
    assert by_error(table).tolist() == np.argsort(-away).tolist()
    np.testing.assert_allclose(np.abs(table.errors), away, atol=1e-6)
    for refused in (wrong, lambda each: in_cell(each, 0, 0), lambda each: flips_from(each, each)):
        with pytest.raises(UsageError, match="has no classes"):
            refused(table)


def test_the_line_of_best_fit_is_the_one_that_polyfit_finds(database: Database, predicted: Callable[..., Run]) -> None:
    cosines = [0.1, 0.35, 0.3, 0.9, 0.8]
    found = similarity_of(database, predicted("sts", STS, cosines), "sts")
    labels = [present(example.label) for example in STS]
    slope, intercept = np.polyfit(labels, np.array(cosines) * 5, 1)
    assert (found.slope, found.intercept) == (pytest.approx(slope, abs=1e-6), pytest.approx(intercept, abs=1e-6))
    assert found.rho == pytest.approx(np.corrcoef(labels, cosines)[0, 1], abs=1e-6)


def test_labels_that_are_all_equal_have_no_line(database: Database, predicted: Callable[..., Run]) -> None:
    same = tuple(Example(f"t{index}", "one", "two", 2.3) for index in range(3))
    found = similarity_of(database, predicted("sts", same, [0.1, 0.2, 0.3]), "sts")
    assert (found.rho, found.slope, found.intercept) == (None, None, None)


def test_a_table_that_was_read_before_is_taken_over_where_nothing_else_would_be_read(
    database: Database, predicted: Callable[..., Run]
) -> None:
    run = predicted("sst", SST, certain(0, 0, 0, 0), certain(0, 1, 3, 3))
    table = examples_of(database, run, "sst")
    assert examples_of(database, run, "sst", like=table) is table
    earlier = examples_of(database, run, "sst", epoch=0, like=table)
    assert earlier.predicted.tolist() == [0, 0, 0, 0] and earlier.examples is table.examples


def test_a_new_attempt_is_read_anew_though_its_epoch_has_the_same_number(
    database: Database, predicted: Callable[..., Run]
) -> None:
    run = predicted("sst", SST, certain(0, 0, 0, 0))
    table = examples_of(database, run, "sst")
    database.execute("UPDATE runs SET events_attempt = 2 WHERE key = ?", (run.key,))
    assert examples_of(database, run_by_key(database, run.key), "sst", like=table) is not table


def test_examples_bring_the_stored_probabilities_of_every_class(
    database: Database, predicted: Callable[..., Run]
) -> None:
    table = examples_of(database, predicted("sst", SST, certain(0, 1, 3, 3)), "sst")
    np.testing.assert_allclose(table.probabilities, certain(0, 1, 3, 3), rtol=1e-6)


def test_a_baseline_that_is_known_is_not_looked_for(
    database: Database, predicted: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = predicted("sst", SST, certain(0, 0, 2, 0))
    own = examples_of(database, predicted("sst", SST, certain(0, 1, 2, 4)), "sst")
    monkeypatch.setattr("bertmt.services.analysis.examples.compared_run", None)
    found = baseline_examples(database, own, other)
    assert found.run.id == other.id
    assert baseline_examples(database, own, other, found) is found
