"""The adaptation curve: complaints and net sentiment by week since go-live, and what changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.cells import TOTAL
from dsn_nlp.analyse.changepoints import change_points
from dsn_nlp.analyse.changes import (
    FALLS,
    FEWEST,
    RATE,
    RISES,
    change_row,
    false_discovery,
)
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.estimates import LABELS, NET, Estimates, estimate
from dsn_nlp.analyse.frame import Frame
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.shares import Cut, cut_by, estimate_cut
from dsn_nlp.analyse.tables import About, Estimate
from dsn_nlp.records import COMPLAINTS

CURVE_LABELS = (*COMPLAINTS, NET)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One week since go-live, from 0; figures are ``None`` where too few people wrote."""

    week: int
    passages: int | None
    share: Estimate | None


@dataclass(frozen=True, slots=True)
class Level:
    """Weeks ``first`` to ``last``, both included, at one level."""

    first: int
    last: int
    passages: int
    share: Estimate


@dataclass(frozen=True, slots=True)
class LevelChange:
    """Where one level gives way to another.

    :ivar week: first week of the second.
    :ivar q: false discovery rate among all changes looked for in one call.
    :ivar verdict: ``rises`` or ``falls``.
    """

    week: int
    before: Level
    after: Level
    q: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One label at one site (``None``: at all of them) since go-live.

    :ivar levels: from the first to the last week shown, one more than there are changes.
    :ivar changes: those that a test confirms.
    """

    site: str | None
    label: str
    golive: date | None
    points: tuple[CurvePoint, ...]
    levels: tuple[Level, ...]
    changes: tuple[LevelChange, ...]
    about: About

    @property
    def hidden(self) -> int:
        """Weeks that are withheld."""
        return sum(point.passages is None for point in self.points)

    def day_of(self, week: int) -> date | None:
        """First day of a week since go-live."""
        return self.golive + timedelta(weeks=week) if self.golive else None


@dataclass(frozen=True)
class _Draft:
    """A curve before its changes are judged: weeks by level, and a p-value between two."""

    curve: Curve
    cut: Cut
    pieces: Sequence[Sequence[int]]
    tested: Sequence[float]


def adaptation(
    desk: Desk,
    sites: Sequence[str | None] | None = None,
    labels: Sequence[str] = CURVE_LABELS,
    scope: Scope | None = None,
) -> list[Curve]:
    """Follow labels at sites since their go-live.

    Changes are found by penalised segmentation, then tested as differences of the two levels;
    their false discovery rate is held over all curves that are returned together.

    :param sites: official names; ``None`` among them stands for all sites together. By default
        that, then each site that has gone live, by name.
    :param scope: which passages; staff comments alone by default.
    :raises StoreError: when the store cannot be read.
    """
    chosen = scope or Scope(kinds=("comment",))
    frame = desk.frame()
    wanted = tuple(sites) if sites is not None else (None, *live_sites(desk))
    key = ("adaptation", wanted, tuple(labels), chosen)

    def make() -> list[Curve]:
        drafts = [d for site in wanted for d in _drafts(desk, frame, site, labels, chosen)]
        return _judged(desk, frame, drafts)

    return desk.remember(key, make)


def live_sites(desk: Desk) -> list[str]:
    """Sites with passages and a go-live day, by name."""
    names = desk.frame().columns["site"].names
    return sorted(name for name in names if name and desk.golive.of(name))


def _drafts(
    desk: Desk, frame: Frame, site: str | None, labels: Sequence[str], scope: Scope
) -> list[_Draft]:
    mine = scope if site is None else scope.but(sites=(site,))
    rows = frame.chosen(mine)
    cut = cut_by(desk, frame, rows, ("since_golive",), mine)
    found, about = estimate_cut(desk, frame, cut, labels), desk.about(frame, rows)
    golive = desk.golive.of(site) if site else desk.golive.first
    weeks = [n for n, key in enumerate(cut.keys) if key != (TOTAL,)]
    drafts = []
    for label in labels:
        points = tuple(_point(cut, found, n, label) for n in weeks)
        curve = Curve(site, label, golive, points, (), (), about)
        drafts.append(_draft(desk, frame, cut, found, curve, weeks))
    return drafts


def _point(cut: Cut, found: Estimates, number: int, label: str) -> CurvePoint:
    key = cut.keys[number]
    if key in cut.hidden:
        return CurvePoint(int(key[0]), None, None)
    return CurvePoint(int(key[0]), len(cut.members[number]), found.one(number, label))


def _draft(
    desk: Desk, frame: Frame, cut: Cut, found: Estimates, curve: Curve, weeks: Sequence[int]
) -> _Draft:
    """Look for changes; whether they hold depends on how many are looked for."""
    shown = [n for n in weeks if cut.keys[n] not in cut.hidden]
    place = LABELS.index(curve.label)
    draws = found.draws[shown][:, :, place].astype(np.float64)
    spreads = _spreads(draws, found.passages[shown]) if shown else ()
    bounds = [0, *change_points(list(draws[:, 0]), list(spreads)), len(shown)]
    pieces = [shown[first:last] for first, last in pairwise(bounds) if shown]
    levels, pooled = _levels(desk, frame, cut, pieces, curve.label)
    tested = [
        change_row((), curve.label, pooled, i, pooled, i + 1).q for i in range(len(levels) - 1)
    ]
    return _Draft(
        replace(curve, levels=levels), cut, pieces, [1.0 if p is None else p for p in tested]
    )


def _levels(
    desk: Desk, frame: Frame, cut: Cut, pieces: Sequence[Sequence[int]], label: str
) -> tuple[tuple[Level, ...], Estimates]:
    pooled = _pooled(desk, frame, cut, pieces, label)
    return tuple(_level(cut, piece, pooled, i, label) for i, piece in enumerate(pieces)), pooled


def _spreads(
    draws: npt.NDArray[np.float64], passages: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Standard error of each week beside the others: what all weeks share of the classifier's
    uncertainty moves none of them."""
    own = draws[:, 1:] - draws[:, 1:].mean(axis=0)
    share = np.clip(np.abs(draws[:, 0]), 1 / (passages + 2), 1 - 1 / (passages + 2))
    return np.asarray(np.maximum(own.std(axis=1), np.sqrt(share * (1 - share) / passages)))


def _pooled(
    desk: Desk, frame: Frame, cut: Cut, pieces: Sequence[Sequence[int]], label: str
) -> Estimates:
    """Estimate each level from its weeks together."""
    members = [np.concatenate([cut.members[n] for n in piece]) for piece in pieces]
    members = members or [np.zeros(0, np.intp)]
    cell = np.repeat(np.arange(len(pieces)), [len(part) for part in members])
    places = cut.rows[np.concatenate(members)]
    return estimate(desk, frame, places, cell, len(pieces), (label,))


def _level(cut: Cut, piece: Sequence[int], pooled: Estimates, number: int, label: str) -> Level:
    first, last = int(cut.keys[piece[0]][0]), int(cut.keys[piece[-1]][0])
    return Level(first, last, int(pooled.passages[number]), pooled.one(number, label))


def _judged(desk: Desk, frame: Frame, drafts: Sequence[_Draft]) -> list[Curve]:
    """Hold the false discovery rate over the changes of all curves; join levels that may be one."""
    adjusted = iter(false_discovery([p for draft in drafts for p in draft.tested]))
    return [
        _settled(desk, frame, draft, [float(next(adjusted)) for _ in draft.tested])
        for draft in drafts
    ]


def _settled(desk: Desk, frame: Frame, draft: _Draft, rates: Sequence[float]) -> Curve:
    fine = draft.curve.levels
    pieces, held = [list(piece) for piece in draft.pieces[:1]], []
    for piece, (before, after), q in zip(draft.pieces[1:], pairwise(fine), rates, strict=True):
        if _direction(before, after, q):
            pieces.append(list(piece))
            held.append(q)
        else:
            pieces[-1] += piece
    joined = len(pieces) < len(fine)
    levels = _levels(desk, frame, draft.cut, pieces, draft.curve.label)[0] if joined else fine
    told = [
        LevelChange(after.first, before, after, q, moved)
        for (before, after), q in zip(pairwise(levels), held, strict=True)
        if (moved := _direction(before, after, q))
    ]
    return replace(draft.curve, levels=levels, changes=tuple(told))


def _direction(before: Level, after: Level, q: float) -> str | None:
    """``rises`` or ``falls`` where the test holds and neither level is in the other's interval."""
    if q > RATE or min(before.passages, after.passages) < FEWEST:
        return None
    if before.share.high < after.share.value and before.share.value < after.share.low:
        return RISES
    if before.share.low > after.share.value and before.share.value > after.share.high:
        return FALLS
    return None
