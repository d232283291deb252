"""The fault bench at a small size: each case leaves a store equal to an undisturbed night's."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

RUNS = {
    "kill-sqlite": 4, "kill-postgresql": 2, "two-sqlite": 1, "lease-sqlite": 1, "full-sqlite": 1,
    "fixed-sqlite": 1, "gone-sqlite": 1, "gone-postgresql": 1, "network-sqlite": 1,
    "hang-postgresql": 1, "model-sqlite": 1, "clock-sqlite": 1, "dst-postgresql": 1,
    "chance-sqlite": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """One run of the bench for all cases: its parent loads the languages once."""
    folder = tmp_path_factory.mktemp("faults")
    chosen = [f"--only={name}" for name in RUNS]
    runs = [f"--set={name}={count}" for name, count in RUNS.items()]
    done = subprocess.run(
        [sys.executable, "-m", "tests.measure.faults", "--small", "--seed=7",
         f"--output={folder}", *chosen, *runs],
        cwd=ROOT, text=True, capture_output=True, check=False, timeout=1500,
    )  # fmt: skip
    path = folder / "faults.json"
    assert path.is_file(), done.stdout[-2000:] + done.stderr[-2000:]
    return {row["name"]: row for row in json.loads(path.read_text(encoding="utf-8"))}


@pytest.mark.timeout(1600)  # the first of them waits for the whole bench
@pytest.mark.parametrize("name", RUNS)
def test_nothing_is_lost_and_nothing_twice(table: dict[str, dict], name: str) -> None:
    if name not in table:
        pytest.skip("no PostgreSQL server can run here")
    row = table[name]
    if not row["runs"]:
        pytest.skip(row["note"])
    assert (row["lost"], row["duplicated"], row["wrong"]) == (0, 0, []), row["note"]
    assert row["runs"] >= RUNS[name]


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
