"""Which cases are run, on which store, and how often."""

from collections.abc import Callable

from tests.measure.faults.bench import Bench, Row
from tests.measure.faults.kills import killed, taken_over, two_at_once

Case = Callable[[Bench, str, int], Row]
PLAN: list[tuple[str, Case, str, int]] = [
    ("kill", killed, "sqlite", 50),
    ("kill", killed, "postgresql", 20),
    ("two", two_at_once, "sqlite", 10),
    ("two", two_at_once, "postgresql", 10),
    ("lease", taken_over, "sqlite", 5),
    ("lease", taken_over, "postgresql", 5),
]
