"""Filters that would let two views of one night be subtracted down to a few people."""

import numpy as np

from dsn_nlp.analyse.cells import TOTAL, Key, hidden_cells
from dsn_nlp.analyse.frame import Frame
from dsn_nlp.analyse.scope import Scope

# Filters that choose values, and the columns they choose from.
COLUMNS = {
    "langs": "lang", "sources": "source", "sites": "site", "roles": "role", "voices": "voice",
}  # fmt: skip


def tells_others(frame: Frame, scope: Scope, threshold: int) -> bool:
    """Whether a view with a filter, beside the same view with less of it, tells of a few people.

    A filter may choose what a table cut by its column shows under the scope's other filters, and
    what that table hides as a whole or not at all.

    :param threshold: fewest people a group may have and be shown.
    """
    return any(
        _splits_hidden(frame, scope, name, threshold) for name in COLUMNS if getattr(scope, name)
    )


def _splits_hidden(frame: Frame, scope: Scope, name: str, threshold: int) -> bool:
    rows = frame.chosen(scope.but(**{name: ()}))
    rows = rows[frame.respondent[rows] >= 0]
    column = frame.columns[COLUMNS[name]]
    size = int(frame.respondent.max(initial=0)) + 1
    pairs = column.codes[rows].astype(np.int64) * size + frame.respondent[rows]
    codes, counts = np.unique(np.unique(pairs) // size, return_counts=True)
    people: dict[Key, int] = {
        (column.names[c],): int(n) for c, n in zip(codes, counts, strict=True)
    }
    people[TOTAL,] = sum(people.values())
    hidden = hidden_cells(people, threshold) - {(TOTAL,)}
    inside = {value for (value,) in hidden} & set(getattr(scope, name))
    return 0 < len(inside) < len(hidden)
