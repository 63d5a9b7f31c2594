"""Distances from the best straight line, where a prediction is missing or all are equal."""

import numpy as np

from bertmt.comparison.correlation.distances import fitted_errors


def test_a_prediction_that_is_no_number_has_no_error_and_no_say() -> None:
    labels, predicted = np.array([0.0, 1.0, 5.0, 2.0]), np.array([0.1, 0.3, np.nan, 0.4])
    found = fitted_errors(labels, predicted)
    known = [0, 1, 3]
    expected = np.polyval(np.polyfit(predicted[known], labels[known], 1), predicted[known]) - labels[known]
    assert np.isnan(found[2])
    np.testing.assert_allclose(found[known], expected, atol=1e-12)
    assert np.isnan(fitted_errors(labels, np.full(4, np.inf))).all()


def test_of_equal_predictions_the_line_is_the_mean_label() -> None:
    np.testing.assert_allclose(fitted_errors(np.array([1.0, 3.0]), np.array([0.7, 0.7])), [1.0, -1.0])
