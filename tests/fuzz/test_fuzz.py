"""A short seeded run of the fuzzer over all targets, and whatever it once found."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, check, seeds

ROOT = Path(__file__).resolve().parents[2]
FOUND = sorted((Path(__file__).parent / "found").glob("*-*"))
RUNS = 1000


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_are_read(target):
    for body in seeds(target):
        assert TARGETS[target](body)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_a_fuzzer_once_found(path):
    target, body = path.name.split("-")[0], path.read_bytes()
    if target == "all":
        target, body = list(TARGETS)[body[0] % len(TARGETS)], body[1:]
    check(target, body)


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not installed (extra 'dev')"
)
def test_a_short_run_finds_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", "all", f"-runs={RUNS}", "-seed=7"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=400,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    ran = re.search(r"Done (\d+) runs", done.stderr)
    assert ran is not None
    assert int(ran[1]) >= RUNS
    # Guided: inputs that reach new lines were kept.
    reached = [int(n) for n in re.findall(r"\bcov: (\d+)", done.stderr)]
    assert reached[-1] > reached[0]
