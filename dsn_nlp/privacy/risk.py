"""How alone a respondent stands: k for each set of quasi-identifiers, to judge a release by.

k of a set is the number of respondents who share the same values (Sweeney, 2002). Comments
without a respondent count one each, which errs on the side of more people.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from dsn_nlp.store import Store

QUASI_IDENTIFIERS = ("site", "unit", "role", "week")
Row = tuple[str, ...]


@dataclass(frozen=True)
class Risk:
    """Of one set of quasi-identifiers.

    :ivar k: the smallest group.
    :ivar groups: how many groups there are.
    :ivar small: groups below the threshold.
    :ivar respondents_at_risk: respondents in them.
    :ivar alone: respondents who are the only one of their group.
    """

    columns: tuple[str, ...]
    k: int
    groups: int
    small: int
    respondents_at_risk: int
    alone: int
    respondents: int


def assess(store: Store, threshold: int = 5) -> list[Risk]:
    """Measure every set of quasi-identifiers over the stored comments, most telling last."""
    rows = list(store.quasi_identifiers())
    sets = [
        columns
        for size in range(1, len(QUASI_IDENTIFIERS) + 1)
        for columns in combinations(QUASI_IDENTIFIERS, size)
    ]
    return [measure(rows, columns, threshold) for columns in sets] if rows else []


def measure(rows: Iterable[tuple[str, Row]], columns: Sequence[str], threshold: int) -> Risk:
    """Measure one set.

    :param rows: respondent and values of all quasi-identifiers, one a comment.
    """
    places = [QUASI_IDENTIFIERS.index(name) for name in columns]
    people: dict[Row, set[str]] = defaultdict(set)
    for respondent, values in rows:
        people[tuple(values[place] for place in places)].add(respondent)
    sizes = Counter(len(group) for group in people.values())
    small = {size: count for size, count in sizes.items() if size < threshold}
    everyone = set().union(*people.values())
    at_risk = set().union(*(g for g in people.values() if len(g) < threshold))
    return Risk(
        columns=tuple(columns),
        k=min(sizes),
        groups=len(people),
        small=sum(small.values()),
        respondents_at_risk=len(at_risk),
        alone=sizes.get(1, 0),
        respondents=len(everyone),
    )
