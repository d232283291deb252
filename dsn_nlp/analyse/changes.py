"""Whether two groups differ, told only where a test says so."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.estimates import LABELS, NET, Estimates, estimate_of
from dsn_nlp.analyse.frame import NO_DAY
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.shares import Cut, cut_by, estimate_cut
from dsn_nlp.analyse.tables import ChangeRow, Estimate, Table

RISES, FALLS, STEADY = "rises", "falls", "steady"
# False discovery rate at which a change is told.
RATE = 0.05
# With fewer passages on a side the bootstrap's spread is too narrow to test with.
FEWEST = 30
# Below this share, draws of few passages hold it for nought.
_NEAR_NOUGHT = 0.02
Floats = npt.NDArray[np.float64]


def compare(
    desk: Desk, first: Scope, second: Scope, labels: Sequence[str] = LABELS
) -> Table[ChangeRow]:
    """Compare two scopes: two sites, two periods, press and staff.

    :return: one row a label, its ``group`` empty; figures are ``None`` where a scope is too small.
    :raises StoreError: when the store cannot be read.
    """
    frame = desk.frame()
    sides = [frame.chosen(scope) for scope in (first, second)]
    cuts = [
        cut_by(desk, frame, rows, (), scope)
        for rows, scope in zip(sides, (first, second), strict=True)
    ]
    found = [estimate_cut(desk, frame, cut, labels) for cut in cuts]
    hidden = any(cut.hidden or not cut.keys for cut in cuts)
    rows = [_hidden_row((), label) for label in labels]
    if not hidden:
        rows = [change_row((), label, found[0], 0, found[1], 0) for label in labels]
    both = np.union1d(*sides)
    return Table(tuple(judged(rows)), desk.about(frame, both), (), int(hidden) * len(rows))


def what_changed(
    desk: Desk,
    scope: Scope | None = None,
    by: Sequence[str] = ("site",),
    days: int = 28,
    until: date | None = None,
    labels: Sequence[str] = LABELS,
) -> Table[ChangeRow]:
    """Compare the last days with as many before, in each group and in all of them.

    :param days: length of either period.
    :param until: last day of the later one; the last day there is, by default.
    :return: rows of groups that have passages in both periods.
    :raises StoreError: when the store cannot be read.
    """
    frame, chosen = desk.frame(), scope or Scope()
    known = frame.day[frame.chosen(chosen)]
    known = known[known != NO_DAY]
    if not len(known):
        return Table((), desk.about(frame, np.zeros(0, np.intp)), tuple(by))
    last = until or date.fromordinal(int(known.max()))
    middle = last - timedelta(days=days)
    periods = (
        chosen.but(since=middle - timedelta(days=days - 1), until=middle),
        chosen.but(since=middle + timedelta(days=1), until=last),
    )
    earlier, later = (frame.chosen(period) for period in periods)
    cuts = [
        cut_by(desk, frame, rows, by, period)
        for rows, period in zip((earlier, later), periods, strict=True)
    ]
    found = [estimate_cut(desk, frame, cut, labels) for cut in cuts]
    rows = _paired(cuts, found, labels)
    hidden = {row.group for row in rows if row.difference is None}
    about = desk.about(frame, np.union1d(earlier, later))
    return Table(tuple(judged(rows)), about, tuple(by), len(hidden), ("before", "recent_days"))


def _paired(
    cuts: Sequence[Cut], found: Sequence[Estimates], labels: Sequence[str]
) -> list[ChangeRow]:
    earlier, later = cuts
    places = {key: number for number, key in enumerate(earlier.keys)}
    rows = []
    for number, key in enumerate(later.keys):
        if key not in places:
            continue
        closed = key in earlier.hidden or key in later.hidden
        for label in labels:
            row = _hidden_row(key, label)
            if not closed:
                row = change_row(key, label, found[0], places[key], found[1], number)
            rows.append(row)
    return rows


def change_row(
    group: tuple[str, ...],
    label: str,
    first: Estimates,
    first_cell: int,
    second: Estimates,
    second_cell: int,
) -> ChangeRow:
    """Compare a label's share in two groups; ``q`` holds the plain p-value until ``judged``."""
    place = LABELS.index(label)
    draws = second.draws[second_cell, :, place] - first.draws[first_cell, :, place]
    one, other = first.one(first_cell, label), second.one(second_cell, label)
    sizes = int(first.passages[first_cell]), int(second.passages[second_cell])
    floor = 0.0 if label == NET else math.hypot(*map(_least_spread, (one, other), sizes))
    return ChangeRow(
        group=group,
        label=label,
        first=one,
        second=other,
        difference=_difference(draws, one, other),
        q=p_value(draws, floor) if min(sizes) >= FEWEST else None,
        verdict=STEADY,
    )


def p_value(difference: npt.NDArray[np.floating], floor: float = 0.0) -> float:
    """Two-sided p-value that a difference is nought, from its draws (normal, Wald).

    :param floor: the least standard error to reckon with.
    """
    from scipy.stats import norm

    value, spread = float(difference[0]), float(np.std(difference[1:].astype(np.float64)))
    spread = max(spread, floor)
    if spread < 1e-9:
        return 1.0 if abs(value) < 1e-9 else 0.0
    return float(2 * norm.sf(abs(value) / spread))


def _least_spread(estimate: Estimate, size: int) -> float:
    """Standard error of a plain share of as many passages, two of each kind added (Agresti)."""
    share = (estimate.value * size + 2) / (size + 4)
    return math.sqrt(share * (1 - share) / (size + 4))


def _difference(draws: npt.NDArray[np.floating], one: Estimate, other: Estimate) -> Estimate:
    """Interval of a difference: of its draws, and no narrower than both sides' own allow.

    The latter by the square-and-add method (Newcombe, Statistics in Medicine 17, 1998), where a
    side of few passages has an interval wider than its draws.
    """
    found = estimate_of(draws)
    if one.low >= 0 and other.low >= 0 and min(one.value, other.value) <= _NEAR_NOUGHT:
        low = found.value - math.hypot(other.value - other.low, one.high - one.value)
        high = found.value + math.hypot(other.high - other.value, one.value - one.low)
        return Estimate(found.value, min(found.low, low), max(found.high, high))
    return found


def false_discovery(values: Sequence[float]) -> Floats:
    """Adjust p-values for their number (Benjamini and Hochberg, JRSS B 57, 1995)."""
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(list(values)) if len(values) else [], np.float64)


def judged(rows: Sequence[ChangeRow]) -> list[ChangeRow]:
    """Adjust the p-values of a whole table and say which changes hold.

    Sums over a dimension repeat their parts; they are tested with them, which only costs power.
    """
    tested = [index for index, row in enumerate(rows) if row.q is not None]
    adjusted = dict(zip(tested, false_discovery([rows[i].q or 0.0 for i in tested]), strict=True))
    return [
        replace(row, q=float(adjusted[i]), verdict=verdict_of(row, float(adjusted[i])))
        if i in adjusted
        else row
        for i, row in enumerate(rows)
    ]


def verdict_of(row: ChangeRow, q: float) -> str:
    """Tell a change only where the test and the interval agree."""
    if row.difference is None or q > RATE or row.difference.low <= 0 <= row.difference.high:
        return STEADY
    return RISES if row.difference.value > 0 else FALLS


def _hidden_row(group: tuple[str, ...], label: str) -> ChangeRow:
    return ChangeRow(group, label, None, None, None, None, None)
