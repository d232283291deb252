"""The press against the staff: at what level, and who speaks of it first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.changes import compare, false_discovery
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.estimates import LABELS, NET
from dsn_nlp.analyse.frame import NO_DAY, Frame
from dsn_nlp.analyse.reading import told
from dsn_nlp.analyse.roles import CARE, DIRECTION
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.tables import ChangeRow, Table
from dsn_nlp.records import COMPLAINTS

Floats = npt.NDArray[np.float64]
LONGEST_LEAD = 21
_FEWEST_DAYS = 60
_FEWEST_PASSAGES = 100
_TURNS = 400
_RATE = 0.05
_ORDER = 7


@dataclass(frozen=True, slots=True)
class LeadRow:
    """Who speaks of a complaint first.

    :ivar days: by how many days the press runs ahead of the staff; negative where the staff do.
        ``None`` where no lead is demonstrated, or there are too few days or passages.
    :ivar correlation: at that lead, of the two whitened series.
    :ivar q: false discovery rate over the table.
    """

    label: str
    days: int | None
    correlation: float | None
    q: float | None


def press_against_staff(
    desk: Desk, scope: Scope | None = None, labels: Sequence[str] = LABELS
) -> Table[ChangeRow]:
    """Compare the level of labels in articles (``first``) and staff comments (``second``).

    :raises StoreError: when the store cannot be read.
    """
    chosen = scope or Scope()
    found = compare(desk, chosen.but(kinds=("article",)), chosen.but(kinds=("comment",)), labels)
    return replace(found, sides=("press", "staff"))


def voices_divide(
    desk: Desk, scope: Scope | None = None, labels: Sequence[str] = (NET, *COMPLAINTS)
) -> Table[ChangeRow]:
    """Compare care staff's voice (``first``) with management's (``second``).

    The divide index is the ``difference`` of ``net``: how much better management speaks of it, in
    [-2, 2]; 0 is agreement.

    :raises StoreError: when the store cannot be read.
    """
    chosen = scope or Scope()
    found = compare(desk, chosen.but(voices=CARE), chosen.but(voices=DIRECTION), labels)
    return replace(found, sides=("care_staff", "management"))


def who_leads(
    desk: Desk, scope: Scope | None = None, labels: Sequence[str] = COMPLAINTS
) -> Table[LeadRow]:
    """Tell by how many days the press precedes the staff on each complaint, or follows them.

    Both daily series are whitened, the second with the first's filter, and cross-correlated
    (Haugh, JASA 71, 1976; Box and Jenkins). The strongest of 43 lags is tested against that of
    series shifted around at random, so that having looked at 43 is paid for.

    :raises StoreError: when the store cannot be read.
    """
    frame = desk.frame()
    rows = frame.chosen(scope or Scope())
    rows = rows[frame.day[rows] != NO_DAY]
    found = [_lead(*_daily(frame, rows, label)) for label in labels]
    tested = [lead for lead in found if lead is not None]
    rates = iter(false_discovery([lead[2] for lead in tested]))
    made = []
    for label, lead in zip(labels, found, strict=True):
        if lead is None:
            made.append(LeadRow(label, None, None, None))
            continue
        days, correlation, q = lead[0], lead[1], float(next(rates))
        made.append(LeadRow(label, days if q <= _RATE else None, correlation, q))
    return Table(tuple(made), desk.about(frame, rows))


def _daily(frame: Frame, rows: npt.NDArray[np.intp], label: str) -> tuple[Floats, Floats]:
    """Passages a day with a label, of the press and of the staff."""
    names = frame.columns["kind"].names
    mine = rows[told(frame, rows, label)]
    if not len(rows):
        return np.zeros(0), np.zeros(0)
    first = int(frame.day[rows].min())
    size = int(frame.day[rows].max()) - first + 1
    kinds = np.array(names)[frame.columns["kind"].codes[mine]]
    days = frame.day[mine] - first
    press, staff = (
        np.bincount(days[kinds == kind], minlength=size).astype(np.float64)
        for kind in ("article", "comment")
    )
    return press, staff


def _lead(press: Floats, staff: Floats) -> tuple[int, float, float] | None:
    """Days, correlation and p-value of the strongest lead; ``None`` where there is too little."""
    if len(press) < _FEWEST_DAYS or min(press.sum(), staff.sum()) < _FEWEST_PASSAGES:
        return None
    one, other = _whitened(np.sqrt(press), np.sqrt(staff))
    found = _correlations(one, other[None])[0]
    best = int(np.abs(found).argmax())
    rng = np.random.default_rng(len(press))
    turns = rng.integers(LONGEST_LEAD + 1, len(one) - LONGEST_LEAD, size=_TURNS)
    turned = other[(np.arange(len(other)) - turns[:, None]) % len(other)]
    strongest = np.abs(_correlations(one, turned)).max(axis=1)
    p = (1 + int((strongest >= abs(found[best])).sum())) / (1 + _TURNS)
    return best - LONGEST_LEAD, float(found[best]), float(p)


def _whitened(press: Floats, staff: Floats) -> tuple[Floats, Floats]:
    """Take out of both what the press's own last seven days, and the weekday, foretell."""
    detrended = [_without_weekday(series) for series in (press, staff)]
    past = np.stack([detrended[0][_ORDER - k : -k] for k in range(1, _ORDER + 1)], axis=1)
    weights = np.linalg.lstsq(past, detrended[0][_ORDER:], rcond=None)[0]
    filtered = []
    for series in detrended:
        before = np.stack([series[_ORDER - k : -k] for k in range(1, _ORDER + 1)], axis=1)
        filtered.append(series[_ORDER:] - before @ weights)
    return filtered[0], filtered[1]


def _without_weekday(series: Floats) -> Floats:
    weekday = np.arange(len(series)) % 7
    means = np.array([series[weekday == day].mean() for day in range(7)])
    return np.asarray(series - means[weekday])


def _correlations(one: Floats, others: Floats) -> Floats:
    """Correlation of one series ``(n,)`` with each of others ``(m, n)`` at every lead.

    :return: ``(m, 43)``: with the others that many days earlier, from -21, to later, up to 21.
    """
    size = len(one)
    found = np.zeros((len(others), 2 * LONGEST_LEAD + 1))
    for place, lag in enumerate(range(-LONGEST_LEAD, LONGEST_LEAD + 1)):
        first = one[max(-lag, 0) : size - max(lag, 0)]
        second = others[:, max(lag, 0) : size - max(-lag, 0)]
        first = first - first.mean()
        second = second - second.mean(axis=1, keepdims=True)
        spread = np.sqrt((first**2).sum() * (second**2).sum(axis=1))
        known = spread > 0
        found[known, place] = (second[known] @ first) / spread[known]
    return found
