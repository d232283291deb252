"""Which complaints come together in one passage, as the model tells them."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.cells import TOTAL, Key
from dsn_nlp.analyse.changes import false_discovery
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.editions import released
from dsn_nlp.analyse.frame import Frame
from dsn_nlp.analyse.scope import Scope
from dsn_nlp.analyse.tables import PairRow, Table
from dsn_nlp.records import COMPLAINTS


def co_occurrence(desk: Desk, scope: Scope | None = None) -> Table[PairRow]:
    """Count pairs of complaints in the same passage; not corrected for the model's errors.

    :return: ten rows, the strongest attraction first, withheld ones last.
    :raises StoreError: when the store cannot be read.
    """
    frame = desk.frame()
    rows = frame.chosen(scope or Scope())
    every: dict[Key, npt.NDArray[np.intp]] = {(TOTAL,): np.arange(len(rows))}
    rows = rows[released(frame, rows, every, desk.respondents)[TOTAL,]]
    pairs = list(combinations(range(len(COMPLAINTS)), 2))
    told = frame.told[rows]
    open_ = [_enough(desk, frame, rows, told[:, i] & told[:, j]) for i, j in pairs]
    closed = _too_few(desk, frame, rows)
    shown = [yes and not closed for yes in open_]
    adjusted = iter(
        false_discovery([_fisher(told, *p) for p, s in zip(pairs, shown, strict=True) if s])
    )
    found = [
        _row(told, i, j, float(next(adjusted)))
        if yes
        else PairRow(COMPLAINTS[i], COMPLAINTS[j], None, None, None, None)
        for (i, j), yes in zip(pairs, shown, strict=True)
    ]
    found.sort(key=lambda row: -1.0 if row.lift is None else row.lift, reverse=True)
    hidden = len(pairs) - sum(shown)
    return Table(tuple(found), desk.about(frame, rows), (), hidden)


def _row(told: npt.NDArray[np.bool_], i: int, j: int, q: float) -> PairRow:
    both = int((told[:, i] & told[:, j]).sum())
    expected = float(told[:, i].sum() * told[:, j].sum() / max(len(told), 1))
    lift = both / expected if expected else None
    return PairRow(COMPLAINTS[i], COMPLAINTS[j], both, expected, lift, q)


def _fisher(told: npt.NDArray[np.bool_], i: int, j: int) -> float:
    from scipy.stats import fisher_exact

    one, other = told[:, i], told[:, j]
    table = [
        [int((one & other).sum()), int((one & ~other).sum())],
        [int((~one & other).sum()), int((~one & ~other).sum())],
    ]
    return float(fisher_exact(table)[1])


def _enough(
    desk: Desk, frame: Frame, rows: npt.NDArray[np.intp], both: npt.NDArray[np.bool_]
) -> bool:
    return not _too_few(desk, frame, rows[both])


def _too_few(desk: Desk, frame: Frame, rows: npt.NDArray[np.intp]) -> bool:
    return 0 < people(frame, rows) < desk.respondents


def people(frame: Frame, rows: npt.NDArray[np.intp] | Sequence[int]) -> int:
    """Distinct commenters behind some passages."""
    who = frame.respondent[rows]
    return len(np.unique(who[who >= 0]))
