"""Measures of agreement with gold labels."""

from typing import Any

import numpy as np
import numpy.typing as npt


def f1_by_column(gold: npt.ArrayLike, told: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """F1 of each column of two 0/1 matrices of shape ``(n, n_labels)``.

    A label that is neither in gold nor told scores 1: nothing was wrong about it.
    """
    right, said = np.asarray(gold, dtype=bool), np.asarray(told, dtype=bool)
    hits = (right & said).sum(axis=0)
    total = right.sum(axis=0) + said.sum(axis=0)
    return np.where(total == 0, 1.0, 2 * hits / np.maximum(total, 1))


def macro_f1(gold: npt.ArrayLike, told: npt.ArrayLike) -> float:
    """Mean of :func:`f1_by_column`."""
    return float(f1_by_column(gold, told).mean())


def expected_calibration_error(
    scores: npt.NDArray[Any], correct: npt.NDArray[Any], bins: int = 15
) -> float:
    """Expected calibration error with equal-width bins (Guo et al. 2017, arXiv 1706.04599).

    :param scores: probabilities, shape ``(n,)``.
    :param correct: 0/1 outcomes that the probabilities are of, shape ``(n,)``.
    """
    edges = np.minimum((scores * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        inside = edges == index
        if inside.any():
            error += inside.mean() * abs(scores[inside].mean() - correct[inside].mean())
    return float(error)
