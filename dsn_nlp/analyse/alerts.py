"""What a morning must not miss: a surge of complaints, a source that falls silent, drifting scores.

Each alert is decided by a test and by a size that matters, both in the settings. One that goes on
is not raised again: ``dsn_nlp.reporting`` remembers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.changes import change_row, false_discovery
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.frame import Frame, is_invented
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.shares import cut_by, estimate_cut
from dsn_nlp.analyse.tables import ChangeRow, Estimate
from dsn_nlp.analyse.together import people
from dsn_nlp.config import AlertSettings
from dsn_nlp.records import COMPLAINTS
from dsn_nlp.store.schema import quebec_day

SURGE, COLLAPSE, DRIFT = "surge", "collapse", "drift"
_WEEKS_BEFORE = 8
_DRIFT_BINS = 10
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that should be looked at.

    :ivar kind: ``surge`` (of a complaint at a site), ``collapse`` (of a source's volume) or
        ``drift`` (of a label's scores).
    :ivar subject: the site (``"∑"``: all of them), the source, or the model.
    :ivar label: the complaint; empty for a collapse.
    :ivar since: first day of the period that stands out.
    :ivar until: its last day.
    :ivar before: share, documents a week, or 0 for drift.
    :ivar now: share, documents in the last week (at least the number that may be shown), or the
        stability index.
    :ivar q: false discovery rate (surge), chance of so few documents (collapse), else 0.
    """

    kind: str
    subject: str
    label: str
    since: date
    until: date
    before: Estimate
    now: Estimate
    q: float

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two alerts of two nights the same."""
        return self.kind, self.subject, self.label


def find_alerts(desk: Desk, settings: AlertSettings, today: date | None = None) -> list[Alert]:
    """Look for everything that should be looked at.

    :param today: the last day to look at; by default the last that has a staff comment, and for
        sources that fall silent the day of the edition.
    :raises StoreError: when the store cannot be read.
    """
    frame = desk.frame()
    silent = collapses(desk, settings, today)
    rows = frame.chosen(Scope(kinds=("comment",)))
    last = today or frame.days(rows)[1]
    if last is None:
        return silent
    return [*surges(desk, settings, last), *silent, *drifts(desk, settings, last)]


def surges(desk: Desk, settings: AlertSettings, last: date) -> list[Alert]:
    """Complaints of staff at a site that are well above the weeks before.

    :raises StoreError: when the store cannot be read.
    """
    frame = desk.frame()
    first = last - timedelta(days=settings.days - 1)
    start = first - timedelta(days=settings.baseline_days)
    staff = Scope(kinds=("comment",))
    periods = [
        frame.chosen(staff.but(since=start, until=first - timedelta(days=1))),
        frame.chosen(staff.but(since=first, until=last)),
    ]
    cuts = [cut_by(desk, frame, rows, ("site",)) for rows in periods]
    found = [estimate_cut(desk, frame, cut) for cut in cuts]
    places = {key: n for n, key in enumerate(cuts[0].keys) if key not in cuts[0].hidden}
    tested: list[ChangeRow] = []
    for number, key in enumerate(cuts[1].keys):
        if key in cuts[1].hidden or key not in places or key == ("",):
            continue
        if found[1].passages[number] < settings.passages:
            continue
        tested += [
            change_row(key, label, found[0], places[key], found[1], number)
            for label in settings.labels
        ]
    rows = [row for row in tested if row.q is not None]
    rates = false_discovery([row.q or 0.0 for row in rows])
    alerts = [
        _surge(row, float(q), first, last)
        for row, q in zip(rows, rates, strict=True)
        if _surges(row, float(q), settings)
    ]
    return [alert for alert in alerts if alert is not None]


def collapses(desk: Desk, settings: AlertSettings, today: date | None = None) -> list[Alert]:
    """Sources whose last week brought far fewer documents than their weeks before.

    The chance of so few is that of a negative binomial count with the mean and the scatter of
    eight weeks before.

    :param today: the last day; by default that of the edition for sources that several nights
        have brought, and for the others the last day that has a staff comment.
    :raises StoreError: when the store cannot be read.
    """
    frame = desk.frame()
    sources = frame.columns["source"]
    spoken = frame.days(frame.chosen(Scope(kinds=("comment",))))[1]
    edition = None if is_invented(frame) else quebec_day(desk.edition().published_at)
    alerts = []
    for code, name in enumerate(sources.names):
        rows = np.flatnonzero(sources.codes == code)
        last = today or _last_day(frame.edition[rows], spoken, edition)
        if last is None:
            continue
        bounds = [last - timedelta(days=7 * week) for week in range(_WEEKS_BEFORE + 2)]
        weeks = [_documents(frame, rows, a, b) for b, a in pairwise(bounds)]
        now, before = len(weeks[0]), np.array([len(week) for week in weeks[1:]], np.float64)
        mean = float(before.mean())
        chance = _chance_of_so_few(now, before)
        few = now <= settings.collapse_ratio * mean and mean >= settings.collapse_documents
        if few and chance <= settings.collapse_rate:
            shown = float(now)
            if 0 < people(frame, _within(frame, rows, bounds[1], last)) < desk.respondents:
                shown = float(desk.respondents)
            usual = Estimate(mean, float(before.min()), float(before.max()))
            seen = Estimate(shown, shown, shown)
            first = bounds[1] + timedelta(days=1)
            alerts.append(Alert(COLLAPSE, name, "", first, last, usual, seen, chance))
    return alerts


def _last_day(
    nights: npt.NDArray[np.int32], spoken: date | None, edition: date | None
) -> date | None:
    """Until when a source should have brought something.

    Silence counts where nights have brought it before: what one night read at once, or invented,
    is as old as it is.

    :param nights: that brought the source's passages.
    :param spoken: the last day that has a staff comment.
    :param edition: the day of the edition; ``None`` where there is none, or all is invented.
    """
    if edition is None or len(np.unique(nights)) < 2:
        return spoken
    return max(edition, spoken) if spoken else edition


def drifts(desk: Desk, settings: AlertSettings, last: date) -> list[Alert]:
    """Labels whose scores are spread otherwise than in the three periods before.

    Population stability index over ten bins, less what chance alone brings.
    """
    frame = desk.frame()
    model = desk.about(frame, np.zeros(0, np.intp)).model or ""
    every = np.arange(len(frame))
    middle = last - timedelta(days=settings.baseline_days)
    start = middle - timedelta(days=3 * settings.baseline_days)
    recent, earlier = _within(frame, every, middle, last), _within(frame, every, start, middle)
    if min(len(recent), len(earlier)) < settings.drift_passages:
        return []
    alerts = []
    for place, label in enumerate(COMPLAINTS):
        index = stability_index(frame.scores[earlier, place], frame.scores[recent, place])
        if index >= settings.drift_index:
            first = middle + timedelta(days=1)
            none, seen = Estimate(0.0, 0.0, 0.0), Estimate(index, index, index)
            alerts.append(Alert(DRIFT, model, label, first, last, none, seen, 0.0))
    return alerts


def stability_index(earlier: npt.NDArray[np.floating], recent: npt.NDArray[np.floating]) -> float:
    """Population stability index of two samples of scores, less its mean under chance; ≥ 0."""
    edges = np.unique(np.quantile(earlier, np.linspace(0, 1, _DRIFT_BINS + 1)[1:-1]))
    shares = [
        (np.bincount(np.digitize(part, edges), minlength=len(edges) + 1) + 0.5)
        / (len(part) + 0.5 * (len(edges) + 1))
        for part in (earlier, recent)
    ]
    index = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    return max(0.0, index - len(edges) * (1 / len(earlier) + 1 / len(recent)))


def _surges(row: ChangeRow, q: float, settings: AlertSettings) -> bool:
    if row.first is None or row.second is None or row.difference is None:
        return False
    large = row.second.value >= max(settings.surge_ratio * row.first.value, settings.surge_share)
    return large and q <= settings.surge_rate and row.difference.low > 0


def _surge(row: ChangeRow, q: float, first: date, last: date) -> Alert | None:
    if row.first is None or row.second is None:
        return None
    return Alert(SURGE, row.group[0], row.label, first, last, row.first, row.second, q)


def _within(frame: Frame, rows: Rows, after: date, until: date) -> Rows:
    day = frame.day[rows]
    return rows[(day > after.toordinal()) & (day <= until.toordinal())]


def _documents(frame: Frame, rows: Rows, after: date, until: date) -> npt.NDArray[np.int32]:
    return np.unique(frame.document[_within(frame, rows, after, until)])


def _chance_of_so_few(now: int, before: Sequence[float] | npt.NDArray[np.float64]) -> float:
    from scipy.stats import nbinom, poisson

    mean, spread = float(np.mean(before)), float(np.var(before, ddof=1))
    if spread <= mean or mean <= 0:
        return float(poisson.cdf(now, mean))
    return float(nbinom.cdf(now, mean**2 / (spread - mean), mean / spread))
