"""At which weeks a series of shares takes another level.

Optimal segmentation under a penalty by PELT (Killick, Fearnhead and Eckley, JASA 107, 2012; the
library ``ruptures``), with each week weighing as much as it is known. Weeks that scatter more
than their own uncertainty says make all spreads wider, so that unrest is not taken for change.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# A level holds for two weeks at least; one odd week is no change.
SHORTEST = 2
FEWEST_WEEKS = 6
# Cost of a change, in squared standard errors, per log week: 10.6 for 26 weeks. In flat series of
# 8 to 52 weeks it finds a change in 0.2 to 1.5 %, in ones that scatter twice their errors in 3 to
# 12 % (``python -m dsn_nlp.analyse.simulate --changes``); what is found is then tested.
PENALTY = 3.25


def change_points(values: Sequence[float], spreads: Sequence[float]) -> list[int]:
    """Find where a series changes its level.

    :param values: share of each week, in order.
    :param spreads: standard error of each, positive.
    :return: indexes of the first week at each new level; none for fewer than six weeks.
    """
    series, errors = np.asarray(values, np.float64), np.asarray(spreads, np.float64)
    if len(series) < FEWEST_WEEKS:
        return []
    errors = errors * _unrest(series, errors)
    import ruptures

    algorithm = ruptures.Pelt(custom_cost=_cost(errors), min_size=SHORTEST, jump=1)
    found = algorithm.fit(series[:, None]).predict(pen=PENALTY * np.log(len(series)))
    return [int(place) for place in found[:-1]]


def _unrest(series: Floats, errors: Floats) -> float:
    """How much more neighbouring weeks differ than their errors allow; 1 at least.

    Differences of neighbours hardly see a change of level, and their median sees none.
    """
    steps = np.abs(np.diff(series)) / np.hypot(errors[1:], errors[:-1])
    return max(1.0, float(np.median(steps)) / 0.6745)


def _cost(errors: Floats) -> Any:
    from ruptures.base import BaseCost

    class Weighted(BaseCost):
        """Squared distance from the weighted mean, in standard errors."""

        model, min_size = "", SHORTEST

        def fit(self, signal: Floats) -> "Weighted":
            weight, value = 1 / errors**2, signal[:, 0]
            zero = [0.0]
            self.signal = signal
            self.sums = [
                np.concatenate([zero, np.cumsum(weight * value**power)]) for power in range(3)
            ]
            return self

        def error(self, start: int, end: int) -> float:
            total, first, second = (s[end] - s[start] for s in self.sums)
            return float(second - first**2 / total)

    return Weighted()
