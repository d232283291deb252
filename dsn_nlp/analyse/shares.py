"""Complaints and sentiment by day, week, site, role, source, kind, language or voice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.cells import TOTAL, Key, hidden_cells
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.editions import waiting_places, without
from dsn_nlp.analyse.estimates import LABELS, Estimates, estimate
from dsn_nlp.analyse.filters import tells_others
from dsn_nlp.analyse.frame import NO_DAY, Frame, monday
from dsn_nlp.analyse.golive import GoLive
from dsn_nlp.analyse.scope import Scope, check_dimensions
from dsn_nlp.analyse.tables import ShareRow, Table

Rows = npt.NDArray[np.intp]
UNKNOWN = ""
_FEW = 2000


@dataclass(frozen=True)
class Cut:
    """Passages cut into groups.

    :ivar rows: passages of the frame.
    :ivar keys: the groups, in order; margins hold ``TOTAL``.
    :ivar members: for each group, places in ``rows``.
    :ivar people: distinct commenters of each group.
    :ivar hidden: groups that must not be shown.
    """

    rows: Rows
    keys: tuple[Key, ...]
    members: tuple[Rows, ...]
    people: tuple[int, ...]
    hidden: frozenset[Key]


def shares(
    desk: Desk, scope: Scope | None = None, by: Sequence[str] = (), labels: Sequence[str] = LABELS
) -> Table[ShareRow]:
    """Share of each label in each group, corrected, with intervals; small groups are withheld.

    :param scope: which passages; all by default.
    :param by: none, one or two of ``DIMENSIONS``; each sum over one is a group, too (``"∑"``).
    :param labels: which of ``LABELS``.
    :return: rows by group, in order of the groups, then of the labels.
    :raises InputError: when a dimension is unknown.
    :raises StoreError: when the store cannot be read.
    """
    dimensions, chosen = check_dimensions(by), scope or Scope()
    frame = desk.frame()  # an edition that has changed forgets earlier answers
    # Who has asked for all labels has asked for each.
    every = ("shares", chosen, dimensions, LABELS)
    wanted = LABELS if desk.knows(every) else tuple(one for one in LABELS if one in labels)

    def make() -> Table[ShareRow]:
        rows = frame.chosen(chosen)
        cut = cut_by(desk, frame, rows, dimensions, chosen)
        found = estimate_cut(desk, frame, cut, wanted)
        made = tuple(
            row
            for number in range(len(cut.keys))
            for row in _rows(frame, cut, number, found, wanted)
        )
        return Table(made, desk.about(frame, rows), dimensions, len(cut.hidden))

    table = desk.remember(("shares", chosen, dimensions, wanted), make)
    kept = tuple(row for row in table.rows if row.label in labels)
    return Table(kept, table.about, table.by, table.hidden)


def cut_by(
    desk: Desk, frame: Frame, rows: Rows, by: Sequence[str], scope: Scope | None = None
) -> Cut:
    """Cut passages by some dimensions, with every sum over one, and choose what to hide.

    Passages whose edition would let a few people's answers be subtracted wait for a later one. A
    passage without a day, or whose site has no go-live, is in the sums alone.

    :param scope: what chose the rows, all of them; nobody's answers show where its filters, beside
        others, would tell of a few people.
    """
    values = [dimension_values(frame, rows, name, desk.golive) for name in by]
    members: dict[Key, Rows] = {}
    for summed in product((False, True), repeat=len(by)):
        members |= _groups(values, summed, len(rows))
    ordered = tuple(sorted(members, key=lambda key: [(v == TOTAL, _rank(v)) for v in key]))
    people = {key: _people(frame, rows[members[key]]) for key in ordered}
    hidden = hidden_cells(_additive(people), desk.respondents)
    few = {key for key, count in people.items() if 0 < count < desk.respondents}

    def wait() -> dict[Key, Rows]:
        return waiting_places(frame, rows, members, desk.respondents)

    # The same for every label of a view. A reader may still hold the frame of an edition gone by.
    asked = ("waiting", id(frame), scope, tuple(by))
    shown = without(members, desk.remember(asked, wait) if scope is not None else wait(), len(rows))
    now = {
        key: people[key] if shown[key] is members[key] else _people(frame, rows[shown[key]])
        for key in ordered
    }
    closed = scope is not None and tells_others(frame, scope, desk.respondents)
    empty = {key for key in ordered if people[key] and (closed or not now[key])}
    return Cut(
        rows,
        ordered,
        tuple(shown[key] for key in ordered),
        tuple(now[key] for key in ordered),
        frozenset(hidden | few | empty),
    )


def estimate_cut(desk: Desk, frame: Frame, cut: Cut, labels: Sequence[str] = LABELS) -> Estimates:
    """Estimate labels in every group of a cut; groups may overlap."""
    cell = np.repeat(np.arange(len(cut.keys)), [len(part) for part in cut.members])
    places = np.concatenate(cut.members) if cut.members else np.zeros(0, np.intp)
    return estimate(desk, frame, cut.rows[places], cell, len(cut.keys), labels)


def dimension_values(
    frame: Frame, rows: Rows, name: str, golive: GoLive
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Number each passage by its value of a dimension.

    :return: codes ``(n,)``, -1 where there is none; and the values' names. Days, weeks (their
        Monday) and months are ISO dates; weeks since go-live are whole numbers from 0.
    """
    if name in frame.columns:
        column = frame.columns[name]
        return column.codes[rows].astype(np.int64), list(column.names)
    day = frame.day[rows]
    if name == "since_golive":
        moments = weeks_since_golive(frame, rows, golive)
        known = np.asarray(moments >= 0)
    else:
        moments, known = _periods(day, name).astype(np.int64), day != NO_DAY
    unique, codes = np.unique(moments[known], return_inverse=True)
    full = np.full(len(rows), -1, np.int64)
    full[known] = codes
    weeks = name == "since_golive"
    names = [f"{v}" if weeks else date.fromordinal(int(v)).isoformat() for v in unique]
    return full, names


def weeks_since_golive(frame: Frame, rows: Rows, golive: GoLive) -> npt.NDArray[np.int64]:
    """Whole weeks since the go-live of each passage's site; -1 before it or where unknown."""
    site = frame.columns["site"]
    starts = np.array([_ordinal(golive.of(known)) for known in site.names], np.int64)
    start, day = starts[site.codes[rows]], frame.day[rows].astype(np.int64)
    known = (start != NO_DAY) & (day != NO_DAY) & (day >= start)
    return np.where(known, (day - start) // 7, -1)


def _periods(day: npt.NDArray[np.int32], name: str) -> npt.NDArray[np.int32]:
    if name == "day":
        return day
    if name == "week":
        return monday(day)
    unique, place = np.unique(day, return_inverse=True)
    firsts = [date.fromordinal(int(d)).replace(day=1).toordinal() if d > 0 else d for d in unique]
    return np.asarray(np.array(firsts, np.int32)[place])


def _ordinal(day: date | None) -> int:
    return day.toordinal() if day else NO_DAY


def _groups(
    values: Sequence[tuple[npt.NDArray[np.int64], list[str]]], summed: Sequence[bool], size: int
) -> dict[Key, Rows]:
    """Groups of one choice of dimensions to sum over."""
    code, known = np.zeros(size, np.int64), np.ones(size, bool)
    for (codes, names), over in zip(values, summed, strict=True):
        if not over:
            code = code * max(len(names), 1) + codes
            known &= codes >= 0
    places = np.flatnonzero(known)
    order = places[np.argsort(code[places], kind="stable")]
    if not len(order):
        return {}
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    found = {}
    for part in np.split(order, starts[1:]):
        key = tuple(
            TOTAL if over else names[codes[part[0]]]
            for (codes, names), over in zip(values, summed, strict=True)
        )
        found[key] = part
    return found


def _rank(value: str) -> tuple[int, int, str]:
    """Order of values: numbers as numbers, names by name, unknown last."""
    number = int(value) if value.isdigit() else 0
    return (value == UNKNOWN, number, value)


def _people(frame: Frame, rows: Rows) -> int:
    """Distinct commenters; articles are public and count nobody."""
    who = frame.respondent[rows]
    return _distinct(who[who >= 0])


def _distinct(codes: npt.NDArray[np.int32]) -> int:
    """How many different codes there are; those of few passages by sorting them."""
    if len(codes) < _FEW:
        return len(np.unique(codes))
    return int(np.count_nonzero(np.bincount(codes)))


def _additive(people: dict[Key, int]) -> dict[Key, int]:
    """Make sums of their parts: who comments in three weeks is counted in each.

    What lies in no group of a dimension (no day, no go-live) makes a total greater than its parts:
    it keeps its own count, and readers cannot subtract what they are not shown.
    """
    parts = {key: count for key, count in people.items() if TOTAL not in key}
    sums = dict(parts)
    for key, count in parts.items():
        for choice in range(1, 1 << len(key)):
            place = tuple(TOTAL if choice >> i & 1 else v for i, v in enumerate(key))
            sums[place] = sums.get(place, 0) + count
    return {key: max(sums.get(key, 0), people[key]) for key in people}


def _rows(
    frame: Frame, cut: Cut, number: int, found: Estimates, labels: Sequence[str]
) -> list[ShareRow]:
    """A group's rows, one a label."""
    key, members = cut.keys[number], cut.members[number]
    if key in cut.hidden:
        return [ShareRow(key, label, None, None, None, None, None, None) for label in labels]
    documents = _distinct(frame.document[cut.rows[members]])
    counted = {label: float(found.counted[number, LABELS.index(label)]) for label in labels}
    return [
        ShareRow(
            group=key,
            label=label,
            passages=len(members),
            documents=documents,
            respondents=cut.people[number],
            told=round(share * len(members)),
            counted=share,
            share=found.one(number, label),
        )
        for label, share in counted.items()
    ]
