"""What a reader with a pencil can work out from published sums: the least and greatest value."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)
_ONE_VALUE = 1 - 1e-6


class System(Generic[Name]):
    """Linear equations over unknown counts.

    :param lowest: the unknowns, each with the least value it is known to have: 1 for a hidden
        cell where zeros are never hidden.
    """

    def __init__(self, lowest: Mapping[Name, int]) -> None:
        self._lowest = lowest
        self._places: dict[Name, int] = {}
        self._rows: list[dict[int, float]] = []
        self._sums: list[float] = []

    def add_sum(self, total: Name, parts: Iterable[Name], counts: Mapping[Name, float]) -> None:
        """Add ``total == sum(parts)``; counts that are not unknown are known."""
        row: dict[int, float] = {}
        known = 0.0
        for name, sign in [(total, -1.0), *((part, 1.0) for part in parts)]:
            if name in self._lowest:
                row[self._places.setdefault(name, len(self._places))] = sign
            else:
                known += sign * counts[name]
        if row:
            self._rows.append(row)
            self._sums.append(-known)

    def first_determined(self, names: Sequence[Name]) -> Name | None:
        """Find the first of some unknowns that can have one whole value only."""
        waiting = [name for name in names if name in self._places]
        least = dict.fromkeys(waiting, float("inf"))
        greatest = dict.fromkeys(waiting, float("-inf"))
        for name in waiting:
            # A point found for another unknown often shows that this one is free, too.
            if greatest[name] - least[name] >= _ONE_VALUE:
                continue
            for sign in (1.0, -1.0):
                point = self._extreme(name, sign)
                if point is None:
                    greatest[name] = float("inf")
                    break
                for other in waiting:
                    value = float(point[self._places[other]])
                    least[other] = min(least[other], value)
                    greatest[other] = max(greatest[other], value)
            if greatest[name] - least[name] < _ONE_VALUE:
                return name
        return None

    def _extreme(self, name: Name, sign: float) -> Any:
        """Find a point where an unknown is least (or greatest); ``None`` where there is no end."""
        from scipy.optimize import linprog

        cost = np.zeros(len(self._places))
        cost[self._places[name]] = sign
        bounds = [(self._lowest[known], None) for known in self._places]
        sums = np.array(self._sums)
        found = linprog(cost, A_eq=self._matrix(), b_eq=sums, bounds=bounds, method="highs")
        return found.x if found.status == 0 else None

    def _matrix(self) -> Any:
        from scipy.sparse import csr_array

        entries = [(r, c, v) for r, row in enumerate(self._rows) for c, v in row.items()]
        rows, columns, values = zip(*entries, strict=True)
        return csr_array((values, (rows, columns)), shape=(len(self._rows), len(self._places)))
