"""Disjoint groups of ids that grow by joining, in any order to the same end."""

from collections.abc import Iterable


class Groups:
    """Disjoint groups of ids; a group is named by its smallest id."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, one: str) -> str:
        """The name of an id's group."""
        root = one
        while (parent := self._parent.get(root, root)) != root:
            root = parent
        while (parent := self._parent.get(one, one)) != root:
            self._parent[one], one = root, parent
        return root

    def join(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Join the groups of each pair."""
        for one, other in pairs:
            first, second = sorted((self.find(one), self.find(other)))
            self._parent[second] = first
