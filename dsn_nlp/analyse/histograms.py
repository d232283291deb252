"""Histograms of groups of passages, and their bootstrap over documents.

The passages of one document speak with one voice, so whole documents are drawn anew. In groups of
more than ``BLOCKS`` documents these are first thrown together at random into as many blocks, and
blocks are drawn (random groups: Wolter, Introduction to Variance Estimation, 2007): the spread is
the same, and the work no longer grows with the store.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BLOCKS = 800


@dataclass(frozen=True)
class Histograms:
    """Shares of bins in each group, and in each draw of it.

    :ivar shares: ``(cells, 1 + draws, sum of widths)``; each column's part sums to one.
    :ivar widths: bins of each column.
    """

    shares: Floats
    widths: tuple[int, ...]

    def part(self, column: int) -> Floats:
        """Shares of one column's bins, ``(cells, 1 + draws, bins)``."""
        start = sum(self.widths[:column])
        return self.shares[:, :, start : start + self.widths[column]]


def draw_histograms(
    cell: npt.NDArray[np.integer],
    document: npt.NDArray[np.integer],
    bins: Ints,
    widths: list[int],
    cells: int,
    draws: int,
    seed: int = 0,
) -> Histograms:
    """Count bins by group, with draws.

    :param cell: group of each passage, in ``[0, cells)``, ``(n,)``.
    :param document: document of each passage, ``(n,)``.
    :param bins: bin of each passage in each column, ``(n, columns)``.
    :param cells: how many groups there are; an empty one gets equal shares.
    """
    owner, counts = _document_counts(cell, document, bins, widths)
    rng = np.random.default_rng(seed)
    shares = np.empty((cells, 1 + draws, sum(widths)))
    bounds = np.searchsorted(owner, np.arange(cells + 1))
    # Many small products: threads of the linear algebra would only wait for one another.
    with _algebra().limit(limits=1, user_api="blas"):
        for one in range(cells):
            part = counts[bounds[one] : bounds[one + 1]]
            shares[one, 0] = part.sum(axis=0)
            shares[one, 1:] = _draw(part, draws, rng)
    return Histograms(_normalised(shares, widths), tuple(widths))


@lru_cache(maxsize=1)
def _algebra() -> ThreadpoolController:
    return ThreadpoolController()


def _document_counts(
    cell: npt.NDArray[np.integer],
    document: npt.NDArray[np.integer],
    bins: Ints,
    widths: list[int],
) -> tuple[Ints, Floats]:
    """Counts of bins a document of a group, ordered by group."""
    key = cell.astype(np.int64) * (int(document.max(initial=0)) + 1) + document
    unique, place = np.unique(key, return_inverse=True)
    owner = unique // (int(document.max(initial=0)) + 1)
    total = sum(widths)
    counts = np.zeros(len(unique) * total)
    starts = np.concatenate([[0], np.cumsum(widths)[:-1]])
    for column, start in enumerate(starts):
        flat = place * total + int(start) + bins[:, column]
        counts += np.bincount(flat, minlength=len(counts))
    return owner, counts.reshape(len(unique), total)


def _draw(counts: Floats, draws: int, rng: np.random.Generator) -> Floats:
    if len(counts) == 0:
        return np.zeros((draws, counts.shape[1]))
    if len(counts) > BLOCKS:
        order = rng.permutation(len(counts))
        starts = np.linspace(0, len(counts), BLOCKS, endpoint=False).astype(np.intp)
        counts = np.add.reduceat(counts[order], starts, axis=0)
    size = len(counts)
    weights = rng.multinomial(size, np.full(size, 1 / size), size=draws)
    return np.asarray(weights.astype(np.float64) @ counts)


def _normalised(shares: Floats, widths: list[int]) -> Floats:
    start = 0
    for width in widths:
        part = shares[:, :, start : start + width]
        total = part.sum(axis=2, keepdims=True)
        part[...] = np.where(total > 0, part / np.where(total > 0, total, 1), 1 / width)
        start += width
    return shares
