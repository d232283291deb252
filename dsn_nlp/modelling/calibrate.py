"""Fit stack, calibration, thresholds and the review limit on the development split."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dsn_nlp.label.folder import Calibration
from dsn_nlp.modelling.corpus import Example, complaint_matrix, sentiment_vector
from dsn_nlp.modelling.metrics import f1_by_column
from dsn_nlp.records import COMPLAINTS

FloatArray = npt.NDArray[np.float32]
# Share of passages, the least certain ones, that go to people.
REVIEW_SHARE = 0.10
# Thresholds stay in this range: extreme ones fit the development split, not the language.
LOWEST, HIGHEST = 0.30, 0.60


def fit_calibration(
    network: FloatArray, ngrams: FloatArray, examples: Sequence[Example]
) -> Calibration:
    """Fit Platt scaling of the two systems' logits (Platt 1999), a stack of two.

    :param network: logits ``(n, 8)`` of the encoder on development.
    :param ngrams: logits ``(n, 8)`` of the n-grams on development.
    """
    from sklearn.linear_model import LogisticRegression

    cut, gold = len(COMPLAINTS), complaint_matrix(examples)
    pairs, biases = [], []
    for k in range(cut):
        if gold[:, k].min() == gold[:, k].max():
            pairs.append((1.0, 0.0))
            biases.append(0.0)
            continue
        rows = np.column_stack([network[:, k], ngrams[:, k]])
        fitted = LogisticRegression(C=1.0).fit(rows, gold[:, k])
        pairs.append((float(fitted.coef_[0, 0]), float(fitted.coef_[0, 1])))
        biases.append(float(fitted.intercept_[0]))
    weights, intercepts = _fit_sentiment(network[:, cut:], ngrams[:, cut:], examples)
    return Calibration(
        complaint_weights=pairs,
        complaint_biases=biases,
        sentiment_weights=weights,
        sentiment_biases=intercepts,
    )


def _fit_sentiment(
    network: FloatArray, ngrams: FloatArray, examples: Sequence[Example]
) -> tuple[list[list[float]], list[float]]:
    from sklearn.linear_model import LogisticRegression

    gold = sentiment_vector(examples)
    if len(set(gold.tolist())) < 3:
        return [[float(i == j) for j in range(6)] for i in range(3)], [0.0, 0.0, 0.0]
    fitted = LogisticRegression(C=0.3, max_iter=1000).fit(np.hstack([network, ngrams]), gold)
    return fitted.coef_.tolist(), fitted.intercept_.tolist()


def fit_thresholds(scores: FloatArray, examples: Sequence[Example]) -> dict[str, float]:
    """Choose the threshold of each complaint that gives the best F1 on development.

    Among thresholds within half a point of the best, the one nearest the middle of them is taken.
    """
    gold = complaint_matrix(examples)
    grid = np.arange(LOWEST, HIGHEST + 1e-9, 0.01)
    curve = np.array([f1_by_column(gold, scores >= t) for t in grid])
    chosen = {}
    for k, label in enumerate(COMPLAINTS):
        good = grid[curve[:, k] >= curve[:, k].max() - 0.005]
        chosen[label] = round(float(np.median(good)), 2)
    return chosen


def fit_review_risk(risk: FloatArray) -> float:
    """Choose the risk above which lie the ``REVIEW_SHARE`` least certain passages."""
    return round(float(np.quantile(risk, 1 - REVIEW_SHARE)), 4)
