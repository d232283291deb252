"""Measures, against scikit-learn's and by hand."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from dsn_nlp.modelling.metrics import expected_calibration_error, macro_f1


def test_macro_f1_agrees_with_scikit_learn():
    rng = np.random.default_rng(3)
    gold, told = rng.random((200, 5)) < 0.2, rng.random((200, 5)) < 0.3
    assert macro_f1(gold, told) == pytest.approx(f1_score(gold, told, average="macro"))


def test_an_absent_label_is_not_an_error():
    assert macro_f1([[1, 0], [0, 0]], [[1, 0], [0, 0]]) == 1.0


def test_calibration_error():
    assert expected_calibration_error(np.array([0.5] * 10), np.array([0, 1] * 5)) == 0
    assert expected_calibration_error(np.array([0.9] * 10), np.zeros(10)) == pytest.approx(0.9)
