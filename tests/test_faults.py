"""The fault bench at a small size: each case leaves a store equal to an undisturbed night's."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.measure.faults.plan import PLAN

# Kills first: they are what a night meets most.
RUNS = {
    "kill-sqlite": 6,
    "kill-postgresql": 3,
    "two-sqlite": 2,
    "chance-sqlite": 2,
    "gone-sqlite": 2,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """One run of the bench for all cases: its parent loads the languages once."""
    folder = tmp_path_factory.mktemp("faults")
    runs = [f"{name}={count}" for name, count in RUNS.items()]
    done = subprocess.run(
        [sys.executable, "-m", "tests.measure.faults", "--runs", "1", "--seed", "7",
         "--output", str(folder), *(word for each in runs for word in ("--set", each))],
        cwd=ROOT, text=True, capture_output=True, check=False, timeout=550,
    )  # fmt: skip
    path = folder / "faults.json"
    assert path.is_file(), done.stdout[-2000:] + done.stderr[-2000:]
    return {row["name"]: row for row in json.loads(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", [f"{name}-{store}" for name, _, store, _ in PLAN])
def test_nothing_is_lost_and_nothing_twice(table: dict[str, dict], name: str) -> None:
    if name not in table:
        pytest.skip("no PostgreSQL server can run here")
    row = table[name]
    if not row["runs"]:
        pytest.skip(row["note"])
    assert (row["lost"], row["duplicated"], row["wrong"]) == (0, 0, []), row["note"]
    assert row["runs"] >= RUNS.get(name, 1)


def test_the_bench_sees_what_is_lost_and_what_is_twice(tmp_path: Path) -> None:
    """A bench that cannot fail would measure nothing."""
    from collections import Counter

    from tests.measure.faults.bench import Bench, Row

    class Stub:
        def contents(self) -> Counter:
            return Counter({("documents", b"a"): 1, ("documents", b"c"): 2})

        def visible(self) -> int:
            return 3

        def statuses(self) -> list[str]:
            return ["running"]

    bench = Bench.__new__(Bench)
    bench.expected = Counter({("documents", b"a"): 1, ("documents", b"b"): 1})
    bench.shown = 5
    row = Row("x", "sqlite")
    bench.compare(row, Stub())  # type: ignore[arg-type]
    assert (row.runs, row.lost, row.duplicated) == (1, 1, 2)
    assert len(row.wrong) == 2
