"""Probable label errors, by confident learning (Northcutt et al. 2021, arXiv 1911.00068)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsn_nlp.errors import CorpusError
from dsn_nlp.modelling.corpus import (
    Example,
    complaint_matrix,
    sentiment_vector,
    similarity_groups,
)
from dsn_nlp.modelling.ngrams import fit_ngrams
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

FloatArray = npt.NDArray[np.float64]
FOLDS = 5


@dataclass(frozen=True)
class Suspect:
    """A label that is probably wrong.

    :ivar label: the complaint or sentiment in question.
    :ivar given: whether the corpus gives it.
    :ivar score: how likely what the corpus says is, in [0, 1]; low is suspect.
    """

    example: Example
    label: str
    given: bool
    score: float


def find_suspects(examples: Sequence[Example], scores: FloatArray | None = None) -> list[Suspect]:
    """List labels that out-of-sample scores contradict, the most suspect first.

    :param scores: probabilities ``(n, 8)`` by a model that was not trained on these examples;
        without them, n-gram models are cross-validated over similarity groups.
    :raises CorpusError: when there are too few examples to tell.
    """
    if len(examples) < 10 * FOLDS:
        raise CorpusError(f"{len(examples)} labelled passages are too few; {10 * FOLDS} are needed")
    told = cross_validated(examples) if scores is None else scores
    cut, gold = len(COMPLAINTS), complaint_matrix(examples)
    found = [
        Suspect(examples[i], name, bool(gold[i, k]), float(p))
        for k, name in enumerate(COMPLAINTS)
        for i, p in _issues(gold[:, k].astype(np.int64), _both(told[:, k]))
    ]
    moods = sentiment_vector(examples)
    found += [
        Suspect(examples[i], SENTIMENTS[moods[i]], True, float(p))
        for i, p in _issues(moods, told[:, cut:])
    ]
    return sorted(found, key=lambda suspect: suspect.score)


def cross_validated(examples: Sequence[Example]) -> FloatArray:
    """Out-of-sample probabilities ``(n, 8)`` of n-gram models, whole groups held out."""
    from sklearn.model_selection import GroupKFold

    told = np.zeros((len(examples), len(COMPLAINTS) + len(SENTIMENTS)))
    groups = similarity_groups(examples)
    for known, held in GroupKFold(FOLDS).split(told, groups=groups):
        fitted = fit_ngrams([examples[i] for i in known])
        told[held] = _probabilities(fitted.logits([examples[i].text for i in held]))
    return told


def _probabilities(logits: npt.NDArray[np.float32]) -> FloatArray:
    cut = len(COMPLAINTS)
    complaints = 1 / (1 + np.exp(-logits[:, :cut].astype(np.float64)))
    moods = np.exp(logits[:, cut:] - logits[:, cut:].max(axis=1, keepdims=True))
    return np.hstack([complaints, moods / moods.sum(axis=1, keepdims=True)])


def _both(probability: FloatArray) -> FloatArray:
    return np.column_stack([1 - probability, probability])


def _issues(gold: npt.NDArray[np.int64], told: FloatArray) -> list[tuple[int, float]]:
    from cleanlab.filter import find_label_issues

    if len(set(gold.tolist())) < told.shape[1]:
        return []
    rows = find_label_issues(gold, told, return_indices_ranked_by="self_confidence", n_jobs=1)
    return [(int(i), float(told[i, gold[i]])) for i in rows]
