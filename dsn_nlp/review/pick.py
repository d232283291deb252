"""Which passages are worth a person's time."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dsn_nlp.records import COMPLAINTS, SENTIMENTS, Candidate

Strategy = Literal["uncertain", "neighbours", "random", "label"]
STRATEGIES: tuple[Strategy, ...] = ("uncertain", "neighbours", "random", "label")
NEIGHBOURS = 8
# Neighbours are sought among so many passages at most: similarity costs their square.
MOST_COMPARED = 20_000


def pick(
    candidates: Sequence[Candidate],
    strategy: Strategy,
    size: int,
    *,
    label: str | None = None,
    seed: int = 17,
) -> list[Candidate]:
    """Choose passages for review, the most telling first; equal texts are chosen once.

    * ``uncertain``: the highest probability that some label is wrong.
    * ``neighbours``: told labels differ from those of the most similar passages.
    * ``random``: a fair sample, which alone measures the model.
    * ``label``: a fair sample of the passages told to bear ``label``.

    :param size: how many at most.
    :param seed: of the samples.
    """
    unique = list({candidate.text: candidate for candidate in candidates}.values())
    if strategy == "label":
        unique = [c for c in unique if label in (*c.complaints, c.sentiment)]
    order = np.random.default_rng(seed).permutation(len(unique))
    shuffled = [unique[i] for i in order]
    if strategy == "uncertain":
        worth = risks(shuffled)
    elif strategy == "neighbours":
        shuffled = shuffled[:MOST_COMPARED]
        worth = disagreements(shuffled)
    else:
        return shuffled[:size]
    return [shuffled[i] for i in np.argsort(-worth, kind="stable")[:size]]


def risks(candidates: Sequence[Candidate]) -> npt.NDArray[np.float64]:
    """Probability that at least one told label is wrong, shape ``(n,)``."""
    scores = _scores(candidates)
    complaints, moods = scores[:, : len(COMPLAINTS)], scores[:, len(COMPLAINTS) :]
    right = np.maximum(complaints, 1 - complaints).prod(axis=1) * moods.max(axis=1, initial=0)
    return np.asarray(1 - right)


def disagreements(candidates: Sequence[Candidate]) -> npt.NDArray[np.float64]:
    """How far told labels lie from the mean of the ``NEIGHBOURS`` nearest texts', shape ``(n,)``.

    Nearness is the cosine of character and word n-grams.
    """
    from sklearn.neighbors import NearestNeighbors

    if len(candidates) <= NEIGHBOURS:
        return np.zeros(len(candidates))
    rows = _vectors([c.text for c in candidates])
    found = NearestNeighbors(n_neighbors=NEIGHBOURS + 1, metric="cosine").fit(rows)
    nearest = found.kneighbors(rows, return_distance=False)[:, 1:]
    told = _told(candidates)
    return np.asarray(np.abs(told - told[nearest].mean(axis=1)).sum(axis=1))


def _vectors(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(texts)


def _told(candidates: Sequence[Candidate]) -> npt.NDArray[np.float64]:
    names = (*COMPLAINTS, *SENTIMENTS)
    rows = [[float(n in (*c.complaints, c.sentiment)) for n in names] for c in candidates]
    return np.array(rows).reshape(-1, len(names))


def _scores(candidates: Sequence[Candidate]) -> npt.NDArray[np.float64]:
    return np.array([c.scores for c in candidates]).reshape(-1, len(COMPLAINTS) + len(SENTIMENTS))
