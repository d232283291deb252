"""Every regular expression of the package is linear in practice: 100,000 hostile characters."""

import json
import subprocess
import sys

from tests.conftest import ROOT
from tests.security.patterns import slowest


def test_no_pattern_hangs_on_hostile_text() -> None:
    """In a child process, three seconds of processor time a string at most."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.security.patterns"], cwd=ROOT, text=True,
        capture_output=True, check=False, timeout=550,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    *slow, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert slow == []
    assert summary["patterns"] > 150
    assert summary["tried"] > 14 * summary["patterns"]


def test_the_trial_finds_a_pattern_that_hangs() -> None:
    import re

    assert slowest(re.compile(r"(?:a+)+b"), anchored=True)[0] == 3.0
    assert slowest(re.compile(r"\s*b"), anchored=False)[0] == 3.0
    assert slowest(re.compile(r"\w+"), anchored=False)[0] < 3.0
