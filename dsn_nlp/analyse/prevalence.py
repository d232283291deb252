"""Shares corrected for the classifier's measured errors, with intervals that know of them.

The share told by a classifier is biased: where few passages have a label, its false alarms
dominate (Forman, "Quantifying counts and costs via classification", Data Mining and Knowledge
Discovery 17, 2008). Here the scores of a group of passages are taken for a mixture of the score
distributions of passages with and without the label, known from the model's error profile, and
the mixing share is found by maximum likelihood (Saerens, Latinne and Decaestecker, Neural
Computation 14, 2002; on histograms of scores: Maletzke et al., DyS, AAAI 2019; compared with
others in QuaPy, Moreo, Esuli and Sebastiani, CIKM 2021). Where the profile holds too few passages
with the label, probabilistic adjusted counting (Bella et al., ICDM 2010) takes its place.

It rests on one assumption, prior shift: passages with a label score alike wherever they are from.

Intervals are percentiles of a bootstrap that draws documents of the group and similarity groups
of the profile anew, both at once, so they hold the chance of what was written and of how well the
classifier's errors are known. All groups share the profile's draws: a comparison of two groups
by the differences of their draws does not count that uncertainty twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.histograms import Histograms
from dsn_nlp.label.profile import ErrorProfile
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEVEL = 0.95
DRAWS = 400
BINS = 12
# Below this many passages with a label its score distribution is a guess.
FEWEST = 30
# One a complaint, then one of the sentiment.
COLUMNS = tuple(range(len(COMPLAINTS) + 1))
_SEED = 20260509
# Added to each bin, so that a score never seen with a label is unlikely and not impossible.
_PRIOR = 0.5
_HALVINGS = 22
_STEPS = 60


@dataclass(frozen=True)
class Mixture:
    """Binned score distributions of one label's classes, each with its draws.

    :ivar edges: inner edges of the bins, ``(k - 1,)``.
    :ivar heights: share of each class in each bin, ``(1 + draws, classes, k)``; the first is of
        the profile as it is.
    :ivar centres: mean score in each bin, for the fallback; ``None`` where the mixture serves.
    """

    edges: Floats
    heights: Floats
    centres: Floats | None = None

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return int(self.heights.shape[2])


@dataclass(frozen=True)
class Corrector:
    """What corrects shares: one mixture a complaint, and one of the three sentiments."""

    complaints: tuple[Mixture, ...]
    sentiment: Mixture
    draws: int

    def bins_of(
        self,
        scores: npt.NDArray[np.float32],
        mood: npt.NDArray[np.uint8],
        mood_score: npt.NDArray[np.float32],
        columns: Sequence[int] = COLUMNS,
    ) -> Ints:
        """Put passages in bins, ``(n, len(columns))``.

        :param columns: which of ``COLUMNS``: one a complaint, then the sentiment.
        """
        binned = [
            np.digitize(scores[:, k], self.complaints[k].edges)
            if k < len(self.complaints)
            else _mood_bins(mood, mood_score, self.sentiment.edges)
            for k in columns
        ]
        return np.stack(binned, axis=1).astype(np.int64)

    @property
    def widths(self) -> list[int]:
        """How many bins each column has."""
        return [m.bins for m in (*self.complaints, self.sentiment)]

    def correct(self, found: Histograms, columns: Sequence[int] = COLUMNS) -> Floats:
        """Estimate the shares of all labels.

        :param found: histograms of ``cells`` groups, with as many draws as there are here.
        :param columns: what ``found`` is of, which of ``COLUMNS``; labels of others are NaN.
        :return: ``(cells, 1 + draws, 8)``: five complaints, three sentiments that sum to one;
            the first of each group's draws is the estimate itself.
        """
        count = len(self.complaints)
        shares = np.full((*found.shares.shape[:2], count + len(SENTIMENTS)), np.nan)
        for place, k in enumerate(columns):
            if k < count:
                shares[:, :, k] = _two_classes(found.part(place), self.complaints[k])
            else:
                shares[:, :, count:] = _classes(found.part(place), self.sentiment)
        return shares


def make_corrector(profile: ErrorProfile, draws: int = DRAWS, seed: int = _SEED) -> Corrector:
    """Prepare the correction from a model's error profile.

    :param draws: bootstrap draws of the profile's similarity groups.
    """
    weights = _group_weights(profile.groups, draws, np.random.default_rng(seed))
    gold = profile.complaints.astype(bool)
    return Corrector(
        tuple(
            _complaint_mixture(profile.complaint_scores[:, k], gold[:, k], weights)
            for k in range(len(COMPLAINTS))
        ),
        _sentiment_mixture(profile, weights),
        draws,
    )


def interval(draws: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Ends of the central interval of draws, along the second axis but its first entry."""
    tail = (1 - level) / 2
    low, high = np.quantile(draws[:, 1:], [tail, 1 - tail], axis=1)
    return low, high


def _group_weights(groups: npt.NDArray[np.int32], draws: int, rng: np.random.Generator) -> Floats:
    """How often each profile passage is drawn, ``(1 + draws, n)``; the first row is all ones."""
    _, member = np.unique(groups, return_inverse=True)
    count = int(member.max()) + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    return np.vstack([np.ones((1, len(groups))), drawn[:, member]]).astype(np.float64)


def _complaint_mixture(
    scores: npt.NDArray[np.float32], gold: npt.NDArray[np.bool_], weights: Floats
) -> Mixture:
    edges = _edges(scores, gold)
    inside = np.eye(len(edges) + 1)[np.digitize(scores, edges)]
    classes = [gold, ~gold]
    heights = _heights(inside, classes, weights)
    if min(int(gold.sum()), int((~gold).sum())) >= FEWEST:
        return Mixture(edges, heights)
    total = inside.sum(axis=0)
    return Mixture(edges, heights, (scores @ inside + 0.5) / (total + 1))


def _edges(scores: npt.NDArray[np.float32], gold: npt.NDArray[np.bool_]) -> Floats:
    """Inner edges at quantiles of both classes, each weighing half: fine where they meet."""
    places = np.linspace(0, 1, 50)
    both = [np.quantile(scores[part], places) for part in (gold, ~gold) if part.any()]
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    return np.unique(np.quantile(np.concatenate(both), inner)).astype(np.float64)


def _sentiment_mixture(profile: ErrorProfile, weights: Floats) -> Mixture:
    mood = profile.sentiment_scores.argmax(axis=1).astype(np.uint8)
    score = profile.sentiment_scores.max(axis=1)
    inner = np.linspace(0, 1, BINS // len(SENTIMENTS) + 1)[1:-1]
    edges = np.unique(np.quantile(score, inner)).astype(np.float64)
    bins = _mood_bins(mood, score, edges)
    inside = np.eye(len(SENTIMENTS) * (len(edges) + 1))[bins]
    classes = [profile.sentiment == index for index in range(len(SENTIMENTS))]
    return Mixture(edges, _heights(inside, classes, weights))


def _mood_bins(mood: npt.NDArray[np.uint8], score: npt.NDArray[np.float32], edges: Floats) -> Ints:
    """The told sentiment by how sure it is."""
    sure = np.digitize(score, edges)
    return np.asarray(mood.astype(np.int64) * (len(edges) + 1) + sure)


def _heights(inside: Floats, classes: list[npt.NDArray[np.bool_]], weights: Floats) -> Floats:
    filled = [(weights[:, part] @ inside[part]) + _PRIOR for part in classes]
    heights = np.stack(filled, axis=1)
    return np.asarray(heights / heights.sum(axis=2, keepdims=True))


def _two_classes(shares: Floats, mixture: Mixture) -> Floats:
    """Mixing shares of two classes, ``(cells, 1 + draws)``."""
    with_, without = mixture.heights[:, 0], mixture.heights[:, 1]
    if mixture.centres is not None:
        return _probabilistic_count(shares, with_, without, mixture.centres)
    gap = with_ - without
    low = np.zeros(shares.shape[:2])
    high = np.ones(shares.shape[:2])
    # The log-likelihood is concave in the share: its slope changes sign once.
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        mixed = without + middle[:, :, None] * gap
        rising = (shares * gap / mixed).sum(axis=2) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return (low + high) / 2


def _probabilistic_count(shares: Floats, with_: Floats, without: Floats, centres: Floats) -> Floats:
    """Mean score, scaled by the mean scores of both classes (Bella et al. 2010)."""
    mean, above, below = shares @ centres, with_ @ centres, without @ centres
    return np.clip((mean - below) / np.maximum(above - below, 0.05), 0, 1)


def _classes(shares: Floats, mixture: Mixture) -> Floats:
    """Mixing shares of several classes by expectation-maximisation, ``(cells, 1 + draws, c)``."""
    heights = mixture.heights  # (draws, classes, bins)
    count = heights.shape[1]
    mixing = np.full((*shares.shape[:2], count), 1 / count)
    for _ in range(_STEPS):
        mixed = np.einsum("cbk,bkj->cbj", mixing, heights)
        mixing = mixing * np.einsum("cbj,bkj->cbk", shares / mixed, heights)
    return np.asarray(mixing / np.maximum(mixing.sum(axis=2, keepdims=True), 1e-12))
