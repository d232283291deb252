"""What each night brought to each group, and who is behind it: counted no further than needed."""

import numpy as np
import pytest

from dsn_nlp.analyse.arrivals import Crowd, arrivals

ALL, ONE = ("∑",), ("A",)


def test_nights_come_in_order_and_articles_not_at_all() -> None:
    groups = {ALL: np.arange(6), ONE: np.array([5, 1, 3]), ("B",): np.array([4])}
    edition = np.array([7, 9, 7, 300, 7, 9], np.int32)
    comments = np.array([True, True, True, True, False, True])
    told = [{key: places.tolist() for key, places in one.items()} for one in
            arrivals(groups, edition, comments)]  # fmt: skip
    assert told == [{ALL: [0, 2]}, {ALL: [1, 5], ONE: [5, 1]}, {ALL: [3], ONE: [3]}]


@pytest.mark.parametrize(("others", "enough"), [(0, False), (3, False), (4, True), (90, True)])
def test_few_people_are_told_from_enough_however_much_they_wrote(others: int, enough: bool) -> None:
    """One person wrote the first hundred passages; the others, the last ones."""
    people = [0] * 100 + list(range(1, others + 1))
    crowd = Crowd(np.array(people, np.int32).data, 5)
    for told in (crowd.among(people), crowd.of(range(len(people)))):
        assert crowd.is_enough(told) is enough
        assert crowd.is_few(told) is not enough
        assert enough or len(told) == others + 1
    assert not crowd.is_few(crowd.among([]))
