"""Whether two groups differ, told only where a test says so."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.estimates import LABELS, Estimates, estimate_of
from dsn_nlp.analyse.frame import NO_DAY
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.shares import Cut, cut_by, estimate_cut
from dsn_nlp.analyse.tables import ChangeRow, Table

RISES, FALLS, STEADY = "rises", "falls", "steady"
# False discovery rate at which a change is told.
RATE = 0.05
# With fewer passages on a side the bootstrap's spread is too narrow to test with.
FEWEST = 30
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
    cuts = [cut_by(desk, frame, rows, ()) for rows in sides]
    found = [estimate_cut(desk, frame, cut) for cut in cuts]
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
    later = frame.chosen(chosen.but(since=middle + timedelta(days=1), until=last))
    earlier = frame.chosen(chosen.but(since=middle - timedelta(days=days - 1), until=middle))
    cuts = [cut_by(desk, frame, rows, by) for rows in (earlier, later)]
    found = [estimate_cut(desk, frame, cut) for cut in cuts]
    rows = _paired(cuts, found, labels)
    hidden = {row.group for row in rows if row.difference is None}
    about = desk.about(frame, np.union1d(earlier, later))
    return Table(tuple(judged(rows)), about, tuple(by), len(hidden))


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
    one, other = first.draws[first_cell, :, place], second.draws[second_cell, :, place]
    enough = min(first.passages[first_cell], second.passages[second_cell]) >= FEWEST
    return ChangeRow(
        group=group,
        label=label,
        first=estimate_of(one),
        second=estimate_of(other),
        difference=estimate_of(other - one),
        q=p_value(other - one) if enough else None,
        verdict=STEADY,
    )


def p_value(difference: npt.NDArray[np.floating]) -> float:
    """Two-sided p-value that a difference is nought, from its draws (normal, Wald)."""
    from scipy.stats import norm

    value, spread = float(difference[0]), float(np.std(difference[1:].astype(np.float64)))
    if spread < 1e-9:
        return 1.0 if abs(value) < 1e-9 else 0.0
    return float(2 * norm.sf(abs(value) / spread))


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
