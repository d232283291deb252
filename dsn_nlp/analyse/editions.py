"""Figures of one night that cannot be subtracted from those of the night before.

A comment enters a figure with the first edition at which, with those that wait beside it, the
comments of at least ``threshold`` people enter that figure at once. Who was shown when follows
from the nights that brought the comments, so nothing is kept, every door holds the same passages
back, and a filtered view does as the whole does. Within a table, what a total moves by, less what
its shown parts move by, is nobody's or that many people's, too.

What leaves a store (erasure, retention) is not held, nor do two different views wait for one
another, such as the last 28 days of two nights; see docs/threats.md.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.cells import Key, Line, lines_of
from dsn_nlp.analyse.frame import Frame

Rows = npt.NDArray[np.intp]
Places = frozenset[int]
_NONE: Places = frozenset()


def released(
    frame: Frame, rows: Rows, groups: Mapping[Key, Rows], threshold: int
) -> dict[Key, Rows]:
    """Leave out of each group the passages that wait for a later edition.

    :param rows: passages of the frame.
    :param groups: for each group of a table, sums included, places in ``rows``.
    :return: the same groups, each with the places that show now, in the order given.
    """
    comments = frame.respondent[rows] >= 0
    edition = frame.edition[rows]
    if len(np.unique(edition[comments])) < 2:  # one night brought them all
        return dict(groups)
    table = _Table(frame.respondent[rows], threshold, lines_of(groups))
    for news in _news(groups, edition, comments):
        table.add(news)
    return {
        key: places[~np.isin(places, np.fromiter(waiting, np.intp, len(waiting)))]
        if (waiting := table.waiting.get(key))
        else places
        for key, places in groups.items()
    }


def _news(
    groups: Mapping[Key, Rows], edition: npt.NDArray[np.int32], comments: npt.NDArray[np.bool_]
) -> Iterator[dict[Key, Rows]]:
    """What each edition brings to each group, the oldest edition first."""
    found: dict[int, dict[Key, Rows]] = defaultdict(dict)
    for key, places in groups.items():
        mine = places[comments[places]]
        mine = mine[np.argsort(edition[mine], kind="stable")]
        numbers = edition[mine]
        bounds = [0, *(np.flatnonzero(np.diff(numbers)) + 1), len(mine)] if len(mine) else []
        for first, last in pairwise(bounds):
            found[int(numbers[first])][key] = mine[first:last]
    for number in sorted(found):
        yield found[number]


@dataclass(frozen=True)
class _Sum:
    """A total and those parts of it that an edition may move."""

    total: Key
    parts: Sequence[Key]
    visible: frozenset[Key]


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
    _lines_of: dict[Key, list[Line]] = field(init=False)
    _known: dict[Key, set[int]] = field(init=False)

    def __post_init__(self) -> None:
        self._known = defaultdict(set)
        self._lines_of = defaultdict(list)
        for line in self.lines:
            for key in line.members:
                self._lines_of[key].append(line)

    def add(self, news: Mapping[Key, Rows]) -> None:
        """Decide what one edition shows."""
        for key, places in news.items():
            self._known[key].update(self.respondent[places].tolist())
        active = {*news, *self.waiting}
        shown = {key for key in active if self._enough(self._waiting(key), news.get(key))}
        sums = {
            line: _Sum(line.total, [k for k in line.parts if k in active], self._visible(line))
            for line in dict.fromkeys(x for key in sorted(active) for x in self._lines_of[key])
        }
        unsettled = dict.fromkeys(sums)
        while unsettled:
            line = next(iter(unsettled))
            if not self._tells(sums[line], news, shown):
                unsettled.pop(line)
                continue
            parts = [key for key in sums[line].parts if key in shown] or [line.total]
            held = min(parts, key=lambda key: (len(news.get(key, ())), key))
            shown.remove(held)
            unsettled.update(dict.fromkeys(x for x in self._lines_of[held] if x in sums))
        self.opened |= shown
        for key in active:
            if key in shown:
                self.waiting.pop(key, None)
            elif key in news:
                self.waiting[key] = self._waiting(key) | frozenset(news[key].tolist())

    def _waiting(self, key: Key) -> Places:
        return self.waiting.get(key, _NONE)

    def _enough(self, waiting: Places, news: Rows | None) -> bool:
        """Whether enough people stand behind what waits and what is new."""
        people = set() if news is None else set(self.respondent[news[:200]].tolist())
        if len(people) < self.threshold and news is not None:
            people = set(np.unique(self.respondent[news]).tolist())
        return len(people | self._people(waiting)) >= self.threshold

    def _people(self, places: Iterable[int]) -> set[int]:
        return {int(self.respondent[place]) for place in places}

    def _tells(self, one: _Sum, news: Mapping[Key, Rows], shown: Collection[Key]) -> bool:
        """Whether the total's movement less its shown parts', or what is left, is of a few."""
        total = one.total in shown
        now = {key for key in one.parts if key in shown}
        if not (total or now):
            return False
        if self._few(self._moved(one, news, now & one.visible, total)):
            return True
        if not now <= one.visible and self._few(self._moved(one, news, now, total)):
            return True
        if not all(key in self.opened or key in now for key in one.parts):
            return False  # one that never showed is hidden, and another with it
        left = self._left(one.total, news, shown)
        for key in one.parts:
            left ^= self._left(key, news, shown)
        return self._few(left)

    def _moved(
        self, one: _Sum, news: Mapping[Key, Rows], shown: Collection[Key], total: bool
    ) -> Places:
        """By what a total moves and the parts of it that show do not, or the other way round."""
        moved = self._waiting(one.total) if total else _NONE
        for key in shown:
            moved ^= self._waiting(key)
        # What is new to both is no difference.
        return self._with_news(moved, news, [k for k in one.parts if (k in shown) != total])

    def _visible(self, line: Line) -> frozenset[Key]:
        """Parts that are not hidden: neither small ones nor those that a sum would give away."""
        sizes = sorted((len(self._known[key]), key) for key in line.parts if key in self._known)
        hidden = [size for size, _ in sizes if size < self.threshold]
        while hidden and (len(hidden) < 2 or sum(hidden) < self.threshold):
            if len(hidden) == len(sizes):
                break
            hidden.append(sizes[len(hidden)][0])
        return frozenset(key for _, key in sizes[len(hidden) :])

    def _few(self, places: Places) -> bool:
        return 0 < len(self._people(places)) < self.threshold

    def _with_news(self, places: Places, news: Mapping[Key, Rows], keys: Iterable[Key]) -> Places:
        parts = [news[key].tolist() for key in keys if key in news]
        return places.union(*parts)

    def _left(self, key: Key, news: Mapping[Key, Rows], shown: Collection[Key]) -> Places:
        """What still waits in a group after this edition."""
        if key in shown:
            return _NONE
        return self._with_news(self._waiting(key), news, [key])
