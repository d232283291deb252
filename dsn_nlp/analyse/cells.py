"""Small-cell suppression: no group of fewer than five respondents shows, nor can be worked out.

A table is a mapping of cells to counts of *respondents*, not of passages. A cell is a tuple with
one value a dimension, :data:`TOTAL` standing for the sum over that dimension; every total that
readers can see must be in the table, since what is not in it is taken for unpublished. Cells of
0 < n < threshold are hidden (primary suppression), then as many others as it takes so that

* no sum of published numbers gives away a hidden group of fewer than ``threshold`` (the rest of
  a line, ``total - shown parts``, is 0 or at least ``threshold``);
* no small cell can be worked out: the least and the greatest value it can have, given all that is
  published and that zeros are never hidden, differ (linear programming; the "attacker" of Fischetti
  and Salazar-González, Management Science 47(7), 2001).

Greedy, smallest cells first: safe, and not always the fewest cells that would do.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsn_nlp.analyse.attacker import System

THRESHOLD = 5
TOTAL = "∑"
Key = tuple[str, ...]
Counts = Mapping[Key, int]


@dataclass(frozen=True)
class Line:
    """One sum that readers can do: ``total == sum(parts)``."""

    total: Key
    parts: tuple[Key, ...]

    @property
    def members(self) -> tuple[Key, ...]:
        """Total and parts."""
        return (self.total, *self.parts)


def lines_of(keys: Iterable[Key]) -> list[Line]:
    """Find every line of a table: a total with the cells it adds up, dimension by dimension."""
    known = set(keys)
    groups: dict[tuple[int, Key], list[Key]] = defaultdict(list)
    for key in known:
        for place, value in enumerate(key):
            if value != TOTAL:
                groups[place, (*key[:place], TOTAL, *key[place + 1 :])].append(key)
    return [
        Line(total, tuple(sorted(parts)))
        for (_, total), parts in sorted(groups.items())
        if total in known
    ]


def with_totals(counts: Counts) -> dict[Key, int]:
    """Add every total to a table that has none; respondents are in one cell each."""
    found: dict[Key, int] = defaultdict(int)
    for key, count in counts.items():
        for choice in range(1 << len(key)):
            place = tuple(TOTAL if choice >> i & 1 else value for i, value in enumerate(key))
            found[place] += count
    return dict(found)


def hidden_cells(counts: Counts, threshold: int = THRESHOLD) -> frozenset[Key]:
    """Choose the cells that must not show.

    :param counts: respondents a cell, totals included, none negative.
    :param threshold: the least group that may show.
    :return: cells to hide; the others may be published together.
    """
    small = {key for key, count in counts.items() if 0 < count < threshold}
    lines = lines_of(counts)
    hidden = set(small)
    _close(counts, hidden, lines, threshold)
    while exposed := _exposed(counts, hidden, lines, small):
        _hide_more(counts, hidden, lines, exposed, threshold)
    return frozenset(hidden)


@dataclass(frozen=True)
class Suppressed:
    """A table fit to be shown, and what was hidden in it."""

    rows: list[dict[str, Any]]
    hidden: int


def suppress(
    rows: Sequence[Mapping[str, Any]],
    by: Sequence[str],
    respondents: str,
    measures: Collection[str] = (),
    threshold: int = THRESHOLD,
) -> Suppressed:
    """Blank the small cells of a table of rows, with all their measures.

    :param rows: one a cell; ``by`` columns hold :data:`TOTAL` where they are summed over.
    :param by: names of the columns that cut the table.
    :param respondents: name of the column that counts distinct respondents.
    :param measures: other columns to blank with it: passages, shares, means.
    :return: the same rows in their order, ``None`` in what is hidden.
    """
    keys = [tuple(str(row[name]) for name in by) for row in rows]
    counts = {key: int(row[respondents] or 0) for key, row in zip(keys, rows, strict=True)}
    hidden = hidden_cells(counts, threshold)
    blank = dict.fromkeys((respondents, *measures))
    shown = [
        {**row, **blank} if key in hidden else dict(row)
        for key, row in zip(keys, rows, strict=True)
    ]
    return Suppressed(shown, len(hidden))


def merged_small(counts: Mapping[str, int], threshold: int = THRESHOLD) -> dict[str, str]:
    """Put the values of a filter that are too small to stand alone into one bucket.

    Filters that choose buckets, not values, cannot be subtracted from one another down to a small
    group: each bucket holds 0 or at least ``threshold`` respondents.

    :return: value → bucket; the bucket of small values is :data:`TOTAL`-free and named ``"…"``.
    """
    small = sorted(
        (value for value, count in counts.items() if 0 < count < threshold), key=counts.__getitem__
    )
    total = sum(counts[value] for value in small)
    for value in sorted(counts, key=lambda v: (counts[v], v)):
        if not 0 < total < threshold:
            break
        if value not in small and counts[value]:
            small.append(value)
            total += counts[value]
    return {value: "…" if value in small else value for value in counts}


@dataclass
class _Choice:
    """Picks the next cell to hide: smallest first, parts before totals."""

    counts: Counts
    hidden: set[Key]
    rank: Callable[[Key], tuple[int, int, Key]] = field(init=False)

    def __post_init__(self) -> None:
        self.rank = lambda key: (key.count(TOTAL), abs(self.counts[key]), key)

    def hide_one(self, members: Iterable[Key]) -> bool:
        """Hide one cell that shows a count; tell whether there was one."""
        open_ = [k for k in members if k not in self.hidden and self.counts.get(k)]
        if open_:
            self.hidden.add(min(open_, key=self.rank))
        return bool(open_)


def _close(counts: Counts, hidden: set[Key], lines: Sequence[Line], threshold: int) -> None:
    """Hide until the rest of every line is nobody, or enough of them in two cells at least."""
    choice = _Choice(counts, hidden)
    at = _lines_at(lines)
    waiting = set(range(len(lines)))
    while waiting:
        number = waiting.pop()
        before = len(hidden)
        line = lines[number]
        while _tells(counts, hidden, line, threshold) and choice.hide_one(line.members):
            pass
        if len(hidden) > before:
            waiting |= {other for key in line.members for other in at[key]}


def _tells(counts: Counts, hidden: Collection[Key], line: Line, threshold: int) -> bool:
    unknown = [key for key in line.members if key in hidden]
    if line.total in hidden:
        return len(unknown) == 1
    rest = counts[line.total] - sum(counts[key] for key in line.parts if key not in hidden)
    return len(unknown) == 1 or (bool(unknown) and 0 < abs(rest) < threshold)


def _lines_at(lines: Sequence[Line]) -> dict[Key, list[int]]:
    at: dict[Key, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        for key in line.members:
            at[key].append(number)
    return at


def _hide_more(
    counts: Counts, hidden: set[Key], lines: Sequence[Line], exposed: Key, threshold: int
) -> None:
    """Hide one cell more for an exposed one: in its lines, else anywhere."""
    choice = _Choice(counts, hidden)
    near = [key for line in lines if exposed in line.members for key in line.members]
    if not choice.hide_one(near) and not choice.hide_one(counts):
        hidden.update(counts)
    _close(counts, hidden, lines, threshold)


def _exposed(
    counts: Counts,
    unknown: Collection[Key],
    lines: Sequence[Line],
    small: Collection[Key],
) -> Key | None:
    """Find a small cell that has one possible value only."""
    if not set(counts) - set(unknown):
        return None
    system = System(dict.fromkeys(unknown, 1))
    for line in lines:
        system.add_sum(line.total, line.parts, counts)
    return system.first_determined(sorted(small))
