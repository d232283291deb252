"""Shares of all labels in groups of passages, with their bootstrap draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.frame import Frame
from dsn_nlp.analyse.histograms import draw_histograms
from dsn_nlp.analyse.prevalence import interval
from dsn_nlp.analyse.tables import Estimate
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

Floats = npt.NDArray[np.float64]

NET = "net"
ANY = "any"
# Columns of the arrays below.
LABELS = (*COMPLAINTS, *SENTIMENTS, NET)
_CELLS_AT_ONCE = 64
_NEGATIVE, _POSITIVE = LABELS.index("negative"), LABELS.index("positive")


@dataclass(frozen=True)
class Estimates:
    """Shares of ``LABELS`` in ``cells`` groups.

    :ivar draws: ``(cells, 1 + draws, 9)``, float32; the first of each is the estimate itself.
    :ivar counted: plain shares of what is told, ``(cells, 9)``.
    :ivar passages: ``(cells,)``.
    """

    draws: npt.NDArray[np.float32]
    counted: Floats
    passages: npt.NDArray[np.int64]

    def one(self, cell: int, label: str) -> Estimate:
        """The share of a label in a group, with its interval."""
        draws = self.draws[cell, :, LABELS.index(label)]
        return estimate_of(draws) if label == NET else widened(draws, int(self.passages[cell]))


def widened(draws: npt.NDArray[np.floating], size: int) -> Estimate:
    """Read a share from draws, its interval never narrower than a plain share's of ``size``.

    (Wilson, JASA 22, 1927.) A bootstrap of ten passages without a complaint would else swear that
    there is none.
    """
    found = estimate_of(draws)
    low, high = wilson(found.value, size)
    return Estimate(found.value, min(found.low, low), max(found.high, high))


def estimate_of(draws: npt.NDArray[np.floating]) -> Estimate:
    """Read value and interval from draws, ``(1 + draws,)``; the value is never outside."""
    low, high = interval(draws[None].astype(np.float64))
    value = float(draws[0])
    return Estimate(value, min(float(low[0]), value), max(float(high[0]), value))


def wilson(share: float, size: int) -> tuple[float, float]:
    """Ends of the 95 % score interval of a share among ``size``."""
    z2 = 1.96**2
    middle = (share + z2 / (2 * size)) / (1 + z2 / size)
    spread = 1.96 / (1 + z2 / size) * (share * (1 - share) / size + z2 / (4 * size**2)) ** 0.5
    return max(0.0, middle - spread), min(1.0, middle + spread)


def estimate(
    desk: Desk,
    frame: Frame,
    rows: npt.NDArray[np.intp],
    cell: npt.NDArray[np.integer],
    cells: int,
    labels: Sequence[str] = LABELS,
) -> Estimates:
    """Estimate the shares of labels in groups of passages.

    :param rows: passages of the frame, ``(n,)``.
    :param cell: group of each, in ``[0, cells)``, ``(n,)``.
    :param labels: which are wanted; draws of the others may be NaN. Those of a label are the same
        whichever others are asked for with it.
    """
    order = np.argsort(cell, kind="stable")
    rows, cell = rows[order], cell[order]
    bounds = np.searchsorted(cell, np.arange(cells + 1))
    columns = sorted({min(LABELS.index(label), len(COMPLAINTS)) for label in labels})
    parts = []
    for first in range(0, cells, _CELLS_AT_ONCE):
        last = min(first + _CELLS_AT_ONCE, cells)
        inside = slice(bounds[first], bounds[last])
        parts.append(_draws(desk, frame, rows[inside], cell[inside] - first, last - first, columns))
    found = np.concatenate(parts) if parts else np.zeros((0, 1 + desk.draws, 8), np.float32)
    net = found[:, :, _POSITIVE] - found[:, :, _NEGATIVE]
    return Estimates(
        np.concatenate([found, net[:, :, None]], axis=2),
        _counted(frame, rows, cell, cells),
        np.diff(bounds).astype(np.int64),
    )


def _draws(
    desk: Desk,
    frame: Frame,
    rows: npt.NDArray[np.intp],
    cell: npt.NDArray[np.integer],
    cells: int,
    columns: Sequence[int],
) -> npt.NDArray[np.float32]:
    corrector = desk.corrector()
    document = frame.document[rows]
    if corrector is not None:
        bins = corrector.bins_of(
            frame.scores[rows], frame.mood[rows], frame.mood_score[rows], columns
        )
        widths = [corrector.widths[k] for k in columns]
        found = draw_histograms(cell, document, bins, widths, cells, desk.draws)
        return corrector.correct(found, columns).astype(np.float32)
    told = frame.told[rows].astype(np.int64)
    bins = np.hstack([told, frame.mood[rows, None].astype(np.int64)])
    widths = [2] * len(COMPLAINTS) + [len(SENTIMENTS)]
    found = draw_histograms(cell, document, bins, widths, cells, desk.draws)
    complaints = [found.part(k)[:, :, 1:] for k in range(len(COMPLAINTS))]
    return np.concatenate([*complaints, found.part(len(COMPLAINTS))], axis=2).astype(np.float32)


def _counted(
    frame: Frame, rows: npt.NDArray[np.intp], cell: npt.NDArray[np.integer], cells: int
) -> Floats:
    """Plain shares of what is told, ``(cells, 9)``; passages come group by group."""
    told = np.empty((len(rows), len(LABELS)), np.int32)
    told[:, : len(COMPLAINTS)] = frame.told[rows]
    told[:, len(COMPLAINTS) : -1] = frame.mood[rows, None] == np.arange(len(SENTIMENTS))
    told[:, -1] = told[:, _POSITIVE] - told[:, _NEGATIVE]
    sums = np.zeros((cells + 1, len(LABELS)))
    bounds = np.searchsorted(cell, np.arange(cells + 1))
    for one in range(cells):
        sums[one] = told[bounds[one] : bounds[one + 1]].sum(axis=0)
    return np.asarray(sums[:-1] / np.maximum(np.diff(bounds), 1)[:, None])
