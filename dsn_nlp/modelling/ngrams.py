"""Fit the n-gram companion: TF-IDF and logistic regression, also the simple baseline."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dsn_nlp.label.ngrams import FEATURES, NgramModel, counts, weigh
from dsn_nlp.modelling.corpus import Example, complaint_matrix, sentiment_vector
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

# Inverse strength of regularisation, best on development among 1, 3, 10, 30.
STRENGTH = 10.0


def fit_ngrams(examples: Sequence[Example], strength: float = STRENGTH) -> NgramModel:
    """Fit one logistic regression a complaint and one over the sentiments."""
    from sklearn.linear_model import LogisticRegression

    matrix = counts([e.text for e in examples])
    idf = _inverse_document_frequencies(matrix)
    rows = weigh(matrix, idf)
    complaints, sentiment = complaint_matrix(examples), sentiment_vector(examples)
    weights = np.zeros((FEATURES, len(COMPLAINTS) + len(SENTIMENTS)), np.float32)
    bias = np.zeros(weights.shape[1], np.float32)
    targets = [complaints[:, k] for k in range(len(COMPLAINTS))]
    targets += [(sentiment == k).astype(np.float32) for k in range(len(SENTIMENTS))]
    for column, gold in enumerate(targets):
        if gold.min() == gold.max():
            bias[column] = 4.0 if gold.max() else -4.0
            continue
        fitted = LogisticRegression(C=strength, solver="liblinear").fit(rows, gold)
        weights[:, column], bias[column] = fitted.coef_[0], fitted.intercept_[0]
    return NgramModel(idf, weights, bias)


def _inverse_document_frequencies(matrix: "npt.ArrayLike") -> npt.NDArray[np.float32]:
    documents = matrix.shape[0]  # type: ignore[union-attr]
    present = np.bincount(matrix.indices, minlength=FEATURES)  # type: ignore[union-attr]
    return np.asarray(np.log((1 + documents) / (1 + present)) + 1, np.float32)
