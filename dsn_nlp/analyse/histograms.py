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
    owner: Ints = document.astype(np.int64)
    if not _in_order(cell, owner):
        order = np.lexsort((owner, cell))
        cell, owner, bins = cell[order], owner[order], bins[order]
    bounds = np.searchsorted(cell, np.arange(cells + 1))
    rng = np.random.default_rng(seed)
    shares = np.empty((cells, 1 + draws, sum(widths)))
    # Many small products: threads of the linear algebra would only wait for one another.
    with _algebra().limit(limits=1, user_api="blas"):
        for one in range(cells):
            inside = slice(bounds[one], bounds[one + 1])
            counts = _unit_counts(owner[inside], bins[inside], widths, rng)
            shares[one, 0] = counts.sum(axis=0)
            shares[one, 1:] = _draw(counts, draws, rng)
    return Histograms(_normalised(shares, widths), tuple(widths))


def _in_order(cell: npt.NDArray[np.integer], document: Ints) -> bool:
    """Whether passages come group by group, and in each document by document."""
    steps = np.diff(cell)
    return bool(((steps > 0) | ((steps == 0) & (np.diff(document) >= 0))).all())


@lru_cache(maxsize=1)
def _algebra() -> ThreadpoolController:
    return ThreadpoolController()


def _unit_counts(document: Ints, bins: Ints, widths: list[int], rng: np.random.Generator) -> Floats:
    """Counts of bins in each unit that is drawn of one group: a document, or a block of them.

    :param document: of each passage of the group, in order.
    """
    place: Ints = np.cumsum(np.diff(document, prepend=document[:1]) > 0, dtype=np.int64)
    size = int(place[-1]) + 1 if len(place) else 0
    if size > BLOCKS:
        block = np.empty(size, np.int64)
        starts = np.linspace(0, size, BLOCKS, endpoint=False).astype(np.intp)
        block[rng.permutation(size)] = np.searchsorted(starts, np.arange(size), "right") - 1
        place, size = block[place], BLOCKS
    parts = [
        np.bincount(place * width + bins[:, column], minlength=size * width).reshape(size, width)
        for column, width in enumerate(widths)
    ]
    return np.hstack(parts).astype(np.float64)


def _draw(counts: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Sums of units drawn anew with replacement, ``(draws, bins)``.

    Numbering the drawn and counting the numbers is four times faster than ``rng.multinomial``.
    """
    size = len(counts)
    if size == 0:
        return np.zeros((draws, counts.shape[1]))
    drawn = rng.integers(0, size, size=(draws, size), dtype=np.int32)
    drawn += (np.arange(draws, dtype=np.int32) * size)[:, None]
    weights = np.bincount(drawn.ravel(), minlength=draws * size).reshape(draws, size)
    # Whole numbers below 2**24 are exact in single precision, and twice as fast.
    kind = np.float32 if 4 * counts.sum(axis=0).max(initial=0) < 2**24 else np.float64
    return np.asarray(weights.astype(kind) @ counts.astype(kind), np.float64)


def _normalised(shares: Floats, widths: list[int]) -> Floats:
    start = 0
    for width in widths:
        part = shares[:, :, start : start + width]
        total = part.sum(axis=2, keepdims=True)
        part[...] = np.where(total > 0, part / np.where(total > 0, total, 1), 1 / width)
        start += width
    return shares
