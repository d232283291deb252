"""Figures of one night that cannot be subtracted from those of the night before.

What it protects from: on Monday, Jean-Talon shows 30 passages, 9 of them on training. Overnight
one nurse writes, and on Tuesday it shows 31, and 10. Whoever kept Monday's page knows what she
wrote of. So her passage waits: Tuesday shows 30 and 9 again, until the comments of five people
wait together, and enter the figure at once. Nor may a sum tell: if Fleury's six new people show
on Tuesday and the total of both sites rises by seven, the seventh is the nurse. So the total
waits, too, or Fleury does.

A comment thus enters a figure with the first edition at which, with those that wait beside it, the
comments of at least ``threshold`` people enter that figure at once; and within a table, what a
total moves by, less what its shown parts move by, is nobody's or that many people's. Who was shown
when follows from the nights that brought the comments, so nothing is kept, every door holds the
same passages back, and a filtered view does as the whole does.

What leaves a store (erasure, retention) is not held, nor do two different views wait for one
another, such as the last 28 days of two nights; see docs/threats.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.arrivals import Crowd, Rows, arrivals
from dsn_nlp.analyse.cells import Key, Line, lines_of
from dsn_nlp.analyse.frame import Frame
from dsn_nlp.analyse.movements import Night, Places, Sum, held_back


def released(
    frame: Frame, rows: Rows, groups: Mapping[Key, Rows], threshold: int
) -> dict[Key, Rows]:
    """Leave out of each group the passages that wait for a later edition.

    :param rows: passages of the frame.
    :param groups: for each group of a table, sums included, places in ``rows``.
    :return: the same groups, each with the places that show now, in the order given.
    """
    return without(groups, waiting_places(frame, rows, groups, threshold), len(rows))


def waiting_places(
    frame: Frame, rows: Rows, groups: Mapping[Key, Rows], threshold: int
) -> dict[Key, Rows]:
    """Work out which passages wait: the same for an edition, whatever is asked of them.

    :return: places in ``rows`` of each group in which any wait; see :func:`released`.
    """
    respondent, edition = frame.respondent[rows], frame.edition[rows]
    comments = respondent >= 0
    brought = edition[comments]
    if not len(brought) or brought.min() == brought.max():  # one night brought them all
        return {}
    table = _Table(respondent, threshold, lines_of(groups))
    for news in arrivals(groups, edition, comments):
        table.add(news)
    return {key: np.fromiter(held, np.intp, len(held)) for key, held in table.waiting.items()}


def without(groups: Mapping[Key, Rows], waiting: Mapping[Key, Rows], size: int) -> dict[Key, Rows]:
    """Take out of each group what waits in it.

    :param size: greater than any place.
    """
    shows = np.ones(size, bool)
    found = dict(groups)
    for key, held in waiting.items():
        shows[held] = False
        found[key] = groups[key][shows[groups[key]]]
        shows[held] = True
    return found


@dataclass
class _Table:
    """One table from edition to edition.

    What an edition showed depends on it and those before alone, and not on which groups are small
    enough to be hidden by now: a night's decisions are the same whenever they are worked out.

    :ivar waiting: passages of a group that no edition has shown in it yet.
    :ivar opened: groups that an edition has shown.
    """

    respondent: npt.NDArray[np.int32]
    threshold: int
    lines: Sequence[Line]
    waiting: dict[Key, Places] = field(default_factory=dict)
    opened: set[Key] = field(default_factory=set)
    _waiters: dict[Key, set[int]] = field(default_factory=dict)
    _crowd: Crowd = field(init=False)
    _lines_of: dict[Key, list[int]] = field(init=False)
    _known: dict[Key, set[int]] = field(init=False)

    def __post_init__(self) -> None:
        self._crowd = Crowd(np.ascontiguousarray(self.respondent).data, self.threshold)
        self._known = defaultdict(set)
        self._lines_of = defaultdict(list)
        for number, line in enumerate(self.lines):
            for key in line.members:
                self._lines_of[key].append(number)

    def add(self, news: Mapping[Key, Rows]) -> None:
        """Decide what one edition shows."""
        people = self._meet(news)
        night = Night(news, people, self.waiting, self._waiters, self.opened, self._crowd)
        active = {*news, *self.waiting}
        wanting = {key for key in active if night.brings_enough(key)}
        shown = wanting - held_back(night, wanting, self._sums(active), self._lines_of)
        self.opened |= shown
        for key in active:
            if key in shown:
                self.waiting.pop(key, None)
                self._waiters.pop(key, None)
            elif key in news:
                self.waiting[key], self._waiters[key] = night.left(key), night.behind(key)

    def _meet(self, news: Mapping[Key, Rows]) -> dict[Key, set[int]]:
        """Count who is new to each group among those it knows; tell of some of them."""
        some = {}
        for key, places in news.items():
            people = self.respondent[places].tolist()
            self._known[key].update(people)
            some[key] = self._crowd.among(people)
        return some

    def _sums(self, active: Iterable[Key]) -> dict[int, Sum]:
        """The lines that an edition may move, in the order of their first active member."""
        parts: dict[int, list[Key]] = {}
        for key in sorted(active):
            for number in self._lines_of[key]:
                mine = parts.setdefault(number, [])
                if key != self.lines[number].total:
                    mine.append(key)
        return {
            number: Sum(self.lines[number].total, mine, self._hidden(self.lines[number]))
            for number, mine in parts.items()
        }

    def _hidden(self, line: Line) -> set[Key]:
        """Parts that are hidden: small ones, and those that a sum would give away with them."""
        sizes = {key: len(self._known[key]) for key in line.parts if key in self._known}
        hidden = {key for key, size in sizes.items() if size < self.threshold}
        people = sum(sizes[key] for key in hidden)
        while hidden and (len(hidden) < 2 or people < self.threshold) and len(hidden) < len(sizes):
            size, key = min((size, key) for key, size in sizes.items() if key not in hidden)
            hidden.add(key)
            people += size
        return hidden
