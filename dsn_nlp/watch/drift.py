"""How far a night's labels lie from those of other nights, and whether chance explains it.

The measure is the population stability index (PSI). The usual rule of thumb, 0.2, ignores how many
passages there are and that those of one article resemble each other; so the null is bootstrapped
from nights themselves: a past night is drawn, as many passages as tonight are drawn from it, and
their index against the other nights is a draw of what a normal night would show.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
DRAWS = 1000
SMOOTHING = 0.5  # passages added to each bin, so that an empty one does not make the index infinite
MIN_NIGHTS = 7
MIN_PASSAGES = 30


@dataclass(frozen=True)
class Drift:
    """Distance of one distribution from a reference.

    :ivar psi: population stability index, ≥ 0.
    :ivar chance: share of normal nights that would lie as far, in (0, 1].
    """

    psi: float
    chance: float


def stability_index(counts: npt.ArrayLike, reference: npt.ArrayLike) -> FloatArray:
    """Population stability index between counts, shape ``(…, bins)``, along the last axis."""
    first, second = _shares(counts), _shares(reference)
    return np.asarray(((first - second) * np.log(first / second)).sum(axis=-1))


def drift_between_nights(
    tonight: Sequence[float], nights: Sequence[Sequence[float]], seed: int = 0
) -> Drift | None:
    """Compare a night with past ones.

    :param tonight: counts by bin.
    :param nights: counts by bin of each past night; nights without passages are left out.
    :return: ``None`` with fewer than ``MIN_NIGHTS`` nights or ``MIN_PASSAGES`` passages.
    """
    now = np.asarray(tonight, np.float64)
    past = np.array([night for night in nights if sum(night) > 0], np.float64)
    if len(past) < MIN_NIGHTS or now.sum() < MIN_PASSAGES:
        return None
    total = past.sum(axis=0)
    observed = float(stability_index(now, total))
    chance = np.random.default_rng(seed)
    drawn = chance.integers(len(past), size=DRAWS)
    shares = _shares(past)[drawn]
    fresh = chance.multinomial(int(now.sum()), shares)
    null = stability_index(fresh, total - past[drawn])
    return Drift(observed, _chance(null >= observed))


def drift_from_training(
    tonight: Sequence[float], reference: Sequence[float], seed: int = 0
) -> Drift | None:
    """Compare a night with what the model saw when it was tested.

    Only chance in drawing passages is in this null; that news differ from training data is what
    is asked.

    :param reference: counts, or weights that sum to the number of test passages.
    :return: ``None`` with fewer than ``MIN_PASSAGES`` passages.
    """
    now, known = np.asarray(tonight, np.float64), np.asarray(reference, np.float64)
    if now.sum() < MIN_PASSAGES or known.sum() < MIN_PASSAGES:
        return None
    observed = float(stability_index(now, known))
    chance = np.random.default_rng(seed)
    fresh = chance.multinomial(int(now.sum()), _shares(known), size=DRAWS)
    again = chance.multinomial(int(known.sum()), _shares(known), size=DRAWS)
    return Drift(observed, _chance(stability_index(fresh, again) >= observed))


def rate_chance(
    tonight: tuple[int, int], nights: Sequence[tuple[int, int]], seed: int = 0
) -> tuple[float, float] | None:
    """Compare a share with that of past nights.

    :param tonight: how many of how many.
    :param nights: the same of past nights.
    :return: ratio of tonight's share to the past one, and the share of normal nights whose ratio
        is as far on the same side of 1; ``None`` where there is too little to tell.
    """
    told, size = tonight
    past = np.array([night for night in nights if night[1] > 0], np.float64)
    if len(past) < MIN_NIGHTS or size < MIN_PASSAGES:
        return None
    total = past.sum(axis=0)
    observed = _log_ratio(np.float64(told), np.float64(size), total)
    chance = np.random.default_rng(seed)
    drawn = past[chance.integers(len(past), size=DRAWS)]
    shares = (drawn[:, 0] + SMOOTHING) / (drawn[:, 1] + 2 * SMOOTHING)
    fresh = chance.binomial(size, np.clip(shares, 0, 1)).astype(np.float64)
    null = _log_ratio(fresh, np.float64(size), (total - drawn).T)
    return float(np.exp(observed)), _chance(null >= observed if observed > 0 else null <= observed)


def _log_ratio(told: npt.ArrayLike, size: npt.ArrayLike, past: npt.ArrayLike) -> FloatArray:
    known = np.asarray(past, np.float64)
    now = (np.asarray(told) + SMOOTHING) / (np.asarray(size) + 2 * SMOOTHING)
    before = (known[0] + SMOOTHING) / (known[1] + 2 * SMOOTHING)
    return np.asarray(np.log(now / before))


def _shares(counts: npt.ArrayLike) -> FloatArray:
    smooth = np.asarray(counts, np.float64) + SMOOTHING
    return np.asarray(smooth / smooth.sum(axis=-1, keepdims=True))


def _chance(further: npt.NDArray[np.bool_]) -> float:
    return float((1 + further.sum()) / (1 + len(further)))
