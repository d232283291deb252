"""Texts written to be slow are read, or refused, in a time that grows no faster than they do."""

import pytest

from tests.measure.pathological_comments import UNITS, read_time


@pytest.mark.parametrize("name", sorted(UNITS))
def test_reading_is_not_slowed(tmp_path, name):
    unit = UNITS[name]
    read_time(tmp_path, "Une lecture à blanc, pour charger ce qui se charge une fois.")
    assert read_time(tmp_path, (unit * 100_000)[:100_000])[1] == 0  # over 20,000 characters
    seconds, comments = read_time(tmp_path, (unit * 20_000)[:19_999])
    assert comments == 1
    assert seconds < 5  # a hang; measured are under 0.1 s
