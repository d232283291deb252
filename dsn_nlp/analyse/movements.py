"""What the figures of one night, less those of the night before, would tell of a few people.

Readers can subtract twice: a figure from its own of the night before, and the parts of a table
from their total. A night's groups are held back, one by one, until neither tells.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from dsn_nlp.analyse.arrivals import Crowd, Rows
from dsn_nlp.analyse.cells import Key

Places = frozenset[int]
_NONE: Places = frozenset()
_NOBODY: set[int] = set()


@dataclass(frozen=True)
class Sum:
    """A total, and those parts of it that a night may move.

    :ivar hidden: parts that no reader sees, as small as they are.
    """

    total: Key
    parts: Sequence[Key]
    hidden: Set[Key]


@dataclass(frozen=True)
class Night:
    """What one night brings to a table.

    :ivar news: new places of each group that it touches.
    :ivar people: who is behind them, as far as :class:`Crowd` counts.
    :ivar waiting: places of each group that no earlier night has shown.
    :ivar waiters: who is behind those.
    :ivar opened: groups that an earlier night has shown.
    """

    news: Mapping[Key, Rows]
    people: Mapping[Key, set[int]]
    waiting: Mapping[Key, Places]
    waiters: Mapping[Key, set[int]]
    opened: Collection[Key]
    crowd: Crowd
    _left: dict[Key, Places] = field(default_factory=dict)

    def brings_enough(self, key: Key) -> bool:
        """Whether enough people are behind what waits in a group and what is new to it."""
        return self.crowd.is_enough(self.behind(key))

    def behind(self, key: Key) -> set[int]:
        """Who is behind what waits in a group and what is new to it."""
        return self.people.get(key, _NOBODY) | self.waiters.get(key, _NOBODY)

    def tells(self, one: Sum, shown: Set[Key]) -> bool:
        """Whether the total's movement less its shown parts', or what is left, is of a few.

        :param shown: groups that this night would show.
        """
        total = one.total in shown
        now = {key for key in one.parts if key in shown}
        if not (total or now):
            return False
        seen = now - one.hidden
        if self._tells_moved(one, seen, total):
            return True
        if seen != now and self._tells_moved(one, now, total):
            return True
        return self._tells_left(one, shown)

    def left(self, key: Key) -> Places:
        """What waits in a group that this night does not show."""
        if key not in self._left:
            waits = self.waiting.get(key, _NONE)
            new = self.news[key].tolist() if key in self.news else ()
            self._left[key] = waits.union(new)
        return self._left[key]

    def size(self, key: Key) -> int:
        """How many passages are new to a group."""
        return len(self.news.get(key, ()))

    def _tells_moved(self, one: Sum, shown: Set[Key], total: bool) -> bool:
        """Whether a total moves by a few where its parts do not, or the other way round."""
        # What is new to both is no difference.
        new = self._new_to(key for key in one.parts if (key in shown) != total)
        if self.crowd.is_enough(new):
            return False
        moved = set(self.waiting.get(one.total, _NONE) if total else _NONE)
        for key in shown:
            if key in self.waiting:
                moved ^= self.waiting[key]
        return self.crowd.is_few(new | self.crowd.of(moved))

    def _new_to(self, keys: Iterable[Key]) -> set[int]:
        found: set[int] = set()
        for key in keys:
            found |= self.people.get(key, _NOBODY)
        return found

    def _tells_left(self, one: Sum, shown: Set[Key]) -> bool:
        """Whether what still waits in the total alone, or in its parts alone, is of a few."""
        held = [key for key in one.parts if key not in shown]
        if not all(key in self.opened for key in held):
            return False  # one that never showed is hidden, and another with it
        left = set(self.left(one.total) if one.total not in shown else _NONE)
        for key in held:
            left ^= self.left(key)
        return self.crowd.is_few(self.crowd.of(left))


def held_back(
    night: Night,
    wanting: Set[Key],
    sums: Mapping[int, Sum],
    lines_of: Mapping[Key, Sequence[int]],
) -> set[Key]:
    """Choose the groups that wait although enough people are behind them.

    :param wanting: groups with enough people.
    :param sums: the lines of the table that this night may move, by number.
    :param lines_of: numbers of the lines that each group is in.
    :return: those that wait, the ones with least news first chosen.
    """
    shown, held = set(wanting), set[Key]()
    unsettled = dict.fromkeys(sums)
    while unsettled:
        number = next(iter(unsettled))
        one = sums[number]
        if not night.tells(one, shown):
            unsettled.pop(number)
            continue
        parts = [key for key in one.parts if key in shown] or [one.total]
        least = min(parts, key=lambda key: (night.size(key), key))
        shown.remove(least)
        held.add(least)
        unsettled.update(dict.fromkeys(x for x in lines_of[least] if x in sums))
    return held
