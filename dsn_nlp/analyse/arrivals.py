"""What each night brought to each group of a table, and who is behind it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dsn_nlp.analyse.cells import Key

Rows = npt.NDArray[np.intp]
_SOME = 64


def arrivals(
    groups: Mapping[Key, Rows], edition: npt.NDArray[np.int32], comments: npt.NDArray[np.bool_]
) -> Iterator[dict[Key, Rows]]:
    """What each edition brings to each group, the oldest edition first.

    :param groups: for each group, places in the two arrays below.
    :param edition: number of the night that brought each passage, ``(n,)``.
    :param comments: which passages are of comments; articles are public and come at once, ``(n,)``.
    :return: for each edition the groups it touches, with their new places.
    """
    night = edition - edition.min()
    # Numbers of few bits are sorted by counting, not by comparing.
    night = night.astype(np.min_scalar_type(int(night.max())))
    found: dict[int, dict[Key, Rows]] = defaultdict(dict)
    for key, places in groups.items():
        mine = places[comments[places]]
        mine = mine[np.argsort(night[mine], kind="stable")]
        numbers = night[mine]
        bounds = [0, *(np.flatnonzero(np.diff(numbers)) + 1), len(mine)] if len(mine) else []
        for first, last in pairwise(bounds):
            found[int(numbers[first])][key] = mine[first:last]
    for number in sorted(found):
        yield found[number]


@dataclass(frozen=True)
class Crowd:
    """Who is behind passages, looked for no further than it takes to tell few from enough.

    :ivar respondent: number of the person behind each place.
    :ivar threshold: the least group that may show.
    """

    respondent: memoryview
    threshold: int

    def of(self, places: Iterable[int]) -> set[int]:
        """People behind places: all where they are few, else some, and enough."""
        found: set[int] = set()
        for place in places:
            found.add(self.respondent[place])
            if len(found) >= self.threshold:
                break
        return found

    def among(self, people: list[int]) -> set[int]:
        """Different people of a list: all where they are few, else some, and enough."""
        found = set(people[:_SOME])
        return found if len(found) >= self.threshold else set(people)

    def is_enough(self, people: set[int]) -> bool:
        """Whether a figure may move by these people's answers."""
        return len(people) >= self.threshold

    def is_few(self, people: set[int]) -> bool:
        """Whether they are somebody, and too few to be told of."""
        return 0 < len(people) < self.threshold
