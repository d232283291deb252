"""Which cases are run, on which store, and how often."""

from collections.abc import Callable

from tests.measure.faults import broken, chances, clocks, kills
from tests.measure.faults.bench import Bench, Row

Case = Callable[[Bench, str, int], Row]
BOTH = ("sqlite", "postgresql")
_CASES: list[tuple[str, Case, dict[str, int]]] = [
    ("kill", kills.killed, {"sqlite": 50, "postgresql": 20}),
    ("two", kills.two_at_once, dict.fromkeys(BOTH, 10)),
    ("lease", kills.taken_over, dict.fromkeys(BOTH, 5)),
    ("full", broken.disk_full, dict.fromkeys(BOTH, 10)),
    ("write", broken.failing_write, {"sqlite": 10}),
    ("fixed", broken.read_only, dict.fromkeys(BOTH, 6)),
    ("gone", broken.store_gone, dict.fromkeys(BOTH, 10)),
    ("network", broken.network_gone, dict.fromkeys(BOTH, 6)),
    ("hang", broken.source_hangs, dict.fromkeys(BOTH, 6)),
    ("model", broken.corrupt_model, {"sqlite": 6}),
    ("clock", clocks.jumping, dict.fromkeys(BOTH, 10)),
    ("dst", clocks.daylight_saving, dict.fromkeys(BOTH, 6)),
    ("chance", chances.by_chance, dict.fromkeys(BOTH, 20)),
]
PLAN = [(name, case, store, runs) for name, case, by in _CASES for store, runs in by.items()]
