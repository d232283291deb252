"""What a model's scores looked like on its test split: the training side of drift."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dsn_nlp.label.profile import ErrorProfile, read_profile
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

Histograms = dict[str, list[float]]


def reference_histograms(folder: Path, strata: Mapping[str, int], bins: int) -> Histograms | None:
    """Histogram the scores of the test split, weighted to a night's mix of kinds and languages.

    Without the weights a night of comments alone would seem to drift from a split half of news.

    :param folder: of a verified model.
    :param strata: passages by ``kind-lang``, as ``article-fr``.
    :return: by label, ``bins`` weights over [0, 1] that sum to the effective number of test
        passages; ``None`` for a model without an error profile.
    :raises ModelError: when the profile is altered.
    """
    profile = read_profile(folder)
    if profile is None or not sum(strata.values()):
        return None
    weights = _weights(profile, strata)
    scores = np.hstack([profile.complaint_scores, profile.sentiment_scores])
    edges = np.linspace(0, 1, bins + 1)
    found: Histograms = {}
    for column, name in enumerate((*COMPLAINTS, *SENTIMENTS)):
        counts, _ = np.histogram(np.clip(scores[:, column], 0, 1), edges, weights=weights)
        found[name] = [float(count) for count in counts]
    return found


def _weights(profile: ErrorProfile, strata: Mapping[str, int]) -> np.ndarray:
    """Weigh each test passage so that strata have a night's shares."""
    wanted = sum(strata.values())
    weights = np.zeros(len(profile.french))
    for name, count in strata.items():
        kind, _, lang = name.partition("-")
        mine = (profile.news == (kind == "article")) & (profile.french == (lang == "fr"))
        if mine.any():
            weights[mine] = count / wanted / mine.sum()
    total = weights.sum()
    if not total:
        return weights
    # Kish: as many equal passages as would carry the same chance error.
    effective = total**2 / (weights**2).sum()
    return np.asarray(weights / total * effective)
